//! What all pictures share: font, colours, and how they fail.
use crate::error::Error;
use plotters::style::RGBColor;

/// Any font without serifs; PNG pictures bring their own.
pub(crate) const FONT: &str = "sans-serif";

/// The colours of lines, in order: apart for most eyes, readable on white.
pub(crate) const LINES: [RGBColor; 6] = [
    RGBColor(0x1f, 0x6f, 0xb4),
    RGBColor(0xd9, 0x5f, 0x02),
    RGBColor(0x1b, 0x8a, 0x5a),
    RGBColor(0xa2, 0x3b, 0x8f),
    RGBColor(0x8a, 0x6d, 0x00),
    RGBColor(0x5b, 0x5b, 0xd6),
];

/// What drawing comes to.
pub(crate) type Drawn<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What a drawing library said, as an error of this crate.
pub(crate) fn picture(error: Box<dyn std::error::Error>) -> Error {
    Error::Picture { why: error.to_string() }
}

/// A share of a colour, the rest white.
pub(crate) fn tint(colour: RGBColor, share: f64) -> RGBColor {
    let mix = |c: u8| (255.0 + (f64::from(c) - 255.0) * share).round() as u8;
    RGBColor(mix(colour.0), mix(colour.1), mix(colour.2))
}

//! What all pictures share.
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

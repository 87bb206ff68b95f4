//! A recording at a glance: a small spectrogram.
use gruvy_runtime::audio::{FeatureStream, FrontEnd};
use std::io::Cursor;

/// Columns at most, and at least half as many where a recording is long enough.
const WIDTH: usize = 240;
/// Rows: filters of the mel scale.
const HEIGHT: usize = 32;
/// What is this far below the loudest is paper, in nepers of power: 60 dB.
const RANGE: f32 = 13.8;
/// No picture is drawn as if it were louder than this, ln of power in a filter: silence stays paper.
const QUIET: f32 = -4.6;
/// A blue that is seen on white and on black; how much of it says how loud.
const BLUE: [u8; 3] = [47, 127, 196];
/// Shades.
const SHADES: usize = 16;

/// Columns of a picture whose width is not known before its end.
pub(super) struct Spectrogram {
    stream: FeatureStream,
    frames: Vec<f32>,
    /// The loudest of the frames of each column, `[columns, HEIGHT]`.
    columns: Vec<f32>,
    /// Frames in a column, and in the last so far.
    wide: usize,
    last: usize,
}

impl Spectrogram {
    /// None for rates that have no spectrum to speak of.
    pub(super) fn new(sample_rate_hz: u32) -> Option<Self> {
        let front_end =
            FrontEnd { mels: HEIGHT, stack: 1, stride: 1, ..FrontEnd::new(sample_rate_hz) };
        let stream = front_end.stream().ok()?;
        Some(Self { stream, frames: Vec::new(), columns: Vec::new(), wide: 1, last: 0 })
    }

    pub(super) fn push(&mut self, samples: &[f32]) {
        self.stream.push(samples, &mut self.frames);
        self.take();
    }

    /// Frames into columns; where there are too many columns, two become one.
    fn take(&mut self) {
        for frame in std::mem::take(&mut self.frames).chunks_exact(HEIGHT) {
            if self.last == 0 {
                if self.columns.len() == WIDTH * HEIGHT {
                    self.columns = self.columns.chunks(2 * HEIGHT).flat_map(louder).collect();
                    self.wide *= 2;
                }
                self.columns.extend(frame);
            } else {
                let begin = self.columns.len() - HEIGHT;
                let column = &mut self.columns[begin..];
                column.iter_mut().zip(frame).for_each(|(old, new)| *old = old.max(*new));
            }
            self.last = (self.last + 1) % self.wide;
        }
    }

    /// The picture as SVG.
    pub(super) fn finish(mut self) -> Option<String> {
        self.stream.finish(&mut self.frames);
        self.take();
        let width = self.columns.len() / HEIGHT;
        let png = self.png(width)?;
        Some(format!(
            "<svg class=\"roll\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" \
             role=\"img\" aria-label=\"spectrogram\"><image href=\"data:image/png;base64,{}\" \
             width=\"{width}\" height=\"{HEIGHT}\" preserveAspectRatio=\"none\"/></svg>",
            base64(&png)
        ))
    }

    /// Time from left to right, the lowest frequency at the bottom.
    fn png(&self, width: usize) -> Option<Vec<u8>> {
        let top = self.columns.iter().copied().fold(QUIET, f32::max);
        let shade = |x: usize, y: usize| {
            let below = (top - self.columns[x * HEIGHT + HEIGHT - 1 - y]) / RANGE;
            ((1.0 - below).clamp(0.0, 1.0) * (SHADES - 1) as f32).round() as u8
        };
        let mut pixels = Vec::new();
        for y in 0..HEIGHT {
            let row: Vec<u8> = (0..width).map(|x| shade(x, y)).collect();
            pixels.extend(row.chunks(2).map(|two| two[0] << 4 | two.get(1).unwrap_or(&0)));
        }
        let mut file = Cursor::new(Vec::new());
        let mut encoder = png::Encoder::new(&mut file, width as u32, HEIGHT as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Four);
        encoder.set_palette(BLUE.repeat(SHADES));
        encoder.set_trns(
            (0..SHADES).map(|shade| (shade * 255 / (SHADES - 1)) as u8).collect::<Vec<_>>(),
        );
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&pixels).ok()?;
        writer.finish().ok()?;
        Some(file.into_inner())
    }
}

/// The louder of two columns, or one alone.
fn louder(two: &[f32]) -> Vec<f32> {
    let (one, other) = two.split_at(HEIGHT);
    (0..HEIGHT).map(|row| one[row].max(other.get(row).copied().unwrap_or(one[row]))).collect()
}

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| -> [char; 4] {
        let bits =
            (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        std::array::from_fn(|at| match at <= three.len() {
            true => char::from(SIGNS[(bits >> (18 - 6 * at)) as usize & 63]),
            false => '=',
        })
    };
    bytes.chunks(3).flat_map(four).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_rfc() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    /// The shade of each pixel, rows from the top.
    fn drawn(samples: &[f32]) -> (usize, Vec<Vec<u8>>) {
        let mut picture = Spectrogram::new(8000).unwrap();
        samples.chunks(777).for_each(|piece| picture.push(piece));
        picture.stream.finish(&mut picture.frames);
        picture.take();
        let width = picture.columns.len() / HEIGHT;
        let png = picture.png(width).unwrap();
        let mut reader = png::Decoder::new(Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let rows = pixels
            .chunks(width.div_ceil(2))
            .map(|row| row.iter().flat_map(|two| [two >> 4, two & 15]).take(width).collect());
        (width, rows.collect())
    }

    #[test]
    fn tones_stand_where_they_sound() {
        // Half a second of 300 Hz, then of 3000 Hz.
        let tone = |at: usize| {
            let hz = if at < 4000 { 300.0 } else { 3000.0 };
            (at as f32 * hz * std::f32::consts::TAU / 8000.0).sin()
        };
        let (width, rows) = drawn(&(0..8000).map(tone).collect::<Vec<_>>());
        assert!((WIDTH / 4..WIDTH).contains(&width), "{width}");
        let darkest = |x: usize| (0..HEIGHT).max_by_key(|y| rows[*y][x]).unwrap();
        assert!(darkest(width / 4) > HEIGHT / 2, "{}", darkest(width / 4));
        assert!(darkest(3 * width / 4) < HEIGHT / 3, "{}", darkest(3 * width / 4));
    }

    #[test]
    fn hours_are_as_wide_as_minutes() {
        let mut picture = Spectrogram::new(8000).unwrap();
        for _ in 0..600 {
            picture.push(&[0.25; 8000]);
            assert!(picture.columns.len() <= WIDTH * HEIGHT);
        }
        let svg = picture.finish().unwrap();
        assert!(svg.len() < 6000, "{}", svg.len());
        assert!(Spectrogram::new(1).is_none());
        let (_, rows) = drawn(&[0.0; 8000]);
        assert!(rows.iter().flatten().all(|shade| *shade == 0));
    }
}

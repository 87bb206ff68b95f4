//! A recording as a picture: its spectrogram, with the words that were heard where they were heard.
use crate::draw::raster::Canvas;
use crate::draw::style::{Drawn, FONT, LINES, picture as failed, tint};
use crate::error::Result;
use gruvy_runtime::audio::{Audio, FrontEnd};
use gruvy_runtime::speech::Transcript;
use plotters::prelude::*;

const WIDTH: u32 = 1200;
const LEFT: u32 = 56;
const RIGHT: u32 = 16;
const TITLE: u32 = 40;
/// Filters, and the height of each.
const MELS: usize = 64;
const ROW: u32 = 4;
/// For the words, and below them the seconds.
const WORDS: u32 = 44;
const AXIS: u32 = 28;
/// What is this far below the loudest is paper, in nepers of power: 60 dB.
const RANGE: f32 = 13.8;

/// The picture of a recording and what was heard in it, as the content of a PNG file.
///
/// # Errors
/// [`Error::Picture`](crate::Error::Picture) with what the plotting library said; as of the front
/// end.
pub fn picture(audio: &Audio, heard: &Transcript, title: &str) -> Result<Vec<u8>> {
    let front_end =
        FrontEnd { mels: MELS, stack: 1, stride: 1, ..FrontEnd::new(audio.sample_rate_hz()) };
    let frames = front_end.frames(audio, 1.0)?;
    let mut canvas = Canvas::new((WIDTH, TITLE + MELS as u32 * ROW + WORDS + AXIS));
    let page = Page { frames: &frames, seconds: audio.seconds(), half_hz: front_end.high_hz };
    page.paint(canvas.backend(), heard, title).map_err(failed)?;
    canvas.to_png().map_err(|error| failed(error.into()))
}

struct Page<'a> {
    /// `[n, MELS]`
    frames: &'a [f32],
    seconds: f64,
    half_hz: f32,
}

impl Page<'_> {
    fn x(&self, seconds: f64) -> i32 {
        let share = (seconds / self.seconds.max(1e-9)).clamp(0.0, 1.0);
        LEFT as i32 + (share * f64::from(WIDTH - LEFT - RIGHT)) as i32
    }

    fn paint<B: DrawingBackend>(&self, backend: B, heard: &Transcript, title: &str) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let area = backend.into_drawing_area();
        area.fill(&WHITE)?;
        area.draw(&Text::new(title.to_owned(), (LEFT as i32, 10), (FONT, 19)))?;
        let bottom = (TITLE + MELS as u32 * ROW) as i32;
        let count = self.frames.len() / MELS;
        let loudest = self.frames.iter().copied().fold(-4.6, f32::max);
        for (at, frame) in self.frames.chunks_exact(MELS).enumerate() {
            let edge = |at: usize| self.x(self.seconds * at as f64 / count as f64);
            let (from, to) = (edge(at), edge(at + 1).max(edge(at) + 1));
            for (row, value) in frame.iter().enumerate() {
                let share = (1.0 - (loudest - value) / RANGE).clamp(0.0, 1.0);
                if share == 0.0 {
                    continue;
                }
                let y = bottom - ((row as u32 + 1) * ROW) as i32;
                let colour = tint(LINES[0], f64::from(share));
                area.draw(&Rectangle::new([(from, y), (to, y + ROW as i32)], colour.filled()))?;
            }
        }
        let small = (FONT, 14).into_font();
        for word in &heard.words {
            let (from, to) = (self.x(word.start), self.x(word.end).max(self.x(word.start) + 2));
            area.draw(&Rectangle::new([(from, bottom + 4), (to, bottom + 8)], LINES[1].filled()))?;
            area.draw(&Text::new(word.text.clone(), (from, bottom + 14), (FONT, 17)))?;
        }
        let step = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0]
            .into_iter()
            .find(|step| self.seconds / step <= 12.0)
            .unwrap_or(36_000.0);
        let below = bottom + WORDS as i32;
        for tick in 0..=(self.seconds / step) as usize {
            let seconds = tick as f64 * step;
            let x = self.x(seconds);
            area.draw(&PathElement::new([(x, below), (x, below + 5)], BLACK))?;
            let text = format!("{} s", (seconds * 100.0).round() / 100.0);
            area.draw(&Text::new(text, (x + 2, below + 8), small.clone()))?;
        }
        for (hz, y) in [(self.half_hz, TITLE as i32), (60.0, bottom - 14)] {
            area.draw(&Text::new(format!("{hz:.0} Hz"), (2, y), small.clone()))?;
        }
        area.present()?;
        Ok(())
    }
}

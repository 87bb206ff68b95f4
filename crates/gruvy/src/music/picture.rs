//! A roll as a picture: keys upwards, time to the right, what was given apart from what was made.
use crate::draw::raster::Canvas;
use crate::draw::style::{Drawn, FONT, LINES, picture as failed};
use crate::error::Result;
use gruvy_runtime::music::{LOWEST, Roll, Span, key_name};
use plotters::coord::Shift;
use plotters::prelude::*;

const WIDTH: u32 = 1200;
const LEFT: u32 = 52;
const RIGHT: u32 = 16;
const TITLE: u32 = 44;
/// Between two lines of a picture.
const GAP: u32 = 26;
/// Height of a key.
const KEY: u32 = 6;
/// Steps of a line, as far as whole bars allow.
const STEPS: usize = 160;
/// Lines of a picture.
const MOST_LINES: usize = 20;
/// Steps of a bar where the meter is not known.
const USUAL_BAR: usize = 16;

type Area<B> = DrawingArea<B, Shift>;

/// A picture of a roll.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    roll: &'a Roll,
    primer: usize,
    notes: Vec<Span>,
}

/// A picture of a roll whose first `primer` steps were given; 0: none were.
pub fn picture(roll: &Roll, primer: usize) -> Picture<'_> {
    Picture { roll, primer, notes: roll.spans() }
}

impl Picture<'_> {
    /// The picture as SVG.
    ///
    /// # Errors
    /// [`Error::Picture`](crate::Error::Picture) with what the plotting library said.
    pub fn to_svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.paint(SVGBackend::with_string(&mut svg, self.size())).map_err(failed)?;
        Ok(svg)
    }

    /// The same picture as the content of a PNG file, twice as wide and high.
    ///
    /// # Errors
    /// As [`Picture::to_svg`].
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let mut canvas = Canvas::new(self.size());
        self.paint(canvas.backend()).map_err(failed)?;
        canvas.to_png().map_err(|error| failed(error.into()))
    }

    /// Steps of a line: whole bars of the first meter.
    fn line(&self) -> usize {
        let bar = Some(self.roll.place(0).of).filter(|of| *of > 0).unwrap_or(USUAL_BAR);
        (STEPS / bar).max(1) * bar
    }

    fn lines(&self) -> usize {
        self.roll.frames.len().div_ceil(self.line()).clamp(1, MOST_LINES)
    }

    /// The lowest and the highest key that is drawn, at least two octaves apart.
    fn keys(&self) -> (u8, u8) {
        let low = self.notes.iter().map(|note| note.key).min().unwrap_or(27).saturating_sub(1);
        let high = self.notes.iter().map(|note| note.key).max().unwrap_or(51);
        (low, (high + 1).max(low + 24))
    }

    fn height(&self) -> u32 {
        let (low, high) = self.keys();
        u32::from(high - low + 1) * KEY
    }

    fn size(&self) -> (u32, u32) {
        (WIDTH, TITLE + self.lines() as u32 * (self.height() + GAP))
    }

    fn paint<B: DrawingBackend>(&self, backend: B) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let root = backend.into_drawing_area();
        root.fill(&WHITE)?;
        let (title, mut rest) = root.split_vertically(TITLE);
        self.title(&title)?;
        for line in 0..self.lines() {
            let (area, below) = rest.split_vertically(self.height() + GAP);
            self.grid(&area, line)?;
            self.notes(&area, line)?;
            rest = below;
        }
        root.present()?;
        Ok(())
    }

    fn title<B: DrawingBackend>(&self, area: &Area<B>) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let (steps, shown) = (self.roll.frames.len(), self.lines() * self.line());
        let cut = match steps > shown {
            true => format!(" (the first {shown} of {steps} steps)"),
            false => String::new(),
        };
        let name = format!("{}{cut}", self.roll.name);
        area.draw(&Text::new(name, (LEFT as i32, 12), (FONT, 19)))?;
        let words: &[(&str, RGBColor)] = match self.primer {
            0 => &[],
            _ => &[("given", LINES[1]), ("continued", LINES[0])],
        };
        for (i, (word, color)) in words.iter().enumerate() {
            let x = WIDTH as i32 - 210 + 90 * i as i32;
            area.draw(&Rectangle::new([(x, 17), (x + 14, 25)], color.filled()))?;
            area.draw(&Text::new((*word).to_owned(), (x + 20, 13), (FONT, 15)))?;
        }
        Ok(())
    }

    /// Where a step of a line begins.
    fn x(&self, step: usize) -> i32 {
        let width = (WIDTH - LEFT - RIGHT) as usize;
        (LEFT as usize + step * width / self.line()) as i32
    }

    /// The upper edge of a key.
    fn y(&self, key: u8) -> i32 {
        i32::from(self.keys().1 - key) * KEY as i32
    }

    /// Octaves and bars, and the ground of what was given.
    fn grid<B: DrawingBackend>(&self, area: &Area<B>, line: usize) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let from = line * self.line();
        let end = (self.roll.frames.len().saturating_sub(from)).min(self.line());
        let (right, bottom) = (self.x(end), self.height() as i32);
        let given = self.primer.saturating_sub(from).min(end);
        if given > 0 {
            let corners = [(LEFT as i32, 0), (self.x(given), bottom)];
            area.draw(&Rectangle::new(corners, LINES[1].mix(0.08).filled()))?;
        }
        let (low, high) = self.keys();
        for key in (low..=high).filter(|key| (key + LOWEST).is_multiple_of(12)) {
            let y = self.y(key) + KEY as i32;
            area.draw(&PathElement::new([(LEFT as i32, y), (right, y)], BLACK.mix(0.18)))?;
            let name = key_name(key + LOWEST);
            area.draw(&Text::new(name, (LEFT as i32 - 30, y - 13), (FONT, 14)))?;
        }
        for step in (0..=end).filter(|step| self.bar_line(from + step)) {
            let x = self.x(step);
            area.draw(&PathElement::new([(x, 0), (x, bottom)], BLACK.mix(0.3)))?;
        }
        area.draw(&Rectangle::new([(LEFT as i32, 0), (right, bottom)], BLACK.mix(0.35)))?;
        let label = format!("step {from}");
        area.draw(&Text::new(
            label,
            (LEFT as i32, bottom + 4),
            (FONT, 13).into_font().color(&BLACK.mix(0.6)),
        ))?;
        Ok(())
    }

    fn bar_line(&self, step: usize) -> bool {
        let place = self.roll.place(step);
        place.of > 0 && place.step == 0
    }

    fn notes<B: DrawingBackend>(&self, area: &Area<B>, line: usize) -> Drawn
    where
        B::ErrorType: 'static,
    {
        let (from, to) = (line * self.line(), (line + 1) * self.line());
        for note in self.notes.iter().filter(|note| note.from < to && note.to > from) {
            let (start, end) = (note.from, note.to);
            // A note that was given may go on behind the end of the primer.
            let color = if start < self.primer { LINES[1] } else { LINES[0] };
            let (left, right) = (self.x(start.saturating_sub(from)), self.x(end.min(to) - from));
            let y = self.y(note.key);
            // A gap, so that repeated notes are seen.
            let corners = [(left + 1, y + 1), ((right - 1).max(left + 2), y + KEY as i32 - 1)];
            area.draw(&Rectangle::new(corners, color.filled()))?;
        }
        if (from..to).contains(&self.primer) && self.primer > 0 {
            let x = self.x(self.primer - from);
            let style = LINES[1].stroke_width(2);
            area.draw(&PathElement::new([(x, 0), (x, self.height() as i32)], style))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gruvy_runtime::music::Sound;

    fn roll(steps: usize) -> Roll {
        let frame = |step: usize| {
            vec![
                Sound { key: 39, onset: step.is_multiple_of(4) },
                Sound { key: 51, onset: step.is_multiple_of(2) },
            ]
        };
        let bars = vec![gruvy_runtime::music::Bar { at: 0, beats: 3, unit: 4 }];
        Roll {
            name: "a <waltz>".into(),
            frames: (0..steps).map(frame).collect(),
            onsets: true,
            steps_per_quarter: 4,
            bars,
            tempo: 120.0,
            tempo_changes: Vec::new(),
        }
    }

    #[test]
    fn notes_are_joined_and_repeated_notes_stay_apart() {
        let spans = roll(6).spans().into_iter().map(|span| (span.from, span.to, span.key));
        let expected = [(0, 2, 51), (0, 4, 39), (2, 4, 51), (4, 6, 39), (4, 6, 51)];
        assert!(spans.eq(expected));
    }

    #[test]
    fn a_picture_tells_what_was_given_from_what_was_made() {
        let roll = roll(24);
        let svg = picture(&roll, 12).to_svg().unwrap();
        for part in ["a &lt;waltz&gt;", "given", "continued", "C4", "C5", "step 0"] {
            assert!(svg.contains(part), "{part}");
        }
        // Six notes a bar and key of two, one of three: given and made alike.
        let of = |color: &str| svg.matches(&format!("opacity=\"1\" fill=\"{color}\"")).count();
        assert_eq!((of("#D95F02"), of("#1F6FB4")), (9 + 1, 9 + 1));
        let svg = picture(&roll, 0).to_svg().unwrap();
        assert!(!svg.contains("given") && svg.contains("#1F6FB4"));
        assert_eq!(picture(&roll, 12).to_png().unwrap()[1..4], *b"PNG");
    }

    #[test]
    fn a_long_roll_is_wrapped_at_bars_and_cut_with_a_word() {
        let long = roll(10_000);
        let picture = picture(&long, 0);
        assert_eq!((picture.line(), picture.lines()), (156, MOST_LINES));
        assert!(picture.to_svg().unwrap().contains("the first 3120 of 10000 steps"));
        let empty = Roll { frames: Vec::new(), ..roll(0) };
        assert!(super::picture(&empty, 0).to_svg().unwrap().contains("<svg"));
    }
}

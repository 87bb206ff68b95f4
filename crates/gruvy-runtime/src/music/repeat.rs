//! Whether music goes round in a circle.

/// A circle is left alone for so many rounds.
const ROUNDS: usize = 3;
/// And for so many bars.
const BARS: usize = 2;
/// Largest circle that is looked for, in bars.
const LARGEST: usize = 2;
/// What every further round adds to the temperature.
const HEAT: f32 = 0.25;

/// The last steps, and how long each distance has been a period of theirs.
#[derive(Clone, Debug)]
pub(super) struct Repeats<T> {
    /// Steps of a bar.
    bar: usize,
    steps: Vec<T>,
    /// For each period from 1 on: steps that equalled those so long before.
    equal: Vec<usize>,
}

impl<T: PartialEq> Repeats<T> {
    pub(super) fn new(bar: usize) -> Self {
        Self { bar, steps: Vec::new(), equal: vec![0; LARGEST * bar] }
    }

    pub(super) fn push(&mut self, step: T) {
        for (before, equal) in self.steps.iter().rev().zip(&mut self.equal) {
            *equal = if *before == step { *equal + 1 } else { 0 };
        }
        if self.steps.len() == self.equal.len() {
            self.steps.remove(0);
        }
        self.steps.push(step);
    }

    /// What temperatures are multiplied by: 1 until a circle has gone on for long.
    pub(super) fn heat(&self) -> f32 {
        let beyond = |(index, equal): (usize, &usize)| {
            let period = index + 1;
            let free = (ROUNDS * period).max(BARS * self.bar);
            equal.saturating_sub(free) as f32 / period.max(self.bar / 2) as f32
        };
        1.0 + HEAT * self.equal.iter().enumerate().map(beyond).fold(0.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_heats_up_until_it_is_left() {
        let mut repeats = Repeats::new(16);
        for step in 0..40 {
            assert_eq!(repeats.heat(), 1.0, "{step}");
            repeats.push(step);
        }
        // Four steps again and again.
        let heats: Vec<f32> = (0..200)
            .map(|step| {
                repeats.push(50 + step % 4);
                repeats.heat()
            })
            .collect();
        assert_eq!(heats[34], 1.0);
        assert!(heats[40] > 1.0 && heats[199] > 3.0, "{heats:?}");
        repeats.push(1);
        assert_eq!(repeats.heat(), 1.0);
    }

    #[test]
    fn a_held_frame_is_a_circle_too() {
        let mut repeats = Repeats::new(8);
        (0..16).for_each(|_| repeats.push(()));
        assert_eq!(repeats.heat(), 1.0);
        (0..16).for_each(|_| repeats.push(()));
        assert!(repeats.heat() > 1.5);
    }
}

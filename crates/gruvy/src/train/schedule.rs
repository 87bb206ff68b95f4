//! The learning rate of a step, and when to stop early: both follow from the step and from the
//! validation losses alone, never from the clock.
//!
//! ```text
//! lr(s) = lr · warm(s) · f(s)        warm(s) = min(1, (s + 1) / warmup)
//! cosine    f = m + (1 − m) · (1 + cos(π p)) / 2,   p = (s − warmup) / (steps − 1 − warmup)
//! plateau   f = max(m, 2^−k), k plateaus so far
//! constant  f = 1
//! ```
use super::config::{Schedule, TrainConfig};
use serde::{Deserialize, Serialize};

/// Evaluations without a better validation loss after which [`Schedule::Plateau`] halves the
/// learning rate.
pub const PLATEAU_EVALS: usize = 3;

/// What the validation losses have told so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Judge {
    /// Step and loss of the best evaluation.
    pub best: Option<(u64, f64)>,
    /// Training loss at the best evaluation.
    pub train_at_best: f64,
    /// Evaluations since.
    pub since_best: usize,
    /// Halvings of the learning rate.
    pub plateaus: i32,
    /// The overfitting note was given.
    pub warned: bool,
}

impl Judge {
    /// Takes the losses of an evaluation after `step` steps; says whether it is the best.
    pub fn hear(&mut self, step: u64, train: f64, valid: f64) -> bool {
        let better = self.best.is_none_or(|(_, best)| valid < best);
        if better {
            self.best = Some((step, valid));
            self.train_at_best = train;
            self.since_best = 0;
        } else {
            self.since_best += 1;
            if self.since_best.is_multiple_of(PLATEAU_EVALS) {
                self.plateaus += 1;
            }
        }
        better
    }

    /// Whether `patience` is used up.
    pub fn give_up(&self, patience: usize) -> bool {
        patience > 0 && self.since_best >= patience
    }

    /// A sentence, once a run, when validation has risen by more than 2 % over its best while
    /// training still falls by more than that.
    pub fn overfitting(&mut self, train: f64, valid: f64) -> Option<String> {
        const MARGIN: f64 = 0.02;
        let (step, best) = self.best?;
        let overfits = valid > best * (1.0 + MARGIN) && train < self.train_at_best * (1.0 - MARGIN);
        if !overfits || self.warned {
            return None;
        }
        self.warned = true;
        Some(format!(
            "overfitting: since step {step} the validation loss has risen from {best:.4} to \
             {valid:.4} \
             while the training loss fell from {:.4} to {train:.4}. The model of step {step} is \
             kept; \
             more data, a higher value of the setting `dropout` or a lower one of the setting \
             `hidden` would help",
            self.train_at_best
        ))
    }
}

/// Learning rate of step `step` (from 0) of `steps`.
pub(crate) fn learning_rate(config: &TrainConfig, step: u64, steps: u64, judge: &Judge) -> f64 {
    let warmup = (config.warmup as u64).min(steps / 10);
    if step < warmup {
        return config.lr * (step + 1) as f64 / warmup as f64;
    }
    let factor = match config.schedule {
        Schedule::Constant => 1.0,
        Schedule::Plateau => 0.5f64.powi(judge.plateaus).max(config.min_lr),
        Schedule::Cosine => {
            let last = (steps - 1).saturating_sub(warmup).max(1);
            let progress = ((step - warmup) as f64 / last as f64).min(1.0);
            let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
            config.min_lr + (1.0 - config.min_lr) * cosine
        }
    };
    config.lr * factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(schedule: Schedule) -> TrainConfig {
        TrainConfig { schedule, lr: 2.0, warmup: 10, min_lr: 0.1, ..TrainConfig::default() }
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }

    #[test]
    fn warm_up_is_linear_and_cosine_ends_at_the_minimum() {
        let (config, judge) = (config(Schedule::Cosine), Judge::default());
        let lr = |step| learning_rate(&config, step, 111, &judge);
        close(lr(0), 0.2);
        close(lr(9), 2.0);
        close(lr(10), 2.0);
        close(lr(60), 2.0 * (0.1 + 0.9 / 2.0));
        close(lr(110), 0.2);
    }

    #[test]
    fn warm_up_takes_at_most_a_tenth_of_a_short_run() {
        let (config, judge) = (config(Schedule::Constant), Judge::default());
        close(learning_rate(&config, 1, 20, &judge), 2.0);
    }

    #[test]
    fn plateau_halves_down_to_the_minimum() {
        let config = config(Schedule::Plateau);
        let mut judge = Judge::default();
        assert!(judge.hear(1, 1.0, 1.0));
        for k in 1..=4 {
            for _ in 0..PLATEAU_EVALS {
                assert!(!judge.hear(2, 1.0, 1.0));
            }
            close(learning_rate(&config, 50, 100, &judge), 2.0 * 0.5f64.powi(k).max(0.1));
        }
        assert!(judge.hear(3, 1.0, 0.9));
        close(learning_rate(&config, 50, 100, &judge), 0.2);
    }

    #[test]
    fn patience_counts_evaluations_since_the_best() {
        let mut judge = Judge::default();
        for valid in [1.0, 2.0, 0.5, 0.6, 0.7] {
            judge.hear(1, 1.0, valid);
        }
        assert!(judge.give_up(2) && !judge.give_up(3) && !judge.give_up(0));
    }

    #[test]
    fn overfitting_is_said_once_and_only_past_the_margin() {
        let mut judge = Judge::default();
        judge.hear(10, 1.0, 1.0);
        assert_eq!(judge.overfitting(0.5, 1.019), None, "validation within the margin");
        assert_eq!(judge.overfitting(0.99, 1.5), None, "training does not fall: not overfitting");
        let text = judge.overfitting(0.9, 1.03).unwrap();
        assert!(text.contains("step 10") && text.contains("1.0300"), "{text}");
        assert_eq!(judge.overfitting(0.5, 2.0), None, "once");
    }
}

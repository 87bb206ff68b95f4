//! Settings of a training run that every task shares. Names equal the command's flags.
use crate::{
    error::{Error, Result},
    nn::config::RecurrentConfig,
};
use gruvy_kernels::Cell;
use serde::{Deserialize, Serialize};

/// How the learning rate moves after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Half a cosine from `lr` at the end of the warm-up to `lr * min_lr` at the last of `epochs`.
    #[default]
    Cosine,
    /// Halved whenever validation has not improved for [`PLATEAU_EVALS`](super::PLATEAU_EVALS)
    /// evaluations, never below `lr * min_lr`.
    Plateau,
    /// Always `lr`.
    Constant,
}

/// Settings of the network, the optimizer and the loop. The `[train]` table of `run.toml`.
///
/// The schedule is a function of the step alone: `max_minutes` only stops. So a run that was
/// interrupted, by the clock or by anything else, goes on as if it never had been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The recurrence.
    pub cell: Cell,
    /// `H`, hidden units of a layer.
    pub hidden: usize,
    /// `L`, recurrent layers.
    pub layers: usize,
    /// Share of activations dropped between layers and before the head.
    pub dropout: f64,
    /// Variational dropout of each layer's input: the same features at all steps of a sequence.
    pub input_dropout: f64,
    /// Variational dropout of what the hidden weights see of the state, the same at all steps of a sequence.
    pub recurrent_dropout: f64,
    /// Probability with which a unit keeps its state at a step (zoneout).
    pub zoneout: f64,
    /// Share of hidden weights dropped, the same at all steps of a batch (DropConnect).
    pub weight_dropout: f64,
    /// Layer normalisation of the gates.
    pub layer_norm: bool,
    /// Compute the gates again in the backward pass instead of keeping them: less memory for long sequences, more time.
    pub recompute: bool,
    /// Longest dependency in steps that the gates are opened for at the start (chrono initialisation,
    /// 1804.11188); zero: gates as PyTorch draws them. None: as the task finds best.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chrono: Option<usize>,
    /// Learn from the first part of the training data alone, this share of it. Validation and test stay
    /// whole.
    pub train_fraction: f64,
    /// Share of each target that is spread over all classes while training, where a task has classes.
    /// Validation and test measure the plain loss.
    pub label_smoothing: f64,
    /// `B`, sequences in a batch.
    pub batch: usize,
    /// Passes over the training data.
    pub epochs: usize,
    /// Stop after that many minutes of training, resumed time included. Zero: no limit.
    pub max_minutes: f64,
    /// Peak learning rate of AdamW.
    pub lr: f64,
    /// Decoupled weight decay on matrices (biases are spared), times the learning rate per step.
    pub weight_decay: f64,
    /// Steps of linear warm-up from zero.
    pub warmup: usize,
    /// How the learning rate moves afterwards.
    pub schedule: Schedule,
    /// Lowest learning rate of a schedule, as a share of `lr`.
    pub min_lr: f64,
    /// Largest global norm of the gradient; a longer one is scaled down. Zero: no limit.
    pub clip: f64,
    /// Decay of the moving average of the weights that is evaluated and exported. Zero: none, the
    /// weights themselves.
    pub ema: f64,
    /// Stop after that many evaluations without a better validation loss. Zero: never.
    pub patience: usize,
    /// Steps between evaluations. Zero: a fortieth of the run, and an epoch at most.
    pub eval_every: usize,
    /// Seconds between checkpoints (there is one at each evaluation as well).
    pub save_every: f64,
    /// Seed of the initial weights, the dropout and the order of the data.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            cell: Cell::Gru,
            hidden: 256,
            layers: 1,
            dropout: 0.2,
            input_dropout: 0.0,
            recurrent_dropout: 0.0,
            zoneout: 0.0,
            weight_dropout: 0.0,
            layer_norm: false,
            recompute: false,
            chrono: None,
            train_fraction: 1.0,
            label_smoothing: 0.0,
            batch: 32,
            epochs: 20,
            max_minutes: 0.0,
            lr: 4e-3,
            weight_decay: 0.01,
            warmup: 50,
            schedule: Schedule::Cosine,
            min_lr: 0.02,
            clip: 1.0,
            ema: 0.0,
            patience: 10,
            eval_every: 0,
            save_every: 30.0,
            seed: 1,
        }
    }
}

/// The settings that may change when a run goes on: limits, and how often it is saved. No number that is computed depends
/// on them before they are reached.
pub const FREE_ON_RESUME: [&str; 4] = ["epochs", "max_minutes", "patience", "save_every"];

/// `a, b and c`
pub(crate) fn in_words(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

impl TrainConfig {
    /// These settings with the [free](FREE_ON_RESUME) ones of `other`.
    #[must_use]
    pub fn with_free_of(&self, other: &Self) -> Self {
        Self {
            epochs: other.epochs,
            max_minutes: other.max_minutes,
            patience: other.patience,
            save_every: other.save_every,
            ..self.clone()
        }
    }

    /// The recurrent layers of these settings, for inputs of `input_size` features.
    pub fn recurrent(&self, input_size: usize) -> RecurrentConfig {
        RecurrentConfig::new(input_size, self.hidden)
            .with_num_layers(self.layers)
            .with_cell(self.cell)
            .with_dropout(self.dropout)
            .with_input_dropout(self.input_dropout)
            .with_recurrent_dropout(self.recurrent_dropout)
            .with_zoneout(self.zoneout)
            .with_weight_dropout(self.weight_dropout)
            .with_layer_norm(self.layer_norm)
            .with_recompute(self.recompute)
            .with_chrono(self.chrono.unwrap_or(0))
    }

    /// Refuses values that make no sense.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first such setting.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [
            ("hidden", self.hidden),
            ("layers", self.layers),
            ("batch", self.batch),
            ("epochs", self.epochs),
        ] {
            if value == 0 {
                return Err(Error::setting(name, value, "expected at least 1"));
            }
        }
        let share = |v: f64| (0.0..1.0).contains(&v);
        let positive = |v: f64| v > 0.0 && v.is_finite();
        let not_negative = |v: f64| v >= 0.0 && v.is_finite();
        let fraction = self.train_fraction;
        let (a_share, at_least_0) = ("expected at least 0 and less than 1", "expected 0 or more");
        for (name, value, good, expected) in [
            ("dropout", self.dropout, share(self.dropout), a_share),
            ("input_dropout", self.input_dropout, share(self.input_dropout), a_share),
            ("recurrent_dropout", self.recurrent_dropout, share(self.recurrent_dropout), a_share),
            ("zoneout", self.zoneout, share(self.zoneout), a_share),
            ("weight_dropout", self.weight_dropout, share(self.weight_dropout), a_share),
            ("label_smoothing", self.label_smoothing, share(self.label_smoothing), a_share),
            ("ema", self.ema, share(self.ema), a_share),
            (
                "train_fraction",
                fraction,
                fraction > 0.0 && fraction <= 1.0,
                "expected above 0, at most 1",
            ),
            ("lr", self.lr, positive(self.lr), "expected a number above 0"),
            ("min_lr", self.min_lr, (0.0..=1.0).contains(&self.min_lr), "expected 0 to 1"),
            ("weight_decay", self.weight_decay, not_negative(self.weight_decay), at_least_0),
            ("clip", self.clip, not_negative(self.clip), at_least_0),
            ("max_minutes", self.max_minutes, not_negative(self.max_minutes), at_least_0),
            ("save_every", self.save_every, not_negative(self.save_every), at_least_0),
        ] {
            if !good {
                return Err(Error::setting(name, value, expected));
            }
        }
        if let Some(chrono @ (1 | 2)) = self.chrono {
            return Err(Error::setting(
                "chrono",
                chrono,
                "expected at least 3 steps, or 0 for none",
            ));
        }
        Ok(())
    }
}

//! Settings of a training run that every task shares. Names equal the command's flags.
use crate::{
    error::{Error, Result},
    nn::config::RecurrentConfig,
};
use gruvy_data::settings;
use gruvy_data::settings::{Kind, Range, Settings};
use gruvy_kernels::Cell;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// No size is larger, so that those computed from it are numbers.
pub(crate) const MOST: usize = 1 << 24;
const MOST_LAYERS: usize = 1024;
/// No settings stand for more runs.
pub(crate) const MOST_RUNS: usize = 1000;

/// Refuses larger sizes.
pub(crate) fn at_most(sizes: &[(&'static str, usize)], most: usize) -> Result<()> {
    match sizes.iter().find(|(_, value)| *value > most) {
        Some((name, value)) => Err(Error::setting(name, value, format!("expected at most {most}"))),
        None => Ok(()),
    }
}

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

settings! {
    /// Settings of the network, the optimizer and the loop. The `[train]` table of `run.toml`.
    ///
    /// The schedule is a function of the step alone: `max_minutes` only stops. So a run that was
    /// interrupted, by the clock or by anything else, goes on as if it never had been.
    pub struct TrainConfig {
        cell: Cell = Cell::Gru, Kind::Choice(|| Cell::ALL.map(Cell::name).to_vec()), "",
            "The recurrence";
        /// `H`.
        hidden: usize = 256, Kind::Whole(1), "N", "Hidden units of a layer";
        /// `L`.
        layers: usize = 1, Kind::Whole(1), "N", "Recurrent layers";
        /// And before the head.
        dropout: f64 = 0.2, Kind::Number(Range::Share), "P",
            "Share of activations dropped between layers";
        input_dropout: f64 = 0.0, Kind::Number(Range::Share), "P",
            "Share of features dropped from each layer's input, the same at all steps \
             (variational)";
        recurrent_dropout: f64 = 0.0, Kind::Number(Range::Share), "P",
            "Share of units that the hidden weights do not see, the same at all steps \
             (variational)";
        /// Semeniuta et al., 1603.05118. Plain RNNs have no candidate.
        candidate_dropout: f64 = 0.0, Kind::Number(Range::Share), "P",
            "Share of new values dropped where they join the state, anew at each step";
        zoneout: f64 = 0.0, Kind::Number(Range::Share), "P",
            "Probability with which a unit keeps its state at a step";
        /// The same at all steps of a batch.
        weight_dropout: f64 = 0.0, Kind::Number(Range::Share), "P",
            "Share of hidden weights dropped (DropConnect)";
        layer_norm: bool = false, Kind::Switch, "BOOL", "Layer normalisation of the gates";
        recompute: bool = false, Kind::Switch, "BOOL",
            "Compute the gates again in the backward pass instead of keeping them: less memory, \
             more time";
        /// Chrono initialisation, 1804.11188; none: as the task finds best.
        #[serde(skip_serializing_if = "Option::is_none")]
        chrono: Option<usize> = None, Kind::Whole(0), "T",
            "Open the gates for dependencies of up to T steps at the start; 0: not [default: the \
             length of a \
             memory task, else 0]";
        /// Validation and test stay whole.
        train_fraction: f64 = 1.0, Kind::Number(Range::Part), "SHARE",
            "Learn from the first part of the training data alone, this share of it";
        /// Where a task has classes. Validation and test measure the plain loss.
        label_smoothing: f64 = 0.0, Kind::Number(Range::Share), "SHARE",
            "Share of each target that is spread over all classes while training";
        /// `B`.
        batch: usize = 32, Kind::Whole(1), "N", "Sequences in a batch";
        epochs: usize = 20, Kind::Whole(1), "N", "Passes over the training data";
        /// Resumed time included.
        max_minutes: f64 = 0.0, Kind::Number(Range::NotNegative), "MIN",
            "Stop after that many minutes; 0: no limit";
        /// Of AdamW.
        lr: f64 = 4e-3, Kind::Number(Range::Positive), "RATE", "Peak learning rate";
        /// On matrices (biases are spared), times the learning rate per step.
        weight_decay: f64 = 0.01, Kind::Number(Range::NotNegative), "RATE", "Decoupled weight decay";
        warmup: usize = 50, Kind::Whole(0), "N", "Steps of linear warm-up";
        schedule: Schedule = Schedule::Cosine, Kind::Choice(|| vec!["cosine", "plateau", "constant"]), "",
            "How the learning rate moves after the warm-up";
        min_lr: f64 = 0.02, Kind::Number(Range::Unit), "SHARE",
            "Lowest learning rate of a schedule, as a share of the peak";
        /// A longer one is scaled down.
        clip: f64 = 1.0, Kind::Number(Range::NotNegative), "NORM",
            "Largest norm of the gradient; 0: no limit";
        ema: f64 = 0.0, Kind::Number(Range::Share), "DECAY",
            "Decay of the averaged weights that are evaluated and kept; 0: none";
        patience: usize = 10, Kind::Whole(0), "N",
            "Stop after that many evaluations without a better validation loss; 0: never";
        /// Zero: a fortieth of the run, and an epoch at most.
        eval_every: usize = 0, Kind::Whole(0), "N",
            "Steps between evaluations; 0: chosen by the length of the run";
        /// There is one at each evaluation as well.
        save_every: f64 = 30.0, Kind::Number(Range::NotNegative), "S", "Seconds between checkpoints";
        /// Of the initial weights, the dropout and the order of the data.
        seed: u64 = 1, Kind::Whole(0), "N", "Seed of everything random";
    }
}

/// The settings that may change when a run goes on: limits, and how often it is saved. No number
/// that is computed depends on them before they are reached.
pub const FREE_ON_RESUME: [&str; 4] = ["epochs", "max_minutes", "patience", "save_every"];

/// ``the setting `a`, the setting `b` and the setting `c` ``
pub(crate) fn in_words(names: &[&str]) -> String {
    let named: Vec<String> = names.iter().map(|name| format!("the setting `{name}`")).collect();
    match &named[..] {
        [] => String::new(),
        [one] => one.clone(),
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
            .with_candidate_dropout(self.candidate_dropout)
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
        settings::check(&json!(self), Self::SETTINGS)?;
        at_most(&[("hidden", self.hidden), ("batch", self.batch)], MOST)?;
        at_most(&[("layers", self.layers)], MOST_LAYERS)?;
        self.check_candidate(&[self.cell])?;
        if let Some(chrono @ (1 | 2)) = self.chrono {
            return Err(Error::setting(
                "chrono",
                chrono,
                "expected at least 3 steps, or 0 for none",
            ));
        }
        Ok(())
    }

    /// Refuses dropout of candidates where one of `cells` has none.
    pub(crate) fn check_candidate(&self, cells: &[Cell]) -> Result<()> {
        let names = |cells: Vec<&Cell>| cells.into_iter().map(|cell| cell.name()).collect();
        let without: Vec<_> = names(cells.iter().filter(|cell| !cell.has_candidate()).collect());
        if self.candidate_dropout == 0.0 || without.is_empty() {
            return Ok(());
        }
        let with: Vec<_> = names(Cell::ALL.iter().filter(|cell| cell.has_candidate()).collect());
        let expected = format!(
            "expected 0 with {}, whose new state is no mixture of the old one and a candidate; it \
             works with {}",
            without.join(" and "),
            with.join(", ")
        );
        Err(Error::setting("candidate_dropout", self.candidate_dropout, expected))
    }
}

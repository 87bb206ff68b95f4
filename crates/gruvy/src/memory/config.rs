//! Settings of the memory tasks.
use super::generator::Generator;
use crate::settings::run::RunSettings;
use gruvy_data::settings;
use gruvy_data::settings::Kind;
use gruvy_runtime::memory::{Adding, Copying};
use std::marker::PhantomData;

settings! {
    /// Settings of a memory task. The `[adding]` or `[copy]` table of `run.toml`.
    #[serde(bound = "G: Generator")]
    pub struct MemoryConfig<G: Generator> {
        /// `T`: the steps of a sequence (adding), or of the pause (copy).
        length: usize = G::LENGTH, Kind::Whole(1), "T", "Steps over which must be remembered";
        train_size: usize = 10_000, Kind::Whole(1), "N", "Sequences of an epoch, made afresh each time";
        valid_size: usize = 500, Kind::Whole(1), "N", "Sequences to validate on";
        test_size: usize = 1000, Kind::Whole(0), "N", "Sequences to test on";
        /// Which task.
        #[serde(skip)]
        generator: PhantomData<G> = PhantomData;
    }
}

/// Settings of the adding problem.
pub type AddingConfig = MemoryConfig<Adding>;
/// All settings of a run of the adding problem.
pub type AddingRun = RunSettings<AddingConfig>;
/// Settings of copying.
pub type CopyConfig = MemoryConfig<Copying>;
/// All settings of a run of copying.
pub type CopyRun = RunSettings<CopyConfig>;

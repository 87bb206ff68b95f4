//! What the heads have in common: music in parts, to be learned from in excerpts.
use super::config::MusicRun;
use super::model::MusicModel;
use crate::error::Result;
use crate::nn::key::Key;
use crate::train::{report::Metrics, task::Part};
use burn::tensor::{Device, Tensor};
use gruvy_runtime::{Codec, model::Network, model::Spec, random::Fnv};
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// An excerpt of a piece, and how it is played.
#[derive(Clone, Debug)]
pub(super) struct Excerpt {
    pub piece: usize,
    pub steps: Range<usize>,
    /// Semitones higher.
    pub semitones: i32,
    /// What times are multiplied by.
    pub slower: f64,
}

/// Music as a head learns it.
pub(super) trait Material: Debug {
    /// How it is read and written.
    fn codec(&self) -> Codec;

    /// What a step is called.
    fn unit(&self) -> &'static str;

    /// Steps of each piece of a part.
    fn lengths(&self, part: Part) -> Vec<usize>;

    /// Adds what a part is made of.
    fn print(&self, part: Part, to: &mut Fnv);

    /// The network of these settings.
    fn spec(&self, run: &MusicRun) -> Spec;

    /// The model with fresh weights.
    fn init(&self, run: &MusicRun, key: Key, device: &Device) -> MusicModel;

    /// Mean nats of a step, `[1]`.
    fn loss(&self, model: &MusicModel, excerpts: &[Excerpt], masks: Option<Key>) -> Tensor<1>;

    /// How well a part is predicted, by the runtime, as anyone who uses the model would measure
    /// it; none if there is nothing to predict.
    fn measure(&self, network: &Arc<Network>, part: Part) -> Result<Option<Metrics>>;

    /// Nats of a step of the validation part by the frequencies of the training part alone.
    fn floor(&self) -> Option<f64>;
}

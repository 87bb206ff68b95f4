//! A model of a memory task at work.
use super::codec::{Adding, Copying};
use super::eval::{evaluate_adding, evaluate_copying};
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::model::{file::ModelFile, network::Network, session::Session, steps::Steps};
use crate::task::TaskName;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A model of the memory task `G`, ready to run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MemoryModel<G> {
    network: Arc<Network>,
    codec: G,
}

impl<G> MemoryModel<G> {
    /// What makes the sequences.
    pub fn codec(&self) -> &G {
        &self.codec
    }

    /// The network.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// A session that reads one sequence step by step.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn stream(&self) -> Result<Session> {
        Session::new(self.network.clone(), 1)
    }
}

impl MemoryModel<Adding> {
    /// Opens a model file, or the model of a run folder.
    ///
    /// # Errors
    /// As [`ModelFile::open`] and [`MemoryModel::from_file`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(&ModelFile::open(path)?)
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, and as [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        let Codec::Adding(codec) = file.codec else {
            return Err(Error::Task { expected: TaskName::Adding, got: file.task() });
        };
        Ok(Self { network: Arc::new(Network::new(file)?), codec })
    }

    /// The sum that the model gives for each of `batch` sequences `x [T, B, 2]`, `[B]`.
    ///
    /// # Errors
    /// As [`Session::feed`].
    pub fn answers(&self, x: &[f32], batch: usize) -> Result<Vec<f32>> {
        let mut session = Session::new(self.network.clone(), batch)?;
        Ok(session.feed(Steps::Features(x))?.to_vec())
    }

    /// The metrics over the first `count` sequences of `seed`.
    ///
    /// # Errors
    /// As [`evaluate_adding`].
    pub fn evaluate(&self, seed: u64, count: u64) -> Result<BTreeMap<String, f64>> {
        evaluate_adding(&self.network, &self.codec, seed, count)
    }
}

impl MemoryModel<Copying> {
    /// Opens a model file, or the model of a run folder.
    ///
    /// # Errors
    /// As [`ModelFile::open`] and [`MemoryModel::from_file`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(&ModelFile::open(path)?)
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, and as [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        let Codec::Copy(codec) = file.codec else {
            return Err(Error::Task { expected: TaskName::Copy, got: file.task() });
        };
        Ok(Self { network: Arc::new(Network::new(file)?), codec })
    }

    /// The logits of the symbols at every step of `batch` sequences `x [T + 20, B]`, `[T + 20, B,
    /// 10]`.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn answers(&self, x: &[u32], batch: usize) -> Result<Vec<f32>> {
        let mut session = Session::new(self.network.clone(), batch)?;
        Ok(session.run(x)?.to_vec())
    }

    /// The metrics over the first `count` sequences of `seed`.
    ///
    /// # Errors
    /// As [`evaluate_copying`].
    pub fn evaluate(&self, seed: u64, count: u64) -> Result<BTreeMap<String, f64>> {
        evaluate_copying(&self.network, &self.codec, seed, count)
    }
}

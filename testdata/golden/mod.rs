//! The golden files as the tests of two crates read them: `crates/gruvy-kernels/tests/golden.rs`
//! and `crates/gruvy/tests/nn/golden.rs`. README.md describes the files, `rounding.rs` the
//! tolerances.
#![allow(dead_code)] // Each crate's tests use a part.
#![allow(clippy::unwrap_used)] // A failed step fails the test.

mod pass;
mod rounding;
mod training;

use gruvy_kernels::{Cell, Noise};
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, BTreeSet};
use std::{env, fs, path::Path, path::PathBuf};

/// Tensors by name.
pub type Tensors = BTreeMap<String, Vec<f64>>;

/// A test that goes over the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The `f64` reference: every pass forward and backward.
    Reference,
    /// The kernels: passes of a single layer.
    Kernels,
    /// The modules of `gruvy::nn`: passes without zoneout and without anything drawn. While
    /// training, the modules draw with seeds of their own.
    Modules,
    /// Training steps.
    Training,
}

/// One file.
pub struct Golden {
    pub name: String,
    pub settings: serde_json::Value,
    /// All but `lengths`.
    pub tensors: BTreeMap<String, Vec<f32>>,
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// `[B]`; empty in a training.
    pub lengths: Vec<usize>,
}

/// Every setting that a file may have. The tests must learn a new one before a file may use it.
const SETTINGS: &str = "name seed torch weights cell batch seq_len input_size hidden_size \
    num_layers bidirectional bias lengths zoneout recurrent_dropout noise_seed layer_norm \
    outputs steps lr beta_1 beta_2 eps weight_decay";

/// The files for a test, from this folder or from the one that the environment variable
/// `GRUVY_GOLDEN` names, which is relative to the repository's root.
///
/// # Panics
/// If there are none, if any file in the folder is for no test, or if this folder lacks a file for
/// some cell.
pub fn files(test: Test) -> Vec<Golden> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let other = env::var_os("GRUVY_GOLDEN");
    let folder = root.join(other.as_deref().unwrap_or("testdata/golden".as_ref()));
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "safetensors"));
    paths.sort();
    let mut files: Vec<_> = paths.iter().map(Golden::read).collect();
    for file in &files {
        let tests = [Test::Kernels, Test::Modules, Test::Training];
        assert!(tests.iter().any(|test| file.is_for(*test)), "{}: no test reads it", file.name);
    }
    files.retain(|file| file.is_for(test));
    assert!(!files.is_empty(), "{}: no golden files for {test:?}", folder.display());
    if other.is_none() {
        let found: BTreeSet<_> = files.iter().map(|file| file.cell().name()).collect();
        // torch.nn has no GruV3 to train.
        let known = Cell::ALL.into_iter();
        let known = known.filter(|cell| *cell != Cell::GruV3 || test != Test::Training);
        assert_eq!(found, known.map(Cell::name).collect(), "cells with a golden file for {test:?}");
    }
    files
}

impl Golden {
    fn read(path: &PathBuf) -> Self {
        let bytes = fs::read(path).unwrap();
        let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
        let settings = header.metadata().as_ref().and_then(|metadata| metadata.get("golden"));
        let settings = settings.unwrap_or_else(|| panic!("{}: not golden", path.display()));
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
        let mut golden = Self {
            name: settings["name"].as_str().unwrap().to_owned(),
            settings,
            tensors: BTreeMap::new(),
            shapes: BTreeMap::new(),
            lengths: Vec::new(),
        };
        for key in golden.settings.as_object().unwrap().keys() {
            let known = SETTINGS.split_whitespace().any(|setting| setting == key);
            assert!(known, "{}: no test knows the setting {key}", golden.name);
        }
        for (name, view) in SafeTensors::deserialize(&bytes).unwrap().iter() {
            if view.dtype() == Dtype::I64 {
                let longs = view.data().chunks_exact(8);
                let long = |b: &[u8]| i64::from_le_bytes(b.try_into().unwrap()) as usize;
                golden.lengths = longs.map(long).collect();
                continue;
            }
            let floats = view.data().chunks_exact(4);
            let floats = floats.map(|b| f32::from_le_bytes(b.try_into().unwrap()));
            golden.tensors.insert(name.to_owned(), floats.collect());
            golden.shapes.insert(name.to_owned(), view.shape().to_vec());
        }
        golden
    }

    /// Whether that test reads the file.
    pub fn is_for(&self, test: Test) -> bool {
        let training = !self.settings["steps"].is_null();
        match test {
            Test::Reference => !training,
            Test::Kernels => !training && self.layers() == 1,
            Test::Modules => !training && self.noise().seed.is_none() && self.zoneout() == 0.0,
            Test::Training => training,
        }
    }

    pub fn size(&self, key: &str) -> usize {
        self.settings[key].as_u64().unwrap_or_else(|| panic!("{}: no {key}", self.name)) as usize
    }

    pub fn number(&self, key: &str) -> f64 {
        self.settings[key].as_f64().unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }

    pub fn flag(&self, key: &str) -> bool {
        self.settings[key].as_bool().unwrap_or(false)
    }

    /// The first training's file is older than the others and lacks the cell.
    pub fn cell(&self) -> Cell {
        Cell::from_name(self.settings["cell"].as_str().unwrap_or("gru")).unwrap()
    }

    pub fn layers(&self) -> usize {
        self.settings["num_layers"].as_u64().unwrap_or(1) as usize
    }

    pub fn directions(&self) -> usize {
        if self.flag("bidirectional") { 2 } else { 1 }
    }

    pub fn zoneout(&self) -> f64 {
        self.settings["zoneout"].as_f64().unwrap_or(0.0)
    }

    pub fn noise(&self) -> Noise {
        let rate = self.settings["recurrent_dropout"].as_f64().unwrap_or(0.0);
        let seed = self.settings["noise_seed"].as_u64();
        Noise { seed, recurrent_dropout: rate as f32, ..Noise::default() }
    }

    /// None where all rows are full.
    pub fn lengths(&self) -> Option<&[usize]> {
        (!self.settings["lengths"].is_null()).then_some(&self.lengths)
    }

    pub fn get(&self, name: &str) -> &[f32] {
        self.tensors.get(name).unwrap_or_else(|| panic!("{}: no tensor {name}", self.name))
    }

    /// What is computed, and not given.
    fn is_result(name: &str) -> bool {
        ["output", "h_n", "losses"].contains(&name)
            || name.starts_with("grad.")
            || name.starts_with("final.")
    }

    fn part(&self, results: bool) -> Tensors {
        let part = self.tensors.iter().filter(|(name, _)| Self::is_result(name) == results);
        part.map(|(name, values)| (name.clone(), wide(values))).collect()
    }

    /// What PyTorch computed.
    pub fn results(&self) -> Tensors {
        self.part(true)
    }

    /// What it computed from.
    pub fn operands(&self) -> Tensors {
        self.part(false)
    }
}

pub fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|v| f64::from(*v)).collect()
}

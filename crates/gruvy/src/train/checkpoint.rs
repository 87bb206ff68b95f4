//! `last.ckpt`: everything needed to go on as if nothing had happened.
//!
//! A safetensors file, written atomically.
//!
//! ```text
//! model.PATH   parameters            optim        state of the optimizer (Burn's format, bytes)
//! ema.PATH     their moving average  carry.N      hidden states between two batches
//! __metadata__.checksum: of the tensors and of the next
//! __metadata__.gruvy_checkpoint: JSON of `Progress`, `Bond` and the parameters' identities
//! ```
//! Random numbers need no state: each step seeds the generator from the run's seed and its own
//! number.
use super::{
    config::{FREE_ON_RESUME, TrainConfig, in_words},
    folder::LogLengths,
    params::{collect, plain, replace},
    report::Ended,
    schedule::Judge,
    task::{Carry, Task},
};
use crate::error::{Error, Result};
use burn::{
    module::{Module, ParamId},
    optim::ModuleOptimizer,
    tensor::{Bytes, Device, Tensor, TensorData},
};
use gruvy_runtime::model::{Checksum, write_atomic};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

/// 1: without the settings of the task, and with random numbers of another generator.
const VERSION: u32 = 2;
const KEY: &str = "gruvy_checkpoint";
const CHECKSUM: &str = "checksum";

/// Where a run stands, apart from its tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Optimizer steps done.
    pub step: u64,
    /// Sum of the training losses since the last evaluation, and their number.
    pub train_sum: f64,
    pub train_count: u64,
    pub judge: Judge,
    pub elapsed_s: f64,
    /// Of it, the time in optimizer steps.
    #[serde(default)]
    pub train_s: f64,
    pub logs: LogLengths,
    /// Why the run ended, if for good.
    pub ended: Option<Ended>,
}

/// All that changes while a run goes on.
pub(crate) struct Running<M> {
    pub model: M,
    /// Without history.
    pub ema: Option<M>,
    pub optim: ModuleOptimizer,
    pub carry: Carry,
    pub progress: Progress,
}

/// What a run is bound to: with other data or settings its numbers would be others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bond {
    pub fingerprint: String,
    /// Without what may change.
    pub config: TrainConfig,
    /// The settings of the task.
    pub task: Value,
    pub steps_per_epoch: u64,
    pub units_per_step: u64,
}

impl Bond {
    pub fn new<T: Task>(task: &T, config: &TrainConfig) -> Self {
        Self {
            fingerprint: task.fingerprint(),
            config: config.with_free_of(&TrainConfig::default()),
            task: task.settings(),
            steps_per_epoch: task.steps_per_epoch(),
            units_per_step: task.units_per_step(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    bond: Bond,
    progress: Progress,
    /// Path of a parameter to its identity, which the optimizer's state is kept by.
    ids: BTreeMap<String, u64>,
}

impl<M: Module> Running<M> {
    /// Writes the checkpoint.
    pub fn save(&self, path: &Path, bond: &Bond) -> Result<()> {
        let wrong = |why: String| Error::Checkpoint { path: path.to_owned(), why };
        let mut ids = BTreeMap::new();
        let mut tensors: Vec<(String, Vec<usize>, TensorData)> = Vec::new();
        for p in collect(&self.model) {
            ids.insert(p.path.clone(), p.id.val());
            tensors.push((format!("model.{}", p.path), p.shape, p.values.into_data()));
        }
        for p in self.ema.iter().flat_map(collect) {
            tensors.push((format!("ema.{}", p.path), p.shape, p.values.into_data()));
        }
        for (i, state) in self.carry.iter().enumerate() {
            let state = plain(state.clone());
            tensors.push((format!("carry.{i}"), state.dims().to_vec(), state.into_data()));
        }
        let optim = self.optim.into_bytes().map_err(|e| wrong(e.to_string()))?;
        let view = |dtype, shape: &[usize], bytes| {
            TensorView::new(dtype, shape.to_vec(), bytes).map_err(|e| wrong(e.to_string()))
        };
        let mut views = vec![("optim".to_owned(), view(Dtype::U8, &[optim.len()], &optim)?)];
        for (name, shape, data) in &tensors {
            views.push((name.clone(), view(Dtype::F32, shape, data.as_bytes())?));
        }
        let header =
            Header { version: VERSION, bond: bond.clone(), progress: self.progress.clone(), ids };
        let header = serde_json::to_string(&header).map_err(|e| wrong(e.to_string()))?;
        let sum = checksum(&header, views.iter().map(|(name, view)| (name.clone(), view.data())));
        let metadata = HashMap::from([(KEY.to_owned(), header), (CHECKSUM.to_owned(), sum)]);
        let bytes =
            safetensors::serialize(views, Some(metadata)).map_err(|e| wrong(e.to_string()))?;
        Ok(write_atomic(path, &bytes)?)
    }

    /// Replaces what a fresh run starts with by what the checkpoint holds.
    pub fn load(mut self, path: &Path, bond: &Bond, device: &Device) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        let wrong = |why: String| Error::Checkpoint { path: path.to_owned(), why };
        let damaged = |why: &dyn std::fmt::Display| {
            wrong(format!("the checkpoint is damaged ({why}); delete it to start over"))
        };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(&e))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(&e))?;
        let entry = |key: &str| metadata.metadata().as_ref()?.get(key);
        let header = entry(KEY).ok_or_else(|| damaged(&"it has no header"))?;
        let version: Value = serde_json::from_str(header).map_err(|e| damaged(&e))?;
        if version["version"] != VERSION {
            return Err(wrong(format!(
                "checkpoint version {}, this program reads {VERSION}: use the version that wrote \
                 it",
                version["version"]
            )));
        }
        let tensors = file.tensors();
        let sum = checksum(header, tensors.iter().map(|(name, view)| (name.clone(), view.data())));
        if entry(CHECKSUM) != Some(&sum) {
            return Err(damaged(&"its checksum is wrong"));
        }
        let header: Header = serde_json::from_str(header).map_err(|e| damaged(&e))?;
        let (expected, found) = (&header.bond.fingerprint, &bond.fingerprint);
        if expected != found {
            let (expected, found) = (expected.clone(), found.clone());
            return Err(Error::DataChanged { expected, found });
        }
        if header.bond != *bond {
            return Err(wrong(format!(
                "the run was started with other settings: when it goes on, only {} may change",
                in_words(&FREE_ON_RESUME)
            )));
        }
        let saved = Saved { file, ids: header.ids, device };
        self.model = saved.restore("model", self.model).map_err(&wrong)?;
        self.ema = match self.ema {
            Some(ema) => Some(saved.restore("ema", ema).map_err(&wrong)?),
            None => None,
        };
        self.carry = saved.carry().map_err(&wrong)?;
        let optim = saved.file.tensor("optim").map_err(|e| damaged(&e))?;
        let optim = Bytes::from_bytes_vec(optim.data().to_vec());
        self.optim = self.optim.from_bytes(optim).map_err(|e| damaged(&e))?;
        self.progress = header.progress;
        Ok(self)
    }
}

/// Of the header and of the tensors, by name.
fn checksum<'a>(header: &str, tensors: impl Iterator<Item = (String, &'a [u8])>) -> String {
    let mut sum = Checksum::default();
    sum.add_bytes(header.as_bytes());
    for (name, data) in tensors.collect::<BTreeMap<_, _>>() {
        sum.add_bytes(name.as_bytes());
        sum.add_bytes(data);
    }
    sum.to_string()
}

/// A checkpoint's tensors.
struct Saved<'a> {
    file: SafeTensors<'a>,
    ids: BTreeMap<String, u64>,
    device: &'a Device,
}

impl Saved<'_> {
    fn tensor(&self, name: &str) -> Result<(Vec<usize>, Tensor<1>), String> {
        let view = self
            .file
            .tensor(name)
            .ok()
            .filter(|view| view.dtype() == Dtype::F32)
            .ok_or_else(|| format!("it holds no {name}: the run's settings changed since"))?;
        let values: Vec<f32> =
            view.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let data = TensorData::new(values, [view.data().len() / 4]);
        Ok((view.shape().to_vec(), Tensor::from_data(data, self.device)))
    }

    fn restore<M: Module>(&self, prefix: &str, model: M) -> Result<M, String> {
        let shapes: HashMap<String, Vec<usize>> =
            collect(&model).into_iter().map(|p| (p.path, p.shape)).collect();
        let mut found = Ok(());
        let model = replace(model, |path, _, _| {
            let get = || {
                let (shape, values) = self.tensor(&format!("{prefix}.{path}"))?;
                let id = self.ids.get(path).ok_or(format!("it holds no identity of {path}"))?;
                if shapes.get(path) != Some(&shape) {
                    return Err(format!(
                        "{path} is {shape:?} in it, {:?} in the model: the run's settings changed \
                         since",
                        shapes.get(path)
                    ));
                }
                Ok((ParamId::from(*id), values))
            };
            match get() {
                Ok(new) => Some(new),
                Err(why) => {
                    found = Err(why);
                    None
                }
            }
        });
        found.map(|()| model)
    }

    fn carry(&self) -> Result<Carry, String> {
        let names = (0..).map(|i| format!("carry.{i}"));
        let names = names.take_while(|name| self.file.tensor(name).is_ok());
        names
            .map(|name| {
                let (shape, values) = self.tensor(&name)?;
                let shape: [usize; 3] =
                    shape.try_into().map_err(|s| format!("{name} is {s:?}, expected [L, B, H]"))?;
                // Batches have a history to be; what meets them there carries an empty one.
                Ok(Tensor::from_inner(values.reshape(shape)))
            })
            .collect()
    }
}

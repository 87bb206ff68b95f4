//! The model file: one safetensors file that holds all that is needed to use a model.
//!
//! ```text
//! u64 LE header length │ JSON header │ tensors, f32 LE
//!                         └─ "__metadata__": {"gruvy": "<JSON: format_version, task, spec, codec, source, trained,
//!                                                     checksum of the tensors>"}
//! ```
//! The tensors carry PyTorch's names and layout; [`Spec::tensors`] is their list.
use super::checksum::Checksum;
use super::members::members;
use super::spec::Spec;
use super::versions::{FORMAT_VERSION, from_version_1};
use super::write::write_atomic;
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::task::TaskName;
use safetensors::{Dtype, SafeTensorError, SafeTensors, View};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// The name of the model file in a run folder.
pub const MODEL_FILE_NAME: &str = "model.safetensors";
/// The one key in the metadata of a safetensors file.
const HEADER_KEY: &str = "gruvy";

/// A model: what it is for, its shape, its codec, its weights, and how it came about.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The shape of the model.
    pub spec: Spec,
    /// Raw input to numbers and back.
    pub codec: Codec,
    /// How the training data were read: written by a reader of data, and for readers alone.
    /// [`Value::Null`] for a task that makes its own.
    pub source: Value,
    /// How the model was trained.
    pub trained: Trained,
    /// The weights, by the names of [`Spec::tensors`].
    pub tensors: BTreeMap<String, Tensor>,
}

/// How a model was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trained {
    /// The seed of all randomness.
    pub seed: u64,
    /// Identifies the training data.
    pub data_fingerprint: String,
    /// Optimizer steps up to these weights.
    pub steps: u64,
    /// Final metrics by name, such as `valid_loss_nats`.
    pub metrics: BTreeMap<String, f64>,
}

/// An array of numbers, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The sizes of its dimensions.
    pub shape: Vec<usize>,
    /// The values: as many as the product of `shape`.
    pub data: Vec<f32>,
}

#[derive(Serialize)]
struct HeaderOut<'a> {
    format_version: u64,
    task: &'a str,
    spec: &'a Spec,
    codec: &'a Codec,
    #[serde(skip_serializing_if = "Value::is_null")]
    source: &'a Value,
    trained: &'a Trained,
    checksum: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderIn {
    #[serde(rename = "format_version")]
    _format_version: u64,
    task: String,
    spec: Spec,
    codec: Codec,
    #[serde(default)]
    source: Value,
    trained: Trained,
    /// Version 1 has none.
    #[serde(default)]
    checksum: Option<String>,
}

/// Read before the rest, which may look different in another version.
#[derive(Deserialize)]
struct HeaderVersion {
    format_version: u64,
}

impl ModelFile {
    /// What the model is for.
    pub fn task(&self) -> TaskName {
        self.codec.task()
    }

    /// Reads a model from a file, or from `model.safetensors` in a run folder; of several runs in a
    /// folder the first's.
    ///
    /// # Errors
    /// As [`members`] and [`ModelFile::read`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::read(&members(path)?[0])
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, else [`Error::File`] around what
    /// [`ModelFile::from_bytes`] found.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| Error::Io {
            action: "read the model",
            path: path.to_owned(),
            error,
        })?;
        Self::from_bytes(&bytes).map_err(|error| error.at(path))
    }

    /// Writes the model so that a killed process leaves the old file whole.
    ///
    /// # Errors
    /// As [`ModelFile::to_bytes`] and [`write_atomic`].
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        write_atomic(path, &self.to_bytes().map_err(|error| error.at(path))?)
    }

    /// The model as the content of a file. Equal models give equal bytes.
    ///
    /// # Errors
    /// What [`ModelFile::validate`] finds, and what [`ModelFile::from_bytes`] would refuse: a file
    /// that cannot be read again is not written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.validate()?;
        let header = serde_json::to_string(&HeaderOut {
            format_version: FORMAT_VERSION,
            task: self.task().name(),
            spec: &self.spec,
            codec: &self.codec,
            source: &self.source,
            trained: &self.trained,
            checksum: checksum(&self.tensors),
        })
        .map_err(invalid_header)?;
        let metadata = HashMap::from([(HEADER_KEY.to_owned(), header)]);
        let bytes =
            safetensors::serialize(&self.tensors, Some(metadata)).map_err(invalid_header)?;
        Self::from_bytes(&bytes)?;
        Ok(bytes)
    }

    /// The model in the content of a file.
    ///
    /// # Errors
    /// Names what is wrong: truncated, not safetensors, another version, an invalid header, spec or
    /// tokenizer, a tensor that is missing, unknown, not `f32`, of a wrong shape, not finite
    /// or not as it was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let HeaderIn { task, spec, codec, source, trained, checksum: expected, .. } =
            read_header(bytes)?;
        if task != codec.task().name() {
            let reason = format!("task is `{task}`, its codec is for `{}`", codec.task());
            return Err(Error::Header { reason });
        }
        let mut model = Self { spec, codec, source, trained, tensors: BTreeMap::new() };
        model.check_header()?;
        let file = SafeTensors::deserialize(bytes).map_err(|error| container(bytes, &error))?;
        for expected in model.spec.tensors() {
            let Ok(view) = file.tensor(&expected.name) else {
                let (name, shape) = (expected.name, expected.shape);
                return Err(Error::MissingTensor { name, shape });
            };
            if view.dtype() != Dtype::F32 {
                let (name, got) = (expected.name, view.dtype().to_string());
                return Err(Error::TensorType { name, got });
            }
            let (words, _) = view.data().as_chunks::<4>();
            let data = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
            model.tensors.insert(expected.name, Tensor { shape: view.shape().to_vec(), data });
        }
        let unknown = |name: &&str| !model.tensors.contains_key(*name);
        if let Some(name) = file.names().into_iter().filter(unknown).min() {
            return Err(Error::ExtraTensor { name: name.to_owned() });
        }
        check_tensors(&model.spec, &model.tensors)?;
        match (expected, checksum(&model.tensors)) {
            (Some(expected), got) if expected != got => Err(Error::Checksum { expected, got }),
            _ => Ok(model),
        }
    }

    /// Checks that the parts of the model fit each other and that every weight is finite.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<()> {
        self.check_header()?;
        check_tensors(&self.spec, &self.tensors)
    }

    fn check_header(&self) -> Result<()> {
        self.spec.validate()?;
        self.codec.fits(&self.spec)?;
        if let Some((name, value)) = self.trained.metrics.iter().find(|(_, v)| !v.is_finite()) {
            return Err(Error::Header { reason: format!("metric `{name}` is {value}") });
        }
        Ok(())
    }
}

/// Checks that `tensors` are those of `spec`, and finite.
pub(crate) fn check_tensors(spec: &Spec, tensors: &BTreeMap<String, Tensor>) -> Result<()> {
    let list = spec.tensors();
    for expected in &list {
        let Some(tensor) = tensors.get(&expected.name) else {
            let (name, shape) = (expected.name.clone(), expected.shape.clone());
            return Err(Error::MissingTensor { name, shape });
        };
        tensor.check(&expected.name, &expected.shape)?;
    }
    let known = |name: &String| list.iter().any(|t| t.name == *name);
    match tensors.keys().find(|name| !known(name)) {
        Some(name) => Err(Error::ExtraTensor { name: name.clone() }),
        None => Ok(()),
    }
}

impl Tensor {
    fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        let name = || name.to_owned();
        if self.shape != shape {
            let (expected, got) = (shape.to_vec(), self.shape.clone());
            return Err(Error::TensorShape { name: name(), expected, got });
        }
        let (expected, got) = (shape.iter().product(), self.data.len());
        if expected != got {
            return Err(Error::TensorLength { name: name(), expected, got });
        }
        match self.data.iter().position(|v| !v.is_finite()) {
            Some(index) => Err(Error::NonFinite { name: name(), index, value: self.data[index] }),
            None => Ok(()),
        }
    }
}

/// Of names, shapes and values.
fn checksum(tensors: &BTreeMap<String, Tensor>) -> String {
    let mut sum = Checksum::default();
    for (name, tensor) in tensors {
        sum.add_bytes(name.as_bytes());
        tensor.shape.iter().for_each(|size| sum.add_word(*size as u64));
        tensor.data.iter().for_each(|value| sum.add_word(u64::from(value.to_bits())));
    }
    sum.to_string()
}

/// How safetensors sees a tensor.
impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.data.iter().flat_map(|v| v.to_le_bytes()).collect()
    }
    fn data_len(&self) -> usize {
        self.data.len() * size_of::<f32>()
    }
}

fn invalid_header(error: impl std::fmt::Display) -> Error {
    Error::Header { reason: error.to_string() }
}

/// gruvy's own header, after the version in it.
fn read_header(bytes: &[u8]) -> Result<HeaderIn> {
    let (_, container_header) =
        SafeTensors::read_metadata(bytes).map_err(|error| container(bytes, &error))?;
    let text = container_header.metadata().as_ref().and_then(|map| map.get(HEADER_KEY));
    let text = text.ok_or(Error::NoHeader)?;
    let version: HeaderVersion = serde_json::from_str(text).map_err(invalid_header)?;
    match version.format_version {
        FORMAT_VERSION => {
            let header: HeaderIn = serde_json::from_str(text).map_err(invalid_header)?;
            match header.checksum {
                Some(_) => Ok(header),
                None => Err(invalid_header("it has no checksum")),
            }
        }
        1 => {
            let mut header: Map<String, Value> =
                serde_json::from_str(text).map_err(invalid_header)?;
            from_version_1(&mut header);
            serde_json::from_value(Value::Object(header)).map_err(invalid_header)
        }
        got => Err(Error::Version { got, expected: FORMAT_VERSION }),
    }
}

/// Tells a truncated file from one that never was a safetensors file.
fn container(bytes: &[u8], error: &SafeTensorError) -> Error {
    let got = bytes.len() as u64;
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return Error::Truncated { expected: 8, got };
    };
    let end = u64::from_le_bytes(*length).saturating_add(8);
    let truncated = |expected| Error::Truncated { expected, got };
    match error {
        SafeTensorError::InvalidHeaderLength if rest.first().is_none_or(|b| *b == b'{') => {
            truncated(end)
        }
        SafeTensorError::MetadataIncompleteBuffer => {
            let header = bytes.get(8..end as usize).unwrap_or_default();
            match serde_json::from_slice::<safetensors::tensor::Metadata>(header) {
                Ok(header) if got < end + header.data_len() as u64 => {
                    truncated(end + header.data_len() as u64)
                }
                _ => Error::NotSafetensors { reason: "there is more after its tensors".into() },
            }
        }
        other => Error::NotSafetensors { reason: other.to_string() },
    }
}

//! A model of any task, ready to use.
use crate::classify::classifier::Classifier;
use crate::codec::Codec;
use crate::error::Result;
use crate::forecast::forecaster::Forecaster;
use crate::memory::codec::{Adding, Copying};
use crate::memory::model::MemoryModel;
use crate::model::file::ModelFile;
use crate::music::composer::Composer;
use crate::music::performer::Performer;
use crate::speech::Transcriber;
use crate::task::TaskName;
use crate::text::model::TextModel;
use std::path::Path;

/// A model, as the object of its task.
///
/// ```no_run
/// use gruvy_runtime::Model;
///
/// match Model::open("runs/mine")? {
///     Model::Text(text) => println!("{}", text.write("Once", 100, &Default::default())?),
///     Model::Classify(classifier) => println!("{:?}", classifier.text("a fine film")?),
///     Model::Forecast(forecaster) => println!("{} steps ahead", forecaster.codec().horizon),
///     Model::Music(composer) => println!("{:?}", composer.codec()),
///     Model::Events(performer) => println!("{:?}", performer.codec()),
///     Model::Speech(transcriber) => println!("{:?}", transcriber.codec().labels),
///     Model::Adding(_) | Model::Copy(_) => println!("a measure of memory"),
/// }
/// # Ok::<(), gruvy_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Model {
    /// A model of text.
    Text(TextModel),
    /// A classifier.
    Classify(Classifier),
    /// A model of time series.
    Forecast(Forecaster),
    /// A model of music as frames on a grid.
    Music(Composer),
    /// A model of music as events in their own time.
    Events(Performer),
    /// A model of speech.
    Speech(Transcriber),
    /// A model of the adding problem.
    Adding(MemoryModel<Adding>),
    /// A model of the copying problem.
    Copy(MemoryModel<Copying>),
}

impl Model {
    /// Opens a model file, or the model of a run folder.
    ///
    /// # Errors
    /// As [`ModelFile::open`] and [`Network::new`](crate::model::Network::new).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(&ModelFile::open(path)?)
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// As [`Network::new`](crate::model::Network::new).
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        Ok(match &file.codec {
            Codec::Text(_) => Self::Text(TextModel::from_file(file)?),
            Codec::Classify(_) => Self::Classify(Classifier::from_file(file)?),
            Codec::Forecast(_) => Self::Forecast(Forecaster::from_file(file)?),
            Codec::Music(_) => Self::Music(Composer::from_file(file)?),
            Codec::Events(_) => Self::Events(Performer::from_file(file)?),
            Codec::Speech(_) => Self::Speech(Transcriber::from_file(file)?),
            Codec::Adding(_) => Self::Adding(MemoryModel::<Adding>::from_file(file)?),
            Codec::Copy(_) => Self::Copy(MemoryModel::<Copying>::from_file(file)?),
        })
    }

    /// What it is for.
    pub fn task(&self) -> TaskName {
        match self {
            Self::Text(_) => TaskName::Text,
            Self::Classify(_) => TaskName::Classify,
            Self::Forecast(_) => TaskName::Forecast,
            Self::Music(_) | Self::Events(_) => TaskName::Music,
            Self::Speech(_) => TaskName::Speech,
            Self::Adding(_) => TaskName::Adding,
            Self::Copy(_) => TaskName::Copy,
        }
    }
}

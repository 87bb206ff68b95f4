//! The network of a model of music.
use crate::error::{Error, Result};
use crate::nn::model::SequenceModel;
use burn::module::Module;
use gruvy_runtime::model::{ModelFile, Spec, Tensor};
use std::collections::BTreeMap;

/// Names of the decoder's tensors begin so.
const DECODER: &str = "decoder.";

/// A network over frames or events, and perhaps a second that writes the symbols of each frame.
#[derive(Module, Debug)]
pub struct MusicModel {
    /// Over frames `[T, B, I]`, or events.
    pub network: SequenceModel,
    /// Over the symbols of a frame, from the state that the head of `network` gives.
    pub decoder: Option<SequenceModel>,
}

impl MusicModel {
    /// What the model is made of.
    pub fn spec(&self) -> Spec {
        let decoder = self.decoder.as_ref().map(|decoder| Box::new(decoder.spec()));
        Spec { decoder, ..self.network.spec() }
    }

    /// Every weight under the name and in the layout of a model file.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        let mut all = self.network.tensors();
        if let Some(decoder) = &self.decoder {
            let named = decoder.tensors().into_iter();
            all.extend(named.map(|(name, tensor)| (format!("{DECODER}{name}"), tensor)));
        }
        all
    }

    /// This model with the weights of a model file.
    ///
    /// # Errors
    /// [`Error::Data`] if the file's spec is another.
    pub fn with_tensors(mut self, file: &ModelFile) -> Result<Self> {
        if file.spec != self.spec() {
            return Err(Error::Data(format!(
                "the model file holds {:?}; these settings make {:?}",
                file.spec,
                self.spec()
            )));
        }
        self.network = self.network.with_values(&file.tensors, "");
        self.decoder = self.decoder.map(|decoder| decoder.with_values(&file.tensors, DECODER));
        Ok(self)
    }
}

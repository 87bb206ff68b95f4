//! Music as frames on a grid: the heads `bernoulli` and `joint`.
use super::batch::{Batch, Stretch};
use super::config::MusicRun;
use super::data::{Parts, fingerprint};
use super::material::{Excerpt, Material};
use super::model::MusicModel;
use crate::error::Result;
use crate::nn::{config::RecurrentConfig, key::Key, model::SequenceModel};
use crate::train::{report::Metrics, task::Part};
use burn::tensor::{Device, Tensor, TensorData};
use gruvy_runtime::{
    Codec,
    model::{Head, Input, Network, Spec},
    music::{
        KEYS, Learned, MOST_BAR, MusicCodec, MusicMetrics, Place, Roll, USUAL_TEMPO, score,
        transposed,
    },
    random::Fnv,
};
use std::sync::Arc;

/// `E` of the decoder's symbols.
const EMBED: usize = 32;

/// Rolls, and how they are heard.
#[derive(Debug)]
pub(super) struct Frames {
    codec: MusicCodec,
    /// Whether a decoder writes the keys; else each is answered by itself.
    joint: bool,
    parts: Parts<Roll>,
}

/// How the music that is learned from is heard and written.
fn codec(rolls: &[Roll]) -> MusicCodec {
    let meter = |roll: &Roll| roll.bars.first().map(|bar| [bar.beats, bar.unit]);
    let mut meters: Vec<_> = rolls.iter().filter_map(meter).collect();
    meters.sort_unstable();
    let usual = meters.chunk_by(|a, b| a == b).max_by_key(|alike| alike.len());
    let mut tempos: Vec<f64> = rolls.iter().map(|roll| roll.tempo).collect();
    tempos.sort_by(f64::total_cmp);
    MusicCodec {
        onsets: rolls.iter().any(|roll| roll.onsets),
        steps_per_quarter: rolls.first().map_or(0, |roll| roll.steps_per_quarter),
        bar: rolls.iter().map(Roll::longest_bar).max().unwrap_or(0).min(MOST_BAR),
        meter: usual.map(|alike| alike[0]),
        tempo: tempos.get(tempos.len() / 2).copied().unwrap_or(USUAL_TEMPO),
        learned: None,
    }
}

impl Frames {
    /// Rolls, to be learned up to so many semitones lower and higher too, with a decoder or without.
    pub(super) fn new(parts: Parts<Roll>, joint: bool, transpose: usize) -> Self {
        let learned = Learned::new(&parts.train, transpose);
        Self { codec: MusicCodec { learned, ..codec(&parts.train) }, joint, parts }
    }

    fn decoder(&self, run: &MusicRun) -> Option<(Input, RecurrentConfig, Head)> {
        let (train, task) = (&run.train, &run.task);
        let tokens = self.codec.symbols() + 1;
        self.joint.then(|| {
            let rnn = RecurrentConfig::new(EMBED, task.decoder_hidden)
                .with_cell(train.cell)
                .with_dropout(task.decoder_dropout)
                .with_layer_norm(train.layer_norm);
            let input = Input::Embedding { vocab: tokens, dim: EMBED };
            (input, rnn, Head::Linear { outputs: tokens })
        })
    }

    /// How often each symbol and the end come, `[S + 1]`, each counted once more; and the frames.
    fn counts(&self) -> (Vec<f64>, f64) {
        let mut counts = vec![1.0; self.codec.symbols() + 1];
        let mut frames = 2.0;
        for frame in self.parts.train.iter().flat_map(|roll| &roll.frames) {
            frames += 1.0;
            counts[self.codec.symbols()] += 1.0;
            for sound in frame {
                counts[self.codec.symbol(*sound) as usize] += 1.0;
            }
        }
        (counts, frames)
    }

    /// The bias of the last head, with which it begins at the frequencies of the training music.
    fn bias(&self) -> Vec<f32> {
        let (counts, frames) = self.counts();
        let all: f64 = counts.iter().sum();
        match self.joint {
            true => counts.iter().map(|count| (count / all).ln() as f32).collect(),
            false => {
                let odds = |count: &f64| (count / (frames - count)).ln() as f32;
                counts[..self.codec.symbols()].iter().map(odds).collect()
            }
        }
    }

    fn stretch(&self, excerpt: &Excerpt) -> Stretch {
        let roll = &self.parts.train[excerpt.piece];
        let place = |step: usize| -> Place { roll.place(step) };
        let shift = |frame: &Vec<_>| transposed(frame, excerpt.semitones);
        Stretch {
            frames: roll.frames[excerpt.steps.clone()].iter().map(shift).collect(),
            places: excerpt.steps.clone().map(place).collect(),
        }
    }
}

impl Material for Frames {
    fn codec(&self) -> Codec {
        Codec::Music(self.codec.clone())
    }

    fn unit(&self) -> &'static str {
        "steps"
    }

    fn lengths(&self, part: Part) -> Vec<usize> {
        self.parts.of(part).iter().map(|roll| roll.frames.len()).collect()
    }

    fn print(&self, part: Part, to: &mut Fnv) {
        for roll in self.parts.of(part) {
            to.add(&fingerprint(roll).to_le_bytes());
        }
    }

    fn spec(&self, run: &MusicRun) -> Spec {
        let rnn = run.train.recurrent(self.codec.features()).spec();
        let decoder = self.decoder(run).map(|(input, rnn, head)| {
            Box::new(Spec { input, rnn: rnn.spec(), pool: None, head, decoder: None })
        });
        let outputs = decoder.as_ref().map_or(self.codec.symbols(), |decoder| {
            decoder.rnn.num_layers * decoder.rnn.state_size()
        });
        let input = Input::Features { size: self.codec.features() };
        Spec { input, rnn, pool: None, head: Head::Linear { outputs }, decoder }
    }

    fn init(&self, run: &MusicRun, key: Key, device: &Device) -> MusicModel {
        let spec = self.spec(run);
        let rnn = run.train.recurrent(self.codec.features());
        let network = SequenceModel::new(&spec.input, &rnn, &spec.head, key, device);
        let decoder = self.decoder(run).map(|(input, rnn, head)| {
            SequenceModel::new(&input, &rnn, &head, key.named("decoder"), device)
        });
        let bias = self.bias();
        let bias = TensorData::new(bias.clone(), [bias.len()]);
        match decoder {
            None => MusicModel { network: network.with_bias(bias), decoder: None },
            Some(decoder) => MusicModel { network, decoder: Some(decoder.with_bias(bias)) },
        }
    }

    fn loss(&self, model: &MusicModel, excerpts: &[Excerpt], masks: Option<Key>) -> Tensor<1> {
        let stretches = excerpts.iter().map(|excerpt| self.stretch(excerpt)).collect();
        Batch::new(&self.codec, stretches).loss(model, masks)
    }

    fn measure(&self, network: &Arc<Network>, part: Part) -> Result<Option<Metrics>> {
        let rolls = self.parts.of(part);
        let nats = score(network, &self.codec, rolls)?;
        Ok(MusicMetrics::of(rolls, &nats).map(|metrics| {
            Metrics::from([
                ("loss".to_owned(), metrics.nats_per_step),
                ("nats_per_note".to_owned(), metrics.nats_per_note),
            ])
        }))
    }

    /// Each key by itself, as often as in the training music.
    fn floor(&self) -> Option<f64> {
        let (counts, frames) = self.counts();
        let mut share = vec![0.0; KEYS];
        for symbol in 0..self.codec.symbols() {
            share[self.codec.key(symbol as u32)] += counts[symbol] / frames;
        }
        let silent: f64 = share.iter().map(|p| -(1.0 - p).ln()).sum();
        let frames = || self.parts.valid.iter().flat_map(|roll| roll.frames.iter().skip(1));
        let odds = |key: u8| -> f64 {
            let p: f64 = share[usize::from(key)];
            ((1.0 - p) / p).ln()
        };
        let total: f64 = frames().flatten().map(|sound| odds(sound.key)).sum();
        let count = frames().count();
        (count > 0).then(|| silent + total / count as f64)
    }
}

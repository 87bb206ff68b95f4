//! What the network reads of recordings, and what it is to say: a batch as the loss takes it.
use super::data::{Divided, Recordings};
use crate::error::{Error, Result};
use crate::ops::CtcAsked;
use crate::ops::Memory;
use crate::train::task::Part;
use burn::tensor::{Device, Tensor, TensorData};
use gruvy_kernels::Ctc;
use gruvy_runtime::Remark;
use gruvy_runtime::audio::{Audio, FrontEnd};
use gruvy_runtime::random::{SplitMix64, mix};
use gruvy_runtime::speech::{Hears, SpeechCodec};
use std::collections::BTreeSet;

/// A recording as the network reads it, and its labels.
#[derive(Clone, Debug)]
pub(super) struct Read {
    /// `[T, I]`
    pub steps: Vec<f32>,
    pub labels: Vec<u32>,
}

/// Recordings of a batch side by side.
pub(super) struct Batch {
    /// `[T, B, I]`
    pub x: Tensor<3>,
    /// `[B]`
    pub lengths: Vec<usize>,
    pub asked: CtcAsked,
}

/// All recordings, as they are.
#[derive(Debug)]
pub(super) struct Encoded {
    /// Steps of each recording without augmentation.
    pub lengths: Vec<usize>,
    /// What each says.
    pub labels: Vec<Vec<u32>>,
}

impl Encoded {
    /// What is said in all recordings, as far as the codec can say it: recordings that cannot be
    /// learned from are left out of the training part, which is said.
    ///
    /// # Errors
    /// If nothing is left, or a text of another part cannot be said.
    pub fn new(data: &mut Divided, codec: &SpeechCodec, notes: &mut Vec<Remark>) -> Result<Self> {
        let all = 0..data.recordings.len();
        let lengths: Vec<usize> = all.clone().map(|at| length(data, codec, at)).collect();
        let train: BTreeSet<usize> = data.part(Part::Train).iter().copied().collect();
        let (mut labels, mut out, mut first) = (Vec::new(), BTreeSet::new(), None);
        for at in all {
            let text = codec.plain(data.recordings.text(at));
            let classes = match codec.labels.encode(&text) {
                Ok(classes) => classes,
                Err(_) if !train.contains(&at) => encode_known(codec, &text),
                Err(error) => return Err(error.into()),
            };
            let fewest = Ctc::fewest_steps(&classes);
            if train.contains(&at) && (fewest > lengths[at] || lengths[at] == 0) {
                first.get_or_insert_with(|| {
                    let name = data.recordings.name(at);
                    format!("{name}: {} steps for `{text}`, which needs {fewest}", lengths[at])
                });
                out.insert(at);
            }
            labels.push(classes);
        }
        if let Some(first) = first {
            let count = out.len();
            data.leave_out(&out);
            let problem = format!(
                "{count} recordings are too short for their texts ({first}): a wrong text, or steps \
                 that are too far apart for so fast a speaker (the settings `stride` and `unit`)"
            );
            if data.part(Part::Train).is_empty() {
                return Err(Error::Data(problem));
            }
            notes.push(format!("left out: {problem}").into());
        }
        Ok(Self { lengths, labels })
    }
}

/// The classes of a text but for what the model cannot say: a transcript lacks that, and is wrong.
fn encode_known(codec: &SpeechCodec, text: &str) -> Vec<u32> {
    let words = text.split(' ').filter_map(|word| codec.labels.encode(word).ok());
    words.flatten().collect()
}

fn length(data: &Divided, codec: &SpeechCodec, at: usize) -> usize {
    match (&data.recordings, &codec.hears) {
        (Recordings::Sound(all), Hears::Sound(front_end)) => {
            front_end.steps(all[at].audio.samples().len())
        }
        (Recordings::Numbers(all, _), _) => all.item(at).len() / all.features.len(),
        (Recordings::Sound(_), Hears::Numbers(_)) => 0,
    }
}

/// What the network reads of a recording, `[T, I]`.
///
/// # Errors
/// If the model takes another kind of recordings; as of the front end.
pub(super) fn steps(recordings: &Recordings, codec: &SpeechCodec, at: usize) -> Result<Vec<f32>> {
    Ok(match (recordings, &codec.hears) {
        (Recordings::Numbers(all, _), Hears::Numbers(scaling)) => scaling.apply(all.item(at))?,
        (Recordings::Sound(all), _) => codec.front_end()?.features(&all[at].audio)?,
        (Recordings::Numbers(..), Hears::Sound(_)) => {
            let why = "the model hears sound, and these are arrays of numbers: give recordings";
            return Err(Error::Data(why.into()));
        }
    })
}

/// A second or so in which nothing is said: digital silence, noise of any loudness, or a piece of the
/// background.
pub(super) fn silence(front_end: &FrontEnd, background: &[Audio], seed: u64) -> Result<Read> {
    let mut random = SplitMix64::new(mix(seed, 0x5113));
    let count = (f64::from(front_end.sample_rate_hz) * (0.5 + random.unit())) as usize;
    let rate = front_end.sample_rate_hz;
    if !background.is_empty() && random.below(2) == 0 {
        let samples = background[random.below(background.len() as u64) as usize].samples();
        let count = count.min(samples.len());
        let from = random.below((samples.len() - count + 1) as u64) as usize;
        let audio = Audio::new(samples[from..from + count].to_vec(), rate)?;
        return Ok(Read { steps: front_end.features(&audio)?, labels: Vec::new() });
    }
    let loud = match random.below(4) {
        0 => 0.0,
        _ => 10f64.powf(-3.5 * random.unit()),
    };
    // White, or with more of the low frequencies.
    let (smooth, mut last) = (0.98 * random.unit(), 0.0);
    let mut sample = || {
        last = smooth * last + (1.0 - smooth) * (2.0 * random.unit() - 1.0);
        (loud * last) as f32
    };
    let audio = Audio::new((0..count).map(|_| sample()).collect(), rate)?;
    Ok(Read { steps: front_end.features(&audio)?, labels: Vec::new() })
}

/// Puts recordings side by side.
pub(super) fn batch(all: Vec<Read>, width: usize, memory: &Memory, device: &Device) -> Batch {
    let rows = all.len();
    let lengths: Vec<usize> = all.iter().map(|one| one.steps.len() / width).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let mut x = vec![0.0; longest * rows * width];
    for (row, one) in all.iter().enumerate() {
        for (t, step) in one.steps.chunks_exact(width).enumerate() {
            x[(t * rows + row) * width..][..width].copy_from_slice(step);
        }
    }
    let weight = |one: &Read| 1.0 / (rows * one.labels.len().max(1)) as f32;
    let asked = CtcAsked {
        labels: all.iter().flat_map(|one| one.labels.iter().copied()).collect(),
        label_counts: all.iter().map(|one| one.labels.len()).collect(),
        lengths: lengths.clone().into(),
        weights: all.iter().map(weight).collect(),
        memory: memory.clone(),
    };
    let x = Tensor::from_data(TensorData::new(x, [longest, rows, width]), device);
    Batch { x, lengths, asked }
}

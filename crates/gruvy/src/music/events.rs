//! Music as events in their own time: the head `events`.
use super::batch::NEVER;
use super::config::MusicRun;
use super::data::Parts;
use super::material::{Excerpt, Material};
use super::model::MusicModel;
use crate::error::{Error, Result};
use crate::nn::{key::Key, model::SequenceModel};
use crate::train::{report::Metrics, task::Part};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy_runtime::{
    Codec,
    model::{Head, Input, Network, Spec},
    music::{Event, EventCodec, EventMetrics, Keyboard, Piece, Played, score_events},
    random::Fnv,
};
use std::sync::Arc;

/// `E` of the events.
const EMBED: usize = 128;

/// Events of pieces, and how they are read.
#[derive(Debug)]
pub(super) struct Events {
    codec: EventCodec,
    parts: Parts<Vec<u32>>,
}

impl Events {
    /// Pieces, to be learned up to so many semitones lower and higher too.
    ///
    /// # Errors
    /// If a piece is too long.
    pub(super) fn new(parts: &Parts<Piece>, transpose: usize) -> Result<Self> {
        let encode = |piece: &Piece| {
            let encoded = EventCodec::default().encode(piece);
            encoded.map_err(|error| Error::Data(format!("{}: {error}", piece.name)))
        };
        let parts = parts.map(encode)?;
        Ok(Self { codec: EventCodec::learned_from(&parts.train, transpose), parts })
    }

    /// How often each token comes, `[V]`, each counted once more.
    fn counts(&self) -> Vec<f64> {
        let mut counts = vec![1.0; self.codec.tokens()];
        let tokens = self.parts.train.iter().flatten();
        tokens.for_each(|token| counts[*token as usize] += 1.0);
        counts
    }

    /// An excerpt as it is played, with what is read before it, and the keyboard then.
    fn played(&self, excerpt: &Excerpt) -> (Vec<u32>, Keyboard) {
        let all = &self.parts.train[excerpt.piece];
        let played = Played { semitones: excerpt.semitones, slower: excerpt.slower };
        // The piece from its beginning, as waits are joined and divided anew.
        let whole = played.apply(&all[..excerpt.steps.end]);
        let start = played.apply(&all[..excerpt.steps.start]).len().min(whole.len() - 1);
        let mut keyboard = Keyboard::default();
        whole[..start].iter().filter_map(|token| Event::of(*token)).for_each(|e| keyboard.take(e));
        let before = start.checked_sub(1).map_or(self.codec.start(), |at| whole[at]);
        ([&[before], &whole[start..]].concat(), keyboard)
    }
}

impl Material for Events {
    fn codec(&self) -> Codec {
        Codec::Events(self.codec.clone())
    }

    fn unit(&self) -> &'static str {
        "events"
    }

    fn lengths(&self, part: Part) -> Vec<usize> {
        self.parts.of(part).iter().map(Vec::len).collect()
    }

    fn print(&self, part: Part, to: &mut Fnv) {
        for tokens in self.parts.of(part) {
            let bytes: Vec<u8> = tokens.iter().flat_map(|token| token.to_le_bytes()).collect();
            to.add(&(tokens.len() as u64).to_le_bytes());
            to.add(&bytes);
        }
    }

    fn spec(&self, run: &MusicRun) -> Spec {
        let input = Input::Embedding { vocab: self.codec.tokens(), dim: EMBED };
        let rnn = run.train.recurrent(EMBED).spec();
        let head = Head::Linear { outputs: self.codec.tokens() };
        Spec { input, rnn, pool: None, head, decoder: None }
    }

    fn init(&self, run: &MusicRun, key: Key, device: &Device) -> MusicModel {
        let spec = self.spec(run);
        let rnn = run.train.recurrent(EMBED);
        let network = SequenceModel::new(&spec.input, &rnn, &spec.head, key, device);
        let counts = self.counts();
        let all: f64 = counts.iter().sum();
        let bias: Vec<f32> = counts.iter().map(|count| (count / all).ln() as f32).collect();
        let bias = TensorData::new(bias, [counts.len()]);
        MusicModel { network: network.with_bias(bias), decoder: None }
    }

    fn loss(&self, model: &MusicModel, excerpts: &[Excerpt], masks: Option<Key>) -> Tensor<1> {
        let mut rows: Vec<(Vec<u32>, Keyboard)> =
            excerpts.iter().map(|excerpt| self.played(excerpt)).collect();
        rows.sort_by_key(|(tokens, _)| std::cmp::Reverse(tokens.len()));
        let lengths: Vec<usize> = rows.iter().map(|(tokens, _)| tokens.len() - 1).collect();
        let (steps, count) = (lengths.first().copied().unwrap_or(0), rows.len());
        let mut read = vec![i64::from(self.codec.start()); steps * count];
        let (mut picked, mut targets, mut mask) = (Vec::new(), Vec::new(), Vec::new());
        let mut allowed = vec![false; self.codec.tokens()];
        for (row, (tokens, mut keyboard)) in rows.into_iter().enumerate() {
            for (step, pair) in tokens.windows(2).enumerate() {
                read[step * count + row] = i64::from(pair[0]);
                picked.push((step * count + row) as i64);
                targets.push(i64::from(pair[1]));
                keyboard.allow(&mut allowed);
                mask.extend(allowed.iter().map(|allowed| if *allowed { 0.0 } else { NEVER }));
                Event::of(pair[1]).into_iter().for_each(|event| keyboard.take(event));
            }
        }
        let device = model.network.device();
        let ints = |values: Vec<i64>| -> Tensor<1, Int> {
            let count = values.len();
            Tensor::from_data(TensorData::new(values, [count]), &device)
        };
        let asked = picked.len();
        let x = model.network.embed(ints(read), count);
        let logits = model.network.picked(x, None, &lengths, ints(picked), masks);
        let mask = TensorData::new(mask, [asked, self.codec.tokens()]);
        let mask: Tensor<2> = Tensor::from_data(mask, &device);
        let log_p = log_softmax(logits + mask, 1).gather(1, ints(targets).reshape([asked, 1]));
        log_p.sum().neg().div_scalar(asked as f64)
    }

    fn measure(&self, network: &Arc<Network>, part: Part) -> Result<Option<Metrics>> {
        let events = self.parts.of(part);
        let nats = score_events(network, &self.codec, events)?;
        Ok(EventMetrics::of(events, &nats).map(|metrics| {
            Metrics::from([
                ("loss".to_owned(), metrics.nats_per_event),
                ("nats_per_note".to_owned(), metrics.nats_per_note),
            ])
        }))
    }

    /// By the frequencies of the events that can come.
    fn floor(&self) -> Option<f64> {
        let counts = self.counts();
        let mut allowed = vec![false; self.codec.tokens()];
        let (mut nats, mut count) = (0.0, 0);
        for tokens in &self.parts.valid {
            let mut keyboard = Keyboard::default();
            for token in tokens {
                keyboard.allow(&mut allowed);
                let can = counts.iter().zip(&allowed).filter(|(_, allowed)| **allowed);
                let all: f64 = can.map(|(count, _)| count).sum();
                nats += (all / counts[*token as usize]).ln();
                count += 1;
                Event::of(*token).into_iter().for_each(|event| keyboard.take(event));
            }
        }
        (count > 0).then(|| nats / f64::from(count))
    }
}

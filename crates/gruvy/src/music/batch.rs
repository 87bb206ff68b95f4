//! Pieces to what a network is trained on.
use super::model::MusicModel;
use crate::nn::{key::Key, model::SequenceModel};
use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy_runtime::music::{Ear, MusicCodec, Place, Sound};
use std::iter::repeat_n;

/// Logits that nothing can have.
pub(super) const NEVER: f32 = -1e9;

/// A stretch of a piece to learn from.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// Of all frames, with the frame before the first, if there is one.
    pub frames: Vec<Vec<Sound>>,
    /// `[T]`
    pub places: Vec<Place>,
}

/// Stretches side by side, the longest first.
pub(super) struct Batch<'a> {
    codec: &'a MusicCodec,
    stretches: Vec<Stretch>,
    /// `(step, row)` of every frame, those with most sounds first.
    order: Vec<(usize, usize)>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(codec: &'a MusicCodec, mut stretches: Vec<Stretch>) -> Self {
        stretches.sort_by_key(|stretch| std::cmp::Reverse(stretch.frames.len()));
        let rows = stretches.iter().enumerate();
        let mut order: Vec<(usize, usize)> =
            rows.flat_map(|(row, s)| (0..s.frames.len()).map(move |step| (step, row))).collect();
        order.sort_by_key(|(step, row)| std::cmp::Reverse(stretches[*row].frames[*step].len()));
        Self { codec, stretches, order }
    }

    fn frame(&self, (step, row): (usize, usize)) -> &[Sound] {
        &self.stretches[row].frames[step]
    }

    fn before(&self, (step, row): (usize, usize)) -> &[Sound] {
        step.checked_sub(1).map_or(&[], |step| &self.stretches[row].frames[step])
    }

    /// Mean nats of a frame, `[1]`.
    pub(super) fn loss(&self, model: &MusicModel, masks: Option<Key>) -> Tensor<1> {
        let device = model.network.device();
        let rows = self.stretches.len();
        let lengths: Vec<usize> = self.stretches.iter().map(|s| s.frames.len()).collect();
        let picked = self.order.iter().map(|(step, row)| step * rows + row);
        let x = self.features(&device);
        let answers = model.network.picked(x, None, &lengths, indices(picked, &device), masks);
        let total = match &model.decoder {
            None => self.each(answers, &device),
            Some(decoder) => {
                let masks = masks.map(|key| key.named("decoder"));
                // Frames of as many sounds together, so that the decoder reads no padding.
                let (mut total, mut from) = (Tensor::zeros([1], &device), 0);
                for order in
                    self.order.chunk_by(|a, b| self.frame(*a).len() == self.frame(*b).len())
                {
                    let answers = answers.clone().narrow(0, from, order.len());
                    let masks = masks.map(|key| key.fold(from as u64));
                    total = total + self.written(decoder, answers, order, masks);
                    from += order.len();
                }
                total
            }
        };
        total.div_scalar(self.order.len() as f64)
    }

    /// Nats of the frames at `order`, alike in the number of their sounds, from the answers `[N, L ·
    /// K · H]` that are the decoder's state before each, `[1]`.
    fn written(
        &self,
        decoder: &SequenceModel,
        answers: Tensor<2>,
        order: &[(usize, usize)],
        masks: Option<Key>,
    ) -> Tensor<1> {
        let [count, values] = answers.dims();
        let layers = decoder.rnn.config.num_layers;
        let state = answers.reshape([count, layers, values / layers]).swap_dims(0, 1);
        let read = self.read(order, &decoder.device());
        let (logits, _) = decoder.every(decoder.embed(read.tokens, count), Some(state), masks);
        let [asked, _] = logits.dims();
        let log_p = log_softmax(logits + read.mask, 1);
        log_p.gather(1, read.targets.reshape([asked, 1])).sum().neg()
    }

    /// `[T, B, I]`
    fn features(&self, device: &Device) -> Tensor<3> {
        let (rows, width) = (self.stretches.len(), self.codec.features());
        let steps = self.stretches.first().map_or(0, |stretch| stretch.frames.len());
        let mut x = vec![0.0; steps * rows * width];
        for (row, stretch) in self.stretches.iter().enumerate() {
            let mut ear = Ear::new(self.codec);
            for (step, (frame, place)) in stretch.frames.iter().zip(&stretch.places).enumerate() {
                ear.tell(*place, &mut x[(step * rows + row) * width..][..width]);
                ear.hear(frame);
            }
        }
        Tensor::from_data(TensorData::new(x, [steps, rows, width]), device)
    }

    /// Nats of all frames by logits `[N, S]` of each symbol by itself, `[1]`: as
    /// [`frame_nats`](gruvy_runtime::music::frame_nats).
    fn each(&self, logits: Tensor<2>, device: &Device) -> Tensor<1> {
        let [count, symbols] = logits.dims();
        let (mut targets, mut asked) = (vec![0.0; count * symbols], vec![0.0; count * symbols]);
        let per_key = if self.codec.onsets { 2 } else { 1 };
        for (index, at) in self.order.iter().enumerate() {
            let (targets, asked) = (
                &mut targets[index * symbols..][..symbols],
                &mut asked[index * symbols..][..symbols],
            );
            asked.iter_mut().step_by(per_key).for_each(|asked| *asked = 1.0);
            let before = self.before(*at);
            for sound in self.frame(*at) {
                let key = per_key * usize::from(sound.key);
                targets[key] = 1.0;
                if self.codec.onsets && before.iter().any(|before| before.key == sound.key) {
                    asked[key + 1] = 1.0;
                    targets[key + 1] = f32::from(u8::from(sound.onset));
                }
            }
        }
        let tensor =
            |values| Tensor::<2>::from_data(TensorData::new(values, [count, symbols]), device);
        let (targets, asked) = (tensor(targets), tensor(asked));
        // −log p = −log σ(x) + (1 − y) x
        let nats = (targets.neg() + 1.0) * logits.clone() - log_sigmoid(logits);
        (nats * asked).sum()
    }

    /// What the decoder reads of the frames at `order`, alike in the number of their sounds, and is
    /// asked.
    fn read(&self, order: &[(usize, usize)], device: &Device) -> Read {
        let (count, width) = (order.len(), self.codec.symbols() + 1);
        let steps = order.first().map_or(0, |at| self.frame(*at).len() + 1);
        let end = self.codec.end();
        let mut targets = vec![end as usize; steps * count];
        let mut mask = vec![0.0; steps * count * width];
        let mut allowed = vec![false; width];
        for (index, at) in order.iter().enumerate() {
            let (frame, before, mut from) = (self.frame(*at), self.before(*at), 0);
            for step in 0..steps {
                let target = frame.get(step).map_or(end, |sound| self.codec.symbol(*sound));
                self.codec.allow(before, from, &mut allowed);
                from = self.codec.key(target) + 1;
                let place = step * count + index;
                targets[place] = target as usize;
                for (mask, allowed) in mask[place * width..].iter_mut().zip(&allowed) {
                    *mask = if *allowed { 0.0 } else { NEVER };
                }
            }
        }
        // It reads the end, and then what it was asked before.
        let before = repeat_n(end as usize, count).chain(targets.iter().copied());
        Read {
            tokens: indices(before.take(steps * count), device),
            targets: indices(targets, device),
            mask: Tensor::from_data(TensorData::new(mask, [steps * count, width]), device),
        }
    }
}

/// What the decoder reads of N frames of L - 1 symbols, and is asked, time-major.
struct Read {
    /// `[L * N]`
    tokens: Tensor<1, Int>,
    /// `[L * N]`
    targets: Tensor<1, Int>,
    /// `[L * N, S + 1]`: 0 where a token can come.
    mask: Tensor<2>,
}

fn indices(values: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.into_iter().map(|value| value as i64).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

//! Pieces to what a network is trained on.
use super::model::MusicModel;
use crate::nn::key::Key;
use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy_runtime::music::{Ear, MusicCodec, Place, Sound};

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
                let [count, values] = answers.dims();
                let config = &decoder.rnn.config;
                let layers = config.num_layers;
                let state = answers.reshape([count, layers, values / layers]).swap_dims(0, 1);
                let read = self.read(&device);
                let masks = masks.map(|key| key.named("decoder"));
                let x = decoder.embed(read.tokens, count);
                let logits = decoder.picked(x, Some(state), &read.lengths, read.rows, masks);
                let [asked, _] = logits.dims();
                let log_p = log_softmax(logits + read.mask, 1);
                log_p.gather(1, read.targets.reshape([asked, 1])).sum().neg()
            }
        };
        total.div_scalar(self.order.len() as f64)
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

    /// What the decoder reads, and is asked.
    fn read(&self, device: &Device) -> Read {
        let (count, width) = (self.order.len(), self.codec.symbols() + 1);
        let lengths: Vec<usize> = self.order.iter().map(|at| self.frame(*at).len() + 1).collect();
        let longest = lengths.first().copied().unwrap_or(1);
        let mut tokens = vec![self.codec.end(); longest * count];
        let (mut rows, mut targets, mut mask) = (Vec::new(), Vec::new(), Vec::new());
        let mut allowed = vec![false; width];
        for (index, at) in self.order.iter().enumerate() {
            let (frame, before, mut from) = (self.frame(*at), self.before(*at), 0);
            for step in 0..=frame.len() {
                let target = frame.get(step).map_or(self.codec.end(), |s| self.codec.symbol(*s));
                self.codec.allow(before, from, &mut allowed);
                mask.extend(allowed.iter().map(|allowed| if *allowed { 0.0 } else { NEVER }));
                rows.push(step * count + index);
                targets.push(target as usize);
                from = self.codec.key(target) + 1;
                if step < frame.len() {
                    tokens[(step + 1) * count + index] = target;
                }
            }
        }
        let shape = [rows.len(), width];
        Read {
            tokens: indices(tokens.into_iter().map(|token| token as usize), device),
            lengths,
            rows: indices(rows, device),
            targets: indices(targets, device),
            mask: Tensor::from_data(TensorData::new(mask, shape), device),
        }
    }
}

/// What the decoder reads of N frames, of at most L symbols and the end, and is asked M times.
struct Read {
    /// `[L * N]`, time-major.
    tokens: Tensor<1, Int>,
    /// `[N]`
    lengths: Vec<usize>,
    /// `[M]`: which of the steps are asked.
    rows: Tensor<1, Int>,
    /// `[M]`
    targets: Tensor<1, Int>,
    /// `[M, S + 1]`: 0 where a token can come.
    mask: Tensor<2>,
}

fn indices(values: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.into_iter().map(|value| value as i64).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

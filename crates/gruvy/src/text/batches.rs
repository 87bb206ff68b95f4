//! A long token stream as batches for truncated back-propagation through time.
//!
//! The stream is cut into `B` pieces of equal length that run side by side; a batch is the next `T`
//! steps of all of them, so that the state after one batch is the state before the next:
//!
//! ```text
//! input  [t, b] = tokens[o + b·S + s·T + t]        s: step of the epoch, S = steps · T
//! target [t, b] = tokens[o + b·S + s·T + t + 1]    o: offset of the epoch
//! ```
//! Of `N` tokens, `N − 1 − B·S` are left over; `o` is drawn from them, so that every epoch leaves
//! out others and cuts elsewhere.
use burn::tensor::{Device, Int, Tensor, TensorData};
use gruvy_runtime::random::mix;

/// Cuts a token stream into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cutter {
    pub tokens: usize,
    pub batch: usize,
    pub seq_len: usize,
}

impl Cutter {
    /// Batches of an epoch.
    pub fn steps(&self) -> usize {
        (self.tokens - 1) / (self.batch * self.seq_len)
    }

    /// Where the inputs of batch `step` start, for each row.
    pub fn starts(&self, step: usize, epoch_seed: u64) -> impl Iterator<Item = usize> {
        let piece = self.steps() * self.seq_len;
        let left_over = self.tokens - 1 - self.batch * piece;
        let offset = (mix(epoch_seed, 0) % (left_over as u64 + 1)) as usize;
        let first = offset + step * self.seq_len;
        (0..self.batch).map(move |row| first + row * piece)
    }
}

/// `[T * B]`, time-major: token `starts[b] + t` for each step t and row b.
pub(crate) fn gather(
    tokens: &[u32],
    starts: &[usize],
    steps: usize,
    device: &Device,
) -> Tensor<1, Int> {
    let at = |t: usize| starts.iter().map(move |start| i64::from(tokens[start + t]));
    let data: Vec<i64> = (0..steps).flat_map(at).collect();
    let count = data.len();
    Tensor::from_data(TensorData::new(data, [count]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_run_on_from_batch_to_batch_and_never_overlap() {
        for tokens in [31, 32, 45, 60, 61, 62] {
            let cutter = Cutter { tokens, batch: 3, seq_len: 5 };
            assert_eq!(cutter.steps(), (tokens - 1) / 15);
            for seed in 0..20 {
                let starts = |step| cutter.starts(step, seed).collect::<Vec<_>>();
                let mut seen: Vec<usize> = Vec::new();
                for step in 0..cutter.steps() {
                    if step > 0 {
                        let before = starts(step - 1);
                        assert!(before.iter().zip(starts(step)).all(|(a, b)| a + 5 == b));
                    }
                    seen.extend(starts(step).into_iter().flat_map(|s| s..s + 5));
                }
                seen.sort();
                assert!(seen.windows(2).all(|w| w[0] + 1 == w[1]), "each token once, no gap");
                assert!(seen[seen.len() - 1] + 1 < tokens, "the last has a target");
            }
        }
    }

    #[test]
    fn the_offset_covers_what_is_left_over() {
        let cutter = Cutter { tokens: 35, batch: 3, seq_len: 5 };
        let mut offsets: Vec<_> =
            (0..100).map(|seed| cutter.starts(0, seed).next().unwrap()).collect();
        offsets.sort();
        offsets.dedup();
        assert_eq!(offsets, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn batches_are_time_major() {
        let tokens: Vec<u32> = (100..120).collect();
        let batch = gather(&tokens, &[0, 10], 3, &Device::flex());
        let expected = [100i64, 110, 101, 111, 102, 112];
        batch.into_data().assert_eq(&TensorData::from(expected), false);
    }
}

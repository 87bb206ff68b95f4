//! Another sample rate.
use super::MOST_RATE_HZ;
use crate::error::{Error, Result};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

/// A block has at least so many samples at the lower of two rates. With it, sines up to 0.95 of half
/// the lower rate keep their samples to 1e-5, and those above 1.03 of it are below 1e-5
/// (`tests/audio/resampled.rs`, from 1,234 to 96,000 Hz).
const BLOCK: usize = 512;

/// Turns one channel of samples to another rate, as they come.
///
/// A low-pass filter of a block's length (`rubato`'s, in the frequency domain) takes away what the
/// lower rate cannot hold. Its delay is taken out again: sample `n` of what comes stands at the
/// same time as before, `n / to_hz`, and `N` samples become `N · to_hz / from_hz`, rounded. What
/// comes out does not depend on how the samples were cut into pieces.
pub struct Resampler {
    /// None: both rates are the same.
    fft: Option<Fft<f32>>,
    /// Samples that do not fill a block yet.
    waiting: Vec<f32>,
    block: Vec<f32>,
    /// Samples of the filter's delay that are still to be left out.
    delay: usize,
    taken: u64,
    given: u64,
    from_hz: u32,
    to_hz: u32,
}

impl Resampler {
    /// From a rate to another, in samples a second.
    ///
    /// # Errors
    /// [`Error::Setting`] for a rate of 0 or above 768,000.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self> {
        for rate in [from_hz, to_hz] {
            if !(1..=MOST_RATE_HZ).contains(&rate) {
                let expected = format!("1 to {MOST_RATE_HZ}");
                return Err(Error::setting("the sample rate in Hz", rate, expected));
            }
        }
        let fft = match from_hz == to_hz {
            true => None,
            false => Some(filter(from_hz as usize, to_hz as usize)?),
        };
        let size = |size: fn(&Fft<f32>) -> usize| fft.as_ref().map_or(0, size);
        let delay = size(|fft| fft.output_delay());
        let block = vec![0.0; size(Fft::fft_size_out)];
        let waiting = Vec::with_capacity(size(Fft::fft_size_in));
        Ok(Self { fft, waiting, block, delay, taken: 0, given: 0, from_hz, to_hz })
    }

    /// Takes samples, and adds to `out` those that are ready.
    pub fn push(&mut self, mut samples: &[f32], out: &mut Vec<f32>) {
        self.taken += samples.len() as u64;
        let Some(size) = self.fft.as_ref().map(Fft::fft_size_in) else {
            self.given += samples.len() as u64;
            out.extend(samples);
            return;
        };
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(size - self.waiting.len()));
            self.waiting.extend(now);
            samples = later;
            if self.waiting.len() == size {
                self.give(out);
            }
        }
    }

    /// No more samples come: adds the rest to `out`.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        let Some(size) = self.fft.as_ref().map(Fft::fft_size_in) else { return };
        let (from, to) = (u128::from(self.from_hz), u128::from(self.to_hz));
        let all = ((2 * u128::from(self.taken) * to + from) / (2 * from)) as u64;
        while self.given < all {
            self.waiting.resize(size, 0.0);
            self.give(out);
        }
        out.truncate(out.len() - (self.given - all) as usize);
        self.given = all;
    }

    /// Adds what becomes of a full block.
    fn give(&mut self, out: &mut Vec<f32>) {
        let Some(fft) = &mut self.fft else { return };
        let (inputs, outputs) = (self.waiting.len(), self.block.len());
        let block = InterleavedSlice::new(&self.waiting, 1, inputs)
            .ok()
            .zip(InterleavedSlice::new_mut(&mut self.block, 1, outputs).ok())
            .and_then(|(input, mut output)| {
                fft.process_into_buffer(&input, &mut output, None).ok()
            });
        debug_assert_eq!(block, Some((inputs, outputs)));
        let left_out = self.delay.min(outputs);
        self.delay -= left_out;
        out.extend(&self.block[left_out..]);
        self.given += (outputs - left_out) as u64;
        self.waiting.clear();
    }
}

/// A filter whose blocks are even on both sides, so that its delay is a whole number of samples.
fn filter(from: usize, to: usize) -> Result<Fft<f32>> {
    let (mut one, mut other) = (from, to);
    while other > 0 {
        (one, other) = (other, one % other);
    }
    let (input, output) = (from / one, to / one);
    let times = BLOCK.div_ceil(input.min(output)).next_multiple_of(2);
    Fft::new(from, to, times * input, 1, FixedSync::Both).map_err(|error| {
        Error::setting("the sample rates", format!("{from}, {to} Hz"), error.to_string())
    })
}

//! Features as sound comes.
use super::front_end::{FLOOR, FrontEnd};
use super::mel::{Filter, dct, filters};
use super::steps::{Deltas, Normaliser, Stack};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::fmt;
use std::sync::Arc;

/// Turns samples into steps as they come.
#[derive(Clone)]
pub struct FeatureStream {
    spectrum: Spectrum,
    hop: usize,
    /// Samples from the next frame's first on.
    samples: Vec<f32>,
    /// Samples to pass over, where frames are further apart than they are long.
    pass: usize,
    /// Whether a frame was full.
    any: bool,
    deltas: Vec<Deltas>,
    normaliser: Normaliser,
    stack: Stack,
}

impl fmt::Debug for FeatureStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureStream").field("waiting", &self.samples.len()).finish()
    }
}

impl FeatureStream {
    /// Of checked settings.
    pub(super) fn new(front_end: &FrontEnd, warp: f32) -> Self {
        let values = front_end.frame_width() / (1 + front_end.deltas);
        let FrontEnd { stack, stride, deltas, .. } = *front_end;
        Self {
            spectrum: Spectrum::new(front_end, warp),
            hop: front_end.hop(),
            samples: Vec::new(),
            pass: 0,
            any: false,
            // Each differs what the one before added.
            deltas: (0..deltas).map(|order| Deltas::new(order * values)).collect(),
            normaliser: Normaliser::new(&front_end.normalisation),
            stack: Stack::new(front_end.frame_width(), stack, stride),
        }
    }

    /// Takes samples of any number; puts the steps that are complete behind `out`, `[n, width]`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let pass = self.pass.min(samples.len());
        self.pass -= pass;
        self.samples.extend_from_slice(&samples[pass..]);
        let window = self.spectrum.window.len();
        let mut at = 0;
        while at + window <= self.samples.len() {
            let frame = self.spectrum.frame(&self.samples[at..at + window]);
            self.frame(frame, 0, out);
            self.any = true;
            at += self.hop;
        }
        self.pass += at.saturating_sub(self.samples.len());
        self.samples.drain(..at.min(self.samples.len()));
    }

    /// The end: puts the last steps behind `out`.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        if !self.any && !self.samples.is_empty() {
            let mut samples = std::mem::take(&mut self.samples);
            samples.resize(self.spectrum.window.len(), 0.0);
            let frame = self.spectrum.frame(&samples);
            self.frame(frame, 0, out);
        }
        for order in 0..self.deltas.len() {
            for _ in 0..Deltas::REPEATS {
                if let Some(frame) = self.deltas[order].repeat() {
                    self.frame(frame, order + 1, out);
                }
            }
        }
        self.stack.finish(out);
    }

    /// A frame on its way from the differences of `order` on.
    fn frame(&mut self, mut frame: Vec<f32>, order: usize, out: &mut Vec<f32>) {
        for deltas in &mut self.deltas[order..] {
            match deltas.push(frame) {
                Some(with) => frame = with,
                None => return,
            }
        }
        self.normaliser.apply(&mut frame);
        self.stack.push(&frame, out);
    }
}

/// Samples of a frame to its values.
#[derive(Clone)]
struct Spectrum {
    /// Hann's, periodic.
    window: Vec<f32>,
    remove_offset: bool,
    fft: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    filters: Vec<Filter>,
    /// `[coefficients, mels]`
    dct: Option<Vec<f32>>,
}

impl Spectrum {
    fn new(front_end: &FrontEnd, warp: f32) -> Self {
        let length = front_end.window();
        let fft = RealFftPlanner::new().plan_fft_forward(length.next_power_of_two());
        let hann = |i: usize| {
            let angle = std::f64::consts::TAU * i as f64 / length as f64;
            (0.5 - 0.5 * angle.cos()) as f32
        };
        let bins = fft.make_output_vec();
        Self {
            window: (0..length).map(hann).collect(),
            remove_offset: front_end.remove_offset,
            input: fft.make_input_vec(),
            scratch: fft.make_scratch_vec(),
            filters: filters(front_end, bins.len(), warp),
            dct: dct(front_end),
            bins,
            fft,
        }
    }

    fn frame(&mut self, samples: &[f32]) -> Vec<f32> {
        /// What is louder, a thousand million times full scale, would be no number as power.
        const LOUDEST: f32 = 1e9;
        let samples = samples.iter().map(|sample| sample.clamp(-LOUDEST, LOUDEST));
        let offset = match self.remove_offset {
            true => samples.clone().sum::<f32>() / samples.len() as f32,
            false => 0.0,
        };
        self.input.fill(0.0);
        for ((to, sample), window) in self.input.iter_mut().zip(samples).zip(&self.window) {
            *to = (sample - offset) * window;
        }
        let Self { fft, input, bins, scratch, .. } = self;
        fft.process_with_scratch(input, bins, scratch).expect("buffers as the plan made them");
        let power: Vec<f32> = bins.iter().map(Complex::norm_sqr).collect();
        let ln = |filter: &Filter| filter.of(&power).max(FLOOR).ln();
        let mels: Vec<f32> = self.filters.iter().map(ln).collect();
        let Some(dct) = &self.dct else { return mels };
        let sum = |row: &[f32]| row.iter().zip(&mels).map(|(d, m)| d * m).sum();
        dct.chunks_exact(mels.len()).map(sum).collect()
    }
}

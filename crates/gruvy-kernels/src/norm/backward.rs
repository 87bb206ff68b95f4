//! Gradients of and through the normalisation.

use crate::product::lanes;
use crate::saved::{NormBlocks, Run, SavedRows};
use crate::simd::{Isa, Kernel, Simd};

/// Both parts of a backward pass.
#[derive(Clone, Copy)]
pub(crate) struct BackwardNorm {
    pub blocks: NormBlocks,
    /// `[G * H]`
    pub gain_ih: *const f32,
    /// `[G * H]`
    pub gain_hh: *const f32,
    /// Gradients of the gains of each row, `[rows][dgain_ld]`: input gates, then hidden gates,
    /// added to.
    pub dgain: *mut f32,
    pub dgain_ld: usize,
    /// `G`, gates of the input part.
    pub gates: usize,
    pub hidden: usize,
}

impl BackwardNorm {
    /// Takes the gradients of a run's gates at one step back through the normalisation of the
    /// hidden part.
    ///
    /// # Safety
    /// - `saved.ptr`: `[rows]` rows of all blocks readable and writable, `ld` apart, by this thread
    ///   alone; the blocks of `run` hold complete gradients
    /// - `gain_hh`: `[G * H]` readable
    /// - `dgain`: `[rows]` rows of the gains of both parts readable and writable, `dgain_ld` apart,
    ///   by this thread alone
    pub unsafe fn hidden_part(&self, isa: Isa, saved: SavedRows, run: Run) {
        let (block, gain, first) = (self.blocks.hh, self.gain_hh, self.gates);
        isa.dispatch(NormBackward { norm: self, saved, run, block, gain, first });
    }

    /// [`hidden_part`](Self::hidden_part) for the input part.
    ///
    /// # Safety
    /// As there, with `gain_ih` in the place of `gain_hh`.
    pub unsafe fn input_part(&self, isa: Isa, saved: SavedRows, run: Run) {
        let (block, gain, first) = (self.blocks.ih, self.gain_ih, 0);
        isa.dispatch(NormBackward { norm: self, saved, run, block, gain, first });
    }
}

/// A run's gates of some rows, on their way back through the normalisation.
struct NormBackward<'a> {
    norm: &'a BackwardNorm,
    saved: SavedRows,
    run: Run,
    /// Saved block of the part's first gate.
    block: usize,
    /// Gains of the part, `[G * H]`.
    gain: *const f32,
    /// Place of the part's first gate among the gains' gradients.
    first: usize,
}

impl Kernel for NormBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { norm, saved, run, block, gain, first } = self;
        let hidden = norm.hidden;
        for row in 0..saved.rows {
            for g in 0..run.gates {
                let gate = run.gate + g;
                // SAFETY: the contract of `hidden_part` and `input_part`, which alone make this
                // kernel; rows, blocks and gates lie within the buffers.
                unsafe {
                    let at = saved.ptr.add(row * saved.ld);
                    let scale = *at.add(norm.blocks.scales * hidden + first + gate);
                    let dgain = row * norm.dgain_ld + (first + gate) * hidden;
                    let gate = Gate {
                        hidden,
                        scale: s.splat(scale),
                        d: at.add((run.block + g) * hidden),
                        gain: gain.add(gate * hidden),
                        v: at.add((block + gate) * hidden),
                        dgain: norm.dgain.add(dgain),
                    };
                    gate.backward(s);
                }
            }
        }
    }
}

/// One gate of a row; every pointer is to `[hidden]` values.
struct Gate<V> {
    hidden: usize,
    scale: V,
    /// The gradient of what came out of the normalisation.
    d: *const f32,
    gain: *const f32,
    /// x̂, which becomes the gradient of v.
    v: *mut f32,
    /// Added to.
    dgain: *mut f32,
}

impl<V: Copy> Gate<V> {
    /// Replaces x̂ by the gradient of v.
    ///
    /// # Safety
    /// - `d` and `gain`: `[hidden]` readable
    /// - `v` and `dgain`: `[hidden]` readable and writable, by this thread alone
    #[inline(always)]
    unsafe fn backward<S: Simd<V = V>>(&self, s: S) {
        let Self { hidden, scale, d, gain, v, dgain } = *self;
        let panels = hidden.div_ceil(S::LANES);
        // SAFETY: the caller's contract; lanes past H are neither read nor written.
        unsafe {
            let at = |panel: usize| {
                let (j, n) = lanes::<S>(panel, hidden);
                let d = s.load_n(d.add(j), n);
                (j, n, s.load_n(v.add(j), n), d, s.mul(d, s.load_n(gain.add(j), n)))
            };
            let (mut sum, mut along) = (s.splat(0.0), s.splat(0.0));
            for panel in 0..panels {
                let (j, n, normal, d, u) = at(panel);
                sum = s.add(sum, u);
                along = s.fma(u, normal, along);
                s.store_n(dgain.add(j), s.fma(d, normal, s.load_n(dgain.add(j), n)), n);
            }
            let sum = s.splat(s.sum(sum) / hidden as f32);
            let along = s.splat(s.sum(along) / hidden as f32);
            for panel in 0..panels {
                let (j, n, normal, _, u) = at(panel);
                let dv = s.mul(scale, s.sub(s.sub(u, sum), s.mul(normal, along)));
                s.store_n(v.add(j), dv, n);
            }
        }
    }
}

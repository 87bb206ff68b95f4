//! Layer normalisation of the gates' arguments, of every gate on its own (Ba et al., 1607.06450).
//!
//! ```text
//! x̂ = (v − mean v) / √(var v + ε)      out = gain ⊙ x̂
//! dgain += d ⊙ x̂      u = d ⊙ gain      dv = (u − mean u − x̂ mean(u ⊙ x̂)) / √(var v + ε)
//! ```
//! v is one gate's part of a row, of the input or of the state. A row's mean needs the whole row, so a step's
//! product leaves its sums in memory first; then the cell's epilogue runs over them as if they came out of the
//! product. The saved blocks hold v, and mean and variance are computed again.

use crate::NORM_EPSILON;
use crate::cell::{ForwardStep, Run, lanes};
use crate::product::{Epilogue, Panels, Rows, product};
use crate::simd::{Isa, Kernel, Simd};

/// The state's part of a forward step.
pub(crate) struct ForwardNorm {
    /// Room for one product, `[rows][panel][gate][lane]`, rows `ld` apart.
    pub raw: *mut f32,
    pub ld: usize,
    /// `[gate][units]`, H padded to whole vectors.
    pub gain: *const f32,
    pub units: usize,
    /// Saved block of the first gate.
    pub block: usize,
}

impl ForwardNorm {
    /// The product `a · b` over `k` values of `G` gates from `gate` on, normalised, in `raw`.
    ///
    /// # Safety
    /// As for the step.
    pub unsafe fn product<const G: usize>(
        &self,
        isa: Isa,
        step: &ForwardStep<'_>,
        (a, b, k): (Rows, Panels, usize),
        gate: usize,
    ) {
        let Self { raw, ld, .. } = *self;
        isa.dispatch(RawProduct::<G> { a, b, k, to: Raw { to: raw, ld } });
        let rows = Interleaved { at: raw, ld, rows: step.rows, gates: G, hidden: step.hidden };
        // SAFETY: as the caller's.
        unsafe {
            let gain = self.gain.add(gate * self.units);
            let save = step.block(self.block + gate);
            normalise(isa, rows, (gain, self.units), core::ptr::null(), (save, step.saved_ld));
        }
    }
}

/// A product that stays in memory as it is.
struct RawProduct<const G: usize> {
    a: Rows,
    b: Panels,
    k: usize,
    to: Raw,
}

impl<const G: usize> Kernel for RawProduct<G> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: as the caller's of `ForwardNorm::product`.
        unsafe { product::<S, G, _>(s, self.a, self.b, self.k, &self.to) }
    }
}

struct Raw {
    to: *mut f32,
    ld: usize,
}

impl<const G: usize> Epilogue<G> for Raw {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, acc: [S::V; G]) {
        for (g, acc) in acc.into_iter().enumerate() {
            // SAFETY: there is room for every row, panel and gate.
            unsafe { s.store(self.to.add(row * self.ld + (panel * G + g) * S::LANES), acc) }
        }
    }
}

/// Rows of gates as products leave them, `[rows][panel][gate][lane]`, zero past H.
#[derive(Clone, Copy)]
pub(crate) struct Interleaved {
    pub at: *mut f32,
    pub ld: usize,
    pub rows: usize,
    pub gates: usize,
    pub hidden: usize,
}

/// Normalises rows of gates in place: `gain ⊙ x̂ + bias`. What was there goes to `save` first, `[gates][H]` for
/// each row, `save_ld` apart.
///
/// # Safety
/// `gain` holds vectors for all units and gates, gates `gain_ld` apart; `bias` is laid out as a row, or null;
/// `save` is writable, or null.
pub(crate) unsafe fn normalise(
    isa: Isa,
    rows: Interleaved,
    gain: (*const f32, usize),
    bias: *const f32,
    save: (*mut f32, usize),
) {
    isa.dispatch(Normalise { rows, gain, bias, save });
}

struct Normalise {
    rows: Interleaved,
    gain: (*const f32, usize),
    bias: *const f32,
    save: (*mut f32, usize),
}

impl Kernel for Normalise {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in 0..self.rows.rows {
            for gate in 0..self.rows.gates {
                // SAFETY: as the caller's of `normalise`.
                unsafe { self.gate(s, row, gate) }
            }
        }
    }
}

impl Normalise {
    /// # Safety
    /// As for [`normalise`].
    #[inline(always)]
    unsafe fn gate<S: Simd>(&self, s: S, row: usize, gate: usize) {
        let Interleaved { gates, hidden, ld, .. } = self.rows;
        let place = |panel: usize| (panel * gates + gate) * S::LANES;
        // SAFETY: as the caller's.
        unsafe {
            let at = self.rows.at.add(row * ld);
            let [mean, scale] = moments(s, hidden, |panel| s.load(at.add(place(panel))));
            for panel in 0..hidden.div_ceil(S::LANES) {
                let v = s.load(at.add(place(panel)));
                let (j, n) = lanes::<S>(panel, hidden);
                if !self.save.0.is_null() {
                    s.store_n(self.save.0.add(row * self.save.1 + gate * hidden + j), v, n);
                }
                let normal = s.mul(s.sub(v, mean), scale);
                let gain = s.load(self.gain.0.add(gate * self.gain.1 + j));
                let bias = match self.bias.is_null() {
                    true => s.splat(0.0),
                    false => s.load(self.bias.add(place(panel))),
                };
                s.store(at.add(place(panel)), s.fma(gain, normal, bias));
            }
        }
    }
}

/// Mean and `1 / √(var + ε)` of H values that `load` gives in vectors, zero past H.
#[inline(always)]
fn moments<S: Simd>(s: S, hidden: usize, load: impl Fn(usize) -> S::V) -> [S::V; 2] {
    let panels = hidden.div_ceil(S::LANES);
    let mut sum = s.splat(0.0);
    for panel in 0..panels {
        sum = s.add(sum, load(panel));
    }
    let count = hidden as f32;
    let mean = total(s, sum) / count;
    let mut squares = s.splat(0.0);
    for panel in 0..panels {
        let d = s.sub(load(panel), s.splat(mean));
        squares = s.fma(d, d, squares);
    }
    // The lanes past H added mean² each.
    let past = (panels * S::LANES - hidden) as f32;
    let variance = ((total(s, squares) - past * mean * mean) / count).max(0.0);
    [s.splat(mean), s.splat(1.0 / libm::sqrtf(variance + NORM_EPSILON))]
}

/// The sum of a vector's lanes.
#[inline(always)]
fn total<S: Simd>(s: S, v: S::V) -> f32 {
    let mut lanes = [0.0f32; 16];
    // SAFETY: no vector is longer.
    unsafe { s.store(lanes.as_mut_ptr(), v) };
    let mut width = S::LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Both parts of a backward pass.
#[derive(Clone, Copy)]
pub(crate) struct BackwardNorm {
    /// Saved blocks of the first gate's input and hidden part: v, then its gradient.
    pub ih: usize,
    pub hh: usize,
    /// `[G * H]`
    pub gain_ih: *const f32,
    pub gain_hh: *const f32,
    /// Gradients of the gains of each row, `[rows][dgain_ld]`: input gates, then hidden gates, added to.
    pub dgain: *mut f32,
    pub dgain_ld: usize,
    pub gates: usize,
    pub hidden: usize,
}

impl BackwardNorm {
    /// Hidden part of a run's gates at one step; `saved` are its blocks, the distance of rows, their number.
    ///
    /// # Safety
    /// `saved` has rows of all blocks, the run's gradients are complete.
    pub unsafe fn hidden_part(&self, isa: Isa, saved: (*mut f32, usize, usize), run: Run) {
        let (block, gain, first) = (self.hh, self.gain_hh, self.gates);
        isa.dispatch(NormBackward { norm: self, saved, run, block, gain, first });
    }

    /// Input part of a run's gates at one step.
    ///
    /// # Safety
    /// As for the hidden part.
    pub unsafe fn input_part(&self, isa: Isa, saved: (*mut f32, usize, usize), run: Run) {
        let (block, gain, first) = (self.ih, self.gain_ih, 0);
        isa.dispatch(NormBackward { norm: self, saved, run, block, gain, first });
    }
}

/// A run's gates of some rows, on their way back through the normalisation.
struct NormBackward<'a> {
    norm: &'a BackwardNorm,
    saved: (*mut f32, usize, usize),
    run: Run,
    /// Saved block of the part's first gate.
    block: usize,
    gain: *const f32,
    /// Place of the part's first gate among the gains' gradients.
    first: usize,
}

impl Kernel for NormBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { norm, saved: (saved, ld, rows), run, block, gain, first } = self;
        let hidden = norm.hidden;
        for row in 0..rows {
            for g in 0..run.gates {
                let gate = run.gate + g;
                // SAFETY: rows, blocks and gates lie within the buffers.
                unsafe {
                    let row_at = saved.add(row * ld);
                    let d = row_at.add((run.block + g) * hidden);
                    let v = row_at.add((block + gate) * hidden);
                    let gain = gain.add(gate * hidden);
                    let dgain = norm.dgain.add(row * norm.dgain_ld + (first + gate) * hidden);
                    gate_backward(s, hidden, d, v, gain, dgain);
                }
            }
        }
    }
}

/// One gate of a row: `v` becomes its gradient, from the gradient `d` of what it was normalised to.
///
/// # Safety
/// All hold `hidden` values.
#[inline(always)]
unsafe fn gate_backward<S: Simd>(
    s: S,
    hidden: usize,
    d: *const f32,
    v: *mut f32,
    gain: *const f32,
    dgain: *mut f32,
) {
    let panels = hidden.div_ceil(S::LANES);
    // SAFETY: as the caller's; lanes past H are neither read nor written.
    unsafe {
        let [mean, scale] = moments(s, hidden, |panel| {
            let (j, n) = lanes::<S>(panel, hidden);
            s.load_n(v.add(j), n)
        });
        let at = |panel: usize| {
            let (j, n) = lanes::<S>(panel, hidden);
            let normal = s.mul(s.sub(s.load_n(v.add(j), n), mean), scale);
            let d = s.load_n(d.add(j), n);
            (j, n, normal, d, s.mul(d, s.load_n(gain.add(j), n)))
        };
        let (mut sum, mut along) = (s.splat(0.0), s.splat(0.0));
        for panel in 0..panels {
            let (j, n, normal, d, u) = at(panel);
            sum = s.add(sum, u);
            along = s.fma(u, normal, along);
            s.store_n(dgain.add(j), s.fma(d, normal, s.load_n(dgain.add(j), n)), n);
        }
        let sum = s.splat(total(s, sum) / hidden as f32);
        let along = s.splat(total(s, along) / hidden as f32);
        for panel in 0..panels {
            let (j, n, normal, _, u) = at(panel);
            let dv = s.mul(scale, s.sub(s.sub(u, sum), s.mul(normal, along)));
            s.store_n(v.add(j), dv, n);
        }
    }
}

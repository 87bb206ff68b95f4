//! Layer normalisation of the gates' arguments, of every gate on its own (Ba et al., 1607.06450).
//!
//! ```text
//! x̂ = (v − mean v) / √(var v + ε)      out = gain ⊙ x̂
//! dgain += d ⊙ x̂      u = d ⊙ gain      dv = (u − mean u − x̂ mean(u ⊙ x̂)) / √(var v + ε)
//! ```
//! v is one gate's part of a row, of the input or of the state. A row's mean needs the whole row, so a step's
//! product leaves its sums in memory first; then the cell's epilogue runs over them as if they came out of the
//! product. Saved are x̂ and the scale `1 / √(var v + ε)`.

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
    /// `G`, gates of the input part, whose scales come first.
    pub gates: usize,
    /// Saved blocks of the first gate's normalised values, and of all scales.
    pub blocks: [usize; 2],
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
            let [values, scales] = self.blocks;
            let mut save = Save {
                values: step.block(values + gate),
                scales: step.block(scales),
                ld: step.saved_ld,
            };
            if !save.scales.is_null() {
                save.scales = save.scales.add(self.gates + gate);
            }
            normalise(isa, rows, (gain, self.units), core::ptr::null(), save);
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

/// Where x̂ `[gates][H]` and the scales `[gates]` of the first row go, or null; rows `ld` apart.
#[derive(Clone, Copy)]
pub(crate) struct Save {
    pub values: *mut f32,
    pub scales: *mut f32,
    pub ld: usize,
}

/// Normalises rows of gates in place, `gain ⊙ x̂ + bias`, and saves x̂ and its scale.
///
/// # Safety
/// `gain` holds vectors for all units and gates, gates `gain.1` apart; `bias` is laid out as a row, or null;
/// what is not null in `save` is writable.
pub(crate) unsafe fn normalise(
    isa: Isa,
    rows: Interleaved,
    gain: (*const f32, usize),
    bias: *const f32,
    save: Save,
) {
    isa.dispatch(Normalise { rows, gain, bias, save });
}

struct Normalise {
    rows: Interleaved,
    gain: (*const f32, usize),
    bias: *const f32,
    save: Save,
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
            let (at, save) = (self.rows.at.add(row * ld), self.save);
            let [mean, scale] = moments(s, hidden, |panel| s.load(at.add(place(panel))));
            if !save.scales.is_null() {
                s.store_n(save.scales.add(row * save.ld + gate), scale, 1);
            }
            for panel in 0..hidden.div_ceil(S::LANES) {
                let v = s.load(at.add(place(panel)));
                let (j, n) = lanes::<S>(panel, hidden);
                let normal = s.mul(s.sub(v, mean), scale);
                if !save.values.is_null() {
                    s.store_n(save.values.add(row * save.ld + gate * hidden + j), normal, n);
                }
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
    let mean = s.sum(sum) / count;
    let mut squares = s.splat(0.0);
    for panel in 0..panels {
        let (_, n) = lanes::<S>(panel, hidden);
        // SAFETY: no vector has more lanes.
        let within = unsafe { s.load_n([1.0; 16].as_ptr(), n) };
        // Zero past H: where few units differ little, their variance would drown in mean².
        let d = s.mul(within, s.sub(load(panel), s.splat(mean)));
        squares = s.fma(d, d, squares);
    }
    let variance = s.sum(squares) / count;
    let scale = s.div(s.splat(1.0), s.sqrt(s.splat(variance + NORM_EPSILON)));
    [s.splat(mean), scale]
}

/// Both parts of a backward pass.
#[derive(Clone, Copy)]
pub(crate) struct BackwardNorm {
    /// Saved blocks of the first gate's input and hidden part: x̂, then the gradient of v.
    pub ih: usize,
    pub hh: usize,
    /// Saved block of the scales, input gates first.
    pub scales: usize,
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
                    let scale = s.splat(*row_at.add(norm.scales * hidden + first + gate));
                    gate_backward(s, hidden, scale, [d.cast_const(), gain], [v, dgain]);
                }
            }
        }
    }
}

/// One gate of a row: x̂ in `v` becomes the gradient of v, from the gradient `d` of what it was normalised to.
///
/// # Safety
/// All hold `hidden` values.
#[inline(always)]
unsafe fn gate_backward<S: Simd>(
    s: S,
    hidden: usize,
    scale: S::V,
    [d, gain]: [*const f32; 2],
    [v, dgain]: [*mut f32; 2],
) {
    let panels = hidden.div_ceil(S::LANES);
    // SAFETY: as the caller's; lanes past H are neither read nor written.
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

//! Layer normalisation of the gates' arguments, of every gate on its own (Ba et al., 1607.06450).
//!
//! ```text
//! x̂ = (v − mean v) / √(var v + ε)      out = gain ⊙ x̂
//! dgain += d ⊙ x̂      u = d ⊙ gain      dv = (u − mean u − x̂ mean(u ⊙ x̂)) / √(var v + ε)
//! ```
//! v is one gate's part of a row, of the input or of the state. A row's mean needs the whole row, so a step's
//! product leaves its sums in memory first; then the cell's epilogue runs over them as if they came out of the
//! product. Saved are x̂ and the scale `1 / √(var v + ε)`.

use crate::dims::NORM_EPSILON;
use crate::product::{Epilogue, Product, lanes};
use crate::saved::{NormBlocks, Run};
use crate::simd::{Isa, Kernel, Simd};

/// The state's part of a forward step.
pub(crate) struct ForwardNorm {
    pub hidden: usize,
    /// Room for one product, `[rows][panel][gate][lane]`, rows `ld` apart.
    pub raw: *mut f32,
    pub ld: usize,
    pub gains: Gains,
    /// Where the first gate's values go.
    pub save: Save,
}

impl ForwardNorm {
    /// Leaves a product of `G` gates from `gate` on in `raw`, normalised.
    ///
    /// # Safety
    /// - `product`: [computable](Product::run)
    /// - `raw`: `[rows][⌈H / LANES⌉][G][LANES]` writable, rows `ld` apart, for the product's rows
    /// - `gains` and `save`: as for [`normalise`], for the gates `gate..gate + G`
    pub unsafe fn product<const G: usize>(&self, isa: Isa, product: Product, gate: usize) {
        let Self { hidden, raw, ld, gains, save } = *self;
        isa.dispatch(RawProduct::<G> { product, to: Raw { to: raw, ld } });
        let rows = Interleaved { at: raw, ld, rows: product.a.count, gates: G, hidden };
        // SAFETY: the caller's contract.
        unsafe {
            let gains = Gains { ptr: gains.ptr.add(gate * gains.units), ..gains };
            normalise(isa, rows, gains, core::ptr::null(), save.gates_from(gate, hidden));
        }
    }
}

/// A product that stays in memory as it is.
struct RawProduct<const G: usize> {
    product: Product,
    to: Raw,
}

impl<const G: usize> Kernel for RawProduct<G> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the contract of `ForwardNorm::product`, which alone makes this kernel.
        unsafe { self.product.run::<S, G, _>(s, &self.to) }
    }
}

struct Raw {
    /// `[rows][panel][gate][lane]`, rows `ld` apart.
    to: *mut f32,
    ld: usize,
}

impl<const G: usize> Epilogue<G> for Raw {
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, acc: [S::V; G]) {
        for (g, acc) in acc.into_iter().enumerate() {
            // SAFETY: `to` is writable for every row, panel and gate of the product.
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

/// Gains of some gates.
#[derive(Clone, Copy)]
pub(crate) struct Gains {
    /// `[gate][units]`, H padded to whole vectors.
    pub ptr: *const f32,
    pub units: usize,
}

/// Where x̂ `[gates][H]` and the scales `[gates]` of the first row go, both or neither null; rows
/// `ld` apart.
#[derive(Clone, Copy)]
pub(crate) struct Save {
    values: *mut f32,
    scales: *mut f32,
    ld: usize,
}

impl Save {
    /// The input's part, and the state's part of a layer with `gates` input gates.
    ///
    /// # Safety
    /// - `saved`: null, or `[rows]` rows of all `blocks`, `ld` apart
    pub unsafe fn parts(
        blocks: NormBlocks,
        gates: usize,
        hidden: usize,
        saved: SavedRows,
    ) -> [Self; 2] {
        let SavedRows { ptr, ld, .. } = saved;
        if ptr.is_null() {
            return [Self { values: ptr, scales: ptr, ld }; 2];
        }
        // SAFETY: the caller's contract.
        unsafe {
            let block = |block: usize| ptr.add(block * hidden);
            let scales = block(blocks.scales);
            [
                Self { values: block(blocks.ih), scales, ld },
                Self { values: block(blocks.hh), scales: scales.add(gates), ld },
            ]
        }
    }

    /// Where the values of the gates from `gate` on go.
    ///
    /// # Safety
    /// - `values` and `scales`: null, or with a place for that gate
    unsafe fn gates_from(self, gate: usize, hidden: usize) -> Self {
        if self.values.is_null() {
            return self;
        }
        let Self { values, scales, ld } = self;
        // SAFETY: the caller's contract.
        unsafe { Self { values: values.add(gate * hidden), scales: scales.add(gate), ld } }
    }
}

/// Normalises rows of gates in place, `gain ⊙ x̂ + bias`, and saves x̂ and its scale.
///
/// # Safety
/// - `rows.at`: `[rows][⌈H / LANES⌉][gates][LANES]` readable and writable, rows `rows.ld` apart
/// - `gains.ptr`: `[gates][units]` readable, H padded to whole vectors
/// - `bias`: `[⌈H / LANES⌉][gates][LANES]` readable, or null
/// - `save.values`: `[rows][gates][H]` writable, rows `save.ld` apart, or null
/// - `save.scales`: `[rows][gates]` writable, rows `save.ld` apart, or null
pub(crate) unsafe fn normalise(
    isa: Isa,
    rows: Interleaved,
    gains: Gains,
    bias: *const f32,
    save: Save,
) {
    isa.dispatch(Normalise { rows, gains, bias, save });
}

struct Normalise {
    rows: Interleaved,
    gains: Gains,
    bias: *const f32,
    save: Save,
}

impl Kernel for Normalise {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for row in 0..self.rows.rows {
            for gate in 0..self.rows.gates {
                // SAFETY: the contract of `normalise`, which alone makes this kernel.
                unsafe { self.gate(s, row, gate) }
            }
        }
    }
}

impl Normalise {
    /// # Safety
    /// As [`normalise`]; `row` and `gate` are among its rows and gates.
    #[inline(always)]
    unsafe fn gate<S: Simd>(&self, s: S, row: usize, gate: usize) {
        let Interleaved { gates, hidden, ld, .. } = self.rows;
        let place = |panel: usize| (panel * gates + gate) * S::LANES;
        // SAFETY: the caller's contract.
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
                let gain = s.load(self.gains.ptr.add(gate * self.gains.units + j));
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

/// Saved values of some rows.
#[derive(Clone, Copy)]
pub(crate) struct SavedRows {
    /// `[rows]` rows of all blocks of H values, `ld` apart.
    pub ptr: *mut f32,
    pub ld: usize,
    pub rows: usize,
}

/// Both parts of a backward pass.
#[derive(Clone, Copy)]
pub(crate) struct BackwardNorm {
    pub blocks: NormBlocks,
    /// `[G * H]`
    pub gain_ih: *const f32,
    /// `[G * H]`
    pub gain_hh: *const f32,
    /// Gradients of the gains of each row, `[rows][dgain_ld]`: input gates, then hidden gates, added
    /// to.
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

//! Normalisation, forward.

use crate::dims::NORM_EPSILON;
use crate::product::{Epilogue, Product, lanes};
use crate::saved::{NormBlocks, SavedRows};
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

//! Weights of a layer, packed as right operands of its products.

use crate::cell::Recurrence;
use crate::cells::with_cell;
use crate::checks::{check, check_layer};
use crate::dims::{Cell, Layer, Norm, Shape, Weights};
use crate::memory::{Arena, Buffer, Shared, lines};
use crate::product::{Packing, Panels, Source, pack};
use crate::simd::Isa;

/// One layer and direction with its weights packed for the forward kernels of one instruction set.
///
/// ```
/// use gruvy_kernels::{Cell, Layer, Noise, Output, Packed, Pass, Sequence, Weights, Workspace};
/// let (input, hidden) = (2, 3);
/// let (w_ih, w_hh) = (vec![0.1; 3 * hidden * input], vec![0.2; 3 * hidden * hidden]);
/// let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, b_ih: None, b_hh: None, norm: None };
/// let layer = Packed::new(&Layer { cell: Cell::Gru, input, hidden, zoneout: 0.0, weights });
///
/// let seq = Sequence { seq_len: 5, batch: 1, lengths: None, reverse: false };
/// let (x, mut y, mut ws) = (vec![1.0; 5 * input], vec![0.0; 5 * hidden], Workspace::new());
/// let pass = Pass { seq, x: &x, h0: None, noise: Noise::default(), recompute: false };
/// layer.forward(&pass, Output { y: &mut y, last: None, saved: None }, &mut ws);
///
/// let mut h = vec![0.0; hidden];
/// (0..5).for_each(|_| layer.step(1, &[1.0, 1.0], &mut h, &mut ws));
/// assert!(h.iter().zip(&y[4 * hidden..]).all(|(a, b)| (a - b).abs() < 1e-6));
/// ```
#[derive(Clone, Debug)]
pub struct Packed {
    isa: Isa,
    shape: Shape,
    zoneout: f32,
    normed: bool,
    memory: Buffer,
}

/// Where the parts of [`Packed`] lie in its memory, in values.
struct Layout {
    /// `[units * G][I][lane]`: gates interleaved by blocks of hidden units.
    w_ih: usize,
    /// `[units][G][lane]`
    b_ih: usize,
    /// `[units * lane]`: the hidden bias that stays inside a reset.
    b_hh: usize,
    /// `[G][units * lane]` of the input's and then of the state's gates, if the layer is
    /// normalised.
    gains: usize,
    /// For each product of the cell, `[units][H][gate][lane]`.
    w_hh: usize,
    len: usize,
}

impl Layout {
    fn new(shape: Shape, width: usize, normed: bool) -> Self {
        let Shape { cell, input, hidden } = shape;
        let units = hidden.div_ceil(width) * width;
        let (gates, hidden_gates) = (cell.gates(), cell.hidden_gates());
        let b_ih = units * gates * input;
        let b_hh = b_ih + units * gates;
        let gains = b_hh + units;
        let w_hh = gains + if normed { units * (gates + hidden_gates) } else { 0 };
        Self { w_ih: 0, b_ih, b_hh, gains, w_hh, len: w_hh + units * hidden_gates * hidden }
    }
}

/// Views of packed weights. They are readable until the layer is repacked or dropped.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// Depth I, gates as panels of their own.
    pub w_ih: Panels,
    /// `[units][G][lane]`
    pub b_ih: Shared<*const f32>,
    /// `[units * lane]`
    pub b_hh: Shared<*const f32>,
    /// Depth H, for each product of the cell.
    pub w_hh: [Panels; 2],
    pub zoneout: f32,
    /// Gains of the input's and the state's part, `[gate][units * lane]`; none: no normalisation.
    pub gains: Option<[Shared<*const f32>; 2]>,
}

impl Packed {
    /// Packs a layer for this machine's best instruction set.
    ///
    /// # Panics
    /// If `hidden` is 0, `zoneout` is outside `[0, 1)` or the length of a weight does not fit the
    /// layer.
    pub fn new(layer: &Layer<'_>) -> Self {
        Self::with_isa(Isa::best(), layer)
    }

    /// [`Packed::new`] for an instruction set of choice.
    ///
    /// # Panics
    /// As [`Packed::new`], and if the machine lacks `isa`.
    pub fn with_isa(isa: Isa, layer: &Layer<'_>) -> Self {
        assert!(isa.is_available(), "this machine has no {isa:?}; see Isa::available");
        let (shape, normed) = (layer.shape(), layer.weights.norm.is_some());
        let memory = Buffer::new();
        let mut packed = Self { isa, shape, zoneout: layer.zoneout, normed, memory };
        packed.repack(layer);
        packed
    }

    /// Packs another layer of the same cell and sizes into the same memory.
    ///
    /// # Panics
    /// As [`Packed::new`], and if the cell or a size is another.
    pub fn repack(&mut self, layer: &Layer<'_>) {
        check_layer(layer);
        let (shape, other) = (self.shape, layer.shape());
        check("I of the layer", shape.input, other.input);
        check("H of the layer", shape.hidden, other.hidden);
        assert!(shape.cell == other.cell, "expected {:?}, got {:?}", shape.cell, other.cell);
        self.zoneout = layer.zoneout;
        self.normed = layer.weights.norm.is_some();
        let layout = self.layout();
        let memory = self.memory.get(layout.len);
        with_cell!(shape.cell, C => pack_forward::<C>(self.isa, layer, &layout, memory));
    }

    /// The layer packed in what is there, if it fits.
    pub(crate) fn renew<'a>(there: &'a mut Option<Self>, isa: Isa, layer: &Layer<'_>) -> &'a Self {
        match there {
            Some(p) if (p.isa, p.shape) == (isa, layer.shape()) => p.repack(layer),
            _ => *there = Some(Self::with_isa(isa, layer)),
        }
        there.as_ref().expect("was just packed")
    }

    /// The recurrence.
    pub fn cell(&self) -> Cell {
        self.shape.cell
    }

    /// `I`, features of the input.
    pub fn input(&self) -> usize {
        self.shape.input
    }

    /// `H`, hidden units.
    pub fn hidden(&self) -> usize {
        self.shape.hidden
    }

    pub(crate) fn isa(&self) -> Isa {
        self.isa
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether the layer is normalised.
    pub(crate) fn normed(&self) -> bool {
        self.normed
    }

    fn layout(&self) -> Layout {
        Layout::new(self.shape, self.isa.lanes(), self.normed)
    }

    pub(crate) fn parts(&self) -> Parts {
        let Shape { cell, input, hidden } = self.shape;
        let width = self.isa.lanes();
        let layout = self.layout();
        let memory = self.memory.as_slice()[..layout.len].as_ptr();
        let (units, gates) = (hidden.div_ceil(width), cell.gates());
        // SAFETY: `layout` divides the memory, which is at least `layout.len` long.
        unsafe {
            let part = |offset: usize| Shared::new(memory.add(offset));
            let mut from = memory.add(layout.w_hh);
            let mut w_hh = [Panels::new(from, units, hidden); 2];
            with_cell!(cell, C => {
                for (panels, gates) in w_hh.iter_mut().zip(C::PRODUCTS) {
                    panels.ptr = Shared::new(from);
                    from = from.add(units * width * hidden * gates);
                }
            });
            let gains = [layout.gains, layout.gains + units * width * gates];
            Parts {
                w_ih: Panels::new(memory.add(layout.w_ih), units * gates, input),
                b_ih: part(layout.b_ih),
                b_hh: part(layout.b_hh),
                w_hh,
                zoneout: self.zoneout,
                gains: self.normed.then(|| gains.map(part)),
            }
        }
    }
}

/// Packs the weights for forward products.
fn pack_forward<C: Recurrence>(isa: Isa, layer: &Layer<'_>, layout: &Layout, memory: &mut [f32]) {
    let Layer { input, hidden, ref weights, .. } = *layer;
    let width = isa.lanes();
    let to = memory.as_mut_ptr();
    // Rows of a weight, as columns of a right operand of that depth.
    let rows = |weight: &[f32], first: usize, depth| {
        let ptr = weight[first * hidden * depth..].as_ptr();
        Source { ptr, k_step: 1, j_step: depth, depth, columns: hidden }
    };
    for gate in 0..C::GATES {
        let source = rows(weights.w_ih, gate, input);
        // SAFETY: the source is gate `gate` of the checked weight, the target that gate of the
        // input panels, which `layout` has room for.
        unsafe {
            let ptr = to.add(layout.w_ih + gate * input * width);
            let panel_step = C::GATES * input * width;
            pack(isa, source, Packing { ptr, width, k_step: width, panel_step });
        }
    }
    let mut first = 0;
    for &gates in C::PRODUCTS {
        let offset = layout.w_hh + first * hidden.next_multiple_of(width) * hidden;
        for gate in 0..gates {
            let source = rows(weights.w_hh, first + gate, hidden);
            // SAFETY: the source is a gate of the checked weight, the target gate `gate` of this
            // product's panels, which `layout` has room for.
            unsafe {
                let ptr = to.add(offset + gate * width);
                let (k_step, panel_step) = (gates * width, hidden * gates * width);
                pack(isa, source, Packing { ptr, width, k_step, panel_step });
            }
        }
        first += gates;
    }
    pack_bias::<C>(memory, layout, width, hidden, weights);
    if let Some(Norm { gain_ih, gain_hh }) = weights.norm {
        let units = hidden.next_multiple_of(width);
        let rows = memory[layout.gains..layout.w_hh].chunks_exact_mut(units);
        let gains = gain_ih.chunks_exact(hidden).chain(gain_hh.chunks_exact(hidden));
        for (row, gain) in rows.zip(gains) {
            row[..hidden].copy_from_slice(gain);
            row[hidden..].fill(0.0);
        }
    }
}

/// Input bias and folded hidden bias, `[unit block][gate][lane]`, and the hidden bias that is not
/// folded.
fn pack_bias<C: Recurrence>(
    memory: &mut [f32],
    layout: &Layout,
    width: usize,
    hidden: usize,
    weights: &Weights<'_>,
) {
    memory[layout.b_ih..layout.gains].fill(0.0);
    for gate in 0..C::GATES {
        for j in 0..hidden {
            let at = layout.b_ih + (j / width * C::GATES + gate) * width + j % width;
            let ih = weights.b_ih.map_or(0.0, |b| b[gate * hidden + j]);
            let hh = match gate < C::HIDDEN_GATES {
                true => weights.b_hh.map_or(0.0, |b| b[gate * hidden + j]),
                false => 0.0,
            };
            if C::folds_bias(gate) {
                memory[at] = ih + hh;
            } else {
                memory[at] = ih;
                memory[layout.b_hh + j] = hh;
            }
        }
    }
}

/// The weights as right operands of the backward products.
#[derive(Clone, Copy)]
pub(crate) struct BackPanels {
    /// The hidden weights of each product.
    pub hidden: [Panels; 2],
    /// The input weights, for dx.
    pub input: Panels,
}

/// Packs the weights for backward products. The panels are readable as long as `memory` is left
/// alone.
pub(crate) fn pack_backward<C: Recurrence>(
    isa: Isa,
    layer: &Layer<'_>,
    memory: &mut Buffer,
) -> BackPanels {
    let Layer { input, hidden, weights, .. } = *layer;
    let width = isa.lanes();
    let (gates, hidden_gates) = (C::GATES * hidden, C::HIDDEN_GATES * hidden);
    let (units, columns) = (hidden.next_multiple_of(width), input.next_multiple_of(width));
    let mut arena = Arena::new(memory.get(lines(gates * columns) + lines(hidden_gates * units)));
    let mut to = arena.take(hidden_gates * units);
    // No terms, for a cell without products.
    let mut back = [Panels::new(to, units / width, 0); 2];
    for (panels, run) in back.iter_mut().zip(C::BACK) {
        let depth = run.gates * hidden;
        let ptr = weights.w_hh[run.gate * hidden * hidden..].as_ptr();
        let source = Source { ptr, k_step: hidden, j_step: 1, depth, columns: hidden };
        // SAFETY: the run's rows lie within the checked w_hh, and its panels within what was taken.
        unsafe {
            pack(isa, source, Packing::dense(to, width, depth));
            *panels = Panels::new(to, units / width, depth);
            to = to.add(depth * units);
        }
    }
    let to = arena.take(gates * columns);
    for (block, &gate) in C::ORDER.iter().enumerate() {
        // Behind a normalisation the gradients lie in the order of the gates.
        let block = if weights.norm.is_some() { gate } else { block };
        let ptr = weights.w_ih[gate * hidden * input..].as_ptr();
        let source = Source { ptr, k_step: input, j_step: 1, depth: hidden, columns: input };
        // SAFETY: the gate's rows lie within the checked w_ih, and block `block` within the panels
        // that were taken.
        unsafe {
            let ptr = to.add(block * hidden * width);
            let panel_step = gates * width;
            pack(isa, source, Packing { ptr, width, k_step: width, panel_step });
        }
    }
    BackPanels { hidden: back, input: Panels::new(to, columns / width, gates) }
}

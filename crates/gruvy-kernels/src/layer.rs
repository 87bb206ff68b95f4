//! One layer and direction: the public calls, their checks, and the packed weights.

use crate::cell::{Blocks, Recurrence};
use crate::forward::{Parts, Span, Targets};
use crate::gru::Gru;
use crate::gru_v3::GruV3;
use crate::lstm::Lstm;
use crate::memory::Buffer;
use crate::min_gru::MinGru;
use crate::product::{Packing, Panels, Source, pack};
use crate::rnn::Rnn;
use crate::sequence::Input;
use crate::simd::Isa;
use crate::{
    Cell, Gradients, Layer, Norm, Output, Pass, Sequence, Tape, Weights, Workspace, forward,
};

/// Runs `$body` with `$C` standing for the cell's [`Recurrence`].
macro_rules! with_cell {
    ($cell:expr, $C:ident => $body:expr) => {
        match $cell {
            Cell::Gru => {
                type $C = Gru;
                $body
            }
            Cell::GruV3 => {
                type $C = GruV3;
                $body
            }
            Cell::Lstm => {
                type $C = Lstm;
                $body
            }
            Cell::Rnn => {
                type $C = Rnn<false>;
                $body
            }
            Cell::RnnRelu => {
                type $C = Rnn<true>;
                $body
            }
            Cell::MinGru => {
                type $C = MinGru;
                $body
            }
        }
    };
}

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
    cell: Cell,
    input: usize,
    hidden: usize,
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
    /// `[G][units * lane]` of the input's and then of the state's gates, if the layer is normalised.
    gains: usize,
    /// For each product of the cell, `[units][H][gate][lane]`.
    w_hh: usize,
    len: usize,
}

impl Layout {
    fn new(cell: Cell, width: usize, [input, hidden]: [usize; 2], normed: bool) -> Self {
        let units = hidden.div_ceil(width) * width;
        let (gates, hidden_gates) = (cell.gates(), cell.hidden_gates());
        let b_ih = units * gates * input;
        let b_hh = b_ih + units * gates;
        let gains = b_hh + units;
        let w_hh = gains + if normed { units * (gates + hidden_gates) } else { 0 };
        Self { w_ih: 0, b_ih, b_hh, gains, w_hh, len: w_hh + units * hidden_gates * hidden }
    }
}

impl Packed {
    /// Packs a layer for this machine's best instruction set.
    ///
    /// # Panics
    /// If `hidden` is 0, `zoneout` is outside `[0, 1)` or the length of a weight does not fit the layer.
    pub fn new(layer: &Layer<'_>) -> Self {
        Self::with_isa(Isa::best(), layer)
    }

    /// [`Packed::new`] for an instruction set of choice.
    ///
    /// # Panics
    /// As [`Packed::new`], and if the machine lacks `isa`.
    pub fn with_isa(isa: Isa, layer: &Layer<'_>) -> Self {
        assert!(isa.is_available(), "this machine has no {isa:?}; see Isa::available");
        let Layer { cell, input, hidden, zoneout, .. } = *layer;
        let normed = layer.weights.norm.is_some();
        let mut packed = Self { isa, cell, input, hidden, zoneout, normed, memory: Buffer::new() };
        packed.repack(layer);
        packed
    }

    /// Packs another layer of the same cell and sizes into the same memory.
    ///
    /// # Panics
    /// As [`Packed::new`], and if the cell or a size is another.
    pub fn repack(&mut self, layer: &Layer<'_>) {
        check_layer(layer);
        check("I of the layer", self.input, layer.input);
        check("H of the layer", self.hidden, layer.hidden);
        assert!(self.cell == layer.cell, "expected {:?}, got {:?}", self.cell, layer.cell);
        self.zoneout = layer.zoneout;
        self.normed = layer.weights.norm.is_some();
        let layout = self.layout();
        let memory = self.memory.get(layout.len);
        with_cell!(self.cell, C => pack_forward::<C>(self.isa, layer, &layout, memory));
    }

    /// The layer packed in what is there, if it fits.
    pub(crate) fn renew<'a>(there: &'a mut Option<Self>, isa: Isa, layer: &Layer<'_>) -> &'a Self {
        let Layer { cell, input, hidden, .. } = *layer;
        match there {
            Some(p) if (p.isa, p.cell, p.input, p.hidden) == (isa, cell, input, hidden) => {
                p.repack(layer)
            }
            _ => *there = Some(Self::with_isa(isa, layer)),
        }
        there.as_ref().expect("was just packed")
    }

    /// The recurrence.
    pub fn cell(&self) -> Cell {
        self.cell
    }

    /// `I`, features of the input.
    pub fn input(&self) -> usize {
        self.input
    }

    /// `H`, hidden units.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Runs the layer over a batch of sequences, on the threads of the current rayon pool.
    ///
    /// # Panics
    /// If a buffer's length does not fit the pass and the layer.
    pub fn forward(&self, pass: &Pass<'_>, output: Output<'_>, ws: &mut Workspace) {
        check_pass(pass, self.cell, self.input, self.hidden);
        let seq = &pass.seq;
        let call = Input::new(pass, self.input, self.hidden);
        let (steps, width) = (seq.seq_len * seq.batch, self.cell.states() * self.hidden);
        let blocks =
            Blocks::new(self.cell, self.hidden, pass.noise.masks_state(), self.normed).count;
        check("y [T, B, H]", steps * self.hidden, output.y.len());
        check_optional("last [B, K * H]", seq.batch * width, output.last.as_deref());
        let recomputed = seq.seq_len.div_ceil(call.window()) * seq.batch * width;
        let saved = if pass.recompute { recomputed } else { steps * blocks * self.hidden };
        check_optional("saved [T, B, S, H]", saved, output.saved.as_deref());
        let parts = self.parts();
        let pointer =
            |slice: Option<&mut [f32]>| slice.map_or(core::ptr::null_mut(), <[f32]>::as_mut_ptr);
        output.y[call.steps() * seq.batch * self.hidden..].fill(0.0);
        let saved = pointer(output.saved);
        let null = core::ptr::null_mut();
        let (saved, states) = if pass.recompute { (null, saved) } else { (saved, null) };
        let targets =
            Targets { y: output.y.as_mut_ptr(), last: pointer(output.last), saved, states };
        let to = (targets, Span { steps: 0..call.steps(), first: 0 });
        let scratch = &mut ws.scratch;
        with_cell!(self.cell, C => forward::forward::<C>(self.isa, &call, &parts, to, scratch));
    }

    /// One step of `batch` rows, on the calling thread: `x [B, I]`; `state [B, K * H]` is replaced by the next.
    ///
    /// # Panics
    /// If a buffer's length does not fit.
    pub fn step(&self, batch: usize, x: &[f32], state: &mut [f32], ws: &mut Workspace) {
        check("x [B, I]", batch * self.input, x.len());
        check("state [B, K * H]", batch * self.cell.states() * self.hidden, state.len());
        let parts = self.parts();
        let sizes = [batch, self.input, self.hidden];
        with_cell!(self.cell, C => forward::step::<C>(self.isa, sizes, x, state, &parts, ws));
    }

    fn layout(&self) -> Layout {
        Layout::new(self.cell, self.isa.lanes(), [self.input, self.hidden], self.normed)
    }

    pub(crate) fn parts(&self) -> Parts {
        let width = self.isa.lanes();
        let layout = self.layout();
        let memory = self.memory.as_slice()[..layout.len].as_ptr();
        let units = self.hidden.div_ceil(width);
        let gates = self.cell.gates();
        // SAFETY: `layout` divides the memory, which is at least `layout.len` long.
        unsafe {
            let mut from = memory.add(layout.w_hh);
            let mut w_hh = [Panels { ptr: from, count: units, depth: self.hidden, first: 0 }; 2];
            with_cell!(self.cell, C => {
                for (panels, gates) in w_hh.iter_mut().zip(C::PRODUCTS) {
                    panels.ptr = from;
                    from = from.add(units * width * self.hidden * gates);
                }
            });
            let gains = memory.add(layout.gains);
            Parts {
                w_ih: Panels {
                    ptr: memory.add(layout.w_ih),
                    count: units * gates,
                    depth: self.input,
                    first: 0,
                },
                b_ih: memory.add(layout.b_ih),
                b_hh: memory.add(layout.b_hh),
                w_hh,
                zoneout: self.zoneout,
                gains: self.normed.then(|| [gains, gains.add(units * width * gates)]),
            }
        }
    }
}

/// Packs the weights for forward products.
fn pack_forward<C: Recurrence>(isa: Isa, layer: &Layer<'_>, layout: &Layout, memory: &mut [f32]) {
    let Layer { input, hidden, ref weights, .. } = *layer;
    let width = isa.lanes();
    let to = memory.as_mut_ptr();
    for gate in 0..C::GATES {
        let ptr = weights.w_ih[gate * hidden * input..].as_ptr();
        let source = Source { ptr, k_step: 1, j_step: input };
        // SAFETY: gate `gate` of the input panels.
        unsafe {
            let ptr = to.add(layout.w_ih + gate * input * width);
            let panel_step = C::GATES * input * width;
            pack(isa, source, input, hidden, Packing { ptr, width, k_step: width, panel_step });
        }
    }
    let mut first = 0;
    for &gates in C::PRODUCTS {
        let offset = layout.w_hh + first * hidden.next_multiple_of(width) * hidden;
        for gate in 0..gates {
            let ptr = weights.w_hh[(first + gate) * hidden * hidden..].as_ptr();
            let source = Source { ptr, k_step: 1, j_step: hidden };
            // SAFETY: gate `gate` of this product's panels.
            unsafe {
                let ptr = to.add(offset + gate * width);
                let (k_step, panel_step) = (gates * width, hidden * gates * width);
                pack(isa, source, hidden, hidden, Packing { ptr, width, k_step, panel_step });
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

/// Input bias and folded hidden bias, `[unit block][gate][lane]`, and the hidden bias that is not folded.
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
            let hh = match gate < C::CELL.hidden_gates() {
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

/// Gradients of a layer, after [`Packed::forward`] of the same layer with the same pass, on the threads of the
/// current rayon pool.
///
/// # Panics
/// If a buffer's length does not fit, or the machine lacks `isa`.
pub fn backward(
    isa: Isa,
    layer: &Layer<'_>,
    pass: &Pass<'_>,
    tape: Tape<'_>,
    grads: Gradients<'_>,
    ws: &mut Workspace,
) {
    let Layer { cell, input, hidden, .. } = *layer;
    check_layer(layer);
    check_pass(pass, cell, input, hidden);
    let batch = pass.seq.batch;
    let (steps, width) = (pass.seq.seq_len * batch, cell.states() * hidden);
    let (rows, hidden_rows) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
    check("y [T, B, H]", steps * hidden, tape.y.len());
    check("dy [T, B, H]", steps * hidden, tape.dy.len());
    check("saved [T, B, S, H]", layer.saved_values(pass), tape.saved.len());
    check_optional("dlast [B, K * H]", batch * width, tape.dlast);
    check_optional("dx [T, B, I]", steps * input, grads.dx.as_deref());
    check_optional("dh0 [B, K * H]", batch * width, grads.dh0.as_deref());
    check("dw_ih [G * H, I]", rows * input, grads.dw_ih.len());
    check("dw_hh [G * H, H]", hidden_rows * hidden, grads.dw_hh.len());
    check_optional("db_ih [G * H]", rows, grads.db_ih.as_deref());
    check_optional("db_hh [G * H]", hidden_rows, grads.db_hh.as_deref());
    check_optional("dgain_ih [G * H]", rows, grads.dgain_ih.as_deref());
    check_optional("dgain_hh [G * H]", hidden_rows, grads.dgain_hh.as_deref());
    let call = Input::new(pass, input, hidden);
    with_cell!(cell, C => crate::backward::backward::<C>(isa, layer, &call, tape, grads, ws));
}

fn check_layer(layer: &Layer<'_>) {
    let Layer { cell, input, hidden, zoneout, weights: w } = *layer;
    assert!(hidden > 0, "a layer needs at least one hidden unit");
    assert!((0.0..1.0).contains(&zoneout), "expected zoneout in [0, 1), got {zoneout}");
    let (rows, hidden_rows) = (cell.gates() * hidden, cell.hidden_gates() * hidden);
    check("w_ih [G * H, I]", rows * input, w.w_ih.len());
    check("w_hh [G * H, H]", hidden_rows * hidden, w.w_hh.len());
    check_optional("b_ih [G * H]", rows, w.b_ih);
    check_optional("b_hh [G * H]", hidden_rows, w.b_hh);
    check_optional("gain_ih [G * H]", rows, w.norm.map(|n| n.gain_ih));
    check_optional("gain_hh [G * H]", hidden_rows, w.norm.map(|n| n.gain_hh));
}

fn check_pass(pass: &Pass<'_>, cell: Cell, input: usize, hidden: usize) {
    check_sequence(&pass.seq);
    let rate = pass.noise.recurrent_dropout;
    assert!((0.0..1.0).contains(&rate), "expected recurrent dropout in [0, 1), got {rate}");
    check("x [T, B, I]", pass.seq.seq_len * pass.seq.batch * input, pass.x.len());
    check_optional("h0 [B, K * H]", pass.seq.batch * cell.states() * hidden, pass.h0);
}

fn check_sequence(seq: &Sequence<'_>) {
    let Some(lengths) = seq.lengths else { return };
    check("lengths [B]", seq.batch, lengths.len());
    if let Some(&len) = lengths.iter().find(|&&len| len > seq.seq_len) {
        check("a sequence's length, at most T", seq.seq_len, len);
    }
}

pub(crate) fn check_optional(what: &str, expected: usize, got: Option<&[f32]>) {
    if let Some(got) = got {
        check(what, expected, got.len());
    }
}

#[inline]
pub(crate) fn check(what: &str, expected: usize, got: usize) {
    if expected != got {
        mismatch(what, expected, got);
    }
}

#[cold]
#[inline(never)]
fn mismatch(what: &str, expected: usize, got: usize) -> ! {
    panic!("{what}: expected {expected}, got {got}")
}

//! One layer and direction: the public calls, their checks, and the packed weights.

use crate::cell::Recurrence;
use crate::forward::{Output, Parts};
use crate::gru::Gru;
use crate::gru_v3::GruV3;
use crate::memory::Buffer;
use crate::product::{Packing, Panels, Source, pack};
use crate::sequence::Input;
use crate::simd::{Isa, Kernel, Simd};
use crate::{Cell, Gradients, Sequence, Weights, Workspace, forward};
use core::marker::PhantomData;

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
        }
    };
}

/// The weights of one layer and direction, packed for the forward kernels of one instruction set.
///
/// ```
/// use gruvy_kernels::{Cell, Packed, Sequence, Weights, Workspace};
/// let (input, hidden) = (2, 3);
/// let (w_ih, w_hh) = (vec![0.1; 3 * hidden * input], vec![0.2; 3 * hidden * hidden]);
/// let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, b_ih: None, b_hh: None };
/// let layer = Packed::new(Cell::Gru, input, hidden, &weights);
///
/// let seq = Sequence { seq_len: 5, batch: 1, lengths: None, reverse: false };
/// let (x, mut y, mut ws) = (vec![1.0; 5 * input], vec![0.0; 5 * hidden], Workspace::new());
/// layer.forward(&seq, &x, None, &mut y, None, &mut ws);
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
    /// For each product of the cell, `[units][H][gate][lane]`.
    w_hh: usize,
    len: usize,
}

impl Layout {
    fn new(cell: Cell, width: usize, input: usize, hidden: usize) -> Self {
        let units = hidden.div_ceil(width) * width;
        let gates = cell.gates();
        let b_ih = units * gates * input;
        let b_hh = b_ih + units * gates;
        let w_hh = b_hh + units;
        Self { w_ih: 0, b_ih, b_hh, w_hh, len: w_hh + units * gates * hidden }
    }
}

impl Packed {
    /// Packs the weights of a layer with `input` features and `hidden` units for this machine's best
    /// instruction set.
    ///
    /// # Panics
    /// If `hidden` is 0 or the length of a weight does not fit `cell`, `input` and `hidden`.
    pub fn new(cell: Cell, input: usize, hidden: usize, weights: &Weights<'_>) -> Self {
        Self::with_isa(Isa::best(), cell, input, hidden, weights)
    }

    /// [`Packed::new`] for an instruction set of choice.
    ///
    /// # Panics
    /// As [`Packed::new`], and if the machine lacks `isa`.
    pub fn with_isa(
        isa: Isa,
        cell: Cell,
        input: usize,
        hidden: usize,
        weights: &Weights<'_>,
    ) -> Self {
        assert!(isa.is_available(), "this machine has no {isa:?}; see Isa::available");
        let mut packed = Self { isa, cell, input, hidden, memory: Buffer::new() };
        packed.repack(weights);
        packed
    }

    /// Packs other weights of the same layer into the same memory.
    ///
    /// # Panics
    /// As [`Packed::new`].
    pub fn repack(&mut self, weights: &Weights<'_>) {
        check_weights(self.cell, self.input, self.hidden, weights);
        let Self { cell, input, hidden, .. } = *self;
        let layout = Layout::new(cell, self.isa.lanes(), input, hidden);
        let memory = self.memory.get(layout.len);
        let sizes = [input, hidden];
        with_cell!(cell, C => {
            self.isa.dispatch(PackForward::<C> { memory, layout, sizes, weights, cell: PhantomData });
        });
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
    /// * `x [T, B, I]`; `h0 [B, H]` or none for zeros; `y [T, B, H]` is overwritten.
    /// * `saved [T, B, S, H]` with S = [`Cell::saved`] is overwritten with what [`backward`] needs.
    ///
    /// # Panics
    /// If a buffer's length does not fit `seq` and the layer.
    pub fn forward(
        &self,
        seq: &Sequence<'_>,
        x: &[f32],
        h0: Option<&[f32]>,
        y: &mut [f32],
        saved: Option<&mut [f32]>,
        ws: &mut Workspace,
    ) {
        check_sequence(seq);
        let steps = seq.seq_len * seq.batch;
        check("x [T, B, I]", steps * self.input, x.len());
        check("y [T, B, H]", steps * self.hidden, y.len());
        check_optional("h0 [B, H]", seq.batch * self.hidden, h0);
        check_optional(
            "saved [T, B, S, H]",
            steps * self.cell.saved() * self.hidden,
            saved.as_deref(),
        );
        let input = Input { seq, input: self.input, hidden: self.hidden, x, h0 };
        let parts = self.parts();
        let saved = saved.map_or(core::ptr::null_mut(), <[f32]>::as_mut_ptr);
        let output = Output { y: y.as_mut_ptr(), saved };
        with_cell!(self.cell, C => forward::forward::<C>(self.isa, &input, &parts, output, ws));
    }

    /// One step of `batch` rows, on the calling thread: `x [B, I]`; `h [B, H]` is replaced by the next state.
    ///
    /// # Panics
    /// If a buffer's length does not fit.
    pub fn step(&self, batch: usize, x: &[f32], h: &mut [f32], ws: &mut Workspace) {
        check("x [B, I]", batch * self.input, x.len());
        check("h [B, H]", batch * self.hidden, h.len());
        let parts = self.parts();
        let sizes = [batch, self.input, self.hidden];
        with_cell!(self.cell, C => forward::step::<C>(self.isa, sizes, x, h, &parts, ws));
    }

    fn parts(&self) -> Parts {
        let width = self.isa.lanes();
        let layout = Layout::new(self.cell, width, self.input, self.hidden);
        let memory = self.memory.as_slice()[..layout.len].as_ptr();
        let units = self.hidden.div_ceil(width);
        let gates = self.cell.gates();
        // SAFETY: `layout` divides the memory, which is at least `layout.len` long.
        unsafe {
            let mut from = memory.add(layout.w_hh);
            let mut w_hh = [Panels { ptr: from, count: units, depth: self.hidden }; 2];
            with_cell!(self.cell, C => {
                for (panels, gates) in w_hh.iter_mut().zip(C::PRODUCTS) {
                    panels.ptr = from;
                    from = from.add(units * width * self.hidden * gates);
                }
            });
            Parts {
                w_ih: Panels {
                    ptr: memory.add(layout.w_ih),
                    count: units * gates,
                    depth: self.input,
                },
                b_ih: memory.add(layout.b_ih),
                b_hh: memory.add(layout.b_hh),
                w_hh,
            }
        }
    }
}

struct PackForward<'a, C> {
    memory: &'a mut [f32],
    layout: Layout,
    sizes: [usize; 2],
    weights: &'a Weights<'a>,
    cell: PhantomData<C>,
}

impl<C: Recurrence> Kernel for PackForward<'_, C> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { memory, layout, sizes: [input, hidden], weights, .. } = self;
        let width = S::LANES;
        let to = memory.as_mut_ptr();
        for gate in 0..C::GATES {
            let ptr = weights.w_ih[gate * hidden * input..].as_ptr();
            let source = Source { ptr, k_step: 1, j_step: input };
            // SAFETY: gate `gate` of the input panels.
            unsafe {
                let ptr = to.add(layout.w_ih + gate * input * width);
                let panel_step = C::GATES * input * width;
                pack(s, source, input, hidden, Packing { ptr, width, k_step: width, panel_step });
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
                    pack(s, source, hidden, hidden, Packing { ptr, width, k_step, panel_step });
                }
            }
            first += gates;
        }
        pack_bias::<C>(memory, &layout, width, hidden, weights);
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
    memory[layout.b_ih..layout.w_hh].fill(0.0);
    for gate in 0..C::GATES {
        for j in 0..hidden {
            let at = layout.b_ih + (j / width * C::GATES + gate) * width + j % width;
            let ih = weights.b_ih.map_or(0.0, |b| b[gate * hidden + j]);
            let hh = weights.b_hh.map_or(0.0, |b| b[gate * hidden + j]);
            if C::folds_bias(gate) {
                memory[at] = ih + hh;
            } else {
                memory[at] = ih;
                memory[layout.b_hh + j] = hh;
            }
        }
    }
}

/// Gradients of a layer, after [`Packed::forward`] with the same arguments, on the threads of the current
/// rayon pool. `sizes` are `[I, H]`.
///
/// * `y [T, B, H]` and `saved [T, B, S, H]` as the forward pass left them; `saved` is used up.
/// * `dy [T, B, H]`: gradient with respect to `y`; a gradient with respect to the last state belongs to the
///   steps of `y` that it is a view of.
///
/// # Panics
/// If a buffer's length does not fit.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    cell: Cell,
    sizes: [usize; 2],
    weights: &Weights<'_>,
    seq: &Sequence<'_>,
    x: &[f32],
    h0: Option<&[f32]>,
    y: &[f32],
    saved: &mut [f32],
    dy: &[f32],
    grads: Gradients<'_>,
    ws: &mut Workspace,
) {
    backward_with_isa(Isa::best(), cell, sizes, weights, seq, x, h0, y, saved, dy, grads, ws);
}

/// [`backward`] on an instruction set of choice.
///
/// # Panics
/// As [`backward`], and if the machine lacks `isa`.
#[allow(clippy::too_many_arguments)]
pub fn backward_with_isa(
    isa: Isa,
    cell: Cell,
    [input, hidden]: [usize; 2],
    weights: &Weights<'_>,
    seq: &Sequence<'_>,
    x: &[f32],
    h0: Option<&[f32]>,
    y: &[f32],
    saved: &mut [f32],
    dy: &[f32],
    grads: Gradients<'_>,
    ws: &mut Workspace,
) {
    check_weights(cell, input, hidden, weights);
    check_sequence(seq);
    let steps = seq.seq_len * seq.batch;
    let gates = cell.gates() * hidden;
    check("x [T, B, I]", steps * input, x.len());
    check("y [T, B, H]", steps * hidden, y.len());
    check("dy [T, B, H]", steps * hidden, dy.len());
    check("saved [T, B, S, H]", steps * cell.saved() * hidden, saved.len());
    check_optional("h0 [B, H]", seq.batch * hidden, h0);
    check_optional("dx [T, B, I]", steps * input, grads.dx.as_deref());
    check_optional("dh0 [B, H]", seq.batch * hidden, grads.dh0.as_deref());
    check("dw_ih [G * H, I]", gates * input, grads.dw_ih.len());
    check("dw_hh [G * H, H]", gates * hidden, grads.dw_hh.len());
    check_optional("db_ih [G * H]", gates, grads.db_ih.as_deref());
    check_optional("db_hh [G * H]", gates, grads.db_hh.as_deref());
    let call = Input { seq, input, hidden, x, h0 };
    with_cell!(cell, C => crate::backward::backward::<C>(isa, &call, weights, y, saved, dy, grads, ws));
}

/// Copies each sequence's final state out of `y [T, B, H]` into `out [B, H]`. A sequence of length 0 keeps its
/// row of `h0` (zeros if none).
///
/// # Panics
/// If a buffer's length does not fit `seq` and `hidden`.
pub fn last_state(
    seq: &Sequence<'_>,
    hidden: usize,
    y: &[f32],
    h0: Option<&[f32]>,
    out: &mut [f32],
) {
    check_sequence(seq);
    check("y [T, B, H]", seq.seq_len * seq.batch * hidden, y.len());
    check_optional("h0 [B, H]", seq.batch * hidden, h0);
    check("out [B, H]", seq.batch * hidden, out.len());
    for b in 0..seq.batch {
        let len = seq.lengths.map_or(seq.seq_len, |l| l[b]);
        let row = &mut out[b * hidden..][..hidden];
        match (len, h0) {
            (0, Some(h0)) => row.copy_from_slice(&h0[b * hidden..][..hidden]),
            (0, None) => row.fill(0.0),
            _ => {
                let t = if seq.reverse { 0 } else { len - 1 };
                row.copy_from_slice(&y[(t * seq.batch + b) * hidden..][..hidden]);
            }
        }
    }
}

fn check_weights(cell: Cell, input: usize, hidden: usize, w: &Weights<'_>) {
    assert!(hidden > 0, "a layer needs at least one hidden unit");
    let gates = cell.gates() * hidden;
    check("w_ih [G * H, I]", gates * input, w.w_ih.len());
    check("w_hh [G * H, H]", gates * hidden, w.w_hh.len());
    check_optional("b_ih [G * H]", gates, w.b_ih);
    check_optional("b_hh [G * H]", gates, w.b_hh);
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

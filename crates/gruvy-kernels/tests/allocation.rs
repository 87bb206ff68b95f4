//! After a first call has set the workspace up, later calls allocate nothing.

use gruvy_kernels::{
    Cell, Dropout, Gradients, Isa, Layer, Linear, LinearCrossEntropy, LinearGradients, Noise, Norm,
    Output, Packed, Pass, Sequence, Tape, Weights, Workspace, backward,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell as Counter;

thread_local! {
    static ALLOCATIONS: Counter<usize> = const { Counter::new(0) };
}

struct Counting;

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn later_calls_allocate_nothing() {
    let (t, b, i, h, outputs) = (20, 3, 5, 17, 9);
    let seq = Sequence { seq_len: t, batch: b, lengths: Some(&[20, 3, 0]), reverse: false };
    let all_cases = Cell::ALL.into_iter().flat_map(|cell| [(cell, false), (cell, true)]);
    for (cell, recompute) in all_cases {
        let (rows, hidden_rows) = (cell.gates() * h, cell.hidden_gates() * h);
        let (w_ih, w_hh) = (vec![0.1; rows * i], vec![0.1; hidden_rows * h]);
        let (bias, gain) = (vec![0.1; rows], vec![1.0; rows]);
        let norm = Some(Norm { gain_ih: &gain, gain_hh: &gain[..hidden_rows] });
        let (b_ih, b_hh) = (Some(&bias[..]), Some(&bias[..hidden_rows]));
        let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, b_ih, b_hh, norm };
        let layer = Layer { cell, input: i, hidden: h, zoneout: 0.1, weights };
        let candidate_dropout = if cell.has_candidate() { 0.2 } else { 0.0 };
        let noise = Noise { seed: Some(3), recurrent_dropout: 0.2, candidate_dropout };
        let (x, dy) = (vec![0.5; t * b * i], vec![0.5; t * b * h]);
        let pass = Pass { seq, x: &x, h0: None, noise, recompute };
        let (mut y, mut saved) = (vec![0.0; t * b * h], vec![0.0; layer.saved_values(&pass)]);
        let (mut dx, mut state) = (x.clone(), vec![0.0; b * cell.states() * h]);
        let (mut dw_ih, mut dw_hh) = (w_ih.clone(), w_hh.clone());
        let mut packed = Packed::new(&layer);
        let head = Linear::new(h, outputs, &vec![0.1; outputs * h], None);
        let mut logits = vec![0.0; b * outputs];
        let (weight, bias) = (vec![0.1; outputs * h], vec![0.1; outputs]);
        let dropout = Some(Dropout { rate: 0.3, seed: 1, period: None });
        let loss = LinearCrossEntropy { weight: &weight, bias: &bias, smoothing: 0.1, dropout };
        let (mut dh, mut dweight, mut dbias) = (vec![0.0; b * h], weight.clone(), bias.clone());
        let mut ws = Workspace::new();
        let mut all = || {
            packed.repack(&layer);
            packed.forward(
                &pass,
                Output { y: &mut y, last: None, saved: Some(&mut saved) },
                &mut ws,
            );
            let grads = Gradients {
                dx: Some(&mut dx),
                dh0: None,
                dw_ih: &mut dw_ih,
                dw_hh: &mut dw_hh,
                db_ih: None,
                db_hh: None,
                dgain_ih: None,
                dgain_hh: None,
            };
            let tape = Tape { y: &y, saved: &mut saved, dy: &dy, dlast: None };
            backward(Isa::best(), &layer, &pass, tape, grads, &mut ws);
            packed.step(b, &x[..b * i], &mut state, &mut ws);
            head.apply(b, &y[..b * h], &mut logits);
            let gradients =
                LinearGradients { dx: &mut dh, dweight: &mut dweight, dbias: &mut dbias };
            loss.loss(Isa::best(), &y[..b * h], &[2; 3], Some(gradients), &mut ws);
            ALLOCATIONS.with(Counter::get)
        };
        let before = all();
        assert!(before > 0, "nothing is counted");
        assert_eq!(all(), before, "{cell:?} recompute {recompute}");
    }
}

//! After a first call has set the workspace up, later calls allocate nothing.

use gruvy_kernels::{Cell, Gradients, Linear, Packed, Sequence, Weights, Workspace, backward};
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
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn later_calls_allocate_nothing() {
    let (t, b, i, h, outputs) = (20, 3, 5, 17, 9);
    let seq = Sequence { seq_len: t, batch: b, lengths: Some(&[20, 3, 0]), reverse: false };
    for cell in Cell::ALL {
        let rows = cell.gates() * h;
        let (w_ih, w_hh, bias) = (vec![0.1; rows * i], vec![0.1; rows * h], vec![0.1; rows]);
        let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, b_ih: Some(&bias), b_hh: Some(&bias) };
        let (x, dy) = (vec![0.5; t * b * i], vec![0.5; t * b * h]);
        let (mut y, mut saved) = (vec![0.0; t * b * h], vec![0.0; t * b * cell.saved() * h]);
        let (mut dx, mut state) = (x.clone(), vec![0.0; b * h]);
        let (mut dw_ih, mut dw_hh) = (w_ih.clone(), w_hh.clone());
        let mut layer = Packed::new(cell, i, h, &weights);
        let head = Linear::new(h, outputs, &vec![0.1; outputs * h], None);
        let mut logits = vec![0.0; b * outputs];
        let mut ws = Workspace::new();
        let mut all = || {
            layer.repack(&weights);
            layer.forward(&seq, &x, None, &mut y, Some(&mut saved), &mut ws);
            let grads = Gradients {
                dx: Some(&mut dx),
                dh0: None,
                dw_ih: &mut dw_ih,
                dw_hh: &mut dw_hh,
                db_ih: None,
                db_hh: None,
            };
            let sizes = [i, h];
            backward(cell, sizes, &weights, &seq, &x, None, &y, &mut saved, &dy, grads, &mut ws);
            layer.step(b, &x[..b * i], &mut state, &mut ws);
            head.apply(b, &state, &mut logits);
            ALLOCATIONS.with(Counter::get)
        };
        let before = all();
        assert!(before > 0, "nothing is counted");
        assert_eq!(all(), before, "{cell:?}");
    }
}

//! The work of a call, a block of rows at a time.

use super::packed::PackedHead;
use super::plan::{DEPTH, Plan, Sizes, TILE_ROWS};
use super::softmax::Softmax;
use crate::memory::Shared;
use crate::noise::Dropout;
use crate::product::{GradProduct, Panels, Product, Right, Rows, Store, grad_product};
use crate::saved::Run;
use crate::simd::Isa;
use crate::threads;
use core::ops::Range;

/// One call, for all its threads. Every pointer covers what its field says, until the call is over.
pub(super) struct Job<'a> {
    pub isa: Isa,
    pub smoothing: f32,
    pub dropout: Option<Dropout>,
    pub sizes: Sizes,
    pub plan: Plan,
    pub packed: PackedHead,
    /// `[N, I]`
    pub x: &'a [f32],
    /// `[N]`, each below V.
    pub targets: &'a [u32],
    /// `[N]`
    pub losses: Shared<*mut f32>,
    /// Logits of a block and then dz, `[plan.rows, ld]`.
    pub logits: Shared<*mut f32>,
    /// A block's x with dropout, `[plan.rows, I]`; empty without.
    pub masked: Shared<*mut f32>,
    /// `[threads, own]`
    pub own: Shared<*mut f32>,
    pub gradients: Option<GradientPointers>,
}

/// Where the gradients go.
#[derive(Clone, Copy)]
pub(super) struct GradientPointers {
    /// `[N, I]`
    pub dx: Shared<*mut f32>,
    /// `[V, I]`
    pub dweight: Shared<*mut f32>,
    /// `[V]`
    pub dbias: Shared<*mut f32>,
}

impl Job<'_> {
    /// Losses and gradients of the rows `block`.
    ///
    /// # Safety
    /// - `block`: of the call's N rows, at most `plan.rows` long
    /// - `packed`: the call's weight and bias, readable
    /// - `losses`: `[N]`, `logits`: `[plan.rows, ld]`, `own`: `[threads, own]` writable, and
    ///   `masked`: `[plan.rows, I]`, if there is dropout
    /// - `gradients`: `dx [N, I]`, `dweight [V, I]`, `dbias [V]` writable
    /// - nothing else accesses what is written
    pub unsafe fn block(&self, block: Range<usize>) {
        let parts = self.plan.threads;
        threads::run(parts, |part| {
            let rows = threads::split(block.len(), 8, part, parts);
            for start in rows.clone().step_by(TILE_ROWS) {
                // SAFETY: each thread has rows of its own and its own scratch memory.
                unsafe { self.rows(&block, start..(start + TILE_ROWS).min(rows.end), part) }
            }
        });
        if let Some(to) = self.gradients {
            // SAFETY: each thread has rows of the weight of its own, and its own scratch memory; dz
            // of the block is complete.
            threads::run(parts, |part| unsafe { self.weight_gradient(&block, to, part) });
        }
    }

    /// Adds the part of the rows `block` to this thread's rows of the weight's and bias' gradients.
    ///
    /// # Safety
    /// - `logits`: dz of the block, `[block, ld]` readable
    /// - `masked`: `[block, I]` readable, if there is dropout
    /// - `to.dweight` and `to.dbias`: the rows of part `part` are the calling thread's alone, and
    ///   so is the scratch memory of that number
    unsafe fn weight_gradient(&self, block: &Range<usize>, to: GradientPointers, part: usize) {
        let Sizes { inputs, classes, .. } = self.sizes;
        let units = threads::split(classes, 8, part, self.plan.threads);
        // SAFETY: the caller's contract.
        unsafe {
            let right = Right {
                ptr: self.masked_x(block),
                ld: inputs,
                columns: inputs,
                runs: &[Run { gate: 0, gates: 1, block: 0 }],
                behind: None,
                weight: to.dweight.get(),
                bias: to.dbias.get(),
            };
            let product = GradProduct {
                a: Rows { ptr: self.logits.get(), ld: self.plan.ld, count: block.len() },
                hidden: classes,
                blocks: 1,
                units,
                rights: &[right],
                scratch: self.own.get().add(part * self.plan.own),
            };
            grad_product(self.isa, &product);
        }
    }

    /// The block's x as the head sees it, `[block, I]`.
    fn masked_x(&self, block: &Range<usize>) -> *const f32 {
        match self.plan.masked > 0 {
            true => self.masked.get(),
            false => self.x[block.start * self.sizes.inputs..].as_ptr(),
        }
    }

    /// Losses, dz and dx of `rows`, counted from the start of `block`.
    ///
    /// # Safety
    /// - `block`: of the call's rows, at most `plan.rows`; `rows`: below its length
    /// - the rows of `losses`, `logits`, `masked` and `dx`, and the scratch memory `part`, are the
    ///   calling thread's alone
    unsafe fn rows(&self, block: &Range<usize>, rows: Range<usize>, part: usize) {
        let Self { isa, plan, sizes: Sizes { inputs, classes, .. }, .. } = *self;
        let (count, first) = (rows.len(), block.start + rows.start);
        let at = first * inputs;
        // SAFETY: the caller's contract; x and the targets were checked.
        unsafe {
            if let Some(dropout) = self.dropout {
                let masked = self.masked.get().add(rows.start * inputs);
                masked.copy_from_nonoverlapping(self.x[at..].as_ptr(), count * inputs);
                let masked = core::slice::from_raw_parts_mut(masked, count * inputs);
                dropout.apply_part(isa, masked, at);
            }
            let ptr = self.masked_x(block).add(rows.start * inputs);
            let logits = self.logits.get().add(rows.start * plan.ld);
            let add = self.packed.bias.get();
            let store = Store { to: logits, ld: plan.ld, columns: plan.ld, add };
            let a = Rows { ptr, ld: inputs, count };
            Product { a, b: self.packed.forward, k: inputs }.store(isa, &store);
            isa.dispatch(Softmax {
                logits,
                ld: plan.ld,
                classes,
                targets: &self.targets[first..first + count],
                losses: self.losses.get().add(first),
                smoothing: self.smoothing,
                scale: self.gradients.map(|_| 1.0 / self.sizes.rows as f32),
            });
            let Some(GradientPointers { dx, .. }) = self.gradients else { return };
            let dz = Rows { ptr: logits, ld: plan.ld, count };
            let dx = dx.get().add(at);
            self.input_gradient(dz, dx, self.own.get().add(part * plan.own));
            if let Some(dropout) = self.dropout {
                let dx = core::slice::from_raw_parts_mut(dx, count * inputs);
                dropout.apply_part(isa, dx, at);
            }
        }
    }

    /// `dx = dz W`, in sums over [`DEPTH`] classes.
    ///
    /// # Safety
    /// - `dz.ptr`: `[dz.count]` rows of `[V]` readable, `dz.ld` apart
    /// - `dx`: `[dz.count, I]` writable, by this thread alone
    /// - `scratch`: `[dz.count, I]` writable, by this thread alone
    unsafe fn input_gradient(&self, dz: Rows, dx: *mut f32, scratch: *mut f32) {
        let Self { isa, sizes: Sizes { inputs, classes, .. }, .. } = *self;
        for k in (0..classes).step_by(DEPTH) {
            let depth = DEPTH.min(classes - k);
            // SAFETY: the caller's contract; the classes from k on are within dz and the panels.
            unsafe {
                let a = Rows { ptr: dz.ptr.add(k), ..dz };
                let panels = self.packed.backward;
                let ptr = Shared::new(panels.ptr.get().add(k * isa.lanes()));
                let to = if k == 0 { dx } else { scratch };
                let store = Store { to, ld: inputs, columns: inputs, add: core::ptr::null() };
                Product { a, b: Panels { ptr, ..panels }, k: depth }.store(isa, &store);
                if k > 0 {
                    for i in 0..dz.count * inputs {
                        *dx.add(i) += *scratch.add(i);
                    }
                }
            }
        }
    }
}

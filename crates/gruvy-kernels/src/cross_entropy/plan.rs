//! Sizes of a call, and what follows from them.

use crate::memory::lines;
use crate::product::grad_scratch;
use crate::simd::Isa;
use crate::threads;

/// Sizes of a call.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// N
    pub rows: usize,
    /// I
    pub inputs: usize,
    /// V
    pub classes: usize,
}

/// Rows of a block and the scratch memory that it needs, in values.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub threads: usize,
    pub rows: usize,
    /// Distance between rows of logits.
    pub ld: usize,
    pub losses: usize,
    /// `[rows, ld]`
    pub logits: usize,
    /// `[rows, I]`; none without dropout.
    pub masked: usize,
    /// Of each thread.
    pub own: usize,
}

/// Rows that a thread takes from x to dx before the next ones: their logits stay in its cache.
pub(super) const TILE_ROWS: usize = 64;
/// Rows of the weight that a part of dx sums over: their panels stay in the cache.
pub(super) const DEPTH: usize = 512;

impl Plan {
    pub fn new(isa: Isa, Sizes { rows, inputs, classes }: Sizes, masked: bool) -> Self {
        /// Values of a block's x and logits, which stay in the last cache until dW is added up. A
        /// block has no fewer rows than a weight gradient takes at once.
        const BLOCK: usize = 1 << 20;
        const LEAST: usize = 256;
        let ld = classes.next_multiple_of(isa.lanes());
        let block = (BLOCK / (inputs + ld) / LEAST).max(1) * LEAST;
        let block = block.min(rows.max(1));
        Self {
            threads: threads::worth(rows * inputs * classes),
            rows: block,
            ld,
            losses: lines(rows),
            logits: lines(block * ld),
            masked: if masked { lines(block * inputs) } else { 0 },
            own: lines(grad_scratch([inputs].into_iter()).max(TILE_ROWS * inputs)),
        }
    }

    pub fn len(&self) -> usize {
        self.losses + self.logits + self.masked + self.own * self.threads
    }
}

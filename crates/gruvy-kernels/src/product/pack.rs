//! Packing: right operands of products, in panels of one vector's width.

use crate::memory::LINE;
use crate::simd::{Isa, Kernel, Simd};

/// A matrix to be packed: element (k, j) lies at `ptr[k * k_step + j * j_step]`, and one of the
/// steps is 1.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub ptr: *const f32,
    pub k_step: usize,
    pub j_step: usize,
    /// Rows k.
    pub depth: usize,
    /// Columns j.
    pub columns: usize,
}

/// Where packed columns go: lane `l` of row `k` in panel `p` to
/// `ptr[p * panel_step + k * k_step + l]`.
#[derive(Clone, Copy)]
pub(crate) struct Packing {
    pub ptr: *mut f32,
    /// Lanes of a panel.
    pub width: usize,
    pub k_step: usize,
    pub panel_step: usize,
}

impl Packing {
    /// Panels of one matrix alone, `[panel][depth][width]`.
    pub fn dense(ptr: *mut f32, width: usize, depth: usize) -> Self {
        Self { ptr, width, k_step: width, panel_step: depth * width }
    }
}

/// Packs a matrix, zero past the last column of the last panel.
///
/// # Safety
/// - `source.ptr`: `[depth, columns]` readable at the source's steps
/// - `to.ptr`: `[⌈columns / width⌉][depth][width]` writable at the packing's steps, by this thread
///   alone
pub(crate) unsafe fn pack(isa: Isa, source: Source, to: Packing) {
    isa.dispatch(Pack { source, to });
}

struct Pack {
    source: Source,
    to: Packing,
}

impl Kernel for Pack {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { source, to } = self;
        // SAFETY: the contract of `pack`, which alone makes this kernel.
        unsafe {
            match source.j_step {
                1 => pack_rows(s, source, to),
                _ => pack_columns(s, source, to),
            }
        }
    }
}

/// Packs a matrix whose rows are consecutive: a line of each row at a time, so that each is read
/// once, and few places are written to.
///
/// # Safety
/// As [`pack`], and `source.j_step` is 1.
#[inline(always)]
unsafe fn pack_rows<S: Simd>(s: S, source: Source, to: Packing) {
    let Source { depth, columns, .. } = source;
    let whole = columns / LINE * LINE;
    // SAFETY: the caller's contract; the indices stay below `depth` and `columns`.
    unsafe {
        for j in (0..whole).step_by(LINE) {
            let (from, panel) = (source.ptr.add(j), j / to.width);
            let out = Packing { ptr: to.ptr.add(panel * to.panel_step), ..to };
            match to.width {
                4 => copy_lines::<4>(from, source.k_step, out, depth),
                8 => copy_lines::<8>(from, source.k_step, out, depth),
                _ => copy_lines::<16>(from, source.k_step, out, depth),
            }
        }
        for panel in whole / to.width..columns.div_ceil(to.width) {
            let lanes = to.width.min(columns - panel * to.width);
            for k in 0..depth {
                let from = source.ptr.add(k * source.k_step + panel * to.width);
                let out = to.ptr.add(panel * to.panel_step + k * to.k_step);
                copy(s, from, out, lanes);
                (lanes..to.width).for_each(|j| *out.add(j) = 0.0);
            }
        }
    }
}

/// Packs a matrix whose columns are consecutive: whole blocks in registers, the edges one by one.
///
/// # Safety
/// As [`pack`], and `source.k_step` is 1.
#[inline(always)]
unsafe fn pack_columns<S: Simd>(s: S, source: Source, to: Packing) {
    /// Steps of k for which a column's cache line is used before it is left.
    const RUN: usize = 16;
    let Source { depth, columns, .. } = source;
    // SAFETY: the caller's contract; the indices stay below `depth` and `columns`.
    unsafe {
        for panel in 0..columns.div_ceil(to.width) {
            let lanes = to.width.min(columns - panel * to.width);
            for k0 in (0..depth).step_by(RUN) {
                let run = RUN.min(depth - k0);
                let from = source.ptr.add(k0 * source.k_step + panel * to.width * source.j_step);
                let out = to.ptr.add(panel * to.panel_step + k0 * to.k_step);
                let (blocks, runs) = (lanes / S::BLOCK * S::BLOCK, run / S::BLOCK * S::BLOCK);
                for j in (0..blocks).step_by(S::BLOCK) {
                    for k in (0..runs).step_by(S::BLOCK) {
                        let from = from.add(k + j * source.j_step);
                        let out = out.add(k * to.k_step + j);
                        s.transpose(from, source.j_step, out, to.k_step);
                    }
                }
                for j in 0..lanes {
                    for k in if j < blocks { runs } else { 0 }..run {
                        *out.add(k * to.k_step + j) =
                            *from.add(k * source.k_step + j * source.j_step);
                    }
                }
                for k in 0..run {
                    (lanes..to.width).for_each(|j| *out.add(k * to.k_step + j) = 0.0);
                }
            }
        }
    }
}

/// Packs one line of `depth` rows `step` apart, in panels of `W` lanes.
///
/// # Safety
/// - `from`: `[depth]` rows of `[LINE]` readable, `step` values apart
/// - `to.ptr`: `[LINE / W][depth][W]` writable at the packing's steps
#[inline(always)]
unsafe fn copy_lines<const W: usize>(from: *const f32, step: usize, to: Packing, depth: usize) {
    for k in 0..depth {
        for panel in 0..LINE / W {
            // SAFETY: the caller's contract.
            unsafe {
                let from = from.add(k * step + panel * W).cast::<[f32; W]>();
                let out = to.ptr.add(panel * to.panel_step + k * to.k_step);
                out.cast::<[f32; W]>().write_unaligned(from.read_unaligned());
            }
        }
    }
}

/// Copies `len` values in whole vectors where it can: calls of `memcpy` for a line each were 15 %
/// of a small layer's training step.
///
/// # Safety
/// - `from`: `[len]` readable
/// - `to`: `[len]` writable, not overlapping `from`
#[inline(always)]
unsafe fn copy<S: Simd>(s: S, from: *const f32, to: *mut f32, len: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        let whole = len / S::LANES * S::LANES;
        for at in (0..whole).step_by(S::LANES) {
            s.store(to.add(at), s.load(from.add(at)));
        }
        let (from, to) = (from.add(whole), to.add(whole));
        match len - whole {
            0 => {}
            4 => to.cast::<[f32; 4]>().write_unaligned(from.cast::<[f32; 4]>().read_unaligned()),
            rest => s.store_part(to, s.load_part(from, rest), rest),
        }
    }
}

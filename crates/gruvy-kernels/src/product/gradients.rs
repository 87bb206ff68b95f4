//! The product of the weights' gradients: both operands run along k, and the results add up in
//! memory.

use super::operands::Rows;
use super::pack::{Packing, Source, pack};
use super::tile::tile;
use crate::saved::Run;
use crate::simd::{Isa, Kernel, Operand, Simd};
use core::ops::Range;

/// Steps of k in one pass, up to half more. The packed left block of `M_BLOCK` columns then takes
/// 128 to 192 KB.
const K_BLOCK: usize = 256;
const M_BLOCK: usize = 128;
/// Most steps of k in one pass.
const K_MOST: usize = K_BLOCK * 3 / 2;

/// Rows of a register tile.
const fn tile_rows(registers: usize) -> usize {
    if registers >= 32 { 8 } else { 4 }
}

/// Scratch values that a [`GradProduct`] needs for right operands of these widths.
pub(crate) fn grad_scratch(columns: impl Iterator<Item = usize>) -> usize {
    // Panels of at most 16 lanes, and the packed left block.
    K_MOST * (M_BLOCK + columns.map(|n| n.next_multiple_of(16)).sum::<usize>())
}

/// A right operand of a [`GradProduct`], and what its products are added to.
#[derive(Clone, Copy)]
pub(crate) struct Right<'a> {
    /// K rows of `columns` values, `ld` apart. No columns: only the sums are wanted.
    pub ptr: *const f32,
    pub ld: usize,
    pub columns: usize,
    /// The gates whose gradients it is multiplied with.
    pub runs: &'a [Run],
    /// Where those gradients lie, if not in the runs' blocks: the block of gate 0.
    pub behind: Option<usize>,
    /// `[G * H][columns]`
    pub weight: *mut f32,
    /// `[G * H]`, for the sums of the gradients over k; or null.
    pub bias: *mut f32,
}

impl Right<'_> {
    pub const NONE: Self = Self {
        ptr: core::ptr::null(),
        ld: 0,
        columns: 0,
        runs: &[],
        behind: None,
        weight: core::ptr::null_mut(),
        bias: core::ptr::null_mut(),
    };

    /// The gate whose gradients block `block` holds.
    fn gate(&self, block: usize) -> Option<usize> {
        self.runs.iter().find_map(|run| {
            let first = self.behind.map_or(run.block, |behind| behind + run.gate);
            (first..first + run.gates).contains(&block).then(|| run.gate + block - first)
        })
    }
}

/// `weight[m][n] += Σ_k A[k][m] · right[k][n]` and `bias[m] += Σ_k A[k][m]`, for all right
/// operands: gradients of weights and biases from gate gradients A.
pub(crate) struct GradProduct<'a> {
    /// `[K][blocks][hidden]`, rows `a.ld` apart.
    pub a: Rows,
    pub hidden: usize,
    pub blocks: usize,
    /// The units of each block whose rows of the weights are computed.
    pub units: Range<usize>,
    pub rights: &'a [Right<'a>],
    /// Room for [`grad_scratch`] values.
    pub scratch: *mut f32,
}

/// Computes a [`GradProduct`].
///
/// # Safety
/// - `a.ptr`: `[a.count]` rows of `[blocks][hidden]` readable, `a.ld` apart
/// - `units`: below `hidden`
/// - `scratch`: `[grad_scratch(columns of the rights)]` writable, by this thread alone
/// - of each right operand, `ptr`: `[a.count]` rows of `[columns]` readable, `ld` apart
/// - `weight`: `[gates][hidden][columns]`, of which the rows of `units` are writable, by this
///   thread alone
/// - `bias`: likewise `[gates][hidden]`, or null
pub(crate) unsafe fn grad_product(isa: Isa, job: &GradProduct<'_>) {
    isa.dispatch(job);
}

impl Kernel for &GradProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let passes = ((self.a.count + K_BLOCK / 2) / K_BLOCK).max(1);
        let most = self.a.count.div_ceil(passes).max(1);
        for k0 in (0..self.a.count).step_by(most) {
            // SAFETY: the contract of `grad_product`, which alone runs this kernel.
            unsafe { self.pass(s, k0, most.min(self.a.count - k0)) }
        }
    }
}

impl GradProduct<'_> {
    /// The products of `depth` steps of k from `k0` on.
    ///
    /// # Safety
    /// As [`grad_product`]; `k0 + depth <= a.count` and `depth <= K_MOST`.
    #[inline(always)]
    unsafe fn pass<S: Simd>(&self, s: S, k0: usize, depth: usize) {
        let Self { a, hidden, ref units, scratch, .. } = *self;
        let height = tile_rows(S::REGISTERS);
        let rows = |ptr, k_step, columns| Source { ptr, k_step, j_step: 1, depth, columns };
        // SAFETY: the caller's contract. The scratch memory holds the left block and then the
        // panels of each right operand.
        unsafe {
            let mut panels = scratch.add(K_MOST * M_BLOCK);
            for right in self.rights {
                let from = rows(right.ptr.add(k0 * right.ld), right.ld, right.columns);
                pack(S::ISA, from, Packing::dense(panels, S::LANES, depth));
                panels = panels.add(depth * right.columns.next_multiple_of(S::LANES));
            }
            for block in
                (0..self.blocks).filter(|&b| self.rights.iter().any(|r| r.gate(b).is_some()))
            {
                for m0 in units.clone().step_by(M_BLOCK) {
                    let count = M_BLOCK.min(units.end - m0);
                    let from = rows(a.ptr.add(k0 * a.ld + block * hidden + m0), a.ld, count);
                    pack(S::ISA, from, Packing::dense(scratch, height, depth));
                    if S::REGISTERS >= 32 {
                        self.block::<S, 8>(s, depth, block, m0..m0 + count);
                    } else {
                        self.block::<S, 4>(s, depth, block, m0..m0 + count);
                    }
                }
            }
        }
    }

    /// Adds the packed left rows `units` of one block times all right operands.
    ///
    /// # Safety
    /// As [`grad_product`], and the scratch memory holds, packed by [`pass`](Self::pass),
    /// - the left block: `[⌈units / M⌉][depth][M]`
    /// - from `K_MOST * M_BLOCK` on, for each right operand `[⌈columns / LANES⌉][depth][LANES]`
    #[inline(always)]
    unsafe fn block<S: Simd, const M: usize>(
        &self,
        s: S,
        depth: usize,
        block: usize,
        units: Range<usize>,
    ) {
        let (rows, left) = (units.len(), self.scratch.cast_const());
        let mut sums = [0.0; M_BLOCK];
        // SAFETY: the caller's contract; at most M_BLOCK rows have sums.
        unsafe {
            add_sums::<M>(depth, left, sums.as_mut_ptr(), rows);
            let mut panels = left.add(K_MOST * M_BLOCK);
            for right in self.rights {
                if let Some(gate) = right.gate(block) {
                    let row = gate * self.hidden + units.start;
                    if !right.bias.is_null() {
                        for (m, sum) in sums[..rows].iter().enumerate() {
                            *right.bias.add(row + m) += sum;
                        }
                    }
                    let columns = right.columns;
                    let to = right.weight.wrapping_add(row * columns);
                    Tiles { depth, left, right: panels, to, rows, columns }.add::<S, M>(s);
                }
                panels = panels.add(depth * right.columns.next_multiple_of(S::LANES));
            }
        }
    }
}

/// Adds the column sums of a packed left operand to `sums`, four partial sums each.
///
/// # Safety
/// - `left`: `[⌈rows / M⌉][depth][M]` readable
/// - `sums`: `[rows]` writable
#[inline(always)]
unsafe fn add_sums<const M: usize>(depth: usize, left: *const f32, sums: *mut f32, rows: usize) {
    for row in (0..rows).step_by(M) {
        let mut parts = [[0.0f32; M]; 4];
        for k in 0..depth {
            for m in 0..M {
                // SAFETY: the tile of `row` is readable, by the caller.
                parts[k % 4][m] += unsafe { *left.add(row * depth + k * M + m) };
            }
        }
        for m in 0..M.min(rows - row) {
            let sum = (parts[0][m] + parts[1][m]) + (parts[2][m] + parts[3][m]);
            // SAFETY: `row + m < rows`.
            unsafe { *sums.add(row + m) += sum };
        }
    }
}

/// A packed left operand times a packed right operand, to be added to part of a weight's gradient.
#[derive(Clone, Copy)]
struct Tiles {
    depth: usize,
    /// `[⌈rows / M⌉][depth][M]`
    left: *const f32,
    /// `[⌈columns / LANES⌉][depth][LANES]`
    right: *const f32,
    /// `[rows][columns]`
    to: *mut f32,
    rows: usize,
    columns: usize,
}

impl Tiles {
    /// Adds all tiles.
    ///
    /// # Safety
    /// - `left` and `right`: readable, as the fields say
    /// - `to`: `[rows][columns]` writable, by this thread alone
    #[inline(always)]
    unsafe fn add<S: Simd, const M: usize>(self, s: S) {
        let panels = self.columns.div_ceil(S::LANES);
        let mut panel = 0;
        while panel < panels {
            let width = match panels - panel {
                4 => 2,
                left => left.min(3),
            };
            // SAFETY: the caller's contract; these panels are there.
            unsafe {
                match width {
                    3 => self.add_column::<S, M, 3>(s, panel),
                    2 => self.add_column::<S, M, 2>(s, panel),
                    _ => self.add_column::<S, M, 1>(s, panel),
                }
            }
            panel += width;
        }
    }

    /// Adds the tiles of `P` panels.
    ///
    /// # Safety
    /// As [`add`](Self::add), and the panels `panel..panel + P` are among those of `right`.
    #[inline(always)]
    unsafe fn add_column<S: Simd, const M: usize, const P: usize>(self, s: S, panel: usize) {
        let Self { depth, left, right, to, rows, columns } = self;
        let stride = depth * S::LANES;
        let mut row = 0;
        while row < rows {
            // SAFETY: the caller's contract; what lies past the last row or column of `to` is left
            // out.
            unsafe {
                let right = right.add(panel * stride);
                for m in 0..M.min(rows - row) {
                    let at = to.add((row + m) * columns + panel * S::LANES);
                    for p in 0..P {
                        s.prefetch::<true>(at.wrapping_add(p * S::LANES));
                    }
                }
                let left = Operand { ptr: left.add(row * depth), step: 1, next: M };
                let acc = tile::<S, 1, P, M>(s, depth, left, right, stride);
                for (m, acc) in acc.into_iter().enumerate().take(rows - row) {
                    for (p, [acc]) in acc.into_iter().enumerate() {
                        let column = (panel + p) * S::LANES;
                        let at = to.add((row + m) * columns + column);
                        let lanes = S::LANES.min(columns - column);
                        s.store_n(at, s.add(s.load_n(at, lanes), acc), lanes);
                    }
                }
            }
            row += M;
        }
    }
}

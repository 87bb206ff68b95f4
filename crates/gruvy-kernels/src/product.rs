//! Matrix products whose results never leave the registers unfinished.
//!
//! ```text
//! product:        for each row block, for each panel of B, for each tile of rows:
//!                     acc[row][gate] = Σ_k A[row][k] · B[k][gate]      (in registers, k in order)
//!                     epilogue(row, panel, acc)                        (the gates' arithmetic)
//! grad_product:   C[m][n] += Σ_k A[k][m] · B[k][n]                     (weight gradients, k in blocks)
//! ```
//!
//! B is packed in panels of one vector's width and `G` gates: `[panel][k][gate][lane]`, so that one tile
//! sees all gates of its hidden units. Columns past the last are zero. Every output value is one chain of
//! fused multiply-adds over k, whatever the tile: the partition of rows never changes a bit.

use crate::cell::{Run, lanes};
use crate::memory::LINE;
use crate::simd::{Isa, Kernel, Operand, Simd};
use core::ops::Range;

/// Where a matrix lies: element (row, k) at `ptr[row * ld + k]`.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub ptr: *const f32,
    /// Distance between rows.
    pub ld: usize,
    pub count: usize,
}

/// A packed right operand, `[count][k][G][LANES]`.
#[derive(Clone, Copy)]
pub(crate) struct Panels {
    pub ptr: *const f32,
    pub count: usize,
    /// Rows that were packed: the distance between panels is `depth * G * LANES`.
    pub depth: usize,
    /// What the epilogue calls the first panel.
    pub first: usize,
}

impl Panels {
    /// Some of the panels, of `values` values each.
    pub fn part(self, panels: &Range<usize>, values: usize) -> Self {
        // In bounds if the panels are; of none the address does not matter.
        let ptr = self.ptr.wrapping_add(panels.start * values);
        Self { ptr, count: panels.len(), first: self.first + panels.start, ..self }
    }
}

/// What happens to the sums of a row and panel.
pub(crate) trait Epilogue<const G: usize> {
    /// # Safety
    /// `row` and `panel` lie within the product's; the memory behind the epilogue is the product's to use.
    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, acc: [S::V; G]) {
        // SAFETY: as the caller's.
        unsafe { self.apply_rows(s, row, panel, [acc]) }
    }

    /// Several rows, from `row` on. An epilogue of long chains of operations does them side by side: one after the other,
    /// each waits for its own results.
    ///
    /// # Safety
    /// As [`apply`](Self::apply).
    #[inline(always)]
    unsafe fn apply_rows<S: Simd, const R: usize>(
        &self,
        s: S,
        row: usize,
        panel: usize,
        acc: [[S::V; G]; R],
    ) {
        // A loop that stays one.
        for m in 0..core::hint::black_box(R) {
            // SAFETY: as the caller's.
            unsafe { self.apply(s, row + m, panel, acc[m]) }
        }
    }

    /// Whether it is short enough to stand behind every tile, and not in a function of its own.
    const SHORT: bool = false;

    /// Asks for what [`apply`](Self::apply) will read and write, while the product goes on.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn prefetch<S: Simd>(&self, _s: S, _row: usize, _panel: usize) {}
}

/// Rows whose left operand stays in the cache while all panels pass by.
const ROW_BLOCK: usize = 64;

/// `acc = A · B` for all rows and panels, each result handed to `epilogue`. `k = 0` gives zeros.
///
/// # Safety
/// `a` is readable for `a.count` rows of `k` values, `b` holds `b.count` panels of depth `b.depth >= k`.
#[inline(always)]
pub(crate) unsafe fn product<S: Simd, const G: usize, E: Epilogue<G>>(
    s: S,
    a: Rows,
    b: Panels,
    k: usize,
    epilogue: &E,
) {
    let mut block = 0;
    while block < a.count {
        let end = (block + ROW_BLOCK).min(a.count);
        let mut row = block;
        // SAFETY: the segments are within the block, the rest as the caller's.
        unsafe {
            // As many rows as leave their sums, the operands of all gates and one value in the registers.
            if const { S::REGISTERS >= 32 && G <= 3 } {
                row = segment::<S, G, 8, E>(s, a, b, k, row..end, epilogue);
            } else if const { S::REGISTERS >= 32 } {
                row = segment::<S, G, 6, E>(s, a, b, k, row..end, epilogue);
            }
            if const { S::REGISTERS >= 32 || G <= 3 } {
                row = segment::<S, G, 4, E>(s, a, b, k, row..end, epilogue);
            } else {
                row = segment::<S, G, 3, E>(s, a, b, k, row..end, epilogue);
            }
            row = segment::<S, G, 2, E>(s, a, b, k, row..end, epilogue);
            segment::<S, G, 1, E>(s, a, b, k, row..end, epilogue);
        }
        block = end;
    }
}

/// Panels side by side in a tile of `m` rows: enough independent sums in flight when rows are few, and no
/// more than the registers hold beside the operands.
const fn panels_per_tile(m: usize, gates: usize, registers: usize) -> usize {
    let fit = (registers - if m >= 4 { 4 } else { 8 }) / (m * gates);
    match fit {
        0 | 1 => 1,
        2 => 2,
        3 => 3,
        _ if m >= 4 => 3,
        _ if fit < 8 => 4,
        _ => 8,
    }
}

/// As many tiles of `M` rows as fit; returns the first row left.
///
/// # Safety
/// As for [`product`].
#[inline(always)]
unsafe fn segment<S: Simd, const G: usize, const M: usize, E: Epilogue<G>>(
    s: S,
    a: Rows,
    b: Panels,
    k: usize,
    rows: Range<usize>,
    epilogue: &E,
) -> usize {
    let end = rows.start + rows.len() / M * M;
    if end == rows.start {
        return end;
    }
    let mut panel = 0;
    macro_rules! panels {
        ($p:literal) => {
            if const { panels_per_tile(M, G, S::REGISTERS) >= $p } {
                // Four left: two and two, not three and one.
                while b.count - panel >= $p && !($p == 3 && b.count - panel == 4) {
                    // SAFETY: the rows and `panel..panel + $p` lie within the operands.
                    unsafe {
                        column::<S, G, $p, M, E>(s, a, b, k, rows.start..end, panel, epilogue)
                    }
                    panel += $p;
                }
            }
        };
    }
    panels!(8);
    panels!(4);
    panels!(3);
    panels!(2);
    panels!(1);
    end
}

/// All tiles of `M` rows against `P` panels.
///
/// # Safety
/// As for [`product`]; `rows` is a multiple of `M` long.
#[inline(always)]
unsafe fn column<S: Simd, const G: usize, const P: usize, const M: usize, E: Epilogue<G>>(
    s: S,
    a: Rows,
    b: Panels,
    k: usize,
    rows: Range<usize>,
    panel: usize,
    epilogue: &E,
) {
    let stride = b.depth * G * S::LANES;
    let mut row = rows.start;
    while row < rows.end {
        // SAFETY: by the caller, the operands hold these rows and panels.
        unsafe {
            let from = a.ptr.add(row * a.ld);
            let to = b.ptr.add(panel * stride);
            for m in 0..M {
                // Panels share lines: the first and the last panel's are all.
                epilogue.prefetch(s, row + m, b.first + panel);
                if P > 2 {
                    epilogue.prefetch(s, row + m, b.first + panel + P - 1);
                }
            }
            let acc = tile::<S, G, P, M, false>(s, k, from, a.ld, to, stride);
            if E::SHORT {
                for (m, acc) in acc.into_iter().enumerate() {
                    for (p, acc) in acc.into_iter().enumerate() {
                        epilogue.apply(s, row + m, b.first + panel + p, acc);
                    }
                }
            } else {
                finish(s, epilogue, (row, b.first + panel), &acc);
            }
        }
        row += M;
    }
}

/// The epilogue of `R` rows and a panel, as a function of its own.
struct Finish<'a, E, const G: usize, const R: usize> {
    epilogue: &'a E,
    row: usize,
    panel: usize,
    /// Sums of all gates, rows `ld` values apart.
    acc: *const f32,
    ld: usize,
}

impl<const G: usize, const R: usize, E: Epilogue<G>> Kernel for Finish<'_, E, G, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { epilogue, row, panel, acc, ld } = self;
        // SAFETY: as the caller's of `finish`.
        unsafe {
            let mut sums = [[s.splat(0.0); G]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (g, sum) in sums.iter_mut().enumerate() {
                    *sum = s.load(acc.add(r * ld + g * S::LANES));
                }
            }
            epilogue.apply_rows::<S, R>(s, row, panel, sums);
        }
    }
}

/// The epilogue of a tile, several rows at a time.
///
/// # Safety
/// As for [`product`].
#[inline(always)]
unsafe fn finish<S: Simd, const G: usize, const P: usize, const M: usize, E: Epilogue<G>>(
    s: S,
    epilogue: &E,
    (row, panel): (usize, usize),
    acc: &[[[S::V; G]; P]; M],
) {
    let ld = P * G * S::LANES;
    let all = core::ptr::from_ref(acc).cast::<f32>();
    for p in 0..P {
        // As many rows as four, three, two or one divide the tile.
        let step = const {
            if M.is_multiple_of(4) {
                4
            } else if M.is_multiple_of(3) {
                3
            } else {
                M
            }
        };
        for m in (0..M).step_by(step) {
            let (row, panel) = (row + m, panel + p);
            // SAFETY: a place within the tile's sums, from which those of the next rows are read too.
            let acc = unsafe { all.add((m * P + p) * G * S::LANES) };
            match step {
                4 => s.call(Finish::<E, G, 4> { epilogue, row, panel, acc, ld }),
                3 => s.call(Finish::<E, G, 3> { epilogue, row, panel, acc, ld }),
                2 => s.call(Finish::<E, G, 2> { epilogue, row, panel, acc, ld }),
                _ => s.call(Finish::<E, G, 1> { epilogue, row, panel, acc, ld }),
            }
        }
    }
}

/// The register tile: `acc[m][p][g] = Σ_k a[m][k] · b[p][k][g]`. With `PACKED`, `a` is `[k][M]`, else rows `ld`
/// apart.
///
/// # Safety
/// `a` is readable for `M` rows of `k` values, `b` for `P` panels `stride` apart.
#[inline(always)]
unsafe fn tile<S: Simd, const G: usize, const P: usize, const M: usize, const PACKED: bool>(
    s: S,
    k: usize,
    a: *const f32,
    ld: usize,
    b: *const f32,
    stride: usize,
) -> [[[S::V; G]; P]; M] {
    let [step, next] = if PACKED { [1, M] } else { [ld, 1] };
    let left = Operand { ptr: a, step, next };
    let step = if G > 1 && P == 1 { S::LANES } else { stride };
    let right = Operand { ptr: b, step, next: G * S::LANES };
    // SAFETY: as the caller's; with one panel or one gate the vectors are evenly spaced.
    unsafe {
        if const { S::HAS_TILES && M == 4 && G * P == 3 && (G == 1 || P == 1) } {
            let acc = s.tile_4x3(k, left, right);
            return core::array::from_fn(|m| {
                core::array::from_fn(|p| core::array::from_fn(|g| acc[m % 4][(p * G + g) % 3]))
            });
        }
        if const { S::HAS_TILES && M == 3 && G * P == 4 && (G == 1 || P == 1) } {
            let acc = s.tile_3x4(k, left, right);
            return core::array::from_fn(|m| {
                core::array::from_fn(|p| core::array::from_fn(|g| acc[m % 3][(p * G + g) % 4]))
            });
        }
    }
    let mut acc = [[[s.splat(0.0); G]; P]; M];
    let (mut a, mut b) = (left, right);
    for _ in 0..k {
        // SAFETY: by the caller; one past the end is never read.
        unsafe {
            let mut right = [[s.splat(0.0); G]; P];
            for (p, right) in right.iter_mut().enumerate() {
                for (g, right) in right.iter_mut().enumerate() {
                    *right = s.load(b.ptr.add(p * stride + g * S::LANES));
                }
            }
            for (m, acc) in acc.iter_mut().enumerate() {
                let left = s.splat(*a.ptr.add(m * a.step));
                for (acc, right) in acc.iter_mut().zip(&right) {
                    for (acc, right) in acc.iter_mut().zip(right) {
                        *acc = s.fma(left, *right, *acc);
                    }
                }
            }
            a.ptr = a.ptr.add(a.next);
            b.ptr = b.ptr.add(b.next);
        }
    }
    acc
}

/// Stores a product, after adding a row (a bias).
pub(crate) struct Store {
    pub to: *mut f32,
    pub ld: usize,
    pub columns: usize,
    /// What is added to every row, padded to whole vectors; or null.
    pub add: *const f32,
}

impl Epilogue<1> for Store {
    const SHORT: bool = true;

    #[inline(always)]
    unsafe fn apply<S: Simd>(&self, s: S, row: usize, panel: usize, [acc]: [S::V; 1]) {
        let (j, n) = lanes::<S>(panel, self.columns);
        // SAFETY: the target and the addend hold the product's rows and columns.
        unsafe {
            let v = if self.add.is_null() { acc } else { s.add(acc, s.load(self.add.add(j))) };
            s.store_n(self.to.add(row * self.ld + j), v, n);
        }
    }
}

/// A product into memory, as a kernel of its own.
///
/// # Safety
/// As for [`product`]; the target holds all results.
pub(crate) unsafe fn multiply(isa: Isa, a: Rows, b: Panels, k: usize, store: &Store) {
    isa.dispatch(Multiply { a, b, k, store });
}

struct Multiply<'a> {
    a: Rows,
    b: Panels,
    k: usize,
    store: &'a Store,
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: as the caller's of `multiply`.
        unsafe { product(s, self.a, self.b, self.k, self.store) }
    }
}

/// A matrix to be packed: element (k, j) at `ptr[k * k_step + j * j_step]`, where one of the steps is 1.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    pub ptr: *const f32,
    pub k_step: usize,
    pub j_step: usize,
}

/// Where packed columns go: lane `l` of row `k` in panel `p` at `ptr[p * panel_step + k * k_step + l]`.
#[derive(Clone, Copy)]
pub(crate) struct Packing {
    pub ptr: *mut f32,
    /// Lanes of a panel.
    pub width: usize,
    pub k_step: usize,
    pub panel_step: usize,
}

/// Packs a `depth` by `columns` matrix, zero past the last column of the last panel.
///
/// # Safety
/// `source` is readable for `depth` times `columns` elements, `to` writable for as many in whole panels.
pub(crate) unsafe fn pack(isa: Isa, source: Source, depth: usize, columns: usize, to: Packing) {
    isa.dispatch(Pack { source, depth, columns, to });
}

struct Pack {
    source: Source,
    depth: usize,
    columns: usize,
    to: Packing,
}

impl Kernel for Pack {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: as the caller's of `pack`.
        unsafe { pack_panels(s, self.source, self.depth, self.columns, self.to) }
    }
}

/// # Safety
/// As for [`pack`].
#[inline(always)]
unsafe fn pack_panels<S: Simd>(s: S, source: Source, depth: usize, columns: usize, to: Packing) {
    /// Steps of k for which a column's cache line is used before it is left.
    const RUN: usize = 16;
    let panels = columns.div_ceil(to.width);
    // SAFETY: by the caller; the indices stay below `depth` and `columns`.
    unsafe {
        if source.j_step == 1 {
            // A line of each row at a time: each is read once, and few places are written to.
            let whole = columns / LINE * LINE;
            for j in (0..whole).step_by(LINE) {
                let (from, panel) = (source.ptr.add(j), j / to.width);
                let out = Packing { ptr: to.ptr.add(panel * to.panel_step), ..to };
                match to.width {
                    4 => copy_lines::<4>(from, source.k_step, out, depth),
                    8 => copy_lines::<8>(from, source.k_step, out, depth),
                    _ => copy_lines::<16>(from, source.k_step, out, depth),
                }
            }
            for panel in whole / to.width..panels {
                let lanes = to.width.min(columns - panel * to.width);
                for k in 0..depth {
                    let from = source.ptr.add(k * source.k_step + panel * to.width);
                    let out = to.ptr.add(panel * to.panel_step + k * to.k_step);
                    copy(s, from, out, lanes);
                    (lanes..to.width).for_each(|j| *out.add(j) = 0.0);
                }
            }
            return;
        }
        for panel in 0..panels {
            let lanes = to.width.min(columns - panel * to.width);
            for k0 in (0..depth).step_by(RUN) {
                let run = RUN.min(depth - k0);
                let from = source.ptr.add(k0 * source.k_step + panel * to.width * source.j_step);
                let out = to.ptr.add(panel * to.panel_step + k0 * to.k_step);
                // Whole blocks in registers, the edges one by one.
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
/// As for [`pack`], of columns that are all there.
#[inline(always)]
unsafe fn copy_lines<const W: usize>(from: *const f32, step: usize, to: Packing, depth: usize) {
    for k in 0..depth {
        for panel in 0..LINE / W {
            // SAFETY: as the caller's.
            unsafe {
                let from = from.add(k * step + panel * W).cast::<[f32; W]>();
                let out = to.ptr.add(panel * to.panel_step + k * to.k_step);
                out.cast::<[f32; W]>().write_unaligned(from.read_unaligned());
            }
        }
    }
}

/// Copies `len` values in whole vectors where it can: calls of `memcpy` for a line each were 15 % of a small layer's
/// training step.
///
/// # Safety
/// As for `copy_nonoverlapping`.
#[inline(always)]
unsafe fn copy<S: Simd>(s: S, from: *const f32, to: *mut f32, len: usize) {
    // SAFETY: as the caller's.
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

/// Steps of k in one pass of [`grad_product`], up to half more; the packed left block of `M_BLOCK` columns then takes 128 to
/// 192 KB.
const K_BLOCK: usize = 256;
const M_BLOCK: usize = 128;
/// Most steps of k in one pass.
const K_MOST: usize = K_BLOCK * 3 / 2;

/// Rows of a register tile of [`grad_product`].
const fn tile_rows(registers: usize) -> usize {
    if registers >= 32 { 8 } else { 4 }
}

/// Scratch values that [`grad_product`] needs for right operands of these widths.
pub(crate) fn grad_scratch(columns: impl Iterator<Item = usize>) -> usize {
    // Panels of at most 16 lanes, and the packed left block.
    K_MOST * (M_BLOCK + columns.map(|n| n.next_multiple_of(16)).sum::<usize>())
}

/// A right operand of [`grad_product`], and what its products are added to.
#[derive(Clone, Copy)]
pub(crate) struct Right<'a> {
    /// K rows of `columns` values, `ld` apart. No columns: only the sums are wanted.
    pub ptr: *const f32,
    pub ld: usize,
    pub columns: usize,
    /// The gates whose gradients it is multiplied with.
    pub runs: &'a [Run],
    /// Where those gradients lie, if not in the runs' blocks: the first gate's block.
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

/// `weight[m][n] += Σ_k A[k][m] · right[k][n]` and `bias[m] += Σ_k A[k][m]`, for all right operands: gradients of weights
/// and biases from gate gradients A.
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

/// See [`GradProduct`].
///
/// # Safety
/// All operands are readable, the targets writable for the units, and the scratch memory suffices.
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
            // SAFETY: as the caller's of `grad_product`.
            unsafe { self.pass(s, k0, most.min(self.a.count - k0)) }
        }
    }
}

impl GradProduct<'_> {
    /// The products of `depth` steps of k from `k0` on.
    ///
    /// # Safety
    /// As for [`grad_product`].
    #[inline(always)]
    unsafe fn pass<S: Simd>(&self, s: S, k0: usize, depth: usize) {
        let Self { a, hidden, ref units, scratch, .. } = *self;
        let height = tile_rows(S::REGISTERS);
        // SAFETY: all offsets stay within the operands and the scratch memory as the caller sized them.
        unsafe {
            let mut panels = scratch.add(K_MOST * M_BLOCK);
            for right in self.rights {
                let from =
                    Source { ptr: right.ptr.add(k0 * right.ld), k_step: right.ld, j_step: 1 };
                panels = panels.add(self.pack::<S>(from, (depth, right.columns), S::LANES, panels));
            }
            for block in
                (0..self.blocks).filter(|&b| self.rights.iter().any(|r| r.gate(b).is_some()))
            {
                for m0 in units.clone().step_by(M_BLOCK) {
                    let rows = M_BLOCK.min(units.end - m0);
                    let ptr = a.ptr.add(k0 * a.ld + block * hidden + m0);
                    let from = Source { ptr, k_step: a.ld, j_step: 1 };
                    self.pack::<S>(from, (depth, rows), height, scratch);
                    if S::REGISTERS >= 32 {
                        self.block::<S, 8>(s, depth, block, m0..m0 + rows);
                    } else {
                        self.block::<S, 4>(s, depth, block, m0..m0 + rows);
                    }
                }
            }
        }
    }

    /// Packs `depth` by `columns` values in panels of `width` lanes, and says how many values that were.
    ///
    /// # Safety
    /// As for [`pack`].
    unsafe fn pack<S: Simd>(
        &self,
        from: Source,
        (depth, columns): (usize, usize),
        width: usize,
        to: *mut f32,
    ) -> usize {
        let to = Packing { ptr: to, width, k_step: width, panel_step: depth * width };
        // SAFETY: as the caller's.
        unsafe { pack(S::ISA, from, depth, columns, to) };
        depth * columns.next_multiple_of(width)
    }

    /// Adds the packed left rows `units` of one block times all right operands.
    ///
    /// # Safety
    /// As for [`grad_product`]; left and right are packed.
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
        // SAFETY: as the caller's.
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
                    let to =
                        Target { ptr: right.weight.wrapping_add(row * columns), rows, columns };
                    add_tiles::<S, M>(s, depth, left, panels, to);
                }
                panels = panels.add(depth * right.columns.next_multiple_of(S::LANES));
            }
        }
    }
}

/// Part of a weight's gradient, `[rows][columns]`, added to.
#[derive(Clone, Copy)]
struct Target {
    ptr: *mut f32,
    rows: usize,
    columns: usize,
}

/// Adds the column sums of packed left to `sums`, four partial sums each.
///
/// # Safety
/// As for [`grad_product`].
#[inline(always)]
unsafe fn add_sums<const M: usize>(depth: usize, left: *const f32, sums: *mut f32, rows: usize) {
    for row in (0..rows).step_by(M) {
        let mut parts = [[0.0f32; M]; 4];
        for k in 0..depth {
            for m in 0..M {
                // SAFETY: the block holds `depth` times `rows` values, padded to whole tiles.
                parts[k % 4][m] += unsafe { *left.add(row * depth + k * M + m) };
            }
        }
        for m in 0..M.min(rows - row) {
            let sum = (parts[0][m] + parts[1][m]) + (parts[2][m] + parts[3][m]);
            // SAFETY: below `rows`.
            unsafe { *sums.add(row + m) += sum };
        }
    }
}

/// Adds packed left times packed right to the target.
///
/// # Safety
/// As for [`grad_product`].
#[inline(always)]
unsafe fn add_tiles<S: Simd, const M: usize>(
    s: S,
    depth: usize,
    left: *const f32,
    right: *const f32,
    to: Target,
) {
    let panels = to.columns.div_ceil(S::LANES);
    let mut panel = 0;
    while panel < panels {
        let width = match panels - panel {
            4 => 2,
            left => left.min(3),
        };
        // SAFETY: as the caller's.
        unsafe {
            match width {
                3 => add_column::<S, M, 3>(s, depth, left, right, panel, to),
                2 => add_column::<S, M, 2>(s, depth, left, right, panel, to),
                _ => add_column::<S, M, 1>(s, depth, left, right, panel, to),
            }
        }
        panel += width;
    }
}

/// # Safety
/// As for [`grad_product`].
#[inline(always)]
unsafe fn add_column<S: Simd, const M: usize, const P: usize>(
    s: S,
    depth: usize,
    left: *const f32,
    right: *const f32,
    panel: usize,
    to: Target,
) {
    let stride = depth * S::LANES;
    let mut row = 0;
    while row < to.rows {
        // SAFETY: `row` and `panel + p` lie within the target, whose tails are cut.
        unsafe {
            let right = right.add(panel * stride);
            for m in 0..M.min(to.rows - row) {
                let at = to.ptr.add((row + m) * to.columns + panel * S::LANES);
                for p in 0..P {
                    s.prefetch::<true>(at.wrapping_add(p * S::LANES));
                }
            }
            let acc = tile::<S, 1, P, M, true>(s, depth, left.add(row * depth), 0, right, stride);
            for (m, acc) in acc.into_iter().enumerate().take(to.rows - row) {
                for (p, [acc]) in acc.into_iter().enumerate() {
                    let column = (panel + p) * S::LANES;
                    let at = to.ptr.add((row + m) * to.columns + column);
                    let lanes = S::LANES.min(to.columns - column);
                    s.store_n(at, s.add(s.load_n(at, lanes), acc), lanes);
                }
            }
        }
        row += M;
    }
}

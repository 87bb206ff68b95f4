//! The trait of a vector of `f32`, and that of a computation over such vectors.

use super::isa::Isa;

/// A computation to be compiled for each instruction set.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// The computation; must be `#[inline(always)]`.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// One side of a register tile's loop over k, in values.
#[derive(Clone, Copy)]
pub(crate) struct Operand {
    /// The first row (left) or vector (right) at k = 0.
    pub ptr: *const f32,
    /// To the next row or vector.
    pub step: usize,
    /// To the next k.
    pub next: usize,
}

/// Vectors of `f32` on one instruction set. A value of the type proves that the machine has it.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// The instruction set, for kernels that a kernel calls.
    const ISA: Isa;
    /// One vector.
    type V: Copy;
    /// Lanes of one vector.
    const LANES: usize;
    /// Vector registers, which bound the size of a register tile.
    const REGISTERS: usize;
    /// Whether there are [`Simd::tile_4x3`] and [`Simd::tile_3x4`]. Without them the compiler makes
    /// the tiles.
    const HAS_TILES: bool = false;
    /// Rows and columns of a block of [`Simd::transpose`].
    const BLOCK: usize;

    /// Runs `kernel` in a function of its own, compiled once and not once for each place that needs
    /// it.
    #[inline(never)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }

    fn splat(self, x: f32) -> Self::V;
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; `b` if either is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// The larger; `b` if either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, in one rounding where the machine has it.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    fn sqrt(self, a: Self::V) -> Self::V;
    /// The sum of all lanes, the upper half added to the lower until one is left.
    fn sum(self, a: Self::V) -> f32;
    /// `yes` in the lanes where `a < b`, else `no`; `no` where either is NaN.
    fn where_less(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// [`uniform`](crate::hash::uniform) of the places `first..first + LANES`, counted modulo 2³².
    fn uniform(self, key: u64, first: u32) -> Self::V;
    /// `p * 2^n`, where `n` is the low integer part of `biased = n + 1.5 * 2^23`. The range is not
    /// checked: `p * 2^n` has to be a normal number.
    fn scale_by_power(self, p: Self::V, biased: Self::V) -> Self::V;

    /// A vector from memory of any alignment.
    ///
    /// # Safety
    /// - `from`: `[LANES]` readable
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// Writes a vector to memory of any alignment.
    ///
    /// # Safety
    /// - `to`: `[LANES]` writable
    unsafe fn store(self, to: *mut f32, v: Self::V);
    /// Loads the first `n` lanes; the others are zero.
    ///
    /// # Safety
    /// - `from`: `[n]` readable, and `n <= LANES`
    unsafe fn load_part(self, from: *const f32, n: usize) -> Self::V;
    /// Stores the first `n` lanes.
    ///
    /// # Safety
    /// - `to`: `[n]` writable, and `n <= LANES`
    unsafe fn store_part(self, to: *mut f32, v: Self::V, n: usize);

    /// [`Simd::load`] of a whole vector or [`Simd::load_part`].
    ///
    /// # Safety
    /// - `from`: `[n]` readable, and `n <= LANES`
    #[inline(always)]
    unsafe fn load_n(self, from: *const f32, n: usize) -> Self::V {
        // SAFETY: the caller's contract.
        unsafe { if n == Self::LANES { self.load(from) } else { self.load_part(from, n) } }
    }
    /// Transposes a block: row `i` of `from` becomes column `i` of `to`.
    ///
    /// # Safety
    /// - `from`: `[BLOCK]` rows of `[BLOCK]` readable, `ld` apart
    /// - `to`: `[BLOCK]` rows of `[BLOCK]` writable, `to_ld` apart
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, ld: usize, to: *mut f32, to_ld: usize) {
        for i in 0..Self::BLOCK {
            for j in 0..Self::BLOCK {
                // SAFETY: the caller's contract.
                unsafe { *to.add(j * to_ld + i) = *from.add(i * ld + j) }
            }
        }
    }

    /// Prefetches the line at `at`, for writing if `W`; any address will do. Does nothing where the
    /// machine has no such instruction.
    #[inline(always)]
    fn prefetch<const W: bool>(self, _at: *const f32) {}

    /// `acc[m][v] = Σ_k left[m][k] · right[v][k]` of four rows and three vectors: a tile that takes
    /// all of sixteen registers.
    ///
    /// # Safety
    /// - `left`: readable for 4 rows and `k` steps
    /// - `right`: readable for 3 vectors and `k` steps
    #[inline(always)]
    unsafe fn tile_4x3(self, _k: usize, _left: Operand, _right: Operand) -> [[Self::V; 3]; 4] {
        unreachable!("HAS_TILES is false")
    }
    /// [`Simd::tile_4x3`] of three rows and four vectors.
    ///
    /// # Safety
    /// - `left`: readable for 3 rows and `k` steps
    /// - `right`: readable for 4 vectors and `k` steps
    #[inline(always)]
    unsafe fn tile_3x4(self, _k: usize, _left: Operand, _right: Operand) -> [[Self::V; 4]; 3] {
        unreachable!("HAS_TILES is false")
    }

    /// [`Simd::store`] of a whole vector or [`Simd::store_part`].
    ///
    /// # Safety
    /// - `to`: `[n]` writable, and `n <= LANES`
    #[inline(always)]
    unsafe fn store_n(self, to: *mut f32, v: Self::V, n: usize) {
        // SAFETY: the caller's contract.
        unsafe { if n == Self::LANES { self.store(to, v) } else { self.store_part(to, v, n) } }
    }
}

/// [`Simd::load_part`] of four lanes as an array.
///
/// # Safety
/// - `from`: `[n]` readable
#[inline(always)]
pub(super) unsafe fn first_of(from: *const f32, n: usize) -> [f32; 4] {
    // SAFETY: readable for `n` values, by the caller.
    core::array::from_fn(|i| if i < n { unsafe { *from.add(i) } } else { 0.0 })
}

/// [`Simd::store_part`] of four lanes in an array.
///
/// # Safety
/// - `to`: `[n]` writable
#[inline(always)]
pub(super) unsafe fn store_first(to: *mut f32, lanes: [f32; 4], n: usize) {
    for (i, v) in lanes.into_iter().enumerate().take(n) {
        // SAFETY: writable for `n` values, by the caller.
        unsafe { *to.add(i) = v }
    }
}

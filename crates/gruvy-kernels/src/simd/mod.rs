//! The small SIMD trait over which every kernel is written once, and its dispatch at run time.
//!
//! A kernel is a value with a generic [`Kernel::run`]; [`Isa::dispatch`] calls it inside a function
//! compiled for the chosen instruction set. Everything below `run` must be `#[inline(always)]`, so
//! that it is compiled with those instructions too. What is the same for all cells (packing, plain products, the
//! weight gradients, normalisation) is a kernel of its own, dispatched again from within: compiled once for
//! each instruction set, and not once more for each cell.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

/// An instruction set that the kernels have a path for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Plain Rust on any machine, four lanes that the compiler may vectorise.
    Scalar,
    /// x86-64 with AVX2 and FMA, eight lanes.
    Avx2,
    /// x86-64 with AVX-512F, sixteen lanes.
    Avx512,
    /// aarch64 with NEON, four lanes.
    Neon,
    /// WebAssembly with 128-bit vectors, four lanes, if it is compiled with `-C target-feature=+simd128`.
    Simd128,
}

impl Isa {
    /// Every instruction set, slowest first.
    const ALL: [Self; 5] = [Isa::Scalar, Isa::Avx2, Isa::Avx512, Isa::Neon, Isa::Simd128];

    /// Whether this machine can run it. Without the `std` feature, only what the build itself
    /// targets is known.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(all(target_arch = "x86_64", feature = "std"))]
            Isa::Avx2 => {
                std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(all(target_arch = "x86_64", feature = "std"))]
            Isa::Avx512 => std::arch::is_x86_feature_detected!("avx512f"),
            #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
            Isa::Avx2 => cfg!(all(target_feature = "avx2", target_feature = "fma")),
            #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
            Isa::Avx512 => cfg!(target_feature = "avx512f"),
            Isa::Neon => cfg!(all(target_arch = "aarch64", target_feature = "neon")),
            Isa::Simd128 => cfg!(all(target_arch = "wasm32", target_feature = "simd128")),
        }
    }

    /// The instruction sets of this machine, slowest first; never empty.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The fastest instruction set of this machine.
    pub fn best() -> Self {
        Self::available().last().unwrap_or(Isa::Scalar)
    }

    /// Lanes of one vector of `f32`.
    pub(crate) const fn lanes(self) -> usize {
        match self {
            Isa::Scalar | Isa::Neon | Isa::Simd128 => 4,
            Isa::Avx2 => 8,
            Isa::Avx512 => 16,
        }
    }

    /// Runs `kernel` compiled for this instruction set.
    ///
    /// # Panics
    /// If the machine lacks it.
    pub(crate) fn dispatch<K: Kernel>(self, kernel: K) -> K::Output {
        assert!(self.is_available(), "this machine has no {self:?}; see Isa::available");
        match self {
            Isa::Scalar => kernel.run(scalar::Scalar),
            // SAFETY: the instruction set was just found to be available.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { avx2::run(kernel) },
            // SAFETY: the instruction set was just found to be available.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { avx512::run(kernel) },
            #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
            Isa::Neon => kernel.run(neon::Neon),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => kernel.run(wasm::Simd128),
            _ => unreachable!("not available on this architecture"),
        }
    }
}

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

/// Vectors of `f32` on one instruction set. A value of the type is the proof that the machine has it.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// The instruction set, for kernels that a kernel calls.
    const ISA: Isa;
    /// One vector.
    type V: Copy;
    /// Lanes of one vector.
    const LANES: usize;
    /// Vector registers, which bound the size of a register tile.
    const REGISTERS: usize;
    /// Whether there are [`Simd::tile_4x3`] and [`Simd::tile_3x4`]: a path without leaves them to the compiler.
    const HAS_TILES: bool = false;
    /// Rows and columns of a block of [`Simd::transpose`].
    const BLOCK: usize;

    /// Runs `kernel` in a function of its own, compiled once and not once for each place that needs it.
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
    /// [`uniform`](crate::noise::uniform) of the places `first..first + LANES`, counted modulo 2³².
    fn uniform(self, key: u64, first: u32) -> Self::V;
    /// `p * 2^n`, where `n` is the low integer part of `biased = n + 1.5 * 2^23`. No check of the
    /// range: `p * 2^n` has to be a normal number.
    fn scale_by_power(self, p: Self::V, biased: Self::V) -> Self::V;

    /// # Safety
    /// `from` is readable for a whole vector.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// # Safety
    /// `to` is writable for a whole vector.
    unsafe fn store(self, to: *mut f32, v: Self::V);
    /// The first `n` lanes, the others zero.
    /// # Safety
    /// `from` is readable for `n <= LANES` values.
    unsafe fn load_part(self, from: *const f32, n: usize) -> Self::V;
    /// The first `n` lanes.
    /// # Safety
    /// `to` is writable for `n <= LANES` values.
    unsafe fn store_part(self, to: *mut f32, v: Self::V, n: usize);

    /// [`Simd::load`] of a whole vector or [`Simd::load_part`].
    /// # Safety
    /// `from` is readable for `n <= LANES` values.
    #[inline(always)]
    unsafe fn load_n(self, from: *const f32, n: usize) -> Self::V {
        // SAFETY: as the caller's.
        unsafe { if n == Self::LANES { self.load(from) } else { self.load_part(from, n) } }
    }
    /// Transposes a block: row `i` of `from` becomes column `i` of `to`.
    /// # Safety
    /// `from` is readable for `BLOCK` rows of as many values `ld` apart, `to` writable for as many `to_ld` apart.
    #[inline(always)]
    unsafe fn transpose(self, from: *const f32, ld: usize, to: *mut f32, to_ld: usize) {
        for i in 0..Self::BLOCK {
            for j in 0..Self::BLOCK {
                // SAFETY: as the caller's.
                unsafe { *to.add(j * to_ld + i) = *from.add(i * ld + j) }
            }
        }
    }

    /// Asks for the line at `at`, to be written if `W`, before it is needed; any address will do. Nothing where the machine has
    /// no such instruction.
    #[inline(always)]
    fn prefetch<const W: bool>(self, _at: *const f32) {}

    /// `acc[m][v] = Σ_k left[m][k] · right[v][k]` of four rows and three vectors: a tile that takes all of sixteen
    /// registers.
    /// # Safety
    /// The operands are readable for `k` steps.
    #[inline(always)]
    unsafe fn tile_4x3(self, _k: usize, _left: Operand, _right: Operand) -> [[Self::V; 3]; 4] {
        unreachable!("there are no tiles by hand")
    }
    /// [`Simd::tile_4x3`] of three rows and four vectors.
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn tile_3x4(self, _k: usize, _left: Operand, _right: Operand) -> [[Self::V; 4]; 3] {
        unreachable!("there are no tiles by hand")
    }

    /// [`Simd::store`] of a whole vector or [`Simd::store_part`].
    /// # Safety
    /// `to` is writable for `n <= LANES` values.
    #[inline(always)]
    unsafe fn store_n(self, to: *mut f32, v: Self::V, n: usize) {
        // SAFETY: as the caller's.
        unsafe { if n == Self::LANES { self.store(to, v) } else { self.store_part(to, v, n) } }
    }
}

/// [`Simd::load_part`] of four lanes as an array.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn first_of(from: *const f32, n: usize) -> [f32; 4] {
    // SAFETY: readable for `n` values, by the caller.
    core::array::from_fn(|i| if i < n { unsafe { *from.add(i) } } else { 0.0 })
}

/// [`Simd::store_part`] of four lanes in an array.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn store_first(to: *mut f32, lanes: [f32; 4], n: usize) {
    for (i, v) in lanes.into_iter().enumerate().take(n) {
        // SAFETY: writable for `n` values, by the caller.
        unsafe { *to.add(i) = v }
    }
}

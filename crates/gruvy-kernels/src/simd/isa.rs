//! The instruction sets that the kernels have a path for, and which of them this machine has.

/// An instruction set that the kernels have a path for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Plain Rust on any machine: four lanes, which the compiler may vectorise.
    Scalar,
    /// x86-64 with AVX2 and FMA, eight lanes.
    Avx2,
    /// x86-64 with AVX-512F, sixteen lanes.
    Avx512,
    /// aarch64 with NEON, four lanes.
    Neon,
    /// WebAssembly with 128-bit vectors, four lanes, if it is compiled with
    /// `-C target-feature=+simd128`.
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
}

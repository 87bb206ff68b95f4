//! From an instruction set that is known at run time to code that was compiled for it.

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
use super::neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::wasm;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use super::{isa::Isa, scalar, vector::Kernel};

impl Isa {
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

//! A linear map with packed weights, `y = x Wᵀ + b`: the head of a model for inference.

use crate::checks::{check, check_optional};
use crate::memory::{Buffer, Shared};
use crate::product::{Packing, Panels, Product, Rows, Source, Store, pack};
use crate::simd::Isa;
use crate::threads;

/// A packed weight `[O, I]` with its bias `[O]`.
///
/// A row's result does not depend on the other rows, nor on the number of threads.
#[derive(Clone, Debug)]
pub struct Linear {
    isa: Isa,
    inputs: usize,
    outputs: usize,
    /// `[⌈O / lanes⌉][I][lane]`, then the bias padded to whole vectors.
    memory: Buffer,
}

impl Linear {
    /// Packs `weight [O, I]`, row-major as PyTorch keeps it, and `bias [O]` (none: zero).
    ///
    /// # Panics
    /// If a length does not fit `inputs` and `outputs`.
    pub fn new(inputs: usize, outputs: usize, weight: &[f32], bias: Option<&[f32]>) -> Self {
        Self::with_isa(Isa::best(), inputs, outputs, weight, bias)
    }

    /// [`Linear::new`] for an instruction set of choice.
    ///
    /// # Panics
    /// As [`Linear::new`], and if the machine lacks `isa`.
    pub fn with_isa(
        isa: Isa,
        inputs: usize,
        outputs: usize,
        weight: &[f32],
        bias: Option<&[f32]>,
    ) -> Self {
        check("weight [O, I]", outputs * inputs, weight.len());
        check_optional("bias [O]", outputs, bias);
        let columns = outputs.next_multiple_of(isa.lanes());
        let mut memory = Buffer::new();
        let (panels, padded) = memory.get(columns * (inputs + 1)).split_at_mut(columns * inputs);
        padded.fill(0.0);
        if let Some(bias) = bias {
            padded[..outputs].copy_from_slice(bias);
        }
        let width = isa.lanes();
        let ptr = weight.as_ptr();
        let source = Source { ptr, k_step: 1, j_step: inputs, depth: inputs, columns: outputs };
        let to = Packing::dense(panels.as_mut_ptr(), width, inputs);
        // SAFETY:
        // - the weight has `outputs` rows of `inputs`
        // - the panels have room for whole vectors of them
        unsafe { pack(isa, source, to) }
        Self { isa, inputs, outputs, memory }
    }

    /// `y [rows, O]` from `x [rows, I]`.
    ///
    /// # Panics
    /// If a length does not fit `rows`.
    pub fn apply(&self, rows: usize, x: &[f32], y: &mut [f32]) {
        check("x [rows, I]", rows * self.inputs, x.len());
        check("y [rows, O]", rows * self.outputs, y.len());
        let parts = threads::worth(rows * self.inputs * self.outputs);
        let y = Shared::new(y.as_mut_ptr());
        threads::run(parts, |part| {
            let rows = threads::split(rows, 8, part, parts);
            let Self { isa, inputs, outputs, ref memory } = *self;
            let count = outputs.div_ceil(isa.lanes());
            let memory = memory.as_slice();
            let b = Panels::new(memory.as_ptr(), count, inputs);
            let add = memory[count * isa.lanes() * inputs..].as_ptr();
            let a = Rows { ptr: x[rows.start * inputs..].as_ptr(), ld: inputs, count: rows.len() };
            // SAFETY:
            // - `x` and `y` hold all rows, which were checked, and each thread has its own of y
            // - the memory holds `count` panels of depth `inputs`, and the padded bias behind them
            unsafe {
                let to = y.get().add(rows.start * outputs);
                let store = Store { to, ld: outputs, columns: outputs, add };
                Product { a, b, k: inputs }.store(isa, &store);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};

    #[test]
    fn equals_the_naive_loop() {
        let value = |i: usize| (i * 7919 % 200) as f32 / 100.0 - 1.0;
        for isa in Isa::available() {
            for (rows, inputs, outputs) in [(1, 1, 1), (3, 9, 65), (8, 64, 7), (70, 33, 50)] {
                let weight: Vec<f32> = (0..outputs * inputs).map(value).collect();
                let bias: Vec<f32> = (0..outputs).map(|i| value(i + 3)).collect();
                let x: Vec<f32> = (0..rows * inputs).map(|i| value(i + 11)).collect();
                let mut y = vec![f32::NAN; rows * outputs];
                Linear::with_isa(isa, inputs, outputs, &weight, Some(&bias))
                    .apply(rows, &x, &mut y);
                for (i, y) in y.iter().enumerate() {
                    let (row, o) = (i / outputs, i % outputs);
                    let x = &x[row * inputs..][..inputs];
                    let w = &weight[o * inputs..][..inputs];
                    let sum: f64 = x.iter().zip(w).map(|(x, w)| f64::from(x * w)).sum();
                    let error = (f64::from(*y) - sum - f64::from(bias[o])).abs();
                    assert!(error < 1e-5, "{isa:?} [{row}][{o}]: {y}, off by {error:e}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "x [rows, I]: expected 6, got 5")]
    fn a_short_input_is_named() {
        Linear::new(3, 1, &[0.0; 3], None).apply(2, &[0.0; 5], &mut [0.0; 2]);
    }
}

//! The head's product, `y = x Wᵀ + b`, laid out for the compiler's vectoriser.
//!
//! ```text
//! W [V, H]  ──>  panels [⌈V/16⌉, H, 16]: 16 outputs side by side, read once from front to back
//! ```
//! Each output sums over H in order, however many rows there are, so a row's result does not depend on
//! its neighbours.

/// Outputs of a panel.
const LANES: usize = 16;
/// Rows that share one pass over a panel.
const ROWS: usize = 2;

/// A packed weight `[V, H]` with its bias `[V]`.
#[derive(Debug)]
pub(crate) struct Product {
    inputs: usize,
    outputs: usize,
    panels: Vec<[f32; LANES]>,
    bias: Vec<[f32; LANES]>,
}

impl Product {
    /// Packs `weight [V, H]` and `bias [V]`; V and H follow from their lengths.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let mut panels = Vec::with_capacity(outputs.div_ceil(LANES) * inputs);
        for rows in weight.chunks(LANES * inputs) {
            for k in 0..inputs {
                let mut column = [0.0; LANES];
                for (to, row) in column.iter_mut().zip(rows.chunks_exact(inputs)) {
                    *to = row[k];
                }
                panels.push(column);
            }
        }
        let mut padded = vec![[0.0; LANES]; outputs.div_ceil(LANES)];
        padded.as_flattened_mut()[..outputs].copy_from_slice(bias);
        Self { inputs, outputs, panels, bias: padded }
    }

    /// `y [rows, V]` from `x [rows, H]`.
    pub fn apply(&self, x: &[f32], y: &mut [f32]) {
        for (p, panel) in self.panels.chunks_exact(self.inputs).enumerate() {
            let first = p * LANES;
            let width = LANES.min(self.outputs - first);
            let blocks = x.chunks(ROWS * self.inputs).zip(y.chunks_mut(ROWS * self.outputs));
            for (x, y) in blocks {
                let mut sums = [self.bias[p]; ROWS];
                match x.split_at_checked(self.inputs) {
                    Some((a, b)) if b.len() == self.inputs => pass(panel, [a, b], &mut sums),
                    _ => {
                        let [sum, _] = &mut sums;
                        pass(panel, [x], std::array::from_mut(sum));
                    }
                }
                for (sum, y) in sums.iter().zip(y.chunks_exact_mut(self.outputs)) {
                    y[first..][..width].copy_from_slice(&sum[..width]);
                }
            }
        }
    }
}

/// Adds `R` rows of x times one panel to `sums`.
#[inline(always)]
fn pass<const R: usize>(panel: &[[f32; LANES]], x: [&[f32]; R], sums: &mut [[f32; LANES]; R]) {
    let x = x.map(|row| &row[..panel.len()]);
    let mut local = *sums;
    for (k, column) in panel.iter().enumerate() {
        for (sum, row) in local.iter_mut().zip(&x) {
            for (sum, weight) in sum.iter_mut().zip(column) {
                *sum += row[k] * weight;
            }
        }
    }
    *sums = local;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_plain_loops() {
        let value = |i: usize| ((i * 37 % 101) as f32 - 50.0) / 40.0;
        for (outputs, inputs) in [(1, 1), (3, 7), (16, 8), (17, 33), (66, 20)] {
            let weight: Vec<f32> = (0..outputs * inputs).map(value).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| value(i + 5)).collect();
            let product = Product::new(&weight, &bias);
            for rows in [1, 2, 3, 5] {
                let x: Vec<f32> = (0..rows * inputs).map(|i| value(i + 11)).collect();
                let mut y = vec![f32::NAN; rows * outputs];
                product.apply(&x, &mut y);
                for (i, y) in y.iter().enumerate() {
                    let (row, out) = (i / outputs, i % outputs);
                    let terms = (0..inputs)
                        .map(|k| f64::from(x[row * inputs + k] * weight[out * inputs + k]));
                    let expected = f64::from(bias[out]) + terms.sum::<f64>();
                    let error = (f64::from(*y) - expected).abs();
                    assert!(error < 1e-5 * (1.0 + expected.abs()), "{outputs} {inputs} {rows} {i}");
                }
            }
        }
    }
}

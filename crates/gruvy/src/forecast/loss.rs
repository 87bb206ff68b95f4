//! What a forecast model learns from: its head's numbers against what came, missing values left
//! out.
//!
//! The same losses as [`gruvy_runtime::forecast::Forecaster::loss`] measures, as tensors with a
//! gradient; `output.rs` there says what the numbers of the head are.
use burn::tensor::{Tensor, activation::softplus};
use gruvy_runtime::forecast::{LEAST_SPREAD, Output};

/// What came: one row for each step of each window that the head answered.
#[derive(Debug)]
pub struct Targets {
    /// `[N, 1]`, in units of the window's scale; 0 where missing.
    pub z: Tensor<2>,
    /// `[N, 1]`: 1, or 0 where missing.
    pub known: Tensor<2>,
    /// `[N, 1]`: the window's scale.
    pub scale: Tensor<2>,
    /// How many are known.
    pub count: usize,
}

/// Mean loss `[1]` of `head [N, P]` over the targets that are known.
pub fn loss(output: Output, levels: &[f64], head: Tensor<2>, targets: Targets) -> Tensor<1> {
    let Targets { z, known, scale, count } = targets;
    let [rows, parameters] = head.dims();
    let part = |i: usize| head.clone().narrow(1, i, 1);
    let positive = |i: usize| softplus(part(i), 1.0).add_scalar(LEAST_SPREAD);
    let each = match output {
        Output::Quantile => {
            let tau: Vec<f32> = levels.iter().map(|level| *level as f32).collect();
            let tau = Tensor::<1>::from_floats(tau.as_slice(), &head.device()).unsqueeze();
            // Pinball: τ e above the quantile, (τ − 1) e below it.
            let e = z.expand([rows, parameters]) - head;
            (e.clone() * tau - e.clamp_max(0.0)).mean_dim(1).mul_scalar(2.0)
        }
        Output::Normal => {
            let std = positive(1);
            let e = (z - part(0)) / std.clone();
            e.square().mul_scalar(0.5) + std.log() + 0.5 * std::f64::consts::TAU.ln()
        }
        Output::StudentT => {
            let (std, freedom) = (positive(1), softplus(part(2), 1.0).add_scalar(2.0));
            let e = (z - part(0)) / std.clone();
            let half = freedom.clone().add_scalar(1.0).mul_scalar(0.5);
            ln_gamma(freedom.clone().mul_scalar(0.5)) - ln_gamma(half.clone())
                + freedom.clone().mul_scalar(std::f64::consts::PI).log().mul_scalar(0.5)
                + std.log()
                + half * (e.square() / freedom).log1p()
        }
        Output::NegativeBinomial => {
            let y = z * scale.clone();
            let mean = positive(0) * scale.clone();
            let dispersion = positive(1) / scale.sqrt();
            let r = dispersion.clone().recip();
            let share = dispersion * mean;
            let spread = share.clone().log1p();
            ln_gamma(r.clone()) + ln_gamma(y.clone().add_scalar(1.0))
                - ln_gamma(y.clone() + r.clone())
                + r * spread.clone()
                - y * (share.log() - spread)
        }
    };
    (each * known).sum().div_scalar(count.max(1) as f64)
}

/// `ln Γ(x)` for x above 0, within 1e-6 or one part in 1e6, whichever is more: Stirling's series at
/// x + 7, taken back by the recurrence `Γ(x + 1) = x Γ(x)` (Abramowitz and Stegun 6.1.15, 6.1.41).
fn ln_gamma(x: Tensor<2>) -> Tensor<2> {
    let up = x.clone().add_scalar(7.0);
    let one_over = up.clone().recip();
    let series = one_over.clone().mul_scalar(1.0 / 12.0)
        - (one_over.clone().square() * one_over).mul_scalar(1.0 / 360.0);
    let stirling = up.clone().sub_scalar(0.5) * up.clone().log() - up
        + series
        + 0.5 * std::f64::consts::TAU.ln();
    // Two products of at most four factors each, so that neither overflows up to 1e9.
    let product = |from: usize, to: usize| {
        (from..to).map(|i| x.clone().add_scalar(i as f64)).reduce(|a, b| a * b)
    };
    let logs = [product(0, 4), product(4, 7)].into_iter().flatten().map(Tensor::log);
    logs.fold(stirling, |rest, log| rest - log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn ln_gamma_is_the_tables() {
        let xs = [1e-4f32, 0.1, 0.5, 1.0, 2.0, 3.7, 10.0, 1000.0];
        let expected: [f64; 8] = [
            9.210_282_66,
            2.252_712_65,
            0.572_364_94,
            0.0,
            0.0,
            1.428_072_45,
            12.801_827_48,
            5_905.220_42,
        ];
        let x = Tensor::<1>::from_floats(xs, &Device::flex()).reshape([8, 1]);
        let got: Vec<f64> = ln_gamma(x).into_data().iter::<f64>().collect();
        for ((x, got), expected) in xs.iter().zip(&got).zip(expected) {
            let off = (got - expected).abs() / expected.abs().max(1.0);
            assert!(off < 2e-6, "ln Γ({x}) = {got}, expected {expected}");
        }
    }
}

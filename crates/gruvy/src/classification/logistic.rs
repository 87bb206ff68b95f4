//! Logistic regression over sparse rows, by the library's L-BFGS.
//!
//! ```text
//! p = softmax(W x + b);  of two classes, and of several labels: σ(w x + b) for each
//! loss = Σ w_i (−log p_i[y_i]) / N + ‖W‖² / (2 C N)
//! ```
//! the objective of scikit-learn's `LogisticRegression`, divided by N; w_i is the weight of the item's class, b is not
//! held back.
use super::bag::Rows;
use crate::error::{Error, Result};
use argmin::{
    core::{CostFunction, Executor, Gradient},
    solver::{linesearch::MoreThuenteLineSearch, quasinewton::LBFGS},
};

/// Steps of a fit.
const STEPS: u64 = 200;
/// Vectors that L-BFGS remembers.
const MEMORY: usize = 7;
/// Norm of the gradient that is small enough.
const TOLERANCE: f64 = 1e-5;

/// What is fitted.
pub struct Problem<'a> {
    /// `[N]`
    pub rows: &'a Rows,
    /// `[N]` the true labels of each row.
    pub truth: &'a [Vec<u32>],
    /// `K`
    pub classes: usize,
    /// Columns of a row.
    pub width: usize,
    /// Whether a row can have several labels, or none.
    pub multi_label: bool,
    /// `[K]` what a row of each class counts; of several labels, what a yes counts.
    pub weights: Option<&'a [f32]>,
    /// `C`, the inverse of the regularisation's strength.
    pub c: f64,
}

/// A fitted regression.
#[derive(Clone, Debug)]
pub struct Logistic {
    classes: usize,
    multi_label: bool,
    /// `[width + 1, columns]`, the biases last.
    weights: Vec<f64>,
}

/// Columns of the weights: one is enough of two classes.
fn columns(classes: usize, multi_label: bool) -> usize {
    if classes == 2 && !multi_label { 1 } else { classes }
}

impl Problem<'_> {
    fn columns(&self) -> usize {
        columns(self.classes, self.multi_label)
    }

    /// Loss and gradient at `w [width + 1, columns]`.
    pub fn at(&self, w: &[f64]) -> (f64, Vec<f64>) {
        let (columns, count) = (self.columns(), self.rows.len() as f64);
        let biases = w.len() - columns;
        let held = 1.0 / (self.c * count);
        let mut gradient: Vec<f64> = w[..biases].iter().map(|w| w * held).collect();
        gradient.resize(w.len(), 0.0);
        let mut loss = held / 2.0 * w[..biases].iter().map(|w| w * w).sum::<f64>();
        let (mut z, mut dz) = (vec![0.0; columns], vec![0.0; columns]);
        for (at, labels) in self.truth.iter().enumerate() {
            scores(w, self.rows, at, &mut z);
            loss += self.item(&z, labels, &mut dz) / count;
            for (column, value) in self.rows.row(at) {
                for (g, d) in gradient[column * columns..][..columns].iter_mut().zip(&dz) {
                    *g += d * value / count;
                }
            }
            gradient[biases..].iter_mut().zip(&dz).for_each(|(g, d)| *g += d / count);
        }
        (loss, gradient)
    }

    /// The loss of a row with scores `z`, and its gradient.
    fn item(&self, z: &[f64], labels: &[u32], dz: &mut [f64]) -> f64 {
        let weight = |class: usize| self.weights.map_or(1.0, |weights| f64::from(weights[class]));
        if z.len() == self.classes && !self.multi_label {
            let class = labels[0] as usize;
            let sum = softmax(z, dz);
            dz.iter_mut().for_each(|p| *p *= weight(class));
            dz[class] -= weight(class);
            return weight(class) * (sum - z[class]);
        }
        let mut loss = 0.0;
        for (label, (z, dz)) in z.iter().zip(dz).enumerate() {
            // Of two classes the one score is that of the second.
            let (yes, weight) = match self.multi_label {
                true => {
                    let yes = labels.contains(&(label as u32));
                    (yes, if yes { weight(label) } else { 1.0 })
                }
                false => (labels[0] == 1, weight(labels[0] as usize)),
            };
            let sign = if yes { 1.0 } else { -1.0 };
            // log(1 + exp(−s z)), without overflow.
            let margin = sign * z;
            loss += weight * ((-margin.abs()).exp().ln_1p() + (-margin).max(0.0));
            *dz = -sign * weight * sigmoid(-margin);
        }
        loss
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Softmax of `z` into `p`; gives the logarithm of the sum of the exponentials.
fn softmax(z: &[f64], p: &mut [f64]) -> f64 {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    p.iter_mut().zip(z).for_each(|(p, z)| *p = (z - largest).exp());
    let sum: f64 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= sum);
    largest + sum.ln()
}

/// The scores of row `at`, `z [columns]`.
fn scores(w: &[f64], rows: &Rows, at: usize, z: &mut [f64]) {
    let columns = z.len();
    z.copy_from_slice(&w[w.len() - columns..]);
    for (column, value) in rows.row(at) {
        for (z, w) in z.iter_mut().zip(&w[column * columns..][..columns]) {
            *z += w * value;
        }
    }
}

impl CostFunction for &Problem<'_> {
    type Param = Vec<f64>;
    type Output = f64;
    fn cost(&self, w: &Vec<f64>) -> std::result::Result<f64, argmin::core::Error> {
        Ok(self.at(w).0)
    }
}

impl Gradient for &Problem<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;
    fn gradient(&self, w: &Vec<f64>) -> std::result::Result<Vec<f64>, argmin::core::Error> {
        Ok(self.at(w).1)
    }
}

impl Logistic {
    /// Fits from `start` on, or from zeros.
    ///
    /// # Errors
    /// [`Error::Data`] with what the library said.
    pub fn fit(problem: &Problem<'_>, start: Option<&Self>) -> Result<Self> {
        let Problem { classes, multi_label, .. } = *problem;
        let zeros = || vec![0.0; (problem.width + 1) * problem.columns()];
        let first = start.map_or_else(zeros, |start| start.weights.clone());
        let failed = |error: argmin::core::Error| {
            Error::Data(format!("the baseline cannot be fitted: {error}"))
        };
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
            .with_tolerance_grad(TOLERANCE)
            .and_then(|solver| solver.with_tolerance_cost(1e-12))
            .map_err(failed)?;
        let fitted = Executor::new(problem, solver)
            .configure(|state| state.param(first.clone()).max_iters(STEPS))
            .run();
        let weights = match fitted {
            Ok(mut fitted) => fitted.state.take_best_param().unwrap_or(first),
            // A line search that finds nothing lower is at the bottom already.
            Err(_) => first,
        };
        Ok(Self { classes, multi_label, weights })
    }

    /// The probability of each class for each row, `[N, K]`.
    pub fn probabilities(&self, rows: &Rows) -> Vec<f32> {
        let mut z = vec![0.0; columns(self.classes, self.multi_label)];
        let mut all = Vec::with_capacity(rows.len() * self.classes);
        for at in 0..rows.len() {
            scores(&self.weights, rows, at, &mut z);
            if self.multi_label {
                all.extend(z.iter().map(|z| sigmoid(*z) as f32));
            } else if z.len() == 1 {
                all.extend([sigmoid(-z[0]) as f32, sigmoid(z[0]) as f32]);
            } else {
                let mut p = vec![0.0; z.len()];
                softmax(&z, &mut p);
                all.extend(p.iter().map(|p| *p as f32));
            }
        }
        all
    }
}

//! Logistic regression over sparse rows.
//!
//! ```text
//! p = softmax(W x + b);  of two classes, and of several labels: σ(w x + b) for each
//! loss = Σ w_i (−log p_i[y_i]) / N + ‖W‖² / (2 C N)
//! ```
//! the objective of scikit-learn's `LogisticRegression`, divided by N; w_i is the weight of the
//! item's class, b is not held back.
//!
//! Every sum is taken in the same order whatever the number of threads: scores go row by row, and
//! the gradient column by column of a second, transposed copy of the rows.
use super::bag::Rows;
use super::minimize::{Stop, minimize};
use rayon::prelude::*;

/// To the end, for who wants the regression itself.
const EXACTLY: Stop = Stop { steps: 1000, gradient: 1e-7, fall: 0.0 };
/// Rows and columns that a thread takes at once.
const BLOCK: usize = 256;

/// What is fitted.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// `[N]`
    pub rows: &'a Rows,
    /// `[N]` the true labels of each row.
    pub truth: &'a [Vec<u32>],
    /// `K`
    pub classes: usize,
    /// Columns of a row; those from here on do not count.
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
    width: usize,
    /// `[width + 1, columns]`, the biases last.
    weights: Vec<f64>,
}

/// Columns of the weights: one is enough of two classes.
pub(super) fn columns(classes: usize, multi_label: bool) -> usize {
    if classes == 2 && !multi_label { 1 } else { classes }
}

impl Problem<'_> {
    fn columns(&self) -> usize {
        columns(self.classes, self.multi_label)
    }

    fn weight(&self, class: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[class]))
    }

    /// Loss and gradient at `w [width + 1, columns]`.
    pub fn at(&self, w: &[f64]) -> (f64, Vec<f64>) {
        let mut gradient = vec![0.0; w.len()];
        (Prepared::new(*self).value(w, &mut gradient), gradient)
    }

    /// `[columns]` the scores of a regression that knows how frequent classes are and nothing else.
    /// Half a row more of each, so that a class that does not occur is improbable, not
    /// impossible.
    fn biases(&self) -> Vec<f64> {
        let mut counts = vec![0.5; self.classes];
        for label in self.truth.iter().flatten() {
            counts[*label as usize] += self.weight(*label as usize);
        }
        let rest = |count: f64| (self.truth.len() as f64 - count).max(0.5);
        match (self.multi_label, &counts[..]) {
            (false, [first, second]) => vec![(second / first).ln()],
            (false, _) => counts.iter().map(|count| count.ln()).collect(),
            (true, _) => counts.iter().map(|count| (count / rest(*count)).ln()).collect(),
        }
    }

    /// The loss of a row; its scores `z [columns]` become their gradient.
    fn item(&self, z: &mut [f64], labels: &[u32]) -> f64 {
        if z.len() == self.classes && !self.multi_label {
            let class = labels[0] as usize;
            let (weight, own) = (self.weight(class), z[class]);
            let sum = softmax(z);
            z[class] -= 1.0;
            z.iter_mut().for_each(|p| *p *= weight);
            return weight * (sum - own);
        }
        let mut loss = 0.0;
        for (label, z) in z.iter_mut().enumerate() {
            // Of two classes the one score is that of the second.
            let (yes, weight) = match self.multi_label {
                true => {
                    let yes = labels.contains(&(label as u32));
                    (yes, if yes { self.weight(label) } else { 1.0 })
                }
                false => (labels[0] == 1, self.weight(labels[0] as usize)),
            };
            let sign = if yes { 1.0 } else { -1.0 };
            // log(1 + exp(−s z)), without overflow.
            let margin = sign * *z;
            loss += weight * ((-margin.abs()).exp().ln_1p() + (-margin).max(0.0));
            *z = -sign * weight * sigmoid(-margin);
        }
        loss
    }
}

/// A problem with its rows transposed.
pub(super) struct Prepared<'a> {
    problem: Problem<'a>,
    /// `[width + 1]`
    offsets: Vec<usize>,
    /// Rows, in order within a column, and values.
    entries: Vec<(u32, f32)>,
    /// `N`, not 0.
    count: f64,
}

impl<'a> Prepared<'a> {
    pub fn new(problem: Problem<'a>) -> Self {
        let entries = || {
            let row = |at| problem.rows.row(at).map(move |(column, value)| (at, column, value));
            (0..problem.rows.len()).flat_map(row).filter(|entry| entry.1 < problem.width)
        };
        let mut offsets = vec![0; problem.width + 1];
        entries().for_each(|(_, column, _)| offsets[column + 1] += 1);
        (0..problem.width).for_each(|column| offsets[column + 1] += offsets[column]);
        let mut next = offsets.clone();
        let mut transposed = vec![(0, 0.0); offsets[problem.width]];
        for (at, column, value) in entries() {
            transposed[next[column]] = (at as u32, value as f32);
            next[column] += 1;
        }
        let count = problem.rows.len().max(1) as f64;
        Self { problem, offsets, entries: transposed, count }
    }

    /// The same rows with another `C`.
    pub fn with(&mut self, c: f64) -> &Self {
        self.problem.c = c;
        self
    }

    /// Products that one evaluation takes.
    pub fn work(&self) -> usize {
        2 * self.entries.len() * self.problem.columns()
    }

    /// The loss at `w [width + 1, columns]`, and its gradient.
    fn value(&self, w: &[f64], gradient: &mut [f64]) -> f64 {
        let Problem { rows, truth, width, c, .. } = self.problem;
        let (columns, held) = (self.problem.columns(), 1.0 / (c * self.count));
        let mut z = scores(w, rows, width, columns);
        let losses = z.par_chunks_exact_mut(columns).zip(truth);
        let losses: Vec<f64> = losses.map(|(z, labels)| self.problem.item(z, labels)).collect();
        let (own, biases) = gradient.split_at_mut(width * columns);
        own.par_chunks_mut(BLOCK * columns).enumerate().for_each(|(block, gradient)| {
            for (at, gradient) in gradient.chunks_exact_mut(columns).enumerate() {
                let column = block * BLOCK + at;
                self.column(column, &z, gradient);
                let own = &w[column * columns..][..columns];
                gradient.iter_mut().zip(own).for_each(|(g, w)| *g = *g / self.count + held * w);
            }
        });
        biases.fill(0.0);
        for dz in z.chunks_exact(columns) {
            biases.iter_mut().zip(dz).for_each(|(bias, dz)| *bias += dz / self.count);
        }
        let squares: f64 = w[..width * columns].iter().map(|w| w * w).sum();
        losses.iter().sum::<f64>() / self.count + held / 2.0 * squares
    }

    /// `gradient [columns]` of the weights of a column, from those of the scores.
    fn column(&self, column: usize, dz: &[f64], gradient: &mut [f64]) {
        let entries = &self.entries[self.offsets[column]..self.offsets[column + 1]];
        if let [gradient] = gradient {
            let one = |(row, value): &(u32, f32)| f64::from(*value) * dz[*row as usize];
            *gradient = entries.iter().map(one).sum();
            return;
        }
        let columns = gradient.len();
        gradient.fill(0.0);
        for (row, value) in entries {
            let dz = &dz[*row as usize * columns..][..columns];
            gradient.iter_mut().zip(dz).for_each(|(g, d)| *g += f64::from(*value) * d);
        }
    }
}

/// `[N, columns]` the scores of rows.
fn scores(w: &[f64], rows: &Rows, width: usize, columns: usize) -> Vec<f64> {
    let (w, biases) = w.split_at(width * columns);
    let mut all = vec![0.0; rows.len() * columns];
    all.par_chunks_mut(BLOCK * columns).enumerate().for_each(|(block, z)| {
        for (at, z) in z.chunks_exact_mut(columns).enumerate() {
            z.copy_from_slice(biases);
            for (column, value) in rows.row(block * BLOCK + at).filter(|entry| entry.0 < width) {
                let w = &w[column * columns..][..columns];
                z.iter_mut().zip(w).for_each(|(z, w)| *z += w * value);
            }
        }
    });
    all
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Scores become probabilities; gives the logarithm of the sum of the exponentials.
fn softmax(z: &mut [f64]) -> f64 {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    z.iter_mut().for_each(|z| *z = (*z - largest).exp());
    let sum: f64 = z.iter().sum();
    z.iter_mut().for_each(|p| *p /= sum);
    largest + sum.ln()
}

impl Logistic {
    /// Fits to the end.
    pub fn fit(problem: &Problem<'_>) -> Self {
        let mut fitted = Self::new(problem);
        fitted.go_on(&Prepared::new(*problem), EXACTLY);
        fitted
    }

    /// What is known of the classes before a row is looked at.
    pub(super) fn new(problem: &Problem<'_>) -> Self {
        let Problem { classes, multi_label, width, .. } = *problem;
        let mut weights = vec![0.0; width * problem.columns()];
        weights.extend(problem.biases());
        Self { classes, multi_label, width, weights }
    }

    /// Goes on from what is known.
    pub(super) fn go_on(&mut self, problem: &Prepared<'_>, stop: Stop) {
        minimize(&mut self.weights, stop, |w, gradient| problem.value(w, gradient));
    }

    /// The probability of each class for each row, `[N, K]`.
    pub fn probabilities(&self, rows: &Rows) -> Vec<f32> {
        let columns = columns(self.classes, self.multi_label);
        let mut scores = scores(&self.weights, rows, self.width, columns);
        let mut all = Vec::with_capacity(rows.len() * self.classes);
        for z in scores.chunks_exact_mut(columns) {
            if self.multi_label {
                all.extend(z.iter().map(|z| sigmoid(*z) as f32));
            } else if self.classes == 2 {
                all.extend([sigmoid(-z[0]) as f32, sigmoid(z[0]) as f32]);
            } else {
                softmax(z);
                all.extend(z.iter().map(|p| *p as f32));
            }
        }
        all
    }
}

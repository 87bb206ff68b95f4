//! Reverse accumulation: values that remember what they were computed from.
//!
//! ```text
//! forward   v = f(a, b, ..)                        and, as edges, ∂f/∂a, ∂f/∂b, ..
//! back      da += dv ∂f/∂a, db += dv ∂f/∂b, ..     over all values, the last first
//! ```
//! (Linnainmaa, 1970.) The operations take and return vectors and work elementwise unless stated
//! otherwise, so that equations read as such.

use crate::NORM_EPSILON;
use alloc::{vec, vec::Vec};

/// A value's place on the tape.
pub type Var = usize;
pub type Vector = Vec<Var>;
/// A value and its derivative.
pub type Point = (f64, f64);

/// Every value that was computed, and what it was computed from.
#[derive(Default)]
pub struct Tape {
    pub values: Vec<f64>,
    /// For each value, where its edges end.
    ends: Vec<usize>,
    /// An operand and the derivative with respect to it.
    edges: Vec<(Var, f64)>,
}

impl Tape {
    fn push(&mut self, value: f64, edges: impl IntoIterator<Item = (Var, f64)>) -> Var {
        self.values.push(value);
        self.edges.extend(edges);
        self.ends.push(self.edges.len());
        self.values.len() - 1
    }

    pub fn leaves(&mut self, values: &[f64]) -> Vector {
        values.iter().map(|&value| self.push(value, [])).collect()
    }

    pub fn read(&self, vars: &[Var]) -> Vec<f64> {
        vars.iter().map(|&var| self.values[var]).collect()
    }

    /// Turns the gradients of the results into those of all values.
    pub fn run_back(&self, grads: &mut [f64]) {
        for var in (0..self.values.len()).rev() {
            let start = if var == 0 { 0 } else { self.ends[var - 1] };
            for &(operand, derivative) in &self.edges[start..self.ends[var]] {
                grads[operand] += grads[var] * derivative;
            }
        }
    }

    pub fn map(&mut self, v: &[Var], f: impl Fn(f64) -> Point) -> Vector {
        let point = |&var: &Var| {
            let (value, derivative) = f(self.values[var]);
            self.push(value, [(var, derivative)])
        };
        v.iter().map(point).collect()
    }

    pub fn add(&mut self, a: &[Var], b: &[Var]) -> Vector {
        self.sum(a, 1.0, b)
    }

    /// `a + scale * b`
    pub fn sum(&mut self, a: &[Var], scale: f64, b: &[Var]) -> Vector {
        let sum = |(&a, &b): (&Var, &Var)| {
            self.push(self.values[a] + scale * self.values[b], [(a, 1.0), (b, scale)])
        };
        a.iter().zip(b).map(sum).collect()
    }

    pub fn mul(&mut self, a: &[Var], b: &[Var]) -> Vector {
        a.iter().zip(b).map(|(a, b)| self.dot(&[*a], &[*b])).collect()
    }

    pub fn dot(&mut self, a: &[Var], b: &[Var]) -> Var {
        let mut sum = 0.0;
        for (&a, &b) in a.iter().zip(b) {
            let values = [self.values[a], self.values[b]];
            sum += values[0] * values[1];
            self.edges.extend([(a, values[1]), (b, values[0])]);
        }
        self.push(sum, [])
    }

    /// `share ⊙ a + (1 − share) ⊙ b`
    pub fn blend(&mut self, share: &[Var], a: &[Var], b: &[Var]) -> Vector {
        let difference = self.sum(a, -1.0, b);
        let part = self.mul(share, &difference);
        self.add(b, &part)
    }

    /// `(v − mean v) / √(var v + ε)`
    pub fn normalised(&mut self, v: &[Var]) -> Vector {
        let mean = self.mean(v);
        let centred = self.sum(v, -1.0, &mean);
        let squares = self.mul(&centred, &centred);
        let variance = self.mean(&squares);
        let scale = self.map(&variance, |v| {
            let v = v + f64::from(NORM_EPSILON);
            let scale = 1.0 / libm::sqrt(v);
            (scale, -0.5 * scale / v)
        });
        self.mul(&centred, &scale)
    }

    /// The mean, repeated for every value.
    fn mean(&mut self, v: &[Var]) -> Vector {
        let share = 1.0 / v.len() as f64;
        let sum: f64 = v.iter().map(|&var| self.values[var]).sum();
        let mean = self.push(share * sum, v.iter().map(|&var| (var, share)));
        vec![mean; v.len()]
    }
}

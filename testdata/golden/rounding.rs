//! How far a float32 implementation may be off: a tolerance for every tensor of a case, measured on
//! the case itself.
//!
//! # Derivation
//! To first order, what float32 computes is the exact result for operands that are each off by a
//! few units roundoff `u = 2^-24`, rounded once more (backward error analysis; Higham, Accuracy and
//! Stability of Numerical Algorithms, 2nd ed., sections 1.5 and 3.1). How far that moves a result
//! depends on the case: on its steps and layers, on how much its weights amplify, on what layer
//! normalisation divides by. So the tolerance is measured. The `f64` reference f computes the case
//! again with every operand off by a relative `±u`, with random signs:
//!
//! ```text
//! spread    = max over 16 draws of max |f(operands ⊙ (1 ± u)) − f(operands)|
//! tolerance = 16 (spread + u max |f(operands)|)
//! ```
//! for each tensor; the inner `max` is over its elements. The operands are inputs, states,
//! parameters and cotangents. Those of a training are inputs, targets and parameters, and they are
//! moved anew at every step, because the parameters are rounded at every step.
//!
//! The signs are random because rounding errors behave as if they were: n of them add up to about
//! √n u, not n u (Higham and Mary, A New Approach to Probabilistic Rounding Error Analysis, SIAM
//! Journal on Scientific Computing 41, 2019). Each product in a sum of n is moved on its own, so
//! the spread grows with √n as well, and the factor of 16 need not depend on the sizes. It stands
//! for the roundings that an operand goes through: of a product, of the partial sums, of the
//! activation (up to 2.5 ulp, which is 5 u).
//!
//! # Limits
//! The derivation fails where exact terms cancel for any operands, and rounded terms do not. A
//! single feature under layer normalisation is such a case: normalised, only its sign is left, and
//! its gradient is zero but for ε. So is a state of which a single unit is not zero. `generate.py`
//! keeps away from both.
//!
//! If the argument of max(·, 0) rounds to the other side of zero, there are two right gradients;
//! and some cases amplify rounding until little else is left. Both make the spread large. A
//! tolerance above a tenth of the tensor's largest value would test nothing, so it is an error.

use super::{Golden, Tensors, Test, pass::pass, training::train};
use std::collections::BTreeMap;

/// u, the largest relative error of rounding to float32.
const UNIT: f64 = 1.0 / (1 << 24) as f64;
const DRAWS: u64 = 16;
const FACTOR: f64 = 16.0;
/// The largest tolerance that still tests something, relative to the tensor's largest value.
const VACUOUS: f64 = 0.1;

/// Moves numbers by a relative ±u at random, or leaves them as they are.
pub struct Rounding(Option<u64>);

impl Rounding {
    pub fn round(&mut self, values: &mut [f64]) {
        let Some(state) = &mut self.0 else { return };
        for value in values {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(0x9e37_79b9);
            *value *= if *state >> 63 == 0 { 1.0 + UNIT } else { 1.0 - UNIT };
        }
    }
}

/// The tolerances of a file's results.
pub struct Tolerances<'a> {
    golden: &'a Golden,
    results: Tensors,
    tolerances: BTreeMap<String, f64>,
}

impl Golden {
    /// The `f64` reference's results.
    fn compute(&self, mut rounding: Rounding) -> Tensors {
        let mut operands = self.operands();
        if self.is_for(Test::Training) {
            return train(self, &operands, &mut rounding);
        }
        operands.values_mut().for_each(|values| rounding.round(values));
        pass(self, &operands)
    }

    /// The tolerances of the results.
    ///
    /// # Panics
    /// If the reference disagrees with the file, or a tolerance tests nothing.
    pub fn tolerances(&self) -> Tolerances<'_> {
        let exact = self.compute(Rounding(None));
        let mut spreads: BTreeMap<String, f64> = BTreeMap::new();
        for draw in 0..DRAWS {
            // Odd multiples of a large number: the first sign is already random.
            let seed = (2 * draw + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for (name, moved) in self.compute(Rounding(Some(seed))) {
                let off = largest(moved.iter().zip(&exact[&name]).map(|(a, b)| a - b));
                let spread = spreads.entry(name).or_default();
                *spread = spread.max(off);
            }
        }
        let tolerance = |(name, spread)| {
            let size = largest(exact[&name].iter().copied());
            let tolerance = FACTOR * (spread + UNIT * size);
            assert!(
                tolerance <= VACUOUS * size,
                "{} {name}: ill-conditioned, rounding moves {size:e} by {spread:e}; redraw it",
                self.name
            );
            (name, tolerance)
        };
        let tolerances = spreads.into_iter().map(tolerance).collect();
        let tolerances = Tolerances { golden: self, results: self.results(), tolerances };
        tolerances.check_reference(&exact);
        tolerances
    }
}

impl Tolerances<'_> {
    /// The file stores float32, off by `u |value|`. A thousandth of the tolerance is for the
    /// rounding of `f64`, in PyTorch and here, and for layer normalisation's ε, which is a float32
    /// number here.
    fn check_reference(&self, exact: &Tensors) {
        self.check_names("f64", exact);
        for (name, exact) in exact {
            for (i, (exact, want)) in exact.iter().zip(&self.results[name]).enumerate() {
                let tolerance = UNIT * want.abs() + 1e-3 * self.tolerances[name];
                assert!(
                    (exact - want).abs() <= tolerance,
                    "{} {name}[{i}]: the reference has {exact}, PyTorch {want}",
                    self.golden.name
                );
            }
        }
    }

    fn check_names(&self, what: &str, got: &Tensors) {
        let sizes = |tensors: &Tensors| -> Vec<_> {
            tensors.iter().map(|(name, values)| (name.clone(), values.len())).collect()
        };
        assert_eq!(sizes(got), sizes(&self.results), "{}, {what}: tensors", self.golden.name);
    }

    /// Compares all results of an implementation.
    pub fn check(&self, what: &str, got: &Tensors) {
        self.check_names(what, got);
        self.check_some(what, got);
    }

    /// Compares some results.
    pub fn check_some(&self, what: &str, got: &Tensors) {
        let file = &self.golden.name;
        let (mut share, mut place) = (0.0, "");
        for (name, got) in got {
            let (want, tolerance) = (&self.results[name], self.tolerances[name]);
            assert_eq!(got.len(), want.len(), "{file}, {what}: {name}");
            for (i, (got, want)) in got.iter().zip(want).enumerate() {
                let error = (got - want).abs();
                assert!(
                    error <= tolerance,
                    "{file}, {what}: {name}[{i}] is {got}, PyTorch has {want}; \
                     off by {error:e}, tolerance {tolerance:e}"
                );
                if error > share * tolerance {
                    (share, place) = (error / tolerance, name);
                }
            }
        }
        println!("{share:.3} of the tolerance: {file}, {what}, {place}");
    }
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |largest, value| if value.is_nan() { value } else { largest.max(value.abs()) })
}

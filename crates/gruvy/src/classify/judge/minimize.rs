//! The least of a smooth convex function: L-BFGS with a backtracking line search.
//!
//! ```text
//! d = −H ∇f,  H from the last steps and the changes of ∇f that they made
//! x ← x + t d, t = 1, then less until f has fallen by at least a ten thousandth of t |∇f·d|
//! ```
//! Source: Nocedal and Wright, Numerical Optimization (2006), algorithms 7.4 and 3.1. On a convex
//! function every step has positive curvature, so that the line search needs no second condition:
//! each step then takes one evaluation, seldom two, of loss and gradient together.
use lbfgs::Lbfgs;

/// Steps that are remembered; each takes two vectors.
const MEMORY: usize = 5;
/// Least share of the fall that the slope promises.
const ARMIJO: f64 = 1e-4;
/// Shortenings of a step; after so many nothing but rounding is left.
const SHORTENINGS: usize = 30;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// Steps at most.
    pub steps: usize,
    /// No partial derivative is larger.
    pub gradient: f64,
    /// A step that makes the value fall by a smaller share of it is the last.
    pub fall: f64,
}

/// Moves `x [P]` to the least value of a function, which is given `x` and writes its gradient
/// `[P]`.
pub(super) fn minimize(
    x: &mut Vec<f64>,
    stop: Stop,
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
) {
    let mut gradient = vec![0.0; x.len()];
    let mut value = function(x, &mut gradient);
    let mut memory = Lbfgs::new(x.len(), MEMORY).with_sy_epsilon(f64::MIN_POSITIVE);
    let (mut next, mut next_gradient) = (x.clone(), gradient.clone());
    let mut direction = gradient.clone();
    for step in 0..stop.steps {
        if gradient.iter().all(|partial| partial.abs() <= stop.gradient) {
            return;
        }
        memory.update_hessian(&gradient, x);
        direction.copy_from_slice(&gradient);
        memory.apply_hessian(&mut direction);
        let mut slope = -dot(&gradient, &direction);
        if slope >= 0.0 || !slope.is_finite() {
            memory.reset();
            direction.copy_from_slice(&gradient);
            slope = -dot(&gradient, &gradient);
        }
        // Without memory the direction says nothing about how far to go.
        let mut length = if step == 0 { (-1.0 / slope).sqrt().min(1.0) } else { 1.0 };
        let before = value;
        let fell = (0..SHORTENINGS).any(|_| {
            next.iter_mut()
                .zip(x.iter())
                .zip(&direction)
                .for_each(|((n, x), d)| *n = x - length * d);
            value = function(&next, &mut next_gradient);
            let fell = value <= before + ARMIJO * length * slope;
            // To the least of the parabola through both values and the slope.
            let best = -slope * length / (2.0 * (value - before - slope * length));
            length *= if best.is_finite() { best.clamp(0.1, 0.5) } else { 0.1 };
            fell
        });
        if !fell {
            return;
        }
        std::mem::swap(x, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        if before - value <= stop.fall * before.abs() {
            return;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: Stop = Stop { steps: 200, gradient: 1e-10, fall: 0.0 };

    #[test]
    fn a_narrow_valley_is_followed_to_its_end() {
        let mut x = vec![-1.0, 2.0, 5.0, 0.0];
        let mut calls = 0;
        minimize(&mut x, STOP, |x, gradient| {
            calls += 1;
            let scales = [1.0, 1e2, 1e4, 1e-2];
            let parts = x.iter().zip(scales).zip(1..).zip(gradient).map(|(((x, s), at), g)| {
                *g = s * (x - f64::from(at));
                0.5 * s * (x - f64::from(at)).powi(2)
            });
            parts.sum()
        });
        for (x, at) in x.iter().zip(1..) {
            assert!((x - f64::from(at)).abs() < 1e-6, "{x}, expected {at}, after {calls} calls");
        }
        assert!(calls < 100, "{calls}");
    }

    #[test]
    fn what_has_no_least_value_or_is_no_number_comes_to_an_end() {
        let mut x = vec![0.0];
        minimize(&mut x, STOP, |x, gradient| {
            gradient[0] = -(-x[0]).exp();
            (-x[0]).exp()
        });
        assert!(x[0] > 15.0, "{x:?}");
        let mut x = vec![1.0];
        minimize(&mut x, STOP, |_, gradient| {
            gradient[0] = f64::NAN;
            f64::NAN
        });
        assert_eq!(x, [1.0]);
    }
}

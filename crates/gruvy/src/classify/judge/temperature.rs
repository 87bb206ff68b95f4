//! Temperature scaling: one number that makes probabilities mean what they say, and changes no
//! prediction.
//!
//! Logits are divided by `T`, and `T` is chosen to make the log loss on validation items least. In
//! `β = 1 / T` the loss is convex:
//!
//! ```text
//! L(β) = Σ_n ln Σ_k exp(β z_nk) − β E_q[z_n],     L'(β) = Σ_n E_p[z_n] − E_q[z_n],     p = softmax(β z_n)
//! several labels:  L'(β) = Σ_n Σ_k (σ(β z_nk) − q_nk) z_nk
//! ```
//! so the root of `L'` is found by halving an interval, in `f64`.
//!
//! q is the truth but for a share ε = 1 / (N + 2), which the other classes have (Platt 1999): N
//! items that are all right make nobody surer than they can.
//!
//! Sources: Guo et al., On Calibration of Modern Neural Networks (2017), 1706.04599; Platt,
//! Probabilistic outputs for support vector machines (1999).

/// `T` from 0.05 to 20: beyond, all probabilities are 0, 1 or `1 / K` anyway.
const LOW: f64 = 0.05;
const HIGH: f64 = 20.0;
/// Halvings of the interval; after 60 it is as small as rounding.
const STEPS: usize = 60;

/// The temperature that makes the log loss of `softmax(logits / T)` least, or of `sigmoid(logits /
/// T)` with `multi_label`: between 0.05 and 20, and 1 if there are no items or the data do not
/// tell.
///
/// `logits` are `[N, classes]`, `truth` is `[N]` with the indices of the true labels; an item
/// without one does not count unless `multi_label`.
///
/// # Panics
/// If `logits` are fewer than `N × classes`, or a label is not below `classes`.
pub fn temperature(logits: &[f32], truth: &[Vec<u32>], classes: usize, multi_label: bool) -> f64 {
    assert!(
        logits.len() >= truth.len() * classes,
        "{} logits, expected {} items × {classes} classes",
        logits.len(),
        truth.len()
    );
    let spared = 1.0 / (truth.len() as f64 + 2.0);
    let slope = |beta: f64| -> f64 {
        let rows = truth.iter().enumerate().map(|(n, truth)| {
            let row = &logits[n * classes..(n + 1) * classes];
            if multi_label {
                slope_of_many(row, truth, beta, spared)
            } else {
                slope_of_one(row, truth, beta, spared)
            }
        });
        rows.sum()
    };
    let at_one = slope(1.0);
    if at_one == 0.0 || !at_one.is_finite() {
        return 1.0;
    }
    // The loss falls towards larger β, or towards smaller ones.
    let (mut low, mut high) = if at_one < 0.0 { (1.0, 1.0 / LOW) } else { (1.0 / HIGH, 1.0) };
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if slope(middle) < 0.0 { low = middle } else { high = middle }
    }
    (1.0 / f64::midpoint(low, high)).clamp(LOW, HIGH)
}

fn slope_of_one(row: &[f32], truth: &[u32], beta: f64, spared: f64) -> f64 {
    let Some(own) = truth.first().map(|label| f64::from(row[*label as usize])) else { return 0.0 };
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let own = own - f64::from(top);
    let (mut sum, mut mean, mut all) = (0.0, 0.0, 0.0);
    for z in row {
        // From the top down, so that nothing overflows; the same is taken from the true one below.
        let z = f64::from(*z) - f64::from(top);
        let e = (beta * z).exp();
        sum += e;
        mean += e * z;
        all += z;
    }
    let others = (all - own) / (row.len() as f64 - 1.0).max(1.0);
    mean / sum - ((1.0 - spared) * own + spared * others)
}

fn slope_of_many(row: &[f32], truth: &[u32], beta: f64, spared: f64) -> f64 {
    let one = |(z, label): (&f32, u32)| {
        let z = f64::from(*z);
        let y = if truth.contains(&label) { 1.0 - spared } else { spared };
        (1.0 / (1.0 + (-beta * z).exp()) - y) * z
    };
    row.iter().zip(0..).map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from 0 to 1 that look random.
    fn uniform(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    fn loss(logits: &[f32], truth: &[Vec<u32>], k: usize, multi: bool, t: f64) -> f64 {
        let one = |(n, truth): (usize, &Vec<u32>)| -> f64 {
            let row: Vec<f64> =
                logits[n * k..(n + 1) * k].iter().map(|z| f64::from(*z) / t).collect();
            if multi {
                let nats = |(label, z): (usize, &f64)| {
                    let sign = if truth.contains(&(label as u32)) { -1.0 } else { 1.0 };
                    (sign * z).exp().ln_1p()
                };
                return row.iter().enumerate().map(nats).sum();
            }
            row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[truth[0] as usize]
        };
        truth.iter().enumerate().map(one).sum()
    }

    /// Items whose labels are drawn from the probabilities of logits, which are then multiplied by
    /// `t`.
    fn drawn(n: usize, k: usize, multi: bool, t: f64) -> (Vec<f32>, Vec<Vec<u32>>) {
        let mut random = uniform(7);
        let (mut logits, mut truth) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let row: Vec<f64> = (0..k).map(|_| 4.0 * random() - 2.0).collect();
            if multi {
                let has = |z: &f64| random() < 1.0 / (1.0 + (-z).exp());
                let has: Vec<bool> = row.iter().map(has).collect();
                truth.push((0..k as u32).filter(|label| has[*label as usize]).collect());
            } else {
                let sum: f64 = row.iter().map(|z| z.exp()).sum();
                let mut left = random() * sum;
                let fits = |z: &f64| {
                    left -= z.exp();
                    left <= 0.0
                };
                truth.push(vec![row.iter().position(fits).unwrap_or(k - 1) as u32]);
            }
            logits.extend(row.iter().map(|z| (z * t) as f32));
        }
        (logits, truth)
    }

    #[test]
    fn a_known_temperature_is_found() {
        for multi in [false, true] {
            for t in [0.5, 1.0, 3.0] {
                let (logits, truth) = drawn(20_000, 5, multi, t);
                let found = temperature(&logits, &truth, 5, multi);
                assert!((found / t - 1.0).abs() < 0.03, "{found}, expected {t}");
                let best = loss(&logits, &truth, 5, multi, found);
                for other in [0.99, 1.01] {
                    assert!(best <= loss(&logits, &truth, 5, multi, found * other));
                }
            }
        }
    }

    #[test]
    fn right_answers_alone_make_nobody_surer_than_so_many_can() {
        for n in [1, 10, 1000] {
            let (logits, truth) = ([2.0, 0.0, 0.0].repeat(n), vec![vec![0]; n]);
            let t = temperature(&logits, &truth, 3, false);
            let e = (2.0 / t).exp();
            let p = e / (e + 2.0);
            let expected = 1.0 - 1.0 / (n as f64 + 2.0);
            assert!((p - expected).abs() < 1e-6, "{n}: {p}, expected {expected}");
            let t = temperature(&[2.0, -2.0].repeat(n), &truth, 2, true);
            let p = 1.0 / (1.0 + (-2.0 / t).exp());
            assert!((p - expected).abs() < 1e-6, "{n}: {p}, expected {expected}");
        }
    }

    #[test]
    fn odd_items_leave_it_at_one_or_at_a_bound() {
        assert_eq!(temperature(&[], &[], 3, false), 1.0);
        assert_eq!(temperature(&[0.0; 6], &[vec![0], vec![1]], 3, false), 1.0);
        assert_eq!(temperature(&[f32::NAN, 1.0], &[vec![0]], 2, false), 1.0);
        assert_eq!(temperature(&[1.0, 0.0], &[vec![]], 2, false), 1.0);
        let sure = temperature(&[0.01, 0.0], &[vec![0]], 2, false);
        assert!((sure - LOW).abs() < 1e-6, "{sure}");
        let wrong = temperature(&[900.0, 0.0], &[vec![1]], 2, false);
        assert!((wrong - HIGH).abs() < 1e-6, "{wrong}");
    }
}

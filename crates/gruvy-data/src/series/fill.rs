//! The usual ways to fill a gap.
use super::format::Fill;

/// Fills what is missing between the first and the last value there. `season`: in steps.
pub(super) fn fill(y: &mut [f64], how: Fill, season: usize) {
    let known = |value: &f64| !value.is_nan();
    let (Some(first), Some(last)) = (y.iter().position(known), y.iter().rposition(known)) else {
        return;
    };
    let y = &mut y[first..=last];
    let straight = linear(y);
    let (sum, count) = y.iter().filter(|v| known(v)).fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
    for at in 0..y.len() {
        if known(&y[at]) {
            continue;
        }
        y[at] = match how {
            Fill::None => f64::NAN,
            Fill::Zero => 0.0,
            // What was before is there, or is filled by now.
            Fill::Forward => y[at - 1],
            Fill::Linear => straight[at],
            Fill::Mean => sum / count,
            Fill::Seasonal => {
                let before = at.checked_sub(season).map(|before| y[before]);
                let after = y.get(at + season).copied();
                [before, after].into_iter().flatten().find(known).unwrap_or(straight[at])
            }
        };
    }
}

/// The series with straight lines over its gaps; its first and last value are there.
fn linear(y: &[f64]) -> Vec<f64> {
    let mut out = y.to_vec();
    let mut from = 0;
    for to in 1..y.len() {
        if y[to].is_nan() {
            continue;
        }
        let step = (y[to] - y[from]) / (to - from) as f64;
        for (ahead, value) in out[from..to].iter_mut().enumerate() {
            *value = y[from] + step * ahead as f64;
        }
        from = to;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_fills_what_is_between() {
        let gaps = [f64::NAN, 1.0, f64::NAN, f64::NAN, 7.0, 4.0, f64::NAN];
        let filled = |how| {
            let mut y = gaps;
            fill(&mut y, how, 3);
            assert!(y[0].is_nan() && y[6].is_nan(), "{how:?}");
            [y[2], y[3]]
        };
        assert!(filled(Fill::None).iter().all(|value| value.is_nan()));
        assert_eq!(filled(Fill::Zero), [0.0, 0.0]);
        assert_eq!(filled(Fill::Forward), [1.0, 1.0]);
        assert_eq!(filled(Fill::Linear), [3.0, 5.0]);
        assert_eq!(filled(Fill::Mean), [4.0, 4.0]);
        assert_eq!(filled(Fill::Seasonal), [4.0, 5.0]);
    }
}

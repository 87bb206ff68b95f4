//! The `f64` reference against central differences: every parameter, x and h0.

use gruvy_kernels::reference::{Params, backward, forward};
use gruvy_kernels::{Cell, Sequence};

/// A fixed, irregular value.
fn value(i: usize) -> f64 {
    ((i as f64) * 12.9898 + 4.1).sin() * 0.9
}

fn values(len: usize, seed: usize) -> Vec<f64> {
    (0..len).map(|i| value(i + 1000 * seed)).collect()
}

#[test]
fn gradients_equal_central_differences() {
    let (t, b, input, hidden) = (4, 3, 2, 3);
    let mut checked = 0;
    for cell in Cell::ALL {
        for (lengths, reverse) in
            [(None, false), (None, true), (Some([4, 2, 0]), false), (Some([1, 4, 3]), true)]
        {
            let seq = Sequence {
                seq_len: t,
                batch: b,
                lengths: lengths.as_ref().map(|l| &l[..]),
                reverse,
            };
            let gates = cell.gates() * hidden;
            let params = Params {
                w_ih: values(gates * input, 1),
                w_hh: values(gates * hidden, 2),
                b_ih: values(gates, 3),
                b_hh: values(gates, 4),
            };
            let (x, h0, dy) =
                (values(t * b * input, 5), values(b * hidden, 6), values(t * b * hidden, 7));
            let sizes = [input, hidden];
            let g = backward(cell, &seq, sizes, &params, &x, &h0, &dy);
            let loss = |p: &Params, x: &[f64], h0: &[f64]| -> f64 {
                let y = forward(cell, &seq, sizes, p, x, h0);
                y.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
            };
            let mut check = |what: &str, analytic: &[f64], shifted: &dyn Fn(usize, f64) -> f64| {
                for (i, &analytic) in analytic.iter().enumerate() {
                    let step = 1e-5;
                    let numeric = (shifted(i, step) - shifted(i, -step)) / (2.0 * step);
                    let error = (numeric - analytic).abs();
                    assert!(
                        error < 1e-8,
                        "{cell:?} {lengths:?} {reverse} {what}[{i}]: {analytic} {numeric}"
                    );
                    checked += 1;
                }
            };
            let shift = |v: &[f64], i: usize, by: f64| {
                let mut v = v.to_vec();
                v[i] += by;
                v
            };
            let p = &params;
            check("w_ih", &g.params.w_ih, &|i, d| {
                loss(&Params { w_ih: shift(&p.w_ih, i, d), ..p.clone() }, &x, &h0)
            });
            check("w_hh", &g.params.w_hh, &|i, d| {
                loss(&Params { w_hh: shift(&p.w_hh, i, d), ..p.clone() }, &x, &h0)
            });
            check("b_ih", &g.params.b_ih, &|i, d| {
                loss(&Params { b_ih: shift(&p.b_ih, i, d), ..p.clone() }, &x, &h0)
            });
            check("b_hh", &g.params.b_hh, &|i, d| {
                loss(&Params { b_hh: shift(&p.b_hh, i, d), ..p.clone() }, &x, &h0)
            });
            check("x", &g.dx, &|i, d| loss(p, &shift(&x, i, d), &h0));
            check("h0", &g.dh0, &|i, d| loss(p, &x, &shift(&h0, i, d)));
        }
    }
    assert_eq!(checked, 2 * 4 * (18 + 27 + 9 + 9 + 24 + 9));
}

//! One recurrent layer and direction: on the kernels where there are some, else in plain tensor
//! operations.
use super::call::{Settings, Weights, check, has_kernels, steps_past_end};
use super::fused;
use super::plain::plain;
use burn::tensor::{Int, Tensor, TensorData};

/// Runs one layer and direction: x `[T, B, I]`, h0 `[B, K * H]` (none: zeros) → y `[T, B, H]` and
/// the state `[B, K * H]` of each sequence after its last step. A sequence of length 0 keeps its
/// h0.
///
/// Differentiable in `x`, `h0` and every weight.
///
/// # Panics
/// If shapes, lengths, rates or data types do not fit each other.
pub fn recurrence(
    settings: &Settings,
    x: Tensor<3>,
    h0: Option<Tensor<2>>,
    weights: Weights,
) -> (Tensor<3>, Tensor<2>) {
    check(settings, &x, h0.as_ref(), &weights);
    if !has_kernels(&x.device()) {
        return plain(settings, x, h0, weights);
    }
    let [seq_len, batch, _] = x.dims();
    let out = fused::recurrence(settings, x, h0.clone(), weights);
    let hidden = out.dims()[2];
    if settings.cell.states() == 1 {
        let last = last_h(settings, &out, h0);
        return (out, last);
    }
    let y = out.clone().narrow(0, 0, seq_len);
    let h = last_h(settings, &y, h0.map(|h0| h0.narrow(1, 0, hidden)));
    let c = out.narrow(0, seq_len, 1).reshape([batch, hidden]);
    (y, Tensor::cat(vec![h, c], 1))
}

/// h `[B, H]` of each sequence in `y [T, B, H]` after its last step.
fn last_h(settings: &Settings, y: &Tensor<3>, h0: Option<Tensor<2>>) -> Tensor<2> {
    let [seq_len, batch, hidden] = y.dims();
    let at_step = |t| y.clone().narrow(0, t, 1).squeeze_dim::<2>(0);
    let Some(lengths) = &settings.lengths else {
        return at_step(if settings.reverse { 0 } else { seq_len - 1 });
    };
    let last = if settings.reverse {
        at_step(0)
    } else {
        let row = |(b, len): (usize, &usize)| (len.saturating_sub(1) * batch + b) as i64;
        let rows: Vec<i64> = lengths.iter().enumerate().map(row).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [batch]), &y.device());
        y.clone().reshape([seq_len * batch, hidden]).select(0, rows)
    };
    match h0 {
        Some(h0) if lengths.contains(&0) => {
            let empty = steps_past_end(lengths, 1, &y.device()).squeeze_dim::<2>(0);
            last.mask_where(empty.expand([batch, hidden]), h0)
        }
        _ => last,
    }
}

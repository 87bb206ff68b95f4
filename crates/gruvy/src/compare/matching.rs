//! Equal parameters: the hidden size with which another cell's model is nearest to a given one.
//!
//! ```text
//! hidden(cell) = argmin_H | parameters(cell, H) − budget |
//! ```
//! Counted is all that is trained: embedding, recurrent layers and head. Width of the input and the
//! head are the task's and stay; a tied embedding is as wide as the hidden state and goes with it. A
//! decoder keeps its size and goes with the cell.
use crate::error::{Error, Result};
use gruvy_kernels::Cell;
use gruvy_runtime::model::{Head, Input, Spec};
use serde::{Deserialize, Serialize};

/// Parameters may differ by that share of the budget; what is further off is not called equal.
const TOLERANCE: f64 = 0.1;
/// No hidden size is larger.
const MAX_HIDDEN: usize = 1 << 20;

/// What the models of the cells have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// The number of trained values, as nearly as a hidden size can make it.
    #[default]
    Parameters,
    /// The hidden size.
    Hidden,
}

/// `spec` with another recurrence of another size.
pub(super) fn resized(spec: &Spec, cell: Cell, hidden: usize) -> Spec {
    let mut spec = spec.clone();
    (spec.rnn.cell, spec.rnn.hidden_size) = (cell, hidden);
    if let (Head::Tied, Input::Embedding { dim, .. }) = (&spec.head, &mut spec.input) {
        *dim = spec.rnn.directions() * hidden;
        spec.rnn.input_size = *dim;
    }
    if let Some(decoder) = &mut spec.decoder {
        decoder.rnn.cell = cell;
        spec.head = Head::Linear { outputs: decoder.rnn.num_layers * decoder.rnn.state_size() };
    }
    spec
}

/// The hidden size with which `cell` in place of the cell of `spec` has the number of parameters
/// nearest to that of `spec`; of two equally near ones the smaller.
///
/// # Errors
/// [`Error::Setting`] if even the nearest is more than a tenth off.
pub fn nearest_hidden(spec: &Spec, cell: Cell) -> Result<usize> {
    let budget = spec.parameters();
    let parameters = |hidden| resized(spec, cell, hidden).parameters();
    // Parameters grow with the hidden size: halve down to the last that is not above the budget.
    let (mut below, mut above) = (0, MAX_HIDDEN);
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if parameters(middle) <= budget { below = middle } else { above = middle }
    }
    let distance = |hidden: &usize| parameters(*hidden).abs_diff(budget);
    let nearest = [below, above].into_iter().filter(|h| *h > 0).min_by_key(distance);
    let nearest = nearest.expect("above is at least 1");
    if distance(&nearest) as f64 > TOLERANCE * budget as f64 {
        let (first, own) = (spec.rnn.cell.name(), spec.rnn.hidden_size);
        let expected = format!(
            "too small for equal parameters: {first} has {budget} with it, and the nearest that \
             {} can have \
             is {} with {nearest}; expected a larger hidden, or to match hidden",
            cell.name(),
            parameters(nearest)
        );
        return Err(Error::setting("hidden", own, expected));
    }
    Ok(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gruvy_runtime::model::RnnSpec;

    fn spec(cell: Cell, hidden: usize, layers: usize, tied: bool) -> Spec {
        let dim = if tied { hidden } else { 24 };
        let rnn = RnnSpec {
            cell,
            input_size: dim,
            hidden_size: hidden,
            num_layers: layers,
            bidirectional: false,
            bias: true,
            zoneout: 0.0,
            layer_norm: false,
        };
        let head = if tied { Head::Tied } else { Head::Linear { outputs: 65 } };
        Spec { input: Input::Embedding { vocab: 65, dim }, rnn, pool: None, head, decoder: None }
    }

    #[test]
    fn no_neighbour_is_nearer() {
        let sizes = [(16, 1), (61, 2), (128, 3), (500, 1)];
        for (first, (hidden, layers)) in Cell::ALL.into_iter().flat_map(|c| sizes.map(|s| (c, s))) {
            for (cell, tied) in Cell::ALL.into_iter().flat_map(|c| [(c, false), (c, true)]) {
                let spec = spec(first, hidden, layers, tied);
                let distance = |h| resized(&spec, cell, h).parameters().abs_diff(spec.parameters());
                let nearest = nearest_hidden(&spec, cell).unwrap();
                for other in [nearest - 1, nearest + 1] {
                    assert!(distance(nearest) <= distance(other), "{spec:?} {cell:?} {nearest}");
                }
                resized(&spec, cell, nearest).validate().unwrap();
            }
        }
    }

    #[test]
    fn what_cannot_be_matched_is_refused() {
        let one = spec(Cell::Rnn, 1, 3, true);
        let error = nearest_hidden(&one, Cell::Lstm).unwrap_err().to_string();
        for part in ["hidden = 1", "rnn", "lstm", "larger"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_first_cell_keeps_its_size() {
        for cell in Cell::ALL {
            assert_eq!(nearest_hidden(&spec(cell, 37, 2, true), cell).unwrap(), 37);
        }
    }
}

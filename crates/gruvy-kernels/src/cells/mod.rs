//! The arithmetic of the cells, one file each.

mod gru;
mod gru_v3;
mod lstm;
mod min_gru;
mod rnn;

pub(crate) use gru::Gru;
pub(crate) use gru_v3::GruV3;
pub(crate) use lstm::Lstm;
pub(crate) use min_gru::MinGru;
pub(crate) use rnn::Rnn;

/// Runs `$body` with `$C` standing for the cell's [`Recurrence`](crate::cell::Recurrence).
macro_rules! with_cell {
    ($cell:expr, $C:ident => $body:expr) => {
        match $cell {
            $crate::dims::Cell::Gru => {
                type $C = $crate::cells::Gru;
                $body
            }
            $crate::dims::Cell::GruV3 => {
                type $C = $crate::cells::GruV3;
                $body
            }
            $crate::dims::Cell::Lstm => {
                type $C = $crate::cells::Lstm;
                $body
            }
            $crate::dims::Cell::Rnn => {
                type $C = $crate::cells::Rnn<false>;
                $body
            }
            $crate::dims::Cell::RnnRelu => {
                type $C = $crate::cells::Rnn<true>;
                $body
            }
            $crate::dims::Cell::MinGru => {
                type $C = $crate::cells::MinGru;
                $body
            }
        }
    };
}
pub(crate) use with_cell;

//! Fused kernels as Burn operations: one recurrent layer and direction over a whole sequence, a head
//! with its loss ([`linear_cross_entropy`]), and the loss of labels without places ([`ctc_loss`]).
//!
//! ```text
//! y[t] = cell(x[t], y[t − 1]),  y[−1] = h0          (reverse: from the last valid step to the first)
//! ```
//!
//! * x `[T, B, I]`, states `[B, K * H]` (K = 2 for the LSTM: h, then c; else 1), y `[T, B, H]`, all
//!   time-major; weights in PyTorch's layout.
//! * The operation has one output: y, and the LSTM's last c behind it. The last h is a view of y.
//! * Regularisers are part of the operation, forward and backward ([`Noise`],
//!   [`Settings::zoneout`], the gains of [`Weights`]): no tensor of the graph holds a mask.
//! * On Flex, [`recurrence`] calls the kernels of `gruvy_kernels` forward and backward: one node of
//!   the autodiff graph, with the activated gates as its state. On any other backend it is
//!   [`plain`], the same function in ordinary tensor operations.

mod ahead;
pub(crate) mod call;
pub(crate) mod ctc;
pub(crate) mod fused;
pub(crate) mod head;
pub(crate) mod memory;
pub(crate) mod plain;
pub(crate) mod recurrence;

pub use call::{Head, Noise, Settings, Weights};
pub use ctc::{CtcAsked, ctc_loss};
pub use gruvy_kernels::Dropout;
pub use head::linear_cross_entropy;
pub use memory::Memory;
pub use plain::{plain, plain_head};
pub use recurrence::recurrence;

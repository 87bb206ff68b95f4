//! One step of a recurrence, forward and backward: the buffers that a cell works on, and what all
//! cells do with them.

mod backward;
mod forward;
mod place;

pub(crate) use backward::{BackwardStep, Before};
pub(crate) use forward::{ForwardStep, HiddenProduct};
pub(crate) use place::{Place, Valid};

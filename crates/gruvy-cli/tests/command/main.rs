//! The command, end to end.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod compare;
mod flow;
mod memory;
mod place;
mod resume;

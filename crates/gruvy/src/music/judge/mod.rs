//! What was composed beside what was learned from: is it a copy, and is it like it?
mod chain;
mod copied;
#[cfg(feature = "draw")]
mod page;
mod report;
mod statistics;

pub use chain::Chain;
pub use copied::{Copied, LEAST, Row, Strokes};
pub use report::{Composed, Distance, Originality, Report};
pub use statistics::{Statistic, statistics};

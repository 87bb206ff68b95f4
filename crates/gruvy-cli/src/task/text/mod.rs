//! Text on the command line.
pub mod generate;

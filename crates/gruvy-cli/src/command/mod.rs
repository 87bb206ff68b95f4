//! The subcommands that know no task.
pub mod bench;
pub mod compare;
pub mod data;
pub mod demo;
pub mod eval;
pub mod info;
pub mod inspect;
pub mod train;

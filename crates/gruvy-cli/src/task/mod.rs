//! The tasks on the command line: a room for each, what the command asks of one, and the list of
//! them.
//!
//! A new task is a module here with a type that is a [`door::Task`], and one line in
//! [`list::with`].

pub mod classify;
pub mod door;
pub mod forecast;
pub mod list;
pub mod memory;
pub mod music;
pub mod speech;
pub mod text;

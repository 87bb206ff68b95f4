//! The command, end to end.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod bench;
mod classify;
mod compare;
mod damage;
mod data;
mod flow;
mod forecast;
mod inspect;
mod memory;
mod models;
mod music;
mod place;
mod resume;
mod soundfont;
mod speech;
mod tasks;

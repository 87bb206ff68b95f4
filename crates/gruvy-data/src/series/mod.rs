//! Series from tables: files in, regular series out.
//!
//! ```text
//! CSV, Parquet ──table──> text ──layout──> roles of columns ──stamps──> rows of series ──grid──> Panel
//! ```
//!
//! Taken as they are: the long table `unique_id, ds, y` of Nixtla's libraries, a single series, a
//! series per column and a series per row (the M4 competition). What is guessed is said in
//! [`Panel::notes`](gruvy_runtime::series::Panel::notes); what cannot be right is an error
//! with file, line and series. A missing value stays missing (NaN), unless [`Fill`] asks for more.
mod fill;
mod format;
mod grid;
mod infer;
mod layout;
mod per_row;
mod read;
mod roles;
mod stamps;
mod start;
mod zone;

pub use format::{Fill, Found, Layout, SeriesFormat};
pub use read::{read_panel, read_series};

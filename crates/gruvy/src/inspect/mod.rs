//! Looking into a model: what its gates do on one sequence, how long its units remember, and how
//! far back a gradient reaches.
//!
//! ```text
//! ModelFile ┐
//!           ├─> Trace: gates [T, H], states [T, H], losses [T] ─> Report ─> page (HTML), picture (SVG, PNG)
//! Example ──┘      └─> Flow: |∂ loss_s / ∂ state_{s−d}| over d ──┘
//! ```
//!
//! The gates are what the kernels save for their backward pass, and the gradient is the kernels'
//! backward pass run one step at a time: nothing is computed by a second implementation.
//!
//! ```no_run
//! use gruvy::inspect::{Example, Trace};
//! use gruvy_runtime::model::ModelFile;
//!
//! let model = ModelFile::open("runs/my-book")?;
//! let trace = Trace::new(&model, Example::of_text(&model, "Once upon a time", 100)?)?;
//! for gate in &trace.layers[0].gates {
//!     println!("{}: {:?}", gate.name, gate.saturation());
//! }
//! println!("half-lives in steps: {:?}", trace.layers[0].half_lives());
//! println!("gradient flow: {:?}", trace.gradient_flow(50)?.total);
//! # Ok::<(), gruvy::Error>(())
//! ```
pub(crate) mod example;
pub(crate) mod flow;
pub(crate) mod head;
pub(crate) mod layer;
pub(crate) mod page;
#[cfg(feature = "draw")]
pub(crate) mod picture;
pub(crate) mod report;
pub(crate) mod trace;

pub use example::{Example, Inputs, Target};
pub use flow::Flow;
pub use report::{FlowLine, LayerReport, Map, Report, ReportConfig, Summary};
pub use trace::{GateTrace, LayerTrace, Saturation, Trace};

//! How good class probabilities are, beside a simple method that knows no order.
//!
//! ```text
//! Answers ──> judge ──> Judgement: metrics, a row for each class, confusion, calibration, mistakes
//! ```
//! Numbers in, report out: nothing here knows the model that answered.
//!
//! ```
//! use gruvy::classification::{Answers, JudgeConfig, judge};
//!
//! let labels = ["ham".to_owned(), "spam".to_owned()];
//! let answers = Answers {
//!     labels: &labels,
//!     multi_label: false,
//!     truth: &[vec![0], vec![1], vec![1]],
//!     probabilities: &[0.9, 0.1, 0.2, 0.8, 0.7, 0.3],
//! };
//! let judgement = judge(&answers, &JudgeConfig::default())?;
//! assert_eq!(judgement.confusion, [[1, 0], [1, 1]]);
//! assert_eq!(judgement.metrics.roc_auc, Some(1.0));
//! assert_eq!(judgement.mistakes[0].item, 2);
//! # Ok::<(), gruvy::Error>(())
//! ```
mod answers;
mod calibration;
mod explanation;
mod judge;
mod metrics;
mod temperature;

pub use answers::{Answers, THRESHOLD};
pub use calibration::CalibrationBin;
pub use explanation::{explanation_html, explanation_text};
pub use judge::{JudgeConfig, Judgement, Mistake, judge};
pub use metrics::{ClassMetrics, ClassRow};
pub use temperature::temperature;

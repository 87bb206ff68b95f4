//! How good class probabilities are, beside a simple method that knows no order.
//!
//! ```text
//! Answers ──> judge ──> Judgement: metrics, a row for each class, confusion, calibration, mistakes
//!    │                      └─> Report: beside the baseline, a sentence, pictures, a page (HTML)
//!    └ a model, and Baseline: logistic regression of a bag of words
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
mod bag;
mod baseline;
mod calibration;
mod explanation;
mod judge;
mod logistic;
mod metrics;
mod minimize;
mod picture;
mod report;
mod temperature;

pub use answers::{Answers, THRESHOLD};
pub use bag::Rows;
pub use baseline::{Baseline, BaselineData};
pub use calibration::CalibrationBin;
pub use explanation::{explanation_html, explanation_text};
pub use judge::{JudgeConfig, Judgement, Mistake, judge};
pub use logistic::{Logistic, Problem};
pub use metrics::{ClassMetrics, ClassRow};
pub use report::{BASELINE, Report, verdict};
pub use temperature::temperature;

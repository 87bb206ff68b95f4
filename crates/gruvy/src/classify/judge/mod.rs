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
//! use gruvy::classify::judge::{Answers, JudgeConfig, judge};
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
pub(crate) mod answers;
pub(crate) mod bag;
pub(crate) mod baseline;
pub(crate) mod calibration;
pub(crate) mod explanation;
pub(crate) mod judgement;
pub(crate) mod logistic;
pub(crate) mod metrics;
pub(crate) mod minimize;
#[cfg(feature = "draw")]
pub(crate) mod page;
#[cfg(feature = "draw")]
pub(crate) mod picture;
pub(crate) mod report;
pub(crate) mod temperature;

pub use answers::{Answers, THRESHOLD};
pub use bag::Rows;
pub use baseline::{Baseline, BaselineData};
pub use calibration::CalibrationBin;
pub use explanation::{explanation_html, explanation_text};
pub use judgement::{JudgeConfig, Judgement, Mistake, judge};
pub use logistic::{Logistic, Problem};
pub use metrics::{ClassMetrics, ClassRow};
pub use report::{BASELINE, Report, verdict};
pub use temperature::temperature;

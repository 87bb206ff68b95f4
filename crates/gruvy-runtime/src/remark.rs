//! What was chosen or noticed on somebody's behalf.
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that was chosen by the data, and can be chosen otherwise; or that was noticed in them.
/// It reads as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The setting that was chosen; none: something was only noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// What was chosen for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The sentence, without a full stop.
    pub why: String,
    /// Whether it is too usual to be said; the list has it.
    #[serde(skip)]
    pub usual: bool,
}

impl Remark {
    /// A value was chosen for a setting.
    pub fn chosen(setting: &str, value: impl fmt::Display, why: impl Into<String>) -> Self {
        let (setting, value) = (Some(setting.to_owned()), Some(value.to_string()));
        Self { setting, value, why: why.into(), usual: false }
    }

    /// The usual value was chosen for a setting, which is not said.
    pub fn usual(setting: &str, value: impl fmt::Display, why: impl Into<String>) -> Self {
        Self { usual: true, ..Self::chosen(setting, value, why) }
    }

    /// The sentences for a person, in order, without the usual: one that is about
    /// several settings is said once.
    pub fn sentences(remarks: &[Self]) -> Vec<&str> {
        let said = remarks.iter().filter(|remark| !remark.usual);
        let mut all: Vec<&str> = said.map(|remark| remark.why.as_str()).collect();
        all.dedup();
        all
    }
}

impl From<String> for Remark {
    fn from(why: String) -> Self {
        Self { setting: None, value: None, why, usual: false }
    }
}

impl From<&str> for Remark {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

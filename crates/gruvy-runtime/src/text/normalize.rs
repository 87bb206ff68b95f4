//! One spelling for what reads alike: `é` is one character, or an `e` and an accent.
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// How a codec makes texts of the same characters alike before it reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Normalize {
    /// It does not.
    #[default]
    None,
    /// Unicode's form C, which composes characters.
    Nfc,
}

impl Normalize {
    /// The text as the codec reads it.
    pub fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::None => text.into(),
            Self::Nfc => nfc(text),
        }
    }

    /// For files of before, which do not know of it.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A text in Unicode's form C.
pub fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => text.into(),
        _ => text.nfc().collect::<String>().into(),
    }
}

//! Settings, each declared once: name, type, default, range and help.
//!
//! [`settings!`](crate::settings!) makes a struct of the declarations. Whatever a door has (flags,
//! a settings file, JSON, keywords) is laid over such a struct by name, through [`lay_over`].
use crate::error::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt;

/// The declaration of a setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name: that of the field.
    pub name: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// What stands for its value in a help text, such as `N`.
    pub value: &'static str,
    /// What it does: a sentence without its full stop.
    pub help: &'static str,
}

/// What a setting can be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// True or false.
    Switch,
    /// A whole number, at least this.
    Whole(u64),
    /// A number.
    Number(Range),
    /// Numbers.
    Numbers,
    /// One of these names.
    Choice(fn() -> Vec<&'static str>),
    /// A single character.
    Character,
    /// A text, of which the field's type knows what it can be.
    Text,
    /// Texts.
    Texts,
    /// A file or folder.
    Path,
}

/// The numbers that a setting can be; all are finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Above 0.
    Positive,
    /// 0 or more.
    NotNegative,
    /// At least 0 and less than 1.
    Share,
    /// Above 0, at most 1.
    Part,
    /// From 0 to 1.
    Unit,
}

impl Range {
    fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::Positive => value > 0.0,
                Self::NotNegative => value >= 0.0,
                Self::Share => (0.0..1.0).contains(&value),
                Self::Part => value > 0.0 && value <= 1.0,
                Self::Unit => (0.0..=1.0).contains(&value),
            }
    }
}

impl fmt::Display for Kind {
    /// What is expected.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("true or false"),
            Self::Whole(least) => write!(f, "a whole number, at least {least}"),
            Self::Number(Range::Positive) => f.write_str("a number above 0"),
            Self::Number(Range::NotNegative) => f.write_str("a number, 0 or more"),
            Self::Number(Range::Share) => f.write_str("at least 0 and less than 1"),
            Self::Number(Range::Part) => f.write_str("above 0, at most 1"),
            Self::Number(Range::Unit) => f.write_str("0 to 1"),
            Self::Numbers => f.write_str("numbers with commas between them"),
            Self::Choice(names) => write!(f, "one of {}", names().join(", ")),
            Self::Character => f.write_str("a single character"),
            Self::Text | Self::Path => f.write_str("a text"),
            Self::Texts => f.write_str("names with commas between them"),
        }
    }
}

impl Kind {
    /// The value as the field's type takes it, out of a text (of a command line) or of JSON; `None`
    /// if it cannot be.
    fn read(self, value: &Value) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        match self {
            Self::Switch => match text {
                Some("true") => Some(true.into()),
                Some("false") => Some(false.into()),
                Some(_) => None,
                None => value.as_bool().map(Value::from),
            },
            Self::Whole(least) => {
                let number = match text {
                    Some(text) => text.parse().ok()?,
                    None => value.as_u64()?,
                };
                (number >= least).then(|| number.into())
            }
            Self::Number(range) => {
                let number = match text {
                    Some(text) => text.parse().ok()?,
                    None => value.as_f64()?,
                };
                range.holds(number).then(|| number.into())
            }
            Self::Numbers => {
                let numbers: Vec<f64> = match text {
                    Some(text) => text
                        .split(',')
                        .map(|part| part.trim().parse().ok())
                        .collect::<Option<_>>()?,
                    None => value.as_array()?.iter().map(Value::as_f64).collect::<Option<_>>()?,
                };
                Some(numbers.into())
            }
            Self::Choice(names) => {
                let text = text?;
                names().contains(&text).then(|| text.into())
            }
            Self::Character => {
                let text = value.as_str()?;
                (text.chars().count() == 1).then(|| text.into())
            }
            Self::Text | Self::Path => value.as_str().map(Value::from),
            Self::Texts => match value {
                Value::String(text) => Some(text.split(',').map(Value::from).collect()),
                Value::Array(all) => all.iter().all(Value::is_string).then(|| value.clone()),
                _ => None,
            },
        }
    }
}

/// A struct whose fields are declared settings.
pub trait Settings: Serialize + DeserializeOwned {
    /// The declarations, in the order in which a person reads them.
    const SETTINGS: &'static [Setting];
}

/// Lays a value over the setting of a name, `hidden_size` or `hidden-size`.
///
/// # Errors
/// [`Error::Setting`] for a value that it cannot be, [`Error::Unknown`] for a name that no setting
/// has.
pub fn lay_over<T: Settings>(to: &mut T, name: &str, value: &Value) -> Result<()> {
    let Some(setting) = find(T::SETTINGS, name) else {
        return Err(unknown(name, T::SETTINGS.iter().map(|setting| setting.name)));
    };
    *to = laid_over(to, &[], setting, value)?;
    Ok(())
}

/// The setting of a name.
pub fn find(settings: &'static [Setting], name: &str) -> Option<&'static Setting> {
    settings.iter().find(|setting| same(setting.name, name))
}

/// Whether a name is that of a setting, with `-` for `_`.
fn same(setting: &str, name: &str) -> bool {
    setting.len() == name.len()
        && setting.bytes().zip(name.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}

/// `of` with another value of a setting that lies in the table at `path`.
///
/// # Errors
/// [`Error::Setting`] for a value that it cannot be.
pub fn laid_over<T: Serialize + DeserializeOwned>(
    of: &T,
    path: &[&str],
    setting: &Setting,
    value: &Value,
) -> Result<T> {
    let shown = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let wrong = |expected: String| Error::setting(setting.name, shown(), expected);
    let value = setting.kind.read(value).ok_or_else(|| wrong(setting.kind.to_string()))?;
    let mut all = serde_json::to_value(of).map_err(|error| wrong(error.to_string()))?;
    let mut table = &mut all;
    for name in path {
        table = &mut table[*name];
    }
    table[setting.name] = value;
    serde_json::from_value(all).map_err(|error| {
        // A type says what it got and what it expected; the former is said already.
        let error = error.to_string();
        wrong(error.split_once("expected ").map_or(&*error, |(_, expected)| expected).to_owned())
    })
}

/// Refuses values of settings that they cannot be, in a table.
///
/// # Errors
/// [`Error::Setting`] naming the first.
pub fn check(table: &Value, settings: &'static [Setting]) -> Result<()> {
    for setting in settings {
        let Some(value) = table.get(setting.name) else { continue };
        // JSON has no other numbers than finite ones; what else is null was not given.
        let not_finite = value.is_null() && matches!(setting.kind, Kind::Number(_));
        if not_finite || !value.is_null() && setting.kind.read(value).is_none() {
            let shown = match value {
                Value::Null => "NaN or infinite".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            return Err(Error::setting(setting.name, shown, setting.kind.to_string()));
        }
    }
    Ok(())
}

/// The error for a name that no setting has, with those that are like it.
pub fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Error {
    let name = name.replace('-', "_");
    let mut near: Vec<(f64, &str)> =
        known.map(|other| (strsim::jaro_winkler(&name, other), other)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near = near.into_iter().filter(|(like, _)| *like > 0.8).take(3);
    Error::Unknown { near: near.map(|(_, other)| other.to_owned()).collect(), name }
}

/// Makes a struct of settings: `name: type = default, kind, "VALUE", "help";`. A field without a
/// kind is a table of settings of its own.
///
/// ```
/// use gruvy_data::settings::{Kind, Range, lay_over};
///
/// gruvy_data::settings! {
///     /// How to cook an egg.
///     pub struct Egg {
///         minutes: f64 = 4.5, Kind::Number(Range::Positive), "MIN", "Time in boiling water";
///         eggs: usize = 1, Kind::Whole(1), "N", "How many";
///     }
/// }
/// let mut egg = Egg::default();
/// lay_over(&mut egg, "minutes", &"7".into())?;
/// assert_eq!(egg, Egg { minutes: 7.0, eggs: 1 });
/// let problem = lay_over(&mut egg, "minuets", &"7".into()).unwrap_err().to_string();
/// assert_eq!(problem, "there is no setting `minuets`; did you mean `minutes`?");
/// # Ok::<(), gruvy_data::Error>(())
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$outer:meta])*
        pub struct $name:ident $(<$g:ident: $bound:path>)? {
            $(
                $(#[$inner:meta])*
                $field:ident: $type:ty = $default:expr
                    $(, $kind:expr, $value:literal, $help:literal)?;
            )*
        }
    ) => {
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        $(#[$outer])*
        pub struct $name $(<$g>)? {
            $(
                $(#[doc = concat!($help, ".")])?
                $(#[$inner])*
                pub $field: $type,
            )*
        }

        impl $(<$g: $bound>)? Default for $name $(<$g>)? {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl $(<$g: $bound>)? $crate::settings::Settings for $name $(<$g>)? {
            const SETTINGS: &'static [$crate::settings::Setting] = &[
                $($($crate::settings::Setting {
                    name: stringify!($field),
                    kind: $kind,
                    value: $value,
                    help: $help,
                },)?)*
            ];
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    settings! {
        /// Everything.
        pub struct All {
            switch: bool = false, Kind::Switch, "BOOL", "A switch";
            most: usize = 1, Kind::Whole(1), "N", "A number of things";
            share: f64 = 0.5, Kind::Number(Range::Share), "P", "A share";
            levels: Vec<f64> = vec![0.5], Kind::Numbers, "LEVELS", "Levels";
            way: String = "up".into(), Kind::Choice(|| vec!["up", "down"]), "", "A way";
            #[serde(skip_serializing_if = "Option::is_none")]
            mark: Option<char> = None, Kind::Character, "CHAR", "A mark";
            names: Vec<String> = vec![], Kind::Texts, "NAMES", "Names";
        }
    }

    fn set(name: &str, value: Value) -> Result<All, String> {
        let mut all = All::default();
        lay_over(&mut all, name, &value).map_err(|error| error.to_string())?;
        Ok(all)
    }

    #[test]
    fn texts_and_json_are_the_same() {
        for (name, text, value) in [
            ("switch", "true", json!(true)),
            ("most", "7", json!(7)),
            ("share", "0.25", json!(0.25)),
            ("levels", "0.1, 0.9", json!([0.1, 0.9])),
            ("way", "down", json!("down")),
            ("mark", "|", json!("|")),
            ("names", "a,b", json!(["a", "b"])),
        ] {
            let (by_text, by_value) = (set(name, text.into()).unwrap(), set(name, value).unwrap());
            assert_eq!(by_text, by_value, "{name}");
            assert_ne!(by_text, All::default(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_is_named_with_what_can() {
        for (name, value, expected) in [
            ("switch", json!("yes"), "switch is yes; expected true or false"),
            ("most", json!(0), "most is 0; expected a whole number, at least 1"),
            ("most", json!("-7"), "most is -7; expected a whole number, at least 1"),
            ("share", json!("1"), "share is 1; expected at least 0 and less than 1"),
            ("share", json!("NaN"), "share is NaN; expected"),
            ("levels", json!("0.1;0.9"), "levels is 0.1;0.9; expected numbers"),
            ("way", json!("left"), "way is left; expected one of up, down"),
            ("mark", json!("||"), "mark is ||; expected a single character"),
            ("names", json!(3), "names is 3; expected names"),
            ("switches", json!(3), "there is no setting `switches`; did you mean `switch`?"),
            ("zzz", json!(3), "there is no setting `zzz`"),
        ] {
            let problem = set(name, value).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
        let table = json!({ "most": 0, "share": 0.1 });
        assert!(check(&table, All::SETTINGS).unwrap_err().to_string().starts_with("most is 0"));
        let mut all = All { share: f64::NAN, ..All::default() };
        let problem = check(&json!(all), All::SETTINGS).unwrap_err().to_string();
        assert!(problem.starts_with("share is NaN or infinite; expected"), "{problem}");
        all.share = 0.0;
        check(&json!(all), All::SETTINGS).unwrap();
    }
}

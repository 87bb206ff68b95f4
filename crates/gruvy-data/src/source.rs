//! The `source` of a model file: how the training data were read, as a reader wrote it.
//!
//! A model outlives the program that trained it. So nothing in a source can make a model
//! unreadable: options that this program does not know, or values of them that it does not know,
//! are left at their defaults.
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// What is kept of how data were read.
pub fn to_source<T: Serialize>(format: &T) -> Value {
    serde_json::to_value(format).unwrap_or_default()
}

/// How data are read, by what was kept.
pub fn from_source<T: Default + DeserializeOwned>(source: &Value) -> T {
    let Some(source) = source.as_object() else { return T::default() };
    let read = |map: Map<String, Value>| serde_json::from_value::<T>(Value::Object(map)).ok();
    let known = |(name, value): &(&String, &Value)| {
        read(Map::from_iter([((*name).clone(), (*value).clone())])).is_some()
    };
    let map = source.iter().filter(known).map(|(name, value)| (name.clone(), value.clone()));
    read(map.collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{Fill, SeriesFormat};
    use serde_json::json;

    #[test]
    fn what_is_not_known_is_left_out() {
        let format = SeriesFormat { id: Some("store".into()), ..SeriesFormat::default() };
        let mut source = to_source(&format);
        assert_eq!(from_source::<SeriesFormat>(&source), format);
        source["fill"] = json!("spline");
        source["decimal"] = json!(",");
        assert_eq!(from_source::<SeriesFormat>(&source), format);
        source["fill"] = json!("zero");
        assert_eq!(from_source::<SeriesFormat>(&source).fill, Fill::Zero);
        assert_eq!(from_source::<SeriesFormat>(&Value::Null), SeriesFormat::default());
    }
}

//! Headers of earlier versions of the model file, made into today's. Files of every version that
//! was ever released load.
//!
//! ```text
//! version 1   codec.format held how the data were read
//! version 2   that is `source`, which only readers look into; a forecast codec keeps the names of its covariates;
//!             `checksum` is that of the tensors
//! ```
use serde_json::{Map, Value, json};

/// The version of the format that is written.
pub const FORMAT_VERSION: u64 = 2;

/// Makes a header of version 1 one of version 2.
pub(super) fn from_version_1(header: &mut Map<String, Value>) {
    let Some(codec) = header.get_mut("codec").and_then(Value::as_object_mut) else { return };
    let Some(format) = codec.remove("format") else { return };
    if codec.get("task").is_some_and(|task| task == "forecast") {
        let list = |name: &str| format.get(name).cloned().unwrap_or_else(|| json!([]));
        let columns = ["statics", "past", "future"].map(|name| (name.to_owned(), list(name)));
        codec.insert("columns".to_owned(), Value::Object(columns.into_iter().collect()));
    }
    header.insert("source".to_owned(), format);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_becomes_the_source() {
        let mut header = json!({
            "codec": { "task": "forecast", "format": { "time": "ds", "past": ["x"] }, "season": 1 },
        });
        from_version_1(header.as_object_mut().unwrap());
        assert_eq!(
            header,
            json!({
                "codec": {
                    "task": "forecast", "season": 1,
                    "columns": { "statics": [], "past": ["x"], "future": [] },
                },
                "source": { "time": "ds", "past": ["x"] },
            })
        );
        let mut header = json!({ "codec": { "task": "text" } });
        from_version_1(header.as_object_mut().unwrap());
        assert_eq!(header, json!({ "codec": { "task": "text" } }));
    }
}

//! A JSON object per line: `{"text": "a fine film", "label": "good"}`; or one array of such
//! objects.
use super::{
    columns::{IDS, LABELS, TEXTS, by_name},
    format::{ExampleFormat, FileFormat},
    labels::{NO_LABEL, label, yes},
    part::{Part, listed},
    places::{Places, Unit},
    wanted::Wanted,
};
use crate::error::Result;
use crate::error::problem_at;
use gruvy_runtime::Remark;
use gruvy_runtime::items::Items;
use serde_json::{Map, Value};
use std::{collections::HashSet, path::Path};

pub(crate) type Object = Map<String, Value>;

/// Which keys are read.
struct Keys {
    text: String,
    labels: Vec<String>,
    id: Option<String>,
}

/// Reads an object per line, where blank lines are nothing, or an array of objects.
pub(super) fn read(file: &Path, text: &str, wanted: &Wanted) -> Result<Part> {
    let objects = objects(file, text)?;
    let first = &objects[0].0;
    let keys =
        Keys::of(&objects, wanted).map_err(|problem| problem_at(file, Some(*first), problem))?;
    let format = &wanted.format;
    let (mut texts, mut labels, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for (number, object) in &objects {
        let error = |problem| problem_at(file, Some(*number), problem);
        texts.push(keys.text(object).map_err(error)?);
        labels.push(keys.labels(object, format).map_err(error)?);
        ids.push(keys.id(object).map_err(error)?);
    }
    let lines: Vec<u64> = objects.iter().map(|(number, _)| *number).collect();
    let labels = match labels.iter().position(Option::is_none) {
        Some(at)
            if wanted.labelled
                && (!format.label_column.is_empty() || labels.iter().any(Option::is_some)) =>
        {
            return Err(problem_at(file, Some(lines[at]), NO_LABEL.into()));
        }
        Some(_) => None,
        None => labels.into_iter().collect(),
    };
    let ids = match ids.iter().position(Option::is_none) {
        Some(at) if wanted.asked.id_column.is_some() => {
            let problem =
                "the name of the item (the setting `id_column`) is missing; every object needs one";
            return Err(problem_at(file, Some(lines[at]), problem.into()));
        }
        _ => ids.into_iter().collect(),
    };
    Ok(Part {
        file: file.to_owned(),
        items: Items::Text(texts),
        notes: vec![Remark::chosen("file_format", "json-lines", keys.note(labels.is_some()))],
        labels,
        ids,
        places: Places::of(file, Unit::Line, lines.into_iter()),
        format: keys.found(format),
    })
}

/// The objects of a file, at least one, each with its line.
pub(crate) fn objects(file: &Path, text: &str) -> Result<Vec<(u64, Object)>> {
    let objects = match text.trim_start().starts_with('[') {
        true => of_array(file, text)?,
        false => of_lines(file, text)?,
    };
    match objects.is_empty() {
        true => {
            Err(problem_at(file, None, "the file is empty; expected an object per line".into()))
        }
        false => Ok(objects),
    }
}

/// What is wrong with JSON, without the line, which counts from where it begins.
fn said(problem: &serde_json::Error) -> String {
    let text = problem.to_string();
    match text.split_once(" at line ") {
        Some((what, _)) if problem.line() == 1 => format!("{what} in column {}", problem.column()),
        Some((what, _)) => format!("{what}, {} lines below", problem.line() - 1),
        None => text,
    }
}

/// An object per line, with its line.
fn of_lines(file: &Path, text: &str) -> Result<Vec<(u64, Object)>> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let read = |(line, number): (&str, u64)| match object(line) {
        Ok(object) => Ok((number, object)),
        Err(problem) => Err(problem_at(file, Some(number), problem)),
    };
    lines.map(read).collect()
}

/// The objects of an array, each with the line on which it begins.
fn of_array(file: &Path, text: &str) -> Result<Vec<(u64, Object)>> {
    let mut objects = Vec::new();
    let mut rest = Rest { text, line: 1 };
    rest.blanks();
    rest.skip(1);
    rest.blanks();
    while !rest.text.starts_with(']') {
        let line = rest.line;
        let error = |problem: String| problem_at(file, Some(line), problem);
        let mut values = serde_json::Deserializer::from_str(rest.text).into_iter::<Value>();
        let object = match values.next() {
            Some(Ok(Value::Object(object))) => object,
            Some(Ok(other)) => {
                let problem =
                    format!("{} is no object; expected an array of objects", shown(&other));
                return Err(error(problem));
            }
            Some(Err(problem)) => return Err(error(format!("not valid JSON: {}", said(&problem)))),
            None => return Err(error("the array has no end: the file is cut off".into())),
        };
        let length = values.byte_offset();
        objects.push((line, object));
        rest.skip(length);
        rest.blanks();
        if rest.text.starts_with(',') {
            rest.skip(1);
            rest.blanks();
        } else if !rest.text.starts_with(']') {
            let problem = "expected a comma or the end of the array behind the object";
            return Err(problem_at(file, Some(rest.line), problem.into()));
        }
    }
    rest.skip(1);
    rest.blanks();
    match rest.text {
        "" => Ok(objects),
        _ => Err(problem_at(
            file,
            Some(rest.line),
            "there is more behind the end of the array".into(),
        )),
    }
}

/// What is left of a text, and the line on which it begins.
struct Rest<'a> {
    text: &'a str,
    line: u64,
}

impl Rest<'_> {
    fn skip(&mut self, bytes: usize) {
        let (before, after) = self.text.split_at(bytes.min(self.text.len()));
        self.line += before.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.text = after;
    }

    fn blanks(&mut self) {
        self.skip(self.text.len() - self.text.trim_start().len());
    }
}

/// The object of a line.
fn object(line: &str) -> Result<Object, String> {
    match serde_json::from_str(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Array(_)) => {
            Err("a JSON array; write an object per line, or all objects in one array".into())
        }
        Ok(other) => Err(format!("`{other}` is no object; expected an object per line")),
        Err(error) => Err(format!(
            "not valid JSON: {}; expected an object per line, all of it in it",
            said(&error)
        )),
    }
}

impl Keys {
    /// The keys that the training data had, else those that are found.
    fn of(objects: &[(u64, Object)], wanted: &Wanted) -> Result<Self, String> {
        let Wanted { format, .. } = wanted;
        let mut keys = match &format.text_column {
            Some(text) if wanted.by_name() => {
                let seen: HashSet<&str> = objects
                    .iter()
                    .flat_map(|(_, object)| object.keys())
                    .map(String::as_str)
                    .collect();
                let labels = if wanted.labelled { &format.label_column[..] } else { &[] };
                let needed = [(text, "text_column")].into_iter();
                let needed = needed.chain(labels.iter().map(|label| (label, "label_column")));
                if let Some((name, setting)) =
                    needed.into_iter().find(|(name, _)| !seen.contains(name.as_str()))
                {
                    let mut names: Vec<&str> = seen.into_iter().collect();
                    names.sort_unstable();
                    return Err(format!(
                        "there is no key `{name}`, which the training data had; there are {}: say \
                         which one takes its place \
                         with the setting `{setting}`",
                        listed(&names)
                    ));
                }
                let usual = || {
                    let left: Vec<&str> =
                        seen.iter().copied().filter(|name| name != text).collect();
                    by_name(&left, &IDS).map(str::to_owned)
                };
                let id = format.id_column.clone().or_else(usual);
                Self { text: text.clone(), labels: format.label_column.clone(), id }
            }
            _ => Self::find(objects, if wanted.known { &wanted.asked } else { format })?,
        };
        if !wanted.labelled {
            keys.labels.clear();
        }
        Ok(keys)
    }

    /// The settings that name these keys.
    fn found(&self, asked: &ExampleFormat) -> ExampleFormat {
        ExampleFormat {
            file_format: FileFormat::JsonLines,
            text_column: Some(self.text.clone()),
            label_column: self.labels.clone(),
            id_column: self.id.clone(),
            header: Some(true),
            ..asked.clone()
        }
    }

    /// What is asked for, else what has a usual name in any of the objects.
    fn find(objects: &[(u64, Object)], format: &ExampleFormat) -> Result<Self, String> {
        let mut names: Vec<&str> = Vec::new();
        let mut seen = HashSet::new();
        for name in objects.iter().flat_map(|(_, object)| object.keys()) {
            if seen.insert(name.as_str()) {
                names.push(name);
            }
        }
        if let Some((setting, name)) =
            format.named().find(|(_, name)| !seen.contains(name.as_str()))
        {
            return Err(format!(
                "there is no key `{name}` ({setting}); there are {}",
                listed(&names)
            ));
        }
        let mut left = names.clone();
        left.retain(|name| !format.ignore_columns.iter().any(|known| known == name));
        let labels = match by_name(&left, &LABELS) {
            _ if !format.label_column.is_empty() => format.label_column.clone(),
            Some(name) => vec![name.to_owned()],
            None => Vec::new(),
        };
        let id = format.id_column.clone().or_else(|| by_name(&left, &IDS).map(str::to_owned));
        left.retain(|name| !labels.iter().chain(&id).any(|known| known == name));
        let first = &objects[0].1;
        let mut strings =
            left.iter().filter(|name| first.get(**name).is_some_and(Value::is_string));
        let only = strings.next().filter(|_| strings.next().is_none());
        let text = format.text_column.as_deref().or_else(|| by_name(&left, &TEXTS));
        match text.or(only.copied()) {
            Some(text) => Ok(Self { text: text.to_owned(), labels, id }),
            None => Err(format!(
                "no key looks like the text; there are {}: say which one it is with the setting \
                 `text_column`",
                listed(&names)
            )),
        }
    }

    fn text(&self, object: &Object) -> Result<String, String> {
        match object.get(&self.text) {
            Some(Value::String(text)) => Ok(text.trim().to_owned()),
            Some(other) => Err(format!("`{}` is {}; expected a string", self.text, shown(other))),
            None => Err(format!("there is no key `{}`; there are {}", self.text, keys(object))),
        }
    }

    /// The labels; `None` where there are none to read.
    fn labels(
        &self,
        object: &Object,
        format: &ExampleFormat,
    ) -> Result<Option<Vec<String>>, String> {
        if let [key] = &self.labels[..] {
            let Some(value) = object.get(key).filter(|value| !value.is_null()) else {
                return Ok(None);
            };
            return labels_of(value, format)
                .map(Some)
                .map_err(|problem| format!("`{key}` {problem}"));
        }
        let mut labels = Vec::new();
        for key in &self.labels {
            let value = object.get(key).unwrap_or(&Value::Null);
            match scalar(value).as_deref().and_then(yes) {
                Some(true) => labels.push(key.clone()),
                Some(false) => {}
                None => {
                    return Err(format!(
                        "`{key}` is {}; with several keys of labels each says 0 or 1 (true or \
                         false)",
                        shown(value)
                    ));
                }
            }
        }
        Ok((!self.labels.is_empty()).then_some(labels))
    }

    fn id(&self, object: &Object) -> Result<Option<String>, String> {
        let Some(key) = &self.id else { return Ok(None) };
        match object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match scalar(value) {
                Some(id) => Ok(Some(id)),
                None => Err(format!("`{key}` is {}; expected a string or a number", shown(value))),
            },
        }
    }

    fn note(&self, labelled: bool) -> String {
        let label = match labelled {
            true => format!("label in {}", listed(&self.labels)),
            false => "no label".into(),
        };
        format!("JSON: text in key `{}`, {label}", self.text)
    }
}

/// The labels of a value: itself, or what is in it.
fn labels_of(value: &Value, format: &ExampleFormat) -> Result<Vec<String>, String> {
    let one = |value: &Value| match scalar(value) {
        Some(name) if !label(&name).is_empty() => Ok(label(&name).to_owned()),
        Some(_) => Err(format!("is empty: {NO_LABEL}")),
        None => Err(format!("is {}; expected a string, a number or a list of them", shown(value))),
    };
    match (value, format.label_separator) {
        (Value::Array(all), _) => {
            let mut labels: Vec<String> = Vec::new();
            for value in all {
                let name = one(value)?;
                if !labels.contains(&name) {
                    labels.push(name);
                }
            }
            Ok(labels)
        }
        (Value::String(cell), Some(separator)) => Ok(super::labels::split(cell, separator)),
        _ => Ok(vec![one(value)?]),
    }
}

/// A string, a number or a truth value as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A value for a message, not too long.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn keys(object: &Object) -> String {
    listed(&object.keys().collect::<Vec<_>>())
}

/// Whether the first line with anything in it is an object, or the text begins with an array of
/// objects.
pub(crate) fn looks_like(text: &str) -> bool {
    let start = text.trim_start();
    if let Some(inside) = start.strip_prefix('[') {
        let mut values = serde_json::Deserializer::from_str(inside).into_iter::<Object>();
        return values.next().is_some_and(|first| first.is_ok());
    }
    start.starts_with('{')
        && text
            .lines()
            .find(|line| !line.trim().is_empty())
            .is_some_and(|line| object(line).is_ok())
}

//! What the data decide of a classifier, and what is said of them.
use super::{config::ClassifyConfig, data::Labelled};
use crate::error::{Error, Result};
use gruvy_runtime::{
    Remark,
    classify::{Encoded, Reader},
    model::Pool,
    names::{in_words, listed},
};

/// Most steps of a text, unless the settings say.
const TEXT_STEPS: usize = 400;
/// Share of words that are made unknown, unless the settings say.
const WORD_DROPOUT: f64 = 0.1;

/// What the kind of the items decides.
pub(super) struct Shape {
    pub pool: Pool,
    pub bidirectional: bool,
    pub max_len: usize,
}

pub(super) fn shape(task: &ClassifyConfig, text: bool, notes: &mut Vec<Remark>) -> Shape {
    let pool = task.pool.unwrap_or(if text { Pool::Max } else { Pool::Last });
    let bidirectional = task.bidirectional.unwrap_or(text);
    let max_len = task.max_len.unwrap_or(if text { TEXT_STEPS } else { 0 });
    let why = if text { "as texts are read" } else { "as sequences of numbers are read" };
    let chosen = [
        ("pool", task.pool.is_none(), pool.name().to_owned()),
        ("bidirectional", task.bidirectional.is_none(), bidirectional.to_string()),
        ("max_len", task.max_len.is_none(), max_len.to_string()),
    ];
    let chosen = chosen.into_iter().filter(|(_, chosen, _)| *chosen);
    notes.extend(chosen.map(|(setting, _, value)| Remark::usual(setting, value, why)));
    Shape { pool, bidirectional, max_len }
}

/// Refuses what nothing can be told apart in.
pub(super) fn enough_labels(data: &Labelled, multi_label: bool) -> Result<()> {
    if data.labels.len() >= if multi_label { 1 } else { 2 } {
        return Ok(());
    }
    Err(Error::Data(format!(
        "all {} items have the same label, {}; a classifier needs items of at least two",
        data.len(),
        in_words(&data.labels)
    )))
}

/// The share of words that are taken as unknown while training.
pub(super) fn word_dropout(asked: Option<f64>, reader: &Reader) -> Result<f64> {
    match (asked, reader.unknown_token()) {
        (Some(rate), None) if rate > 0.0 => {
            let why = format!("a {} has nothing that is unknown; leave it out", reader.name());
            Err(Error::setting("word_dropout", rate, why))
        }
        (rate, Some(_)) => Ok(rate.unwrap_or(WORD_DROPOUT)),
        (_, None) => Ok(0.0),
    }
}

/// Leaves items without steps out of those to learn from, and says so.
pub(super) fn without_empty(train: &mut Vec<usize>, encoded: &Encoded) -> Result<Option<Remark>> {
    let before = train.len();
    train.retain(|item| encoded.length(*item) > 0);
    if train.is_empty() {
        return Err(Error::Data("no item has anything in it to learn from".into()));
    }
    let count = before - train.len();
    Ok((count > 0).then(|| format!("{count} items are empty, and are not learned from").into()))
}

/// Tells of the labels, of which there are `counts [K]` to learn from, and of what is unusual.
pub(super) fn told(
    data: &Labelled,
    counts: &[usize],
    encoded: &Encoded,
    most: usize,
) -> Vec<Remark> {
    let mut notes = Vec::new();
    let long = (0..encoded.len()).filter(|item| most > 0 && encoded.length(*item) == most).count();
    if long > 0 {
        notes.push(format!(
            "{long} items have {most} steps or more; the first {most} are read (max_len; 0 reads \
             all)"
        ).into());
    }
    let rare = |most: std::ops::RangeInclusive<usize>| -> Vec<String> {
        let labels = data.labels.iter().zip(counts).filter(|(_, count)| most.contains(count));
        labels.map(|(label, _)| label.clone()).collect()
    };
    let (never, once) = (rare(0..=0), rare(1..=1));
    if !never.is_empty() {
        notes.push(format!("no item to learn from has the label {}", in_words(&never)).into());
    }
    if !once.is_empty() {
        notes.push(format!("only one item to learn from has the label {}", in_words(&once)).into());
    }
    let shares = listed(&data.labels, |label| format!(" {}", counts[label]));
    notes.push(format!("{} labels: {shares}", data.labels.len()).into());
    notes
}

/// `items / (classes · count)`, so that every class counts alike; with several labels `no / yes` of
/// each, so that a label's yes counts as much as its no.
pub(super) fn weights(counts: &[usize], items: usize, multi_label: bool) -> Vec<f32> {
    let weight = |count: &usize| {
        let count = (*count).max(1) as f32;
        match multi_label {
            true => (items as f32 - count).max(1.0) / count,
            false => items as f32 / (counts.len() as f32 * count),
        }
    };
    counts.iter().map(weight).collect()
}

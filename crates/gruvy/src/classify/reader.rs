//! What a classifier reads, chosen by the training items alone.
use super::{
    config::{ClassifyConfig, Unit},
    vectors::Vectors,
};
use crate::{error::Result, text::vocabulary::build as build_vocabulary};
use gruvy_runtime::Remark;
use gruvy_runtime::{
    classify::{Reader, Scaler, Words},
    items::Items,
    text::{TextUnit, nfc},
};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The reader, and the word vectors that go with its tokens.
pub(super) struct Chosen {
    pub reader: Reader,
    pub vectors: Option<Vectors>,
    pub notes: Vec<Remark>,
}

/// Chooses by the items `train`.
pub(super) fn choose(task: &ClassifyConfig, items: &Items, train: &[usize]) -> Result<Chosen> {
    let texts = match items {
        Items::Text(texts) => texts,
        Items::Sequences(all) => {
            let scaler = Scaler::fit(&all.features, train.iter().map(|item| all.item(*item)));
            let reader = Reader::Sequences(scaler);
            return Ok(Chosen { reader, vectors: None, notes: Vec::new() });
        }
    };
    let texts = || train.iter().map(|item| texts[*item].as_str());
    let unit = match task.unit {
        Unit::Word => return words(task, texts()),
        Unit::Char => TextUnit::Char,
        Unit::Byte => TextUnit::Byte,
        Unit::Bpe => TextUnit::Bpe,
    };
    let corpus = texts().collect::<Vec<_>>().join("\n");
    let codec = build_vocabulary(unit, task.vocab_size, nfc(&corpus).as_bytes())?.composed();
    let notes = vec![format!("{} kinds of {}", codec.vocab_size(), unit.name()).into()];
    Ok(Chosen { reader: Reader::Text(codec), vectors: None, notes })
}

/// The words of the texts, the most frequent first; then, where there are vectors, the first of
/// their words.
fn words<'a>(task: &ClassifyConfig, texts: impl Iterator<Item = &'a str>) -> Result<Chosen> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for text in texts {
        for word in Words::split(text) {
            *counts.entry(Words::normal(&text[word], task.lowercase).into_owned()).or_default() +=
                1;
        }
    }
    let all = counts.len();
    let mut counts: Vec<(String, usize)> =
        counts.into_iter().filter(|(_, count)| *count >= task.min_count).collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(task.vocab_size);
    let mut words: Vec<String> = counts.into_iter().map(|(word, _)| word).collect();
    let mut notes =
        vec![Remark::from(format!("{} of {all} words are known to the model", words.len()))];
    let mut vectors = None;
    if let Some(path) = &task.vectors {
        let known: HashSet<String> = words.iter().cloned().collect();
        let mut room = task.vocab_size - words.len();
        let mut taken = HashSet::new();
        let read = Vectors::read(path, |word| {
            let mine = known.contains(word);
            let more = !mine && room > 0;
            (mine || more) && taken.insert(word.to_owned()) && {
                room -= usize::from(more);
                true
            }
        })?;
        let of_data = words.len();
        words.extend(read.words.iter().filter(|word| !known.contains(*word)).cloned());
        notes.push(
            format!(
                "{} of them have vectors of {} numbers in {}, {} more words come from there",
                taken.len() + of_data - words.len(),
                read.dim,
                path.display(),
                words.len() - of_data
            )
            .into(),
        );
        vectors = Some(read);
    }
    let words = Words::new(words, task.lowercase)?;
    Ok(Chosen { reader: Reader::Words(words), vectors, notes })
}

/// Sets the rows `[V, E]` of words that have vectors.
pub(super) fn lay_over(rows: &mut [f32], reader: &Reader, vectors: &Vectors) {
    let Reader::Words(words) = reader else { return };
    let tokens: BTreeMap<&str, usize> =
        words.words().iter().zip(1..).map(|(word, token)| (word.as_str(), token)).collect();
    for (word, vector) in vectors.words.iter().zip(vectors.values.chunks_exact(vectors.dim)) {
        if let Some(token) = tokens.get(word.as_str()) {
            rows[token * vectors.dim..][..vectors.dim].copy_from_slice(vector);
        }
    }
}

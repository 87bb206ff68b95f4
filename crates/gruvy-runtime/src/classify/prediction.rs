//! A classifier's answers as rows.
use super::classifier::Classifier;
use super::encoded::Encoded;
use crate::error::{Error, Result};
use crate::items::Items;
use serde::Serialize;
use serde_json::Value;

/// What stands between the labels of an item.
const SEPARATOR: &str = "|";

/// A label and its probability.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranked {
    /// The label.
    pub label: String,
    /// Its probability.
    pub probability: f32,
}

/// The answer about an item, or about an item up to a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The item, counted from 0.
    pub item: usize,
    /// The steps that were read, where there is an answer after each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The labels decided on: one, or with several labels any number.
    pub labels: Vec<String>,
    /// The likeliest labels, falling.
    pub top: Vec<Ranked>,
}

impl Classifier {
    /// The answer about each item, with its `top` likeliest labels.
    ///
    /// # Errors
    /// [`Error::Setting`] for a `top` beyond the labels, and as [`Classifier::items`].
    pub fn predict(&self, items: &Items, top: usize) -> Result<Vec<Prediction>> {
        self.check_top(top)?;
        let all = self.items(items)?;
        let answers = all.chunks_exact(self.codec().labels.len()).enumerate();
        Ok(answers.map(|(item, p)| self.prediction(item, None, p, top)).collect())
    }

    /// The answer about each item after every step.
    ///
    /// # Errors
    /// As [`Classifier::predict`] and [`Classifier::stream`].
    pub fn predict_steps(&self, items: &Items, top: usize) -> Result<Vec<Prediction>> {
        self.check_top(top)?;
        let encoded: Encoded = self.codec().encode(items)?;
        let mut all = Vec::new();
        for item in 0..encoded.len() {
            let mut stream = self.stream()?;
            match items {
                Items::Text(_) => {
                    for token in encoded.tokens_of(item).unwrap_or_default() {
                        let p = stream.push_token(*token)?;
                        all.push(self.prediction(item, Some(stream.steps()), &p, top));
                    }
                }
                Items::Sequences(sequences) => {
                    for step in sequences.item(item).chunks_exact(sequences.features.len()) {
                        let p = stream.push_features(step)?;
                        all.push(self.prediction(item, Some(stream.steps()), &p, top));
                    }
                }
            }
        }
        Ok(all)
    }

    fn check_top(&self, top: usize) -> Result<()> {
        let labels = self.codec().labels.len();
        match top <= labels {
            true => Ok(()),
            false => {
                let expected = format!("1 to {labels}, as many as there are labels");
                Err(Error::setting("top_k", top, expected))
            }
        }
    }

    fn prediction(&self, item: usize, step: Option<usize>, p: &[f32], top: usize) -> Prediction {
        let codec = self.codec();
        let label = |at: u32| codec.labels[at as usize].clone();
        let ranked = |at: u32| Ranked { label: label(at), probability: p[at as usize] };
        Prediction {
            item,
            step,
            labels: codec.decide(p).into_iter().map(label).collect(),
            top: codec.ranked(p).into_iter().take(top).map(ranked).collect(),
        }
    }
}

impl Prediction {
    /// The row of a table, by its columns in order: `id`, the step if there is one, with
    /// `multi_label` the labels decided on, then `label`, `probability`, `label2`, `probability2`,
    /// … of the likeliest.
    pub fn row(&self, id: &str, multi_label: bool) -> Vec<(String, Value)> {
        let mut row = vec![("id".to_owned(), Value::from(id))];
        row.extend(self.step.map(|step| ("step".to_owned(), step.into())));
        if multi_label {
            row.push(("labels".into(), self.labels.join(SEPARATOR).into()));
        }
        for (rank, ranked) in self.top.iter().enumerate() {
            let suffix = if rank == 0 { String::new() } else { (rank + 1).to_string() };
            row.push((format!("label{suffix}"), ranked.label.clone().into()));
            row.push((format!("probability{suffix}"), rounded(ranked.probability)));
        }
        row
    }
}

/// A probability with as many digits as an `f32` has.
fn rounded(p: f32) -> Value {
    p.to_string().parse::<f64>().map_or(Value::Null, Value::from)
}

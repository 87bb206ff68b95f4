//! Language models of words in the ARPA format: n-grams with back-off (Katz 1987).
//!
//! ```text
//! \data\
//! ngram 1=3
//! ngram 2=2
//!
//! \1-grams:
//! -0.60  one   -0.30      log10 of the probability, the words, log10 of the back-off weight
//! …
//! \2-grams:
//! -0.10  one two
//! \end\
//! ```
use crate::error::{Error, Result};
use std::collections::HashMap;

/// Longest n-grams that are read.
const MOST: usize = 10;
/// Of a word that the model does not know and has no `<unk>` for, log10.
const UNKNOWN: f32 = -7.0;

/// A language model of words.
#[derive(Clone, Debug, Default)]
pub struct Arpa {
    words: HashMap<String, u32>,
    /// log10 of the probability and of the back-off weight.
    grams: HashMap<Box<[u32]>, (f32, f32)>,
    order: usize,
}

/// What came before: the last words, as far as the model looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct History(Vec<u32>);

/// A word that is in no n-gram.
const NO_WORD: u32 = u32::MAX;

impl Arpa {
    /// Reads a model from its text.
    ///
    /// # Errors
    /// [`Error::LanguageModel`] with the line of what is wrong.
    pub fn parse(text: &str) -> Result<Self> {
        let mut model = Self::default();
        let mut order = 0;
        let mut began = false;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            let wrong = |problem: String| Error::LanguageModel { line: at + 1, problem };
            match line {
                "" => continue,
                "\\data\\" => began = true,
                "\\end\\" => return model.complete(at + 1),
                _ if !began || line.starts_with("ngram ") => continue,
                _ if line.starts_with('\\') => {
                    let number = line[1..].strip_suffix("-grams:").and_then(|n| n.parse().ok());
                    order = number.filter(|n| (1..=MOST).contains(n)).ok_or_else(|| {
                        wrong(format!("`{line}`; expected `\\1-grams:` to `\\{MOST}-grams:`"))
                    })?;
                    model.order = model.order.max(order);
                }
                _ => model.add(line, order).map_err(wrong)?,
            }
        }
        let problem = match began {
            true => "the file ends without `\\end\\`: it is cut off, so copy or make it again",
            false => "there is no `\\data\\`; expected a language model in the ARPA format",
        };
        Err(Error::LanguageModel { line: text.lines().count().max(1), problem: problem.into() })
    }

    fn complete(self, line: usize) -> Result<Self> {
        match self.grams.is_empty() {
            true => Err(Error::LanguageModel { line, problem: "the model has no n-grams".into() }),
            false => Ok(self),
        }
    }

    fn add(&mut self, line: &str, order: usize) -> std::result::Result<(), String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let number = |field: &str| field.parse::<f32>().ok().filter(|value| value.is_finite());
        let parts = match fields.len().checked_sub(order) {
            Some(1) if order > 0 => number(fields[0]).map(|p| (p, 0.0)),
            Some(2) if order > 0 => number(fields[0]).zip(number(fields[order + 1])),
            _ => None,
        };
        let Some(parts) = parts else {
            return Err(format!(
                "expected a number, {order} words and perhaps another number, got `{line}`"
            ));
        };
        let next = self.words.len() as u32;
        let mut ids = Vec::with_capacity(order);
        for word in &fields[1..=order] {
            match (self.words.get(*word), order) {
                (Some(id), _) => ids.push(*id),
                (None, 1) => {
                    self.words.insert((*word).to_owned(), next);
                    ids.push(next);
                }
                (None, _) => return Err(format!("`{word}` is not among the 1-grams")),
            }
        }
        self.grams.insert(ids.into(), parts);
        Ok(())
    }

    /// Whether the model knows a word.
    pub fn knows(&self, word: &str) -> bool {
        self.words.contains_key(word)
    }

    /// Nothing was said yet.
    pub fn start(&self) -> History {
        History(self.words.get("<s>").copied().into_iter().collect())
    }

    /// ln of the probability of a word after what came before, and what comes before the next one.
    pub fn word(&self, history: &History, word: &str) -> (f64, History) {
        let known = self.words.get(word).or_else(|| self.words.get("<unk>")).copied();
        let id = known.unwrap_or(NO_WORD);
        let log10 = match id {
            NO_WORD => UNKNOWN,
            _ => self.log10(&history.0, id),
        };
        let mut next = history.0.clone();
        next.push(id);
        let most = self.order.saturating_sub(1);
        next.drain(..next.len().saturating_sub(most));
        (f64::from(log10) * std::f64::consts::LN_10, History(next))
    }

    /// ln of the probability that nothing comes after; 0 if the model does not know of ends.
    pub fn end(&self, history: &History) -> f64 {
        match self.knows("</s>") {
            true => self.word(history, "</s>").0,
            false => 0.0,
        }
    }

    fn log10(&self, history: &[u32], word: u32) -> f32 {
        let mut weight = 0.0;
        for from in 0..=history.len() {
            let context = &history[from..];
            let gram: Box<[u32]> = context.iter().copied().chain([word]).collect();
            if let Some((p, _)) = self.grams.get(&gram) {
                return weight + p;
            }
            weight += self.grams.get(context).map_or(0.0, |(_, back_off)| *back_off);
        }
        UNKNOWN
    }
}

//! Classification: a text or a sequence of numbers to steps, the head's answer to probabilities of
//! labels.
//!
//! ```text
//! text        words, characters, bytes or word pieces, the first max_len of them
//! sequence    (x − mean) / std of each feature, the first max_len steps
//!
//! p = softmax(logits / T)     one label of K
//! p = σ(logits / T)           several labels (multi_label), each by itself
//! ```
//! `T`, the temperature, was fitted to the validation data, so that p is how often an answer is
//! right (Guo et al., 1706.04599). About an item without steps nothing is known but how frequent
//! the labels are: the priors.
use super::encoded::Encoded;
use super::words::Words;
use crate::{
    error::{Error, Result},
    items::{Items, Sequences},
    model::spec::{Input, Spec},
    names::in_words,
    text::codec::TextCodec,
};
use serde::{Deserialize, Serialize};

/// Items to steps, answers to probabilities.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifyCodec {
    /// `[K]` names.
    pub labels: Vec<String>,
    /// Whether an item can have several labels, or none.
    pub multi_label: bool,
    /// What logits are divided by, above 0.
    pub temperature: f64,
    /// `[K]`: the share of the training items that have the label.
    pub priors: Vec<f64>,
    /// Most steps that are read of an item; 0: all.
    pub max_len: usize,
    /// What is read.
    pub reader: Reader,
}

/// What a classifier reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reader {
    /// Text, in words.
    Words(Words),
    /// Text, in smaller pieces.
    Text(TextCodec),
    /// Sequences of numbers.
    Sequences(Scaler),
}

/// Features to numbers around 0 that vary by about 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaler {
    /// `[I]` names.
    pub features: Vec<String>,
    /// `[I]`
    pub mean: Vec<f64>,
    /// `[I]`, above 0.
    pub std: Vec<f64>,
}

impl Scaler {
    /// Mean and deviation of each feature over all steps of some sequences.
    pub fn fit<'a>(features: &[String], sequences: impl Iterator<Item = &'a [f32]>) -> Self {
        let width = features.len();
        let (mut count, mut mean, mut square) = (0.0, vec![0.0; width], vec![0.0; width]);
        // Welford's update, which does not lose the digits of numbers that are large beside their
        // deviation.
        for step in sequences.flat_map(|sequence| sequence.chunks_exact(width)) {
            count += 1.0;
            for ((value, mean), square) in step.iter().zip(&mut mean).zip(&mut square) {
                let before = f64::from(*value) - *mean;
                *mean += before / count;
                *square += before * (f64::from(*value) - *mean);
            }
        }
        let std = square.iter().map(|square| (square / f64::max(count, 1.0)).sqrt());
        // A feature that never changes says nothing, and is 0.
        let std = std.map(|std| if std > 0.0 { std } else { 1.0 }).collect();
        Self { features: features.to_vec(), mean, std }
    }

    /// A sequence `[T, I]`, scaled.
    pub fn apply(&self, sequence: &[f32]) -> Vec<f32> {
        let scale = self.mean.iter().zip(&self.std).cycle();
        let scaled = sequence.iter().zip(scale);
        scaled.map(|(value, (mean, std))| ((f64::from(*value) - mean) / std) as f32).collect()
    }
}

impl Reader {
    /// What enters the network, with embeddings of `dim` numbers where there are any.
    pub fn input(&self, dim: usize) -> Input {
        match self {
            Reader::Words(words) => Input::Embedding { vocab: words.words().len() + 1, dim },
            Reader::Text(codec) => Input::Embedding { vocab: codec.vocab_size(), dim },
            Reader::Sequences(scaler) => Input::Features { size: scaler.features.len() },
        }
    }

    /// The token that stands for what the vocabulary does not have, if there is one.
    pub fn unknown_token(&self) -> Option<u32> {
        match self {
            Reader::Words(_) => Some(0),
            Reader::Text(codec) => codec.unknown_token(),
            Reader::Sequences(_) => None,
        }
    }

    /// What it reads, for a person.
    pub fn name(&self) -> &'static str {
        match self {
            Reader::Words(_) => "word",
            Reader::Text(codec) => codec.unit().name(),
            Reader::Sequences(_) => "sequence",
        }
    }

    /// All tokens of a text.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model of sequences.
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>> {
        match self {
            Reader::Words(words) => Ok(words.encode(text)),
            Reader::Text(codec) => codec.encode(text),
            Reader::Sequences(_) => Err(wrong_kind("text", "sequences of numbers")),
        }
    }
}

fn wrong_kind(got: &str, expected: &str) -> Error {
    Error::setting("input", got, format!("{expected}, which this model was trained on"))
}

impl ClassifyCodec {
    /// The steps of a text.
    ///
    /// # Errors
    /// As [`Reader::tokens`].
    pub fn tokens(&self, text: &str) -> Result<Vec<u32>> {
        let mut tokens = self.reader.tokens(text)?;
        tokens.truncate(self.most(tokens.len()));
        Ok(tokens)
    }

    /// The steps of a sequence `[T, I]`, scaled.
    ///
    /// # Errors
    /// [`Error::Setting`] for a model of text, for a number of values that is no multiple of I, and
    /// for one that is not finite.
    pub fn features(&self, sequence: &[f32]) -> Result<Vec<f32>> {
        let Reader::Sequences(scaler) = &self.reader else {
            return Err(wrong_kind("a sequence of numbers", "text"));
        };
        let width = scaler.features.len();
        if !sequence.len().is_multiple_of(width) {
            let expected = format!("a multiple of the {width} features");
            return Err(Error::setting("number of values", sequence.len(), expected));
        }
        if let Some(at) = sequence.iter().position(|value| !value.is_finite()) {
            let got = format!("{} at step {}", sequence[at], at / width);
            return Err(Error::setting("value", got, "a finite number"));
        }
        Ok(scaler.apply(&sequence[..self.most(sequence.len() / width) * width]))
    }

    /// All items as steps.
    ///
    /// # Errors
    /// [`Error::Setting`] if they are of another kind, or have other features, than what the model
    /// was trained on.
    pub fn encode(&self, items: &Items) -> Result<Encoded> {
        match items {
            Items::Text(texts) => {
                let mut all = Encoded::tokens();
                for text in texts {
                    all.push_tokens(&self.tokens(text)?);
                }
                Ok(all)
            }
            Items::Sequences(sequences) => self.encode_sequences(sequences),
        }
    }

    fn encode_sequences(&self, sequences: &Sequences) -> Result<Encoded> {
        let Reader::Sequences(scaler) = &self.reader else {
            return Err(wrong_kind("sequences of numbers", "text"));
        };
        if scaler.features != sequences.features {
            let got = sequences.features.join(", ");
            let expected = format!("{}, as in training", scaler.features.join(", "));
            return Err(Error::setting("features", got, expected));
        }
        let mut all = Encoded::features(scaler.features.len());
        for item in 0..sequences.len() {
            all.push_features(&self.features(sequences.item(item))?);
        }
        Ok(all)
    }

    /// Where a label stands among the [labels](Self::labels).
    ///
    /// # Errors
    /// [`Error::Label`] if there is no such label.
    pub fn label(&self, name: &str) -> Result<u32> {
        let found = self.labels.iter().zip(0..).find(|(label, _)| *label == name);
        let unknown = || Error::Label { label: name.to_owned(), known: in_words(&self.labels) };
        found.map(|(_, at)| at).ok_or_else(unknown)
    }

    fn most(&self, len: usize) -> usize {
        if self.max_len == 0 { len } else { len.min(self.max_len) }
    }

    /// Probabilities `[K]` of one item's logits `[K]`.
    pub fn probabilities(&self, logits: &[f32]) -> Vec<f32> {
        let scaled = logits.iter().map(|logit| f64::from(*logit) / self.temperature);
        if self.multi_label {
            return scaled.map(|logit| (1.0 / (1.0 + (-logit).exp())) as f32).collect();
        }
        let largest = scaled.clone().fold(f64::NEG_INFINITY, f64::max);
        let exp: Vec<f64> = scaled.map(|logit| (logit - largest).exp()).collect();
        let sum: f64 = exp.iter().sum();
        exp.iter().map(|e| (e / sum) as f32).collect()
    }

    /// The labels that an item has by its probabilities `[K]`: the likeliest, or with `multi_label`
    /// those of a half and more.
    pub fn decide(&self, probabilities: &[f32]) -> Vec<u32> {
        if self.multi_label {
            let likely = probabilities.iter().zip(0..).filter(|(p, _)| **p >= 0.5);
            return likely.map(|(_, label)| label).collect();
        }
        self.ranked(probabilities).into_iter().take(1).collect()
    }

    /// All labels, the likeliest first; of equals in their order.
    pub fn ranked(&self, probabilities: &[f32]) -> Vec<u32> {
        let mut order: Vec<u32> = (0..probabilities.len() as u32).collect();
        order.sort_by(|a, b| probabilities[*b as usize].total_cmp(&probabilities[*a as usize]));
        order
    }

    /// See [`Codec::fits`](crate::Codec::fits).
    pub(crate) fn fits(&self, spec: &Spec) -> Result<()> {
        let fail = |field, got: String, expected: String| Error::Spec { field, got, expected };
        let classes = self.labels.len();
        let least = if self.multi_label { 1 } else { 2 };
        if classes < least || self.priors.len() != classes {
            let got = format!("{classes} names and {} priors", self.priors.len());
            return Err(fail("codec.labels", got, format!("as many of both, at least {least}")));
        }
        let mut sorted: Vec<&String> = self.labels.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(fail("codec.labels", format!("`{}` twice", pair[0]), "names once".into()));
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            let got = self.temperature.to_string();
            return Err(fail("codec.temperature", got, "a number above 0".into()));
        }
        if let Some(prior) = self.priors.iter().find(|p| !(0.0..=1.0).contains(*p)) {
            return Err(fail("codec.priors", prior.to_string(), "shares from 0 to 1".into()));
        }
        if let Reader::Sequences(Scaler { features, mean, std }) = &self.reader {
            let finite =
                mean.iter().all(|v| v.is_finite()) && std.iter().all(|v| *v > 0.0 && v.is_finite());
            if !finite || mean.len() != features.len() || std.len() != features.len() {
                let expected = "a finite mean and a deviation above 0 for each feature".into();
                return Err(fail("codec.reader.sequences", "others".into(), expected));
            }
        }
        let expected = self.reader.input(spec.input.width());
        if spec.input != expected {
            let (got, expected) = (format!("{:?}", spec.input), format!("{expected:?}"));
            return Err(fail("input", got, format!("{expected}, for this codec")));
        }
        if spec.pool.is_none() {
            return Err(fail("pool", "none".into(), "a pool, for this task".into()));
        }
        if spec.outputs() != classes {
            let expected = format!("{classes}, one for each label");
            return Err(fail("head.linear.outputs", spec.outputs().to_string(), expected));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(multi_label: bool) -> ClassifyCodec {
        ClassifyCodec {
            labels: vec!["a".into(), "b".into(), "c".into()],
            multi_label,
            temperature: 2.0,
            priors: vec![0.5, 0.25, 0.25],
            max_len: 2,
            reader: Reader::Words(Words::new(vec!["x".into()], true).unwrap()),
        }
    }

    #[test]
    fn logits_become_probabilities_at_the_temperature() {
        let p = codec(false).probabilities(&[2.0, 0.0, -2.0]);
        let e = std::f32::consts::E;
        let sum = e + 1.0 + 1.0 / e;
        for (got, want) in p.iter().zip([e / sum, 1.0 / sum, 1.0 / e / sum]) {
            assert!((got - want).abs() < 1e-6);
        }
        let p = codec(true).probabilities(&[2.0, 0.0, -2.0]);
        assert!((p[0] - e / (1.0 + e)).abs() < 1e-6 && p[1] == 0.5);
        assert_eq!(codec(true).decide(&p), [0, 1]);
        assert_eq!(codec(false).decide(&[0.2, 0.4, 0.4]), [1]);
        assert_eq!(codec(false).ranked(&[0.2, 0.4, 0.4]), [1, 2, 0]);
        let far = codec(false).probabilities(&[1e30, -1e30, 0.0]);
        assert_eq!(far, [1.0, 0.0, 0.0]);
    }

    #[test]
    fn no_more_than_max_len_is_read() {
        assert_eq!(codec(false).tokens("x y x x").unwrap(), [1, 0]);
        assert!(codec(false).features(&[1.0]).is_err());
    }

    #[test]
    fn features_are_standardised_and_must_be_finite() {
        let names = ["u".to_owned(), "v".to_owned()];
        let data = [1e6f32, 7.0, 1e6 + 2.0, 7.0];
        let scaler = Scaler::fit(&names, [&data[..2], &data[2..]].into_iter());
        assert_eq!((scaler.mean[0], scaler.std[0]), (1e6 + 1.0, 1.0));
        assert_eq!(scaler.apply(&data), [-1.0, 0.0, 1.0, 0.0]);
        let codec = ClassifyCodec { reader: Reader::Sequences(scaler), ..codec(false) };
        assert_eq!(codec.features(&[1e6, 7.0, 1e6, 7.0, 1e6, 7.0]).unwrap().len(), 4);
        let error = codec.features(&[1.0, 2.0, f32::NAN, 1.0]).unwrap_err().to_string();
        assert!(error.contains("NaN at step 1"), "{error}");
        assert!(codec.features(&[1.0]).unwrap_err().to_string().contains("multiple"));
    }
}

//! Items as a network reads them, and batches of them.
use crate::model::steps::Steps;

/// Items as numbers, one behind the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    values: Values,
    /// `[N + 1]`: where each item begins, in steps.
    offsets: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    /// `[ΣT]`
    Tokens(Vec<u32>),
    /// `[ΣT, I]`
    Features { values: Vec<f32>, width: usize },
}

/// Items side by side, filled up to the longest.
#[derive(Clone, Debug, PartialEq)]
pub struct Padded {
    /// What goes into the network.
    pub steps: PaddedSteps,
    /// `[B]` steps of each item.
    pub lengths: Vec<usize>,
}

/// The steps of a batch, time-major.
#[derive(Clone, Debug, PartialEq)]
pub enum PaddedSteps {
    /// `[T, B]`, 0 past an item's length.
    Tokens(Vec<u32>),
    /// `[T, B, I]`, 0 past an item's length.
    Features(Vec<f32>),
}

impl Encoded {
    /// No items, of tokens.
    pub fn tokens() -> Self {
        Self { values: Values::Tokens(Vec::new()), offsets: vec![0] }
    }

    /// No items, of `width` features a step.
    pub fn features(width: usize) -> Self {
        Self { values: Values::Features { values: Vec::new(), width }, offsets: vec![0] }
    }

    /// Adds an item of tokens.
    ///
    /// # Panics
    /// If the items are features.
    pub fn push_tokens(&mut self, item: &[u32]) {
        let Values::Tokens(all) = &mut self.values else { panic!("the items are features") };
        all.extend_from_slice(item);
        self.offsets.push(all.len());
    }

    /// Adds an item of features, `[T, I]`.
    ///
    /// # Panics
    /// If the items are tokens.
    pub fn push_features(&mut self, item: &[f32]) {
        let Values::Features { values, width } = &mut self.values else {
            panic!("the items are tokens")
        };
        values.extend_from_slice(item);
        self.offsets.push(values.len() / *width);
    }

    /// Items.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Steps of an item.
    pub fn length(&self, item: usize) -> usize {
        self.offsets[item + 1] - self.offsets[item]
    }

    /// The tokens of an item; none if the items are features.
    pub fn tokens_of(&self, item: usize) -> Option<&[u32]> {
        match &self.values {
            Values::Tokens(all) => Some(&all[self.offsets[item]..self.offsets[item + 1]]),
            Values::Features { .. } => None,
        }
    }

    /// The features of an item, `[T, I]`; none if the items are tokens.
    pub fn features_of(&self, item: usize) -> Option<&[f32]> {
        match &self.values {
            Values::Tokens(_) => None,
            Values::Features { values, width } => {
                Some(&values[self.offsets[item] * width..self.offsets[item + 1] * width])
            }
        }
    }

    /// Some of the items, in that order.
    pub fn selected(&self, items: &[usize]) -> Self {
        let mut offsets = vec![0];
        for item in items {
            offsets.push(offsets[offsets.len() - 1] + self.length(*item));
        }
        let values = match &self.values {
            Values::Tokens(_) => {
                let parts = items.iter().filter_map(|item| self.tokens_of(*item));
                Values::Tokens(parts.flatten().copied().collect())
            }
            Values::Features { width, .. } => {
                let parts = items.iter().filter_map(|item| self.features_of(*item));
                Values::Features { values: parts.flatten().copied().collect(), width: *width }
            }
        };
        Self { values, offsets }
    }

    /// Some items as a batch, in that order.
    pub fn batch(&self, items: &[usize]) -> Padded {
        let lengths: Vec<usize> = items.iter().map(|item| self.length(*item)).collect();
        let (longest, batch) = (lengths.iter().copied().max().unwrap_or(0), items.len());
        let parts = || items.iter().map(|item| self.offsets[*item]).zip(&lengths).enumerate();
        let steps = match &self.values {
            Values::Tokens(all) => {
                let mut steps = vec![0; longest * batch];
                for (row, (from, len)) in parts() {
                    for (t, token) in all[from..from + len].iter().enumerate() {
                        steps[t * batch + row] = *token;
                    }
                }
                PaddedSteps::Tokens(steps)
            }
            Values::Features { values, width } => {
                let mut steps = vec![0.0; longest * batch * width];
                for (row, (from, len)) in parts() {
                    let item = &values[from * width..(from + len) * width];
                    for (t, step) in item.chunks_exact(*width).enumerate() {
                        steps[(t * batch + row) * width..][..*width].copy_from_slice(step);
                    }
                }
                PaddedSteps::Features(steps)
            }
        };
        Padded { steps, lengths }
    }
}

impl Padded {
    /// For a [`Session`](crate::model::Session).
    pub fn steps(&self) -> Steps<'_> {
        match &self.steps {
            PaddedSteps::Tokens(tokens) => Steps::Tokens(tokens),
            PaddedSteps::Features(values) => Steps::Features(values),
        }
    }

    /// Steps of the longest item.
    pub fn seq_len(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_time_major_and_filled_up() {
        let mut tokens = Encoded::tokens();
        [&[1, 2][..], &[], &[3, 4, 5]].iter().for_each(|item| tokens.push_tokens(item));
        assert_eq!((tokens.len(), tokens.length(1), tokens.length(2)), (3, 0, 3));
        let batch = tokens.batch(&[2, 0]);
        assert_eq!(batch.lengths, [3, 2]);
        assert_eq!(batch.steps, PaddedSteps::Tokens(vec![3, 1, 4, 2, 5, 0]));
        assert_eq!(tokens.tokens_of(0), Some(&[1, 2][..]));

        let mut features = Encoded::features(2);
        features.push_features(&[1.0, 2.0, 3.0, 4.0]);
        features.push_features(&[5.0, 6.0]);
        let batch = features.batch(&[0, 1]);
        assert_eq!(
            batch.steps,
            PaddedSteps::Features(vec![1.0, 2.0, 5.0, 6.0, 3.0, 4.0, 0.0, 0.0])
        );
        assert_eq!(features.features_of(1), Some(&[5.0, 6.0][..]));
    }
}

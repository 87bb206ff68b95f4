//! Phrases that are to be preferred: a tree of their classes, and how far a text is along it.
use super::labels::{Labels, plain};
use crate::error::Result;
use std::collections::HashMap;

/// A phrase to be preferred.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    /// As it is written.
    pub text: String,
    /// Nats that each of its labels counts more; below 0 it is avoided.
    pub boost: f64,
}

/// Phrases as a tree of classes.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The place that a class leads to, and what it counts.
    next: HashMap<(u32, u32), (u32, f64)>,
    /// Whether a phrase ends at each place.
    ends: Vec<bool>,
}

/// How far a text is along a phrase.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Along {
    place: u32,
    /// What was counted for labels of a phrase that may not be said to its end.
    pending: f64,
}

impl Tree {
    /// # Errors
    /// [`Error::Unspoken`](crate::Error::Unspoken) for a phrase that the model cannot say.
    pub fn new(phrases: &[Phrase], labels: &Labels, lowercase: bool) -> Result<Self> {
        let mut tree = Self { next: HashMap::new(), ends: vec![false] };
        for Phrase { text, boost } in phrases {
            let text = plain(text, lowercase);
            tree.add(&labels.encode(&text)?, *boost);
            // Pieces of words are others after a blank.
            if let Labels::Text(_) = labels {
                let after = labels.encode(&format!(" {text}"))?;
                if !is_blank(labels, after[0]) {
                    tree.add(&after, *boost);
                }
            }
        }
        Ok(tree)
    }

    fn add(&mut self, classes: &[u32], boost: f64) {
        let mut place = 0;
        for class in classes {
            let new = self.ends.len() as u32;
            let (next, worth) = self.next.entry((place, *class)).or_insert((new, boost));
            *worth = if worth.abs() < boost.abs() { boost } else { *worth };
            if *next == new {
                self.ends.push(false);
            }
            place = *next;
        }
        if place > 0 {
            self.ends[place as usize] = true;
        }
    }

    /// Goes on by a class, before which a word may have ended, and with which a phrase may begin
    /// (`first`); gives what the text counts more for it.
    pub fn step(&self, along: &mut Along, class: u32, ends_word: bool, first: bool) -> f64 {
        if ends_word && self.ends[along.place as usize] {
            // Said to its end, whatever comes.
            along.pending = 0.0;
        }
        let onward = if along.place > 0 { self.next.get(&(along.place, class)) } else { None };
        if let Some((place, worth)) = onward {
            along.place = *place;
            along.pending += worth;
            return *worth;
        }
        let back = -along.pending;
        *along = Along::default();
        let entry = if first { self.next.get(&(0, class)) } else { None };
        let Some((place, worth)) = entry else { return back };
        *along = Along { place: *place, pending: *worth };
        back + worth
    }

    /// What a text counts more that ends here.
    pub fn end(&self, along: Along) -> f64 {
        if self.ends[along.place as usize] { 0.0 } else { -along.pending }
    }
}

/// Whether a class begins a new word.
pub(super) fn starts_word(labels: &Labels, class: u32) -> bool {
    labels.pieces(&[class]).concat().starts_with(char::is_whitespace)
}

/// Whether a class is nothing but a blank between words.
pub(super) fn is_blank(labels: &Labels, class: u32) -> bool {
    let piece = labels.pieces(&[class]).concat();
    !piece.is_empty() && piece.trim().is_empty()
}

//! Prefix beam search (Graves & Jaitly 2014; Hannun et al. 1408.2873) over the log probabilities of a
//! CTC model, with a language model of words and phrases to be preferred.
//!
//! ```text
//! score(text) = ln Σ over its paths of p  +  lm_weight · ln p_lm(words)  +  word_bonus · words  +  boosts
//! ```
//! A prefix is a node of a tree, which knows what its words count; a beam has the probabilities of
//! the prefix with a blank behind it and without.
use super::arpa::{Arpa, History};
use super::labels::Labels;
use super::phrases::{Along, Phrase, Tree, is_blank, starts_word};
use crate::error::{Error, Result};
use gruvy_kernels::Ctc;
use std::collections::HashMap;
use std::sync::Arc;

/// How a text is searched for.
#[derive(Clone, Debug)]
pub struct Decoding {
    /// Prefixes that are kept; 1: the best class of each step is taken, which is fastest.
    pub beam: usize,
    /// Of words.
    pub language_model: Option<Arc<Arpa>>,
    /// What ln p of the language model counts.
    pub lm_weight: f64,
    /// What each word counts, in nats: a language model likes few words.
    pub word_bonus: f64,
    /// To be preferred.
    pub phrases: Vec<Phrase>,
}

impl Default for Decoding {
    fn default() -> Self {
        let (language_model, phrases) = (None, Vec::new());
        Self { beam: 1, language_model, lm_weight: 0.5, word_bonus: 0.5, phrases }
    }
}

impl Decoding {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`Error::Setting`] naming it.
    pub fn check(&self) -> Result<()> {
        if !(1..=4096).contains(&self.beam) {
            return Err(Error::setting("beam", self.beam, "1 to 4096"));
        }
        let searches = self.language_model.is_some() || !self.phrases.is_empty();
        if self.beam == 1 && searches {
            let why = "at least 2 (16 is usual) with a language model or phrases";
            return Err(Error::setting("beam", self.beam, why));
        }
        for (name, value) in [("lm_weight", self.lm_weight), ("word_bonus", self.word_bonus)] {
            if !value.is_finite() {
                return Err(Error::setting(name, value, "a finite number"));
            }
        }
        match self.phrases.iter().find(|phrase| !phrase.boost.is_finite()) {
            Some(phrase) => Err(Error::setting("boost", phrase.boost, "a finite number")),
            None => Ok(()),
        }
    }
}

/// A prefix.
#[derive(Clone, Debug)]
struct Node {
    parent: u32,
    class: u32,
    /// What its words and phrases count so far.
    extra: f64,
    /// The classes of the word that is not over yet.
    word: Vec<u32>,
    history: History,
    along: Along,
}

/// ln p of a prefix, by whether a blank is behind it.
#[derive(Clone, Copy, Debug)]
struct Beam {
    node: u32,
    blank: f64,
    label: f64,
}

impl Beam {
    fn new(node: u32) -> Self {
        Self { node, blank: f64::NEG_INFINITY, label: f64::NEG_INFINITY }
    }

    fn total(&self) -> f64 {
        add(self.blank, self.label)
    }
}

/// Classes whose log probability at a step is lower are not looked at.
const LEAST: f32 = -12.0;
/// Prefixes that are kept before those that no beam goes back to are forgotten: a search over hours
/// takes no more memory than its texts and this.
const MOST_NODES: usize = 1 << 16;

/// A search, as steps come.
#[derive(Debug)]
pub struct Search<'a> {
    how: &'a Decoding,
    labels: &'a Labels,
    tree: Tree,
    starts: Vec<bool>,
    blanks: Vec<bool>,
    nodes: Vec<Node>,
    children: HashMap<(u32, u32), u32>,
    /// The best first.
    beams: Vec<Beam>,
    /// So many nodes are kept until some are forgotten.
    most: usize,
}

impl<'a> Search<'a> {
    /// A search that has seen nothing.
    ///
    /// # Errors
    /// As [`Decoding::check`]; [`Error::Unspoken`] for a phrase that the model cannot say.
    pub fn new(how: &'a Decoding, labels: &'a Labels, lowercase: bool) -> Result<Self> {
        how.check()?;
        let classes = 0..labels.classes() as u32;
        let is = |what: fn(&Labels, u32) -> bool| -> Vec<bool> {
            classes.clone().map(|class| class != Ctc::BLANK && what(labels, class)).collect()
        };
        let history = how.language_model.as_ref().map(|model| model.start()).unwrap_or_default();
        let (word, along) = (Vec::new(), Along::default());
        let root = Node { parent: 0, class: Ctc::BLANK, extra: 0.0, word, history, along };
        Ok(Self {
            tree: Tree::new(&how.phrases, labels, lowercase)?,
            starts: is(starts_word),
            blanks: is(is_blank),
            nodes: vec![root],
            children: HashMap::new(),
            beams: vec![Beam { blank: 0.0, ..Beam::new(0) }],
            most: MOST_NODES,
            how,
            labels,
        })
    }

    /// Takes the log probabilities of a step, `[V]`.
    pub fn push(&mut self, step: &[f32]) {
        let mut next: Vec<Beam> = Vec::new();
        let mut at: HashMap<u32, usize> = HashMap::new();
        let mut to = |next: &mut Vec<Beam>, node: u32| {
            *at.entry(node).or_insert_with(|| {
                next.push(Beam::new(node));
                next.len() - 1
            })
        };
        for beam in std::mem::take(&mut self.beams) {
            let total = beam.total();
            let last = self.nodes[beam.node as usize].class;
            let stay = to(&mut next, beam.node);
            next[stay].blank = add(next[stay].blank, total + f64::from(step[0]));
            if last != Ctc::BLANK {
                let again = beam.label + f64::from(step[last as usize]);
                next[stay].label = add(next[stay].label, again);
            }
            for class in (1..step.len()).filter(|class| step[*class] > LEAST) {
                let from = if class as u32 == last { beam.blank } else { total };
                if from > f64::NEG_INFINITY {
                    let child = self.child(beam.node, class as u32);
                    let child = to(&mut next, child);
                    next[child].label = add(next[child].label, from + f64::from(step[class]));
                }
            }
        }
        let score = |beam: &Beam| beam.total() + self.nodes[beam.node as usize].extra;
        next.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.node.cmp(&b.node)));
        next.truncate(self.how.beam);
        self.beams = next;
        if self.nodes.len() > self.most {
            self.forget();
            self.most = MOST_NODES.max(2 * self.nodes.len());
        }
    }

    /// Forgets the prefixes that no beam goes back to.
    fn forget(&mut self) {
        let mut kept = vec![false; self.nodes.len()];
        kept[0] = true;
        for beam in &self.beams {
            let mut node = beam.node as usize;
            while !kept[node] {
                kept[node] = true;
                node = self.nodes[node].parent as usize;
            }
        }
        // A node comes after its parent, so the order stays.
        let mut new = vec![0; self.nodes.len()];
        let still = kept.iter().enumerate().filter(|(_, kept)| **kept);
        still.zip(0..).for_each(|((old, _), place)| new[old] = place);
        let mut old = 0..;
        self.nodes.retain(|_| old.next().is_some_and(|at: usize| kept[at]));
        self.nodes.iter_mut().for_each(|node| node.parent = new[node.parent as usize]);
        self.beams.iter_mut().for_each(|beam| beam.node = new[beam.node as usize]);
        self.children.retain(|_, child| kept[*child as usize]);
        let moved = self.children.drain();
        self.children = moved
            .map(|((parent, class), child)| ((new[parent as usize], class), new[child as usize]))
            .collect();
    }

    fn child(&mut self, parent: u32, class: u32) -> u32 {
        if let Some(node) = self.children.get(&(parent, class)) {
            return *node;
        }
        let mut node = self.nodes[parent as usize].clone();
        let (starts, blank) = (self.starts[class as usize], self.blanks[class as usize]);
        let first = !blank && (starts || node.word.is_empty());
        if starts {
            self.end_word(&mut node);
        }
        node.extra += self.tree.step(&mut node.along, class, starts, first);
        if !blank {
            node.word.push(class);
        }
        (node.parent, node.class) = (parent, class);
        self.nodes.push(node);
        let node = self.nodes.len() as u32 - 1;
        self.children.insert((parent, class), node);
        node
    }

    /// Counts the word that is over.
    fn end_word(&self, node: &mut Node) {
        if node.word.is_empty() {
            return;
        }
        node.extra += self.how.word_bonus;
        if let Some(model) = &self.how.language_model {
            let word = self.labels.text(&node.word);
            let (log_p, history) = model.word(&node.history, &word);
            node.extra += self.how.lm_weight * log_p;
            node.history = history;
        }
        node.word.clear();
    }

    /// The classes of the best text.
    pub fn best(&self) -> Vec<u32> {
        let score = |beam: &Beam| {
            let mut node = self.nodes[beam.node as usize].clone();
            self.end_word(&mut node);
            let end = self.how.language_model.as_ref().map_or(0.0, |m| m.end(&node.history));
            beam.total() + node.extra + self.how.lm_weight * end + self.tree.end(node.along)
        };
        let best = self.beams.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        let mut node = best.map_or(0, |beam| beam.node);
        let mut classes = Vec::new();
        while node != 0 {
            classes.push(self.nodes[node as usize].class);
            node = self.nodes[node as usize].parent;
        }
        classes.reverse();
        classes
    }
}

/// `ln(e^a + e^b)`
fn add(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{Phrase, log_softmax};
    use gruvy_kernels::random::SplitMix64;

    #[test]
    fn what_is_forgotten_changes_no_text() {
        let labels = Labels::Words(["one", "two", "three"].map(str::to_owned).to_vec());
        let phrases = vec![Phrase { text: "two one".into(), boost: 0.4 }];
        let how = Decoding { beam: 6, phrases, ..Decoding::default() };
        let mut random = SplitMix64::new(3);
        let mut log_p: Vec<f32> = (0..4 * 3000).map(|_| 4.0 * random.unit() as f32).collect();
        log_softmax(&mut log_p, 4);
        let [mut all, mut few] = [usize::MAX, 0].map(|most| {
            let mut search = Search::new(&how, &labels, true).expect("a search");
            search.most = most;
            search
        });
        for step in log_p.chunks_exact(4) {
            all.push(step);
            few.most = 0;
            few.push(step);
        }
        assert_eq!(all.best(), few.best());
        // A text and the six that it may become, of so many more that were looked at.
        assert!(few.nodes.len() < few.best().len() + 100, "{}", few.nodes.len());
        assert!(all.nodes.len() > 5 * few.nodes.len(), "{}", all.nodes.len());
    }
}

//! A report on compositions.
use super::chain::Chain;
use super::copied::{Copied, Strokes};
use super::statistics::{Statistic, statistics};
use crate::music::data::Parts;
use gruvy_runtime::music::{Bar, Roll};
use gruvy_runtime::random::mix;
use serde::Serialize;

/// Pieces of the validation part that are looked at for comparison, at most.
const HELD_BACK: usize = 50;

/// A composition as it is judged.
#[derive(Clone, Debug)]
pub struct Composed {
    /// With its primer.
    pub roll: Roll,
    /// Steps of the primer, which are not judged.
    pub primer: usize,
    /// Nats of each step, or event, that was drawn.
    pub surprise: Vec<f64>,
}

/// Whether compositions are copies, and whether they are like what was learned from.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What a nat is of: `step` or `event`.
    pub unit: &'static str,
    /// Of each piece.
    pub pieces: Vec<Originality>,
    /// The same of pieces that were not learned from, each the median: how much of the training
    /// music stands in music that is no copy of it. None where there are none.
    pub held_back: Option<Originality>,
    /// How far all pieces together are from the training music.
    pub distances: Vec<Distance>,
    /// Of the training music, the pieces, and the chain's.
    #[serde(skip)]
    pub statistics: [Vec<Statistic>; 3],
    /// The pieces.
    #[serde(skip)]
    pub composed: Vec<Composed>,
}

/// Whether a piece is a copy.
#[derive(Clone, Debug, Serialize)]
pub struct Originality {
    /// What it has of the training music.
    #[serde(flatten)]
    pub copied: Copied,
    /// Mean nats of what was drawn; none where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats: Option<f64>,
}

/// How far music is from the training music by one measure, 0 to 1.
#[derive(Clone, Debug, Serialize)]
pub struct Distance {
    /// What is measured: see [`statistics`](super::statistics()).
    pub name: &'static str,
    /// Of the compositions.
    pub composed: f64,
    /// Of as many pieces of the validation part, which were not learned from; none where there are
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<f64>,
    /// Of as much music of a first-order Markov chain over the frames.
    pub chain: f64,
}

impl Report {
    /// A report on compositions of a model that learned from `corpus`, in rolls of the same grid.
    /// `events`: of a model of events, whose timing is free: what is the same at other times is a
    /// copy too. The chain draws from `seed`.
    pub fn new(composed: Vec<Composed>, corpus: &Parts<Roll>, events: bool, seed: u64) -> Self {
        let strokes = |roll: &Roll| Strokes::new(roll, !events);
        let learned: Vec<Strokes> = corpus.train.iter().map(strokes).collect();
        let copied = |roll: &Roll| Copied::from(&strokes(roll), &learned);
        let own: Vec<Roll> = composed.iter().map(|made| behind(&made.roll, made.primer)).collect();
        let mean =
            |nats: &[f64]| (!nats.is_empty()).then(|| nats.iter().sum::<f64>() / nats.len() as f64);
        let pieces = own.iter().zip(&composed).map(|(roll, made)| {
            let mut copied = copied(roll);
            // Told by the steps of the whole.
            if let Some(row) = &mut copied.row {
                (row.from, row.to) = (row.from + made.primer, row.to + made.primer);
            }
            Originality { copied, nats: mean(&made.surprise) }
        });
        let pieces = pieces.collect();
        let held_back = median(corpus.valid.iter().take(HELD_BACK).map(copied).collect());
        let chain = Chain::new(&corpus.train);
        let drawn: Vec<Roll> = (0..)
            .zip(&own)
            .map(|(number, roll)| Roll {
                frames: chain.compose(roll.frames.len(), mix(seed, number)),
                ..roll.clone()
            })
            .collect();
        let statistics = [statistics(&corpus.train), statistics(&own), statistics(&drawn)];
        let [of_corpus, of_own, of_chain] = &statistics;
        let unseen = &corpus.valid[..own.len().min(corpus.valid.len())];
        let of_unseen = super::statistics(unseen);
        let distances = of_corpus.iter().zip(of_own).zip(of_chain).zip(&of_unseen);
        let distances = distances
            .map(|(((corpus, own), chain), held_back)| Distance {
                name: corpus.name,
                composed: own.distance(corpus),
                held_back: (!unseen.is_empty()).then(|| held_back.distance(corpus)),
                chain: chain.distance(corpus),
            })
            .collect();
        let unit = if events { "event" } else { "step" };
        Self { unit, pieces, held_back, distances, statistics, composed }
    }
}

/// A roll without its first steps, whose bars go on as they did.
fn behind(roll: &Roll, steps: usize) -> Roll {
    let moved = |bar: &Bar| Bar { at: bar.at.saturating_sub(steps), ..*bar };
    let mut bars: Vec<Bar> = roll.bars.iter().map(moved).collect();
    // Of those that began before, the last holds.
    let past = bars.iter().filter(|bar| bar.at == 0).count();
    bars.drain(..past.saturating_sub(1));
    let frames = roll.frames.get(steps..).unwrap_or_default().to_vec();
    Roll { frames, bars, ..roll.clone() }
}

/// The median of each number.
fn median(all: Vec<Copied>) -> Option<Originality> {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let longest = middle(all.iter().map(|copied| copied.longest as f64).collect())? as usize;
    let share = middle(all.iter().map(|copied| copied.share).collect())?;
    let moments = middle(all.iter().map(|copied| copied.moments as f64).collect())? as usize;
    Some(Originality {
        copied: Copied { moments, longest, share, ..Copied::default() },
        nats: None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use gruvy_runtime::music::Sound;

    /// Up and down a scale from a key on, in quarters of two steps.
    fn scale(from: u8, count: usize) -> Roll {
        let steps = [0u8, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2];
        let frame = |step: usize| {
            let key = from + steps[step / 2 % steps.len()];
            vec![Sound { key, onset: step.is_multiple_of(2) }]
        };
        Roll {
            name: format!("scale {from}"),
            frames: (0..count).map(frame).collect(),
            onsets: true,
            steps_per_quarter: 2,
            bars: vec![Bar { at: 0, beats: 4, unit: 4 }],
            tempo: 120.0,
            tempo_changes: Vec::new(),
        }
    }

    pub(in super::super) fn example() -> Report {
        let train = (20..40).map(|from| scale(from, 64)).collect();
        let corpus = Parts {
            train,
            valid: vec![scale(41, 64)],
            test: Vec::new(),
            one_key: false,
            notes: Vec::new(),
        };
        let mut made = scale(30, 96);
        made.frames[80..].fill(Vec::new());
        let composed = Composed { roll: made, primer: 16, surprise: vec![0.5; 80] };
        Report::new(vec![composed], &corpus, false, 1)
    }

    #[test]
    fn a_report_says_what_was_copied_and_how_far_it_is() {
        let report = example();
        let piece = &report.pieces[0];
        assert_eq!(piece.copied.row.as_ref().map(|row| (row.from, row.to)), Some((28, 78)));
        // Of 80 steps, 64 have a note at every second; the corpus has rows of 32.
        assert_eq!((piece.copied.moments, piece.copied.longest), (32, 26), "{piece:?}");
        assert_eq!((piece.copied.share, piece.nats), (1.0, Some(0.5)));
        let held_back = report.held_back.as_ref().unwrap();
        assert_eq!((held_back.copied.longest, held_back.copied.share), (32, 1.0));
        let names: Vec<&str> = report.distances.iter().map(|distance| distance.name).collect();
        assert_eq!(names, ["notes", "intervals", "durations", "keys at once", "likeness of bars"]);
        let at_once = &report.distances[3];
        assert!((at_once.composed - 16.0 / 80.0).abs() < 1e-12, "{at_once:?}");
        assert!(at_once.chain < 1e-12 && at_once.held_back == Some(0.0));
        // The chain forgets where in the scale it is; the melody of the piece does not.
        assert!(report.distances[1].composed < report.distances[1].chain);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["pieces"][0]["longest"], 26);
    }

    #[test]
    fn nothing_composed_is_no_fault() {
        let corpus = Parts {
            train: vec![scale(30, 10)],
            valid: Vec::new(),
            test: Vec::new(),
            one_key: false,
            notes: Vec::new(),
        };
        let composed = Composed { roll: scale(30, 8), primer: 8, surprise: Vec::new() };
        let report = Report::new(vec![composed], &corpus, false, 1);
        assert!(report.held_back.is_none() && report.pieces[0].nats.is_none());
        assert_eq!(report.pieces[0].copied.moments, 0);
    }
}

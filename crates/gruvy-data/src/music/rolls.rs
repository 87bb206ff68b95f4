//! Piano rolls as JSON: `{"train": [piece, …], "valid": …, "test": …}`, a piece a list of steps, a
//! step a list of keys, 0 the lowest of a piano.
use super::too_large;
use gruvy_runtime::music::{KEYS, Roll, Sound, USUAL_TEMPO};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// No larger file is read, in bytes; in memory it may take ten times that.
const MOST_BYTES: usize = 32 << 20;
const PARTS: [&str; 3] = ["train", "valid", "test"];

/// Rolls that are divided already. They know no meter, and no repeated notes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rolls {
    /// To learn from.
    pub train: Vec<Roll>,
    /// To choose by.
    pub valid: Vec<Roll>,
    /// To measure with.
    pub test: Vec<Roll>,
}

impl Rolls {
    /// All of them, part by part.
    pub fn all(&self) -> impl Iterator<Item = &Roll> {
        self.train.iter().chain(&self.valid).chain(&self.test)
    }
}

/// What is expected, or something else.
#[derive(Deserialize)]
#[serde(untagged)]
enum Known<T> {
    Is(T),
    Other(IgnoredAny),
}

type Key = Known<Option<i64>>;
type Step = Known<Option<Vec<Key>>>;
type Steps = Known<Option<Vec<Step>>>;

/// What was passed over.
#[derive(Default)]
struct Mended {
    pieces: usize,
    steps: usize,
    keys: usize,
}

/// Rolls of the bytes of a file, and what was mended; the error says why they cannot be read.
pub(super) fn parse(bytes: &[u8]) -> Result<(Rolls, Vec<String>), String> {
    if bytes.len() > MOST_BYTES {
        return Err(too_large(bytes.len() as u64, MOST_BYTES));
    }
    let parts: BTreeMap<String, Option<Vec<Steps>>> =
        serde_json::from_slice(bytes).map_err(|error| {
            format!(
                "no JSON of piano rolls: {error}; expected {{\"train\": [[[keys of a step], …], \
                 …], \"valid\": …, \"test\": …}}"
            )
        })?;
    let (mut rolls, mut mended) = (Rolls::default(), Mended::default());
    for (part, pieces) in parts {
        let to = match part.as_str() {
            "train" => &mut rolls.train,
            "valid" => &mut rolls.valid,
            "test" => &mut rolls.test,
            _ => return Err(format!("unknown part `{part}`; expected {}", PARTS.join(", "))),
        };
        for (i, steps) in pieces.into_iter().flatten().enumerate() {
            to.extend(piece(format!("{part} {}", i + 1), steps, &mut mended)?);
        }
    }
    if rolls.all().next().is_none() {
        return Err(format!("no piece with a step in the parts {}", PARTS.join(", ")));
    }
    Ok((rolls, mended.sentences()))
}

fn piece(name: String, steps: Steps, mended: &mut Mended) -> Result<Option<Roll>, String> {
    let Known::Is(steps) = steps else {
        return Err(format!("piece `{name}`: expected a list of steps"));
    };
    let steps = steps.unwrap_or_default();
    if steps.is_empty() {
        mended.pieces += 1;
        return Ok(None);
    }
    let mut frames: Vec<Vec<Sound>> = Vec::with_capacity(steps.len());
    for (i, step) in steps.into_iter().enumerate() {
        let at = |problem: String| format!("piece `{name}`, step {}: {problem}", i + 1);
        let keys = keys(step, mended).map_err(at)?;
        let before = frames.last();
        let held = |key: u8| before.is_some_and(|frame| frame.iter().any(|s| s.key == key));
        frames.push(keys.into_iter().map(|key| Sound { key, onset: !held(key) }).collect());
    }
    Ok(Some(Roll {
        name,
        frames,
        onsets: false,
        steps_per_quarter: 0,
        bars: Vec::new(),
        tempo: USUAL_TEMPO,
        tempo_changes: Vec::new(),
    }))
}

/// The keys of a step, by rising key.
fn keys(step: Step, mended: &mut Mended) -> Result<Vec<u8>, String> {
    let Known::Is(keys) = step else { return Err("expected a list of keys".into()) };
    mended.steps += usize::from(keys.is_none());
    let mut all = Vec::new();
    for key in keys.into_iter().flatten() {
        let Known::Is(key) = key else { return Err("expected whole numbers as keys".into()) };
        match key.map(|key| (key, u8::try_from(key))) {
            None => mended.keys += 1,
            Some((_, Ok(key))) if usize::from(key) < KEYS => all.push(key),
            Some((key, _)) => {
                return Err(format!(
                    "key {key}; expected 0 to 87, 0 the lowest of a piano: subtract 21 from the \
                     keys of MIDI"
                ));
            }
        }
    }
    all.sort_unstable();
    let given = all.len();
    all.dedup();
    mended.keys += given - all.len();
    Ok(all)
}

impl Mended {
    fn sentences(&self) -> Vec<String> {
        let all = [
            (self.pieces, "pieces left out that have no steps"),
            (self.steps, "steps of null read as silence"),
            (self.keys, "keys left out that are null, or twice in a step"),
        ];
        let said = all.iter().filter(|(count, _)| *count > 0);
        said.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

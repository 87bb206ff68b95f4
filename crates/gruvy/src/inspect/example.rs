//! One sequence to look at: what enters the model, what it should answer, and what stands under
//! each step.
use crate::error::{Error, Result};
use gruvy_runtime::{
    Codec,
    audio::Audio,
    classify::{Reader, Words},
    items::Items,
    memory::{Adding, Copying},
    model::ModelFile,
    music::{Ear, Event, LOWEST, Piece, Roll, UNITS, key_name},
    series::Panel,
    text::{TextCodec, TextUnit},
};

/// Longest sequence that is generated.
const MAX_GENERATED: usize = 20_000;

/// What enters the model at each step.
#[derive(Clone, Debug)]
pub enum Inputs {
    /// `[T]` token ids.
    Tokens(Vec<u32>),
    /// `[T, I]` features.
    Features(Vec<f32>),
}

/// What the model should answer at one step, and with it the loss there.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Nothing is asked here.
    None,
    /// This token or class: loss −ln p.
    Class(u32),
    /// These numbers, as many as the model has outputs: loss is the mean squared error.
    Values(Vec<f32>),
}

/// One sequence through a model.
#[derive(Clone, Debug)]
pub struct Example {
    /// What enters.
    pub inputs: Inputs,
    /// `[T]` what should come out.
    pub targets: Vec<Target>,
    /// `[T]` how each step is called in pictures: a character, a value.
    pub labels: Vec<String>,
    /// Steps of the whole input; more than T if it was cut.
    pub available: usize,
}

impl Example {
    /// The first `steps` tokens of a text, each with the token that follows as its target.
    ///
    /// # Errors
    /// If the model is not one of text, the text is empty, has a single token, is not the codec's
    /// kind of text or has a character that the model does not know.
    pub fn of_text(model: &ModelFile, text: impl AsRef<[u8]>, steps: usize) -> Result<Self> {
        let Codec::Text(codec) = &model.codec else {
            return Err(Error::Data(format!(
                "a model of the task `{}` does not read text",
                model.codec.task()
            )));
        };
        let mut tokens = codec.encode(text)?;
        let available = tokens.len();
        if available < 2 {
            return Err(Error::Data(format!(
                "the text has {available} tokens: at least 2 are needed, one to read and one to \
                 predict"
            )));
        }
        // The token after the last step is its target.
        tokens.truncate(steps.saturating_add(1));
        known(codec, &tokens)?;
        let mut targets: Vec<_> = tokens[1..].iter().map(|token| Target::Class(*token)).collect();
        if tokens.len() > steps {
            tokens.truncate(steps);
        } else {
            targets.push(Target::None);
        }
        let labels = tokens.iter().map(|token| label(codec, *token)).collect();
        Ok(Self { inputs: Inputs::Tokens(tokens), targets, labels, available })
    }

    /// The first `steps` steps of the first of some items that a classifier is asked about. Its
    /// answer is about all steps at once, so nothing is asked at single ones.
    ///
    /// # Errors
    /// If the model is no classifier, there is no item, it is of another kind than the model's, or
    /// nothing is in it.
    pub fn of_item(model: &ModelFile, items: &Items, steps: usize) -> Result<Self> {
        let Codec::Classify(codec) = &model.codec else {
            return Err(wrong_task(model, "does not read labelled items"));
        };
        let (inputs, mut labels) = match items {
            Items::Text(texts) => {
                let Some(text) = texts.first() else { return Err(nothing("item")) };
                let tokens = codec.tokens(text)?;
                let labels = match &codec.reader {
                    Reader::Text(codec) => {
                        tokens.iter().map(|token| label(codec, *token)).collect()
                    }
                    // Unknown words by their own names, too.
                    _ => Words::split(text).map(|word| text[word].to_owned()).collect(),
                };
                (Inputs::Tokens(tokens), labels)
            }
            Items::Sequences(all) => {
                let _ = codec.encode(items)?;
                if all.is_empty() {
                    return Err(nothing("item"));
                }
                let values = codec.features(all.item(0))?;
                let count = values.len() / all.features.len().max(1);
                (
                    Inputs::Features(values),
                    (0..count).map(|step| step.to_string()).collect::<Vec<_>>(),
                )
            }
        };
        let available = inputs.steps(model);
        if available == 0 {
            return Err(nothing("step of the item"));
        }
        let inputs = inputs.first(steps, model);
        let count = inputs.steps(model);
        labels.truncate(count);
        Ok(Self { inputs, targets: vec![Target::None; count], labels, available })
    }

    /// The first `steps` steps of a recording. What is said at which step is not known, so nothing
    /// is asked at single ones. Steps are called by their time.
    ///
    /// # Errors
    /// If the model is none of speech, hears no sound, or the recording has another rate or nothing
    /// in it.
    pub fn of_sound(model: &ModelFile, audio: &Audio, steps: usize) -> Result<Self> {
        let Codec::Speech(codec) = &model.codec else {
            return Err(wrong_task(model, "does not listen to recordings"));
        };
        let front_end = codec.front_end()?;
        let inputs = Inputs::Features(front_end.features(audio)?);
        let available = inputs.steps(model);
        if available == 0 {
            return Err(nothing("step of the recording"));
        }
        let inputs = inputs.first(steps, model);
        let count = inputs.steps(model);
        let label = |t: usize| format!("{:.2} s", t as f64 * front_end.step_seconds());
        let labels = (0..count).map(label).collect();
        Ok(Self { inputs, targets: vec![Target::None; count], labels, available })
    }

    /// The last window of the first series that is long enough, as a forecast model reads it before
    /// it answers. Steps are called by how far they lie before the horizon.
    ///
    /// # Errors
    /// If the model is none of time series, a series does not fit it, or all are too short.
    pub fn of_series(model: &ModelFile, panel: &Panel) -> Result<Self> {
        let Codec::Forecast(codec) = &model.codec else {
            return Err(wrong_task(model, "does not read time series"));
        };
        for series in &panel.series {
            let prepared = codec.prepare(series)?;
            let Some(frame) = codec.frame(&prepared, prepared.len()) else { continue };
            let inputs = Inputs::Features(codec.windows(&[(&prepared, &frame)], false).steps);
            let count = inputs.steps(model);
            let labels = (0..count).map(|step| format!("-{}", count - step)).collect();
            return Ok(Self {
                inputs,
                targets: vec![Target::None; count],
                labels,
                available: count,
            });
        }
        Err(nothing("series that is long enough"))
    }

    /// The first `steps` of a piece of music, each called by the keys that sounded before it.
    ///
    /// # Errors
    /// If the model is none of music, or the roll is on another grid or empty.
    pub fn of_music(model: &ModelFile, roll: &Roll, steps: usize) -> Result<Self> {
        let Codec::Music(codec) = &model.codec else {
            return Err(wrong_task(model, "does not read music"));
        };
        codec.hears(roll)?;
        if roll.frames.is_empty() {
            return Err(nothing("step of music"));
        }
        let count = roll.frames.len().min(steps);
        let (mut ear, width) = (Ear::new(codec), codec.features());
        let (mut x, mut labels) = (vec![0.0; count * width], Vec::with_capacity(count));
        for (step, x) in x.chunks_exact_mut(width).enumerate() {
            let highest = ear.frame().last();
            labels.push(highest.map_or("·".to_owned(), |sound| key_name(sound.key + LOWEST)));
            ear.tell(roll.place(step), x);
            ear.hear(&roll.frames[step]);
        }
        let targets = vec![Target::None; count];
        Ok(Self { inputs: Inputs::Features(x), targets, labels, available: roll.frames.len() })
    }

    /// The first `steps` events of a piece, each with the event that follows as its target. Events
    /// are called by the key that is struck (`C4`) or let go (`-C4`), by the seconds that go by
    /// (`0.25`), or by a velocity of 32 (`v20`).
    ///
    /// # Errors
    /// If the model is none of events, or the piece is too long or has no notes.
    pub fn of_events(model: &ModelFile, piece: &Piece, steps: usize) -> Result<Self> {
        let Codec::Events(codec) = &model.codec else {
            return Err(wrong_task(model, "does not read events"));
        };
        let events = codec.encode(piece)?;
        if events.is_empty() {
            return Err(nothing("note"));
        }
        let read = [&[codec.start()], &events[..events.len() - 1]].concat();
        let count = read.len().min(steps);
        let label = |token: &u32| match Event::of(*token) {
            None => "·".to_owned(),
            Some(Event::Strike(key)) => key_name(key + LOWEST),
            Some(Event::LetGo(key)) => format!("-{}", key_name(key + LOWEST)),
            Some(Event::Wait(units)) => format!("{:.2}", f64::from(units) / f64::from(UNITS)),
            Some(Event::Velocity(step)) => format!("v{step}"),
        };
        Ok(Self {
            labels: read[..count].iter().map(label).collect(),
            targets: events[..count].iter().map(|token| Target::Class(*token)).collect(),
            available: read.len(),
            inputs: Inputs::Tokens(read[..count].to_vec()),
        })
    }

    /// The first sequence that the model's task makes from `seed`, for the tasks that measure
    /// memory. What counts is asked of it: the sum after the last step (adding), the ten digits
    /// at the end (copy).
    ///
    /// # Errors
    /// If the model's task reads data, or its sequences are longer than anybody can look at.
    pub fn generated(model: &ModelFile, seed: u64) -> Result<Self> {
        let (inputs, mut targets, labels): (_, _, Vec<String>) = match &model.codec {
            Codec::Adding(task) => {
                short_enough(task.length)?;
                let examples = task.examples(seed, 0..1);
                let label = |step: &[f32]| match step {
                    [number, mark] if *mark > 0.0 => format!("+{number:.1}"),
                    step => format!("{:.1}", step[0]),
                };
                let labels = examples.x.chunks_exact(Adding::FEATURES).map(label).collect();
                (Inputs::Features(examples.x), vec![Target::Values(examples.sums)], labels)
            }
            Codec::Copy(task) => {
                short_enough(task.steps())?;
                let examples = task.examples(seed, 0..1);
                let answer = &examples.targets[task.steps() - Copying::DIGITS..];
                let targets = answer.iter().map(|digit| Target::Class(*digit)).collect();
                let labels = examples.x.iter().map(ToString::to_string).collect();
                (Inputs::Tokens(examples.x), targets, labels)
            }
            other => {
                let why = format!("a model of the task `{}` needs an input", other.task());
                return Err(Error::Data(why));
            }
        };
        let mut all = vec![Target::None; labels.len() - targets.len()];
        all.append(&mut targets);
        Ok(Self { inputs, targets: all, available: labels.len(), labels })
    }

    /// `T`, steps of the sequence.
    pub fn steps(&self) -> usize {
        self.targets.len()
    }
}

fn wrong_task(model: &ModelFile, what: &str) -> Error {
    Error::Data(format!("a model of the task `{}` {what}", model.codec.task()))
}

fn nothing(what: &str) -> Error {
    Error::Data(format!("there is no {what} to look at"))
}

impl Inputs {
    /// `T`
    fn steps(&self, model: &ModelFile) -> usize {
        match self {
            Self::Tokens(tokens) => tokens.len(),
            Self::Features(values) => values.len() / model.spec.input.width().max(1),
        }
    }

    /// The first steps.
    fn first(mut self, steps: usize, model: &ModelFile) -> Self {
        match &mut self {
            Self::Tokens(tokens) => tokens.truncate(steps),
            Self::Features(values) => values.truncate(steps * model.spec.input.width()),
        }
        self
    }
}

/// Refuses sequences that a trace would need too much memory for.
fn short_enough(steps: usize) -> Result<()> {
    if steps <= MAX_GENERATED {
        return Ok(());
    }
    Err(Error::Data(format!(
        "the model's sequences have {steps} steps: at most {MAX_GENERATED} can be looked at"
    )))
}

/// Refuses a text with a character that the model has never seen: what follows it would be about a
/// placeholder.
fn known(codec: &TextCodec, tokens: &[u32]) -> Result<()> {
    let unknown = codec.unknown_token();
    match tokens.iter().position(|token| Some(*token) == unknown) {
        Some(at) => Err(Error::Data(format!(
            "character {} of the text is none that the model has seen: remove it, take fewer \
             steps, or \
             give another text",
            at + 1
        ))),
        None => Ok(()),
    }
}

/// What a token looks like: blanks visible, bytes outside of ASCII in hexadecimal.
fn label(codec: &TextCodec, token: u32) -> String {
    if codec.unit() == TextUnit::Byte && token >= 0x80 {
        return format!("{token:02x}");
    }
    let visible = |c: char| match c {
        '\n' => '↵',
        '\t' => '→',
        ' ' => '·',
        c if c.is_control() => '�',
        c => c,
    };
    codec.decode(&[token]).chars().map(visible).collect()
}

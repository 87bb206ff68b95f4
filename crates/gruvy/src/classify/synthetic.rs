//! The embedded set: opinions put together from parts, for want of real ones that could be given
//! away.
//!
//! Synthetic, and made to need an ear for order: `not bad at all`, `I was told it would be
//! dreadful, and it was lovely` have the words of both opinions, so that a bag of words cannot tell
//! them apart.
use gruvy_data::Input;
use gruvy_data::examples::{ExampleFormat, Examples, read_examples};
use gruvy_runtime::Remark;
use gruvy_runtime::random::mix;
use std::fmt::Write;

/// Items of the set.
const ITEMS: u64 = 3000;

const THINGS: [&str; 24] = [
    "the soup",
    "the room",
    "the ferry",
    "the concert",
    "the guide",
    "the map",
    "the tea",
    "the garden",
    "the museum",
    "the bread",
    "the bicycle",
    "the train",
    "the lamp",
    "the novel",
    "the bed",
    "the market",
    "the view",
    "the play",
    "the radio",
    "the coat",
    "the service",
    "the music",
    "the kettle",
    "the tent",
];
const GOOD: [&str; 16] = [
    "lovely",
    "excellent",
    "delightful",
    "splendid",
    "wonderful",
    "charming",
    "superb",
    "great",
    "a pleasure",
    "worth every penny",
    "very good",
    "better than I hoped",
    "a joy",
    "beautiful",
    "just right",
    "first rate",
];
const BAD: [&str; 16] = [
    "dreadful",
    "awful",
    "disappointing",
    "terrible",
    "poor",
    "a waste of money",
    "miserable",
    "tiresome",
    "very bad",
    "worse than I feared",
    "a let-down",
    "shabby",
    "ugly",
    "all wrong",
    "second rate",
    "useless",
];
const NEUTRAL: [&str; 18] = [
    "we came on a Tuesday",
    "it is next to the station",
    "there are two floors",
    "we stayed for three nights",
    "it opens at nine",
    "my brother paid",
    "it was in April",
    "the box is brown",
    "you book by telephone",
    "it weighs about two kilos",
    "we went by bus",
    "there were six of us",
    "it comes in three sizes",
    "the door is on the left",
    "they take cards",
    "it was made in 1987",
    "we sat by the window",
    "it rained that day",
];
/// What may stand before any opinion, so that what it is said of is not beside it.
const ASIDES: [&str; 10] = [
    "",
    "",
    "really ",
    "quite ",
    "simply ",
    "to my mind ",
    "on the whole ",
    "as far as I can tell ",
    "when all is said ",
    "in its way ",
];

/// Draws numbers one after the other.
struct Draw {
    seed: u64,
    drawn: u64,
}

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.drawn += 1;
        (mix(self.seed, self.drawn) % n as u64) as usize
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// A sentence of that opinion.
    fn opinion(&mut self, good: bool) -> String {
        let thing = self.of(&THINGS);
        let (same, other) = if good { (&GOOD, &BAD) } else { (&BAD, &GOOD) };
        let same = format!("{}{}", self.of(&ASIDES), self.of(same));
        let other = format!("{}{}", self.of(&ASIDES), self.of(other));
        match self.below(10) {
            0..2 => format!("{thing} was {same}"),
            2 => format!("{thing} was not {other} at all"),
            3 => format!("nobody could call {thing} {other}"),
            4 => format!("I was told {thing} would be {other}, and it was {same}"),
            5 => format!("{thing} was {same}, though I was told it would be {other}"),
            6 => format!("they say {thing} is {other}, but it was {same}"),
            7 => format!("{thing} used to be {other} and now it is {same}"),
            8 => format!("now {thing} is {same}, and it used to be {other}"),
            _ => format!("{thing} was anything but {other}"),
        }
    }

    fn item(&mut self, label: usize) -> String {
        let mut parts = match label {
            0 => vec![self.opinion(false)],
            1 => vec![self.of(&NEUTRAL).to_owned()],
            _ => vec![self.opinion(true)],
        };
        for _ in 0..self.below(3) {
            let at = self.below(parts.len() + 1);
            parts.insert(at, self.of(&NEUTRAL).to_owned());
        }
        let sentence = |part: &String| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
        };
        parts.iter().filter_map(sentence).collect::<Vec<_>>().join(". ") + "."
    }
}

/// The set as a file: text and label, of three labels in equal numbers.
fn table() -> String {
    let mut table = "text\tlabel\n".to_owned();
    for item in 0..ITEMS {
        let mut draw = Draw { seed: mix(0x6b_7275_7679, item), drawn: 0 };
        let label = (item % 3) as usize;
        let text = draw.item(label);
        // Writing to a string does not fail.
        let _ = writeln!(table, "{text}\t{}", ["negative", "neutral", "positive"][label]);
    }
    table
}

/// The set, with a note that says what it is.
///
/// # Panics
/// Never, as the set can be read.
pub fn synthetic() -> Examples {
    let read = read_examples(
        &[Input::bytes("synthetic.tsv", table().into_bytes())],
        &ExampleFormat::default(),
    );
    let mut examples = read.expect("the embedded set can be read");
    // Nobody's own data have to be like these.
    examples.format = ExampleFormat::default();
    examples.notes = vec![Remark::from(format!(
        "no data given: learning from {ITEMS} synthetic opinions, put together from parts for \
         this demo"
    ))];
    examples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opinions_are_many_and_alike_in_number() {
        let table = table();
        let lines: std::collections::BTreeSet<&str> = table.lines().skip(1).collect();
        assert!(lines.len() > 2500, "{} of {ITEMS} are distinct", lines.len());
        for label in ["negative", "neutral", "positive"] {
            assert_eq!(table.lines().filter(|line| line.ends_with(label)).count(), 1000);
        }
    }
}

//! An explanation to look at: the words of a text, coloured by what they do, and the way of the
//! answer through it.
use crate::draw::page::{escaped, filled};
use gruvy_runtime::classify::{Explanation, Ranked, WordEffect};
use std::fmt::Write;

/// Words in a terminal's table; of a longer text those with the largest effects.
const ROWS: usize = 40;
/// Widest bar of a terminal's table, in characters.
const BAR: usize = 20;

/// The explanation for a terminal; `colour`: with its colours, green for the label and red against
/// it.
pub fn explanation_text(explanation: &Explanation, colour: bool) -> String {
    let Explanation { label, probability, before, .. } = explanation;
    let mut out = format!("{label}  {probability:.4}, before reading {before:.4}\n");
    if colour {
        let _ = writeln!(out, "\n{}", coloured(explanation));
    }
    let words = strongest(&explanation.words);
    let shown = |word: &WordEffect| shortened(&word.word);
    let width = words.iter().map(|word| shown(word).chars().count()).max().unwrap_or(0).max(4);
    let _ = write!(out, "\n{:width$}  {:<bar$}  effect\n", "word", "after it", bar = BAR + 7);
    for word in words {
        let full = (f64::from(word.after) * BAR as f64).round() as usize;
        let bar = "█".repeat(full) + &"·".repeat(BAR - full.min(BAR));
        let (name, after, effect) = (shown(word), word.after, word.effect);
        let space = " ".repeat(width - name.chars().count());
        let _ = writeln!(out, "{name}{space}  {after:.3}  {bar}  {effect:+.3}");
    }
    if explanation.words.len() > ROWS {
        let _ = writeln!(
            out,
            "the {ROWS} of {} words with the largest effects",
            explanation.words.len()
        );
    }
    out.trim_end().to_owned()
}

/// The words with the largest effects, in the order of the text.
fn strongest(words: &[WordEffect]) -> Vec<&WordEffect> {
    let mut order: Vec<&WordEffect> = words.iter().collect();
    order.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    order.truncate(ROWS);
    order.sort_by_key(|word| word.range.start);
    order
}

fn shortened(word: &str) -> String {
    const MOST: usize = 24;
    match word.chars().count() {
        0..=MOST => word.to_owned(),
        _ => word.chars().take(MOST - 1).chain(['…']).collect(),
    }
}

/// How strong the colour of a word is, −1 to 1: relative to the strongest, or to a tenth where no
/// word does much.
fn strengths(explanation: &Explanation) -> Vec<f32> {
    let most = explanation.words.iter().map(|word| word.effect.abs()).fold(0.1, f32::max);
    explanation.words.iter().map(|word| word.effect / most).collect()
}

/// The parts of the text in their order: what is between words, and words with their numbers.
fn parts(explanation: &Explanation) -> Vec<(&str, Option<usize>)> {
    let (text, mut parts, mut at) = (explanation.text.as_str(), Vec::new(), 0);
    for (number, word) in explanation.words.iter().enumerate() {
        parts.push((&text[at..word.range.start], None));
        parts.push((word.word.as_str(), Some(number)));
        at = word.range.end;
    }
    parts.push((&text[at..], None));
    parts.retain(|(part, _)| !part.is_empty());
    parts
}

/// The text with terminal colours behind its words.
fn coloured(explanation: &Explanation) -> String {
    let strengths = strengths(explanation);
    let part = |(part, word): (&str, Option<usize>)| match word.map(|word| strengths[word]) {
        // Green and red of the 256 colours, from faint to full.
        Some(s) if s.abs() >= 0.08 => {
            let shades = if s > 0.0 { [22, 28, 34] } else { [52, 88, 160] };
            let shade = shades[((s.abs() * 3.0) as usize).min(2)];
            format!("\x1b[48;5;{shade};97m{part}\x1b[0m")
        }
        _ => part.to_owned(),
    };
    parts(explanation).into_iter().map(part).collect()
}

/// The explanation as an HTML page that needs nothing else.
pub fn explanation_html(explanation: &Explanation) -> String {
    let (name, p) = (escaped(&explanation.label), explanation.probability);
    let strengths = strengths(explanation);
    let mut body = String::new();
    for (part, word) in parts(explanation) {
        let Some(word) = word else {
            body += &escaped(part).replace('\n', "<br>");
            continue;
        };
        let (effect, after, s) =
            (explanation.words[word].effect, explanation.words[word].after, strengths[word]);
        let rgb = if s > 0.0 { "27,138,90" } else { "200,60,40" };
        let _ = write!(
            body,
            "<span style=\"background:rgba({rgb},{:.2})\" title=\"effect {effect:+.3}, after it \
             {after:.3}\">{}</span>",
            s.abs() * 0.75,
            escaped(part)
        );
    }
    let mut rows = String::new();
    for word in &explanation.words {
        let _ = write!(
            rows,
            "<tr><td>{}</td><td><div class=\"bar\" \
             style=\"width:{:.1}px\"></div></td><td>{:.3}</td><td>{:+.3}</td></tr>",
            escaped(&word.word),
            word.after * 240.0,
            word.after,
            word.effect
        );
    }
    let of_label = |one: &Ranked| format!("{} {:.4}", escaped(&one.label), one.probability);
    let all: Vec<String> = explanation.all.iter().take(20).map(of_label).collect();
    filled(
        include_str!("explanation.html"),
        &[
            ("title", format!("{name}, {p:.3}")),
            ("label", name),
            ("probabilities", all.join(" · ")),
            ("before", format!("{:.3}", explanation.before)),
            ("text", body),
            ("rows", rows),
        ],
    )
}

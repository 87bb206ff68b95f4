//! Search and alignment beside all paths there are.
use crate::log_probabilities;
use gruvy_runtime::speech::{Arpa, Decoding, Labels, Phrase, Search, align, plain};
use gruvy_runtime::text::TextCodec;
use std::collections::BTreeMap;
use std::sync::Arc;

const STEPS: usize = 6;

/// Each path over the classes: its labels, and ln of its probability.
fn paths(log_p: &[f32], classes: usize) -> Vec<(Vec<u32>, f64, Vec<usize>)> {
    let steps = log_p.len() / classes;
    let path = |mut number: usize| {
        let (mut labels, mut before, mut total, mut way) = (Vec::new(), 0, 0.0, Vec::new());
        for t in 0..steps {
            let class = number % classes;
            number /= classes;
            total += f64::from(log_p[t * classes + class]);
            if class != 0 && class != before {
                labels.push(class as u32);
            }
            before = class;
            way.push(class);
        }
        (labels, total, way)
    };
    (0..classes.pow(steps as u32)).map(path).collect()
}

fn words() -> Labels {
    Labels::Words(["one", "two", "three"].map(str::to_owned).to_vec())
}

fn search(how: &Decoding, labels: &Labels, log_p: &[f32]) -> Vec<u32> {
    let mut search = Search::new(how, labels, true).unwrap();
    log_p.chunks_exact(labels.classes()).for_each(|step| search.push(step));
    search.best()
}

#[test]
fn a_wide_beam_finds_the_most_probable_text() {
    let labels = words();
    let how = Decoding { beam: 4000, word_bonus: 0.0, ..Decoding::default() };
    for seed in 0..20 {
        let log_p = log_probabilities(STEPS, 4, seed);
        let mut texts: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
        for (labels, total, _) in paths(&log_p, 4) {
            *texts.entry(labels).or_default() += total.exp();
        }
        let best = texts.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        assert_eq!(&search(&how, &labels, &log_p), best.0, "seed {seed}");
    }
}

/// A language model of two words that likes `two one` and nothing else.
const ARPA: &str = "\\data\\\nngram 1=5\nngram 2=2\n\n\\1-grams:\n-1.0\t<s>\t-0.3\n-1.0\t</s>\n\
                    -0.9\tone\t-0.2\n-0.8\ttwo\t-0.1\n-2.0\tthree\n\n\\2-grams:\n-0.05\ttwo one\n\
                    -0.2\t<s> two\n\n\\end\\\n";

#[test]
fn a_language_model_and_a_bonus_count_as_they_say() {
    let labels = words();
    let model = Arc::new(Arpa::parse(ARPA).unwrap());
    let how = Decoding {
        beam: 4000,
        language_model: Some(model.clone()),
        lm_weight: 0.7,
        word_bonus: 0.4,
        phrases: Vec::new(),
    };
    let names = ["", "one", "two", "three"];
    let worth = |labels: &[u32]| {
        let (mut sum, mut history) = (0.0, model.start());
        for label in labels {
            let (log_p, next) = model.word(&history, names[*label as usize]);
            sum += 0.4 + 0.7 * log_p;
            history = next;
        }
        sum + 0.7 * model.end(&history)
    };
    let mut changed = 0;
    for seed in 0..20 {
        let log_p = log_probabilities(STEPS, 4, seed);
        let mut texts: BTreeMap<Vec<u32>, f64> = BTreeMap::new();
        for (labels, total, _) in paths(&log_p, 4) {
            *texts.entry(labels).or_default() += total.exp();
        }
        let score = |text: &(&Vec<u32>, &f64)| text.1.ln() + worth(text.0);
        let best = texts.iter().max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
        let plainly = texts.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        changed += usize::from(best.0 != plainly.0);
        assert_eq!(&search(&how, &labels, &log_p), best.0, "seed {seed}");
    }
    assert!(changed > 5, "the model changed {changed} of 20 texts");
}

#[test]
fn a_phrase_is_preferred_as_a_whole_or_not_at_all() {
    let codec = TextCodec::char("the cat sat on a mat bees cats");
    let labels = Labels::Text(codec);
    let encode = |text: &str| labels.encode(text).unwrap();
    let classes = labels.classes();
    // `the bat` a little clearer than `the cat`.
    let mut log_p = Vec::new();
    for (a, b) in encode("the bat").into_iter().zip(encode("the cat")) {
        let mut step = vec![-6.0; classes];
        step[b as usize] = -0.8;
        step[a as usize] = if a == b { -0.1 } else { -0.6 };
        let mut blank = vec![-6.0; classes];
        blank[0] = -0.05;
        log_p.extend([step, blank].concat());
    }
    let with = |phrases: &[(&str, f64)]| {
        let phrase = |(text, boost): &(&str, f64)| Phrase { text: (*text).into(), boost: *boost };
        let phrases = phrases.iter().map(phrase).collect();
        let how = Decoding { beam: 30, word_bonus: 0.0, phrases, ..Decoding::default() };
        labels.text(&search(&how, &labels, &log_p))
    };
    assert_eq!(with(&[]), "the bat");
    assert_eq!(with(&[("Cat", 0.5)]), "the cat");
    assert_eq!(with(&[("the cat", 0.5)]), "the cat");
    // What is only begun counts nothing, and neither does what begins within a word.
    assert_eq!(with(&[("cats", 0.3)]), "the bat");
    assert_eq!(with(&[("cat sat", 0.5)]), "the bat");
    assert_eq!(with(&[("at", 1.0)]), "the bat");
    let how = Decoding {
        beam: 8,
        phrases: vec![Phrase { text: "zebra".into(), boost: 1.0 }],
        ..Decoding::default()
    };
    let error = Search::new(&how, &labels, true).unwrap_err().to_string();
    assert!(error.contains("`z`") || error.contains("`r`"), "{error}");
}

#[test]
fn an_alignment_is_the_most_probable_path() {
    for seed in 0..20 {
        let log_p = log_probabilities(STEPS, 4, seed);
        for labels in [vec![], vec![1], vec![2, 2], vec![1, 3, 2], vec![3, 3, 3]] {
            let all = paths(&log_p, 4);
            let of = all.iter().filter(|(got, ..)| *got == labels);
            let (_, best, way) = of.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            let (spoken, total) = align(&log_p, 4, &labels).unwrap();
            assert!((total - best).abs() < 1e-5, "{seed} {labels:?}: {total} {best}");
            let mut drawn = vec![0; STEPS];
            for label in &spoken {
                drawn[label.from..label.to].fill(label.class as usize);
            }
            assert_eq!(&drawn, way, "{seed} {labels:?}");
        }
        assert!(align(&log_p, 4, &[1, 1, 1, 1]).is_none());
    }
    assert_eq!(align(&[], 4, &[]).unwrap().0, []);
}

#[test]
fn what_cannot_be_is_named() {
    let labels = words();
    let error = labels.encode("one four").unwrap_err().to_string();
    assert!(error.contains("`four` in `one four`"), "{error}");
    let none = Decoding::default();
    let wrong = |how: Decoding| how.check().unwrap_err().to_string();
    assert!(wrong(Decoding { beam: 0, ..none.clone() }).contains("beam"));
    let model = Some(Arc::new(Arpa::parse(ARPA).unwrap()));
    assert!(wrong(Decoding { language_model: model, ..none.clone() }).contains("at least 2"));
    assert!(wrong(Decoding { lm_weight: f64::NAN, ..none }).contains("lm_weight"));
    let arpa = |text: &str| Arpa::parse(text).unwrap_err().to_string();
    assert!(arpa("").contains("ARPA"));
    assert!(arpa("\\data\\\n\\1-grams:\n-1 a\n").contains("cut off"));
    assert!(arpa("\\data\\\n\\1-grams:\nx a\n\\end\\").contains("line 3"));
    assert!(arpa("\\data\\\n\\1-grams:\n-1 a\n\\2-grams:\n-1 a b\n\\end\\").contains("`b`"));
    assert!(arpa("\\data\\\n\\99-grams:\n\\end\\").contains("99"));
    assert!(arpa("\\data\\\n\\end\\").contains("no n-grams"));
    assert_eq!(plain("  E\u{301}te\u{301}  \n noir ", true), "été noir");
}

#[test]
fn back_off_is_as_the_format_has_it() {
    let model = Arpa::parse(ARPA).unwrap();
    let log10 = |text: &str| {
        let mut history = model.start();
        let mut last = 0.0;
        for word in text.split(' ') {
            (last, history) = model.word(&history, word);
        }
        last / std::f64::consts::LN_10
    };
    let near = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-6, "{got} {expected}");
    near(log10("two"), -0.2);
    near(log10("two one"), -0.05);
    // The weight of `<s>`, then the word alone.
    near(log10("one"), -0.3 - 0.9);
    near(log10("two three"), -0.1 - 2.0);
    near(log10("one four"), -7.0);
}

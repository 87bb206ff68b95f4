//! A network learns which of two words comes first, from sentences that this program makes.
//!
//! ```text
//! cargo run --release -p gruvy --example word_order
//! ```
use gruvy::classify::{ClassifyConfig, ClassifyRun};
use gruvy::settings::TaskConfig;
use gruvy::train::{RunFolder, Silent, train};
use gruvy_runtime::classify::Classifier;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words = ["well", "so", "then", "there", "now", "here", "again"];
    let word = |n: usize| words[n % words.len()];
    let line = |i: usize| {
        let (a, b, label) =
            if i.is_multiple_of(2) { ("cat", "dog", "cat") } else { ("dog", "cat", "dog") };
        format!("{} {a} {} {b} {}\t{label}\n", word(i * 5), word(i * 3 + i / 7), word(i / 2))
    };
    let out = std::env::temp_dir().join("gruvy-word-order");
    std::fs::create_dir_all(&out)?;
    let data = out.join("sentences.tsv");
    std::fs::write(&data, "text\tlabel\n".to_owned() + &(0..400).map(line).collect::<String>())?;

    let mut run = ClassifyRun::default();
    run.data.paths = vec![data];
    run.train.hidden = 32;
    let task = ClassifyConfig::load(run.clone())?;
    let folder = RunFolder::create(out.join("run"), run.to_toml()?, true)?;
    let outcome = train(&task, &run.train, &folder, &mut Silent, &false.into())?;
    println!("on unseen sentences: {:?}", outcome.test);

    let classifier = Classifier::open(folder.model_path())?;
    for text in ["now the dog, then a cat", "so the cat was here again before the dog"] {
        let probabilities = classifier.text(text)?;
        println!("{text}: {:?} {probabilities:.3?}", classifier.codec().labels);
    }
    Ok(())
}

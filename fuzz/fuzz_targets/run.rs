//! Any bytes as a file of a run, as the first byte chooses: settings, evaluations, word vectors, or
//! a checkpoint whose checksum is made right. Refused by name, or as good as what was there.
#![no_main]
use gruvy::classify::{ClassifyConfig, ClassifyRun};
use gruvy::forecast::ForecastConfig;
use gruvy::memory::AddingConfig;
use gruvy::music::MusicConfig;
use gruvy::settings::{RunSettings, TaskConfig, task_of};
use gruvy::text::{TextConfig, TextRun};
use gruvy::train::{RunFolder, Silent, train};
use gruvy_runtime::model::Checksum;
use libfuzzer_sys::fuzz_target;
use safetensors::SafeTensors;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

fuzz_target!(|bytes: &[u8]| {
    let [kind, bytes @ ..] = bytes else { return };
    match kind % 4 {
        0 => settings(bytes),
        1 => evaluations(bytes),
        2 => vectors(bytes),
        _ => checkpoint(bytes),
    }
});

/// A folder of this process.
fn place() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| {
        let shared = Path::new("/dev/shm");
        let place = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
        let place = place.join(format!("gruvy-fuzz-run-{}", std::process::id()));
        std::fs::create_dir_all(&place).expect("a folder can be made");
        place
    })
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = place().join(name);
    std::fs::write(&path, bytes).expect("a file can be written");
    path
}

fn settings(bytes: &[u8]) {
    let path = file("run.toml", bytes);
    if let Err(error) = task_of(&path) {
        assert!(error.to_string().contains("run.toml"), "{error}");
    }
    of_task::<TextConfig>(&path);
    of_task::<ClassifyConfig>(&path);
    of_task::<ForecastConfig>(&path);
    of_task::<MusicConfig>(&path);
    of_task::<AddingConfig>(&path);
}

fn of_task<C: TaskConfig>(path: &Path) {
    match RunSettings::<C>::read(path) {
        Ok(run) => {
            let _ = run.check();
            run.to_toml().expect("settings can be written");
        }
        Err(error) => assert!(error.to_string().contains("run.toml"), "{error}"),
    }
}

fn evaluations(bytes: &[u8]) {
    file("metrics.jsonl", bytes);
    let _ = RunFolder::records(place());
}

fn vectors(bytes: &[u8]) {
    let mut run = ClassifyRun::default();
    run.task.vectors = Some(file("vectors.txt", bytes));
    let rows = "good film,a\nbad film,b\ngood,a\nbad,b\n".repeat(5);
    run.data.paths = vec![file("films.csv", format!("text,label\n{rows}").as_bytes())];
    let _ = ClassifyConfig::load(run);
}

/// A small run, and the checkpoint that it leaves.
fn trained() -> &'static (TextRun, Vec<u8>) {
    static TRAINED: OnceLock<(TextRun, Vec<u8>)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let mut run = TextRun::default();
        run.data.paths = vec![file("book.txt", "abc abd ".repeat(40).as_bytes())];
        run.train.hidden = 2;
        run.train.batch = 2;
        run.train.epochs = 1;
        run.task.embed = 2;
        run.task.seq_len = 4;
        let settings = run.to_toml().expect("settings can be written");
        let folder = RunFolder::create(place().join("run"), settings, true).expect("a run begins");
        let task = TextConfig::load(run.clone()).expect("the data are right");
        train(&task, &run.train, &folder, &mut Silent, &false.into()).expect("a run ends");
        let bytes = std::fs::read(folder.checkpoint_path()).expect("there is a checkpoint");
        (run, bytes)
    })
}

/// The bytes of a checkpoint; or of its header, with the tensors of a real one.
fn checkpoint(bytes: &[u8]) {
    let (run, whole) = trained();
    let bytes = if bytes.starts_with(b"{") { headed(whole, bytes) } else { bytes.to_vec() };
    let settings = run.to_toml().expect("settings can be written");
    let folder = RunFolder::resume(place().join("run"), settings).expect("there is a run");
    std::fs::write(folder.checkpoint_path(), bytes).expect("a file can be written");
    let task = TextConfig::load(run.clone()).expect("the data are right");
    if let Err(error) = train(&task, &run.train, &folder, &mut Silent, &false.into()) {
        assert!(error.to_string().contains("last.ckpt"), "{error}");
    }
}

/// A checkpoint with another header.
fn headed(whole: &[u8], header: &[u8]) -> Vec<u8> {
    let file = SafeTensors::deserialize(whole).expect("it is whole");
    let header = String::from_utf8_lossy(header).into_owned();
    let tensors: BTreeMap<_, _> = file.tensors().into_iter().collect();
    let mut sum = Checksum::default();
    sum.add_bytes(header.as_bytes());
    for (name, view) in &tensors {
        sum.add_bytes(name.as_bytes());
        sum.add_bytes(view.data());
    }
    let entries = [("gruvy_checkpoint".to_owned(), header), ("checksum".to_owned(), sum.to_string())];
    safetensors::serialize(tensors, Some(HashMap::from(entries))).expect("it can be written")
}

//! Any bytes as the files of a run: refused by name, or as good as what was there.
use crate::{Watch, model, small, train_in, words};
use gruvy::settings::{RunSettings, task_of};
use gruvy::text::TextConfig;
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs;
use std::path::Path;

/// What is done to bytes.
#[derive(Clone, Debug)]
enum Damage {
    Change(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Replace(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), bytes()).prop_map(|(at, more)| Damage::Insert(at, more)),
        1 => bytes().prop_map(Damage::Replace),
    ]
}

impl Damage {
    /// Bytes with the damage, which strikes within the first `within` of them.
    fn to(&self, bytes: &[u8], within: usize) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        match self {
            Self::Change(at, byte) => bytes[at.index(within)] = *byte,
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, more) => {
                let at = at.index(within);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Replace(all) => bytes = all.clone(),
        }
        bytes
    }
}

/// What is read of settings can be checked and written; what is not is told with the file's name.
fn settings(path: &Path) {
    if let Err(error) = task_of(path) {
        assert!(error.to_string().contains("run.toml"), "{error}");
    }
    match RunSettings::<TextConfig>::read(path) {
        Ok(run) => {
            let _ = run.check();
            run.to_toml().unwrap();
        }
        Err(error) => assert!(error.to_string().contains("run.toml"), "{error}"),
    }
}

proptest! {
    #[test]
    fn any_bytes_as_settings(damage in damage(), text in "[a-z_=\"0-9.\\[\\]\n -]{0,80}") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        let whole = small().to_toml().unwrap();
        for bytes in [damage.to(whole.as_bytes(), whole.len()), text.into_bytes()] {
            fs::write(&path, bytes).unwrap();
            settings(&path);
        }
    }
}

#[test]
fn any_bytes_as_a_checkpoint() {
    let (folder, mut run) = (tempfile::tempdir().unwrap(), small());
    (run.train.hidden, run.train.epochs) = (4, 1);
    let text = words(400);
    train_in(folder.path(), &run, &text, &mut Watch::default()).unwrap();
    let (path, trained) = (folder.path().join("last.ckpt"), model(folder.path()));
    let whole = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(100));
    let tried = runner.run(&(damage(), any::<bool>()), |(damage, in_header)| {
        let within = if in_header { header } else { whole.len() };
        fs::write(&path, damage.to(&whole, within)).unwrap();
        match train_in(folder.path(), &run, &text, &mut Watch::default()) {
            // Blanks of a header may be others.
            Ok(_) => prop_assert!(model(folder.path()) == trained),
            Err(error) => prop_assert!(error.to_string().contains("last.ckpt"), "{}", error),
        }
        Ok(())
    });
    tried.unwrap();
}

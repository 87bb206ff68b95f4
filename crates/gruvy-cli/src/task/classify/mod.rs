//! Classification on the command line.

pub mod demo;
pub mod explain;
pub mod flags;
mod folds;
pub mod predict;
mod shared;

use self::flags::EvalFlags;
use super::door::{Asked, Demo, Member, Task as Cli};
use crate::screen::Screen;
use anyhow::{Context, Result, bail};
use gruvy::classify::{ClassifyConfig, ClassifyTask, Labelled, PartReport, evaluate};
use gruvy::train::RunFolder;
use gruvy_runtime::classify::{Classifier, ClassifyCodec};
use gruvy_runtime::model::write_atomic;
use gruvy_runtime::names::in_words;
use serde_json::{Value, json};
use std::path::Path;

pub use self::shared::read;
use self::shared::{in_full, own_task, report_in_words};

/// The classification task.
#[derive(Debug)]
pub struct Classify;

impl Cli for Classify {
    type Config = ClassifyConfig;
    type Eval = EvalFlags;
    type Report = PartReport;
    const ABOUT: &'static str = "Learn the label of a text or of a sequence";
    const HEADING: &'static str = "Classify";
    const DATA: Option<&'static str> = Some(
        "Labelled texts or sequences: CSV, TSV, Parquet, JSON Lines, fastText lines, a folder per \
         label, .npz; `-` is \
         stdin; nothing: an embedded synthetic set",
    );
    const USE: [&'static str; 2] = ["predict", "predict"];
    const MEMBER: &'static str = "fold";
    const DEMO: Option<Demo> = Some(demo::run);

    fn report(
        task: &ClassifyTask,
        folder: &RunFolder,
        screen: &Screen,
    ) -> Result<Option<PartReport>> {
        if task.reported().is_some() {
            screen.note("fitting a bag-of-words baseline");
        }
        Ok(task.report_run(folder)?)
    }

    fn in_words(report: &PartReport) -> String {
        report_in_words(report)
    }

    fn report_all(
        all: &[Member<PartReport>],
        of: usize,
        folder: &Path,
        screen: &Screen,
    ) -> Result<()> {
        folds::report(all, of, folder, screen)
    }

    fn eval(asked: Asked<'_>, flags: EvalFlags, screen: &Screen) -> Result<()> {
        let path = asked.path;
        if asked.data.is_empty() {
            bail!("{} is a classifier: give the labelled items to measure it on", path.display());
        }
        let classifier =
            Classifier::from_file(asked.model).with_context(|| path.display().to_string())?;
        let examples = read(&classifier, asked.data, &flags.format, true, screen)?;
        let codec = classifier.codec();
        let data = Labelled::with_labels(examples, codec.labels.clone(), codec.multi_label)?;
        let baseline = match own_task(path, asked.model, screen)? {
            Some(task) => Some(task.baseline()?),
            None => None,
        };
        let report = evaluate(&classifier, &data, baseline.as_ref())?;
        if let Some(out) = &flags.out {
            let title = format!("{} on {} items", path.display(), data.len());
            let html = report.to_html(&title, &|item| data.items.shown(item))?;
            write_atomic(out, html.as_bytes())?;
            screen.note(format!("page: {}", out.display()));
        }
        screen.result(|| json!(report), || in_full(&report, &data.items))
    }
}

/// What `gruvy info` says of the codec.
pub fn info(codec: &ClassifyCodec) -> (Value, String) {
    let json = json!({
        "labels": codec.labels, "multi_label": codec.multi_label, "reads": codec.reader.name(),
        "max_len": codec.max_len, "temperature": codec.temperature, "priors": codec.priors,
    });
    let words = format!(
        "{} to {}: {}",
        codec.reader.name(),
        if codec.multi_label { "any of" } else { "one of" },
        in_words(&codec.labels),
    );
    (json, words)
}

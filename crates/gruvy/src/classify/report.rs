//! What is said of a classifier on labelled items, beside the baseline.
use super::{data::Labelled, report_files, task::ClassifyTask};
use crate::train::folder::RunFolder;
use crate::{
    classify::judge::{
        answers::Answers,
        baseline::{Baseline, BaselineData},
        report::Report,
    },
    error::Result,
    train::task::Part,
};
use gruvy_runtime::classify::Classifier;
use serde::Serialize;
use std::path::PathBuf;

impl ClassifyTask {
    /// The baseline, fitted to the training items.
    ///
    /// # Errors
    /// As [`Baseline::fit`].
    pub fn baseline(&self) -> Result<Baseline> {
        let data = self.data();
        Baseline::fit(&BaselineData {
            items: &data.items,
            truth: &data.truth,
            train: self.part(Part::Train),
            valid: self.part(Part::Valid),
            labels: &data.labels,
            multi_label: self.codec().multi_label,
            weights: self.weights(),
        })
    }

    /// The part that a model is reported on: what it is tested on, or where there is no such part,
    /// validated on; none if there is neither.
    pub fn reported(&self) -> Option<Part> {
        [Part::Test, Part::Valid].into_iter().find(|part| !self.part(*part).is_empty())
    }

    /// Judges a model of this task on the items of a part.
    ///
    /// # Errors
    /// If the model is of other items, or the part is empty.
    pub fn report(
        &self,
        classifier: &Classifier,
        part: Part,
        baseline: Option<&Baseline>,
    ) -> Result<Report> {
        let of = self.part(part);
        let probabilities = classifier.probabilities(&self.encoded().selected(of))?;
        let answers = Answers {
            labels: &self.data().labels,
            multi_label: self.codec().multi_label,
            truth: &self.truth(of),
            probabilities: &probabilities,
        };
        let baseline = baseline.map(|baseline| baseline.probabilities(&self.data().items, of));
        Report::new(name(classifier), &answers, baseline.as_deref())
    }
}

/// A model judged on a part of its own data.
#[derive(Clone, Debug, Serialize)]
pub struct PartReport {
    /// The part: `test`, or `validation` where there is none.
    pub part: &'static str,
    /// The model beside the baseline.
    pub judgement: Report,
    /// The page about it; none without pictures.
    pub page: Option<PathBuf>,
}

impl ClassifyTask {
    /// Judges the model of a run beside the baseline; puts `report.html` and `confusion.svg` into
    /// its folder. None if nothing was held back to judge it on.
    ///
    /// # Errors
    /// If the model cannot be read, or a file cannot be written.
    pub fn report_run(&self, folder: &RunFolder) -> Result<Option<PartReport>> {
        let Some(part) = self.reported() else { return Ok(None) };
        let classifier = Classifier::open(folder.model_path())?;
        let judgement = self.report(&classifier, part, Some(&self.baseline()?))?;
        let (items, of) = (&self.data().items, self.part(part));
        let title = format!("{} on its {} items", folder.path().display(), part.name());
        let shown = |item: usize| items.shown(of[item]);
        let page = report_files::write(&judgement, folder.path(), &title, &shown)?;
        Ok(Some(PartReport { part: part.name(), judgement, page }))
    }
}

/// Judges a model on labelled items, numbered as the model's labels are.
///
/// # Errors
/// If the items are of another kind than the model's, or there is none.
pub fn evaluate(
    classifier: &Classifier,
    data: &Labelled,
    baseline: Option<&Baseline>,
) -> Result<Report> {
    let probabilities = classifier.items(&data.items)?;
    let answers = Answers {
        labels: &data.labels,
        multi_label: classifier.codec().multi_label,
        truth: &data.truth,
        probabilities: &probabilities,
    };
    let all: Vec<usize> = (0..data.len()).collect();
    let baseline = baseline.map(|baseline| baseline.probabilities(&data.items, &all));
    Report::new(name(classifier), &answers, baseline.as_deref())
}

fn name(classifier: &Classifier) -> &'static str {
    classifier.network().spec().rnn.cell.name()
}

//! The same work with several cells: same data, split, seeds and stopping rule, one report.
//!
//! ```text
//! OUT/compare.json         what was asked and all results           replaced after every run
//! OUT/compare.svg          validation loss over epochs, all cells   replaced after every run
//! OUT/CELL-hHIDDEN-sSEED/  an ordinary run folder, and its result.json once the run is done
//! ```
//! Runs go one after the other, all cells of a seed before the next seed, so that what the machine
//! does meanwhile hits every cell alike. A run that is done is read, not repeated; one that was
//! interrupted goes on.
//!
//! ```no_run
//! use gruvy::text::TextRun;
//! use gruvy::{compare::{CompareConfig, Comparison}, train::Silent};
//!
//! let mut comparison = Comparison::open("runs/cells", CompareConfig::default(), TextRun::default())?;
//! while comparison.train_next(&mut Silent, &false.into())? {}
//! for cell in &comparison.report().cells {
//!     println!("{} {:#?}", cell.cell.name(), cell.summary());
//! }
//! # Ok::<(), gruvy::Error>(())
//! ```
pub(crate) mod matching;
pub(crate) mod measure;
#[cfg_attr(not(feature = "draw"), path = "no_picture.rs")]
pub(crate) mod picture;
pub(crate) mod report;

pub use matching::{Match, nearest_hidden};
pub use measure::{INFERENCE_PASSES, INFERENCE_STEPS, steps_per_s};
pub use report::{CellReport, Report, RunReport, Spread, Summary};

use crate::{
    error::{Error, Result},
    settings::run::{RunSettings, TaskConfig},
    train::{
        config::MOST_RUNS,
        folder::RunFolder,
        lock::FolderLock,
        report::{Ended, Observer},
        task::Task,
        train, untrained,
    },
};
use gruvy_kernels::Cell;
use gruvy_runtime::model::remove_leftovers;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

const REPORT: &str = "compare.json";
const PICTURE: &str = "compare.svg";
const RESULT: &str = "result.json";

/// What is compared. Names equal the command's flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareConfig {
    /// The cells, at least two. The first one's size is that of the settings; the others are
    /// matched to it.
    pub cells: Vec<Cell>,
    /// Runs of each cell, with the seeds `seed`, `seed + 1`, … of the settings.
    pub seeds: u64,
    /// What the cells have in common in size.
    pub matching: Match,
}

impl Default for CompareConfig {
    fn default() -> Self {
        let cells = vec![Cell::Gru, Cell::Lstm, Cell::Rnn, Cell::MinGru];
        Self { cells, seeds: 1, matching: Match::Parameters }
    }
}

impl CompareConfig {
    /// Refuses what is no comparison.
    ///
    /// # Errors
    /// [`Error::Setting`] for less than two cells, a cell that is there twice, or no seed.
    pub fn check(&self) -> Result<()> {
        let names: Vec<&str> = self.cells.iter().map(|cell| cell.name()).collect();
        let wrong = |expected: String| Err(Error::setting("cells", names.join(","), expected));
        if names.len() < 2 {
            let all = Cell::ALL.map(Cell::name).join(", ");
            return wrong(format!("expected at least two to compare, out of {all}"));
        }
        if let Some(i) = (1..names.len()).find(|i| names[..*i].contains(&names[*i])) {
            return wrong(format!("expected each cell once, {} is there again", names[i]));
        }
        if !(1..=MOST_RUNS as u64).contains(&self.seeds) {
            let why = format!("expected at least 1, at most {MOST_RUNS}");
            return Err(Error::setting("seeds", self.seeds, why));
        }
        Ok(())
    }
}

/// A run that is still to be done, or to be finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Its cell.
    pub cell: Cell,
    /// Hidden units of a layer.
    pub hidden: usize,
    /// Its seed.
    pub seed: u64,
    /// Its number among all runs, from 1.
    pub number: usize,
    /// Number of all runs.
    pub of: usize,
}

/// A comparison and its folder.
#[derive(Debug)]
pub struct Comparison<C> {
    folder: PathBuf,
    _lock: FolderLock,
    settings: RunSettings<C>,
    report: Report,
}

impl<C: TaskConfig> Comparison<C> {
    /// A new comparison in `folder`, or the one there, with what it has come to so far. The
    /// settings hold for all cells, but for the cell itself, and for hidden size and seed as
    /// [`CompareConfig`] says.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that make no sense or a `hidden` too small to match;
    /// [`Error::Comparison`] if the folder holds another comparison; [`Error::InUse`] if somebody
    /// writes into it; data that cannot be read, or not again and again as standard input; a
    /// folder that cannot be written.
    pub fn open(
        folder: impl Into<PathBuf>,
        config: CompareConfig,
        mut settings: RunSettings<C>,
    ) -> Result<Self> {
        config.check()?;
        settings.train.check_candidate(&config.cells)?;
        settings.train.cell = config.cells[0];
        settings.check()?;
        if settings.data.paths.iter().any(|path| path.as_os_str() == "-") {
            let why =
                "a comparison reads the data for every run: give a file instead of standard input";
            return Err(Error::Data(why.to_owned()));
        }
        let first = C::load(settings.clone())?;
        let spec = untrained(&first, &settings.train)?.spec;
        let mut cells = Vec::new();
        for cell in config.cells {
            let hidden = match config.matching {
                Match::Hidden => settings.train.hidden,
                Match::Parameters => nearest_hidden(&spec, cell)?,
            };
            // Before the first run, not hours later: a cell may refuse a setting that suits others.
            with_cell(&settings, cell, hidden).check()?;
            let parameters = matching::resized(&spec, cell, hidden).parameters() as u64;
            cells.push(CellReport { cell, hidden, parameters, runs: Vec::new() });
        }
        let report = Report {
            task: C::TASK.name().to_owned(),
            unit: C::UNIT.to_owned(),
            loss: C::METRICS[0].title.to_owned(),
            matching: config.matching,
            budget: spec.parameters() as u64,
            seeds: (0..config.seeds).map(|i| settings.train.seed.wrapping_add(i)).collect(),
            data_fingerprint: first.fingerprint(),
            settings: settings.to_toml()?,
            cells,
        };
        let lock = FolderLock::take(folder)?;
        let folder = lock.path().to_owned();
        let mut comparison = Self { folder, _lock: lock, settings, report };
        comparison.continue_or_begin()?;
        Ok(comparison)
    }

    /// Checks that the folder is free or holds this comparison, and reads what is done.
    fn continue_or_begin(&mut self) -> Result<()> {
        let path = self.report_path();
        if path.exists() {
            self.report.same_as(&Report::read(&path)?).map_err(|why| self.wrong(why))?;
        } else if RunFolder::settings_path(&self.folder).exists() {
            let why = "it is the folder of a single run; choose another folder".to_owned();
            return Err(self.wrong(why));
        }
        let folder = self.folder.clone();
        for (seed, i) in self.order() {
            let entry = &mut self.report.cells[i];
            let run = folder.join(run_name(entry.cell, entry.hidden, seed));
            if let Some(result) = RunReport::read(&run.join(RESULT))? {
                entry.runs.push(RunReport { run, ..result });
            }
        }
        for path in [path, self.picture_path()] {
            remove_leftovers(&path)?;
        }
        self.save()
    }

    /// What is asked, and what it has come to so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// `compare.json`
    pub fn report_path(&self) -> PathBuf {
        self.folder.join(REPORT)
    }

    /// `compare.svg`, there once a run is done.
    pub fn picture_path(&self) -> PathBuf {
        self.folder.join(PICTURE)
    }

    /// The run that [`Comparison::train_next`] will do; none if all are done.
    pub fn next(&self) -> Option<Next> {
        let of = self.report.cells.len() * self.report.seeds.len();
        let open = |(_, (seed, i)): &(usize, (u64, usize))| {
            self.report.cells[*i].runs.iter().all(|run| run.seed != *seed)
        };
        let (before, (seed, i)) = self.order().into_iter().enumerate().find(open)?;
        let CellReport { cell, hidden, .. } = self.report.cells[i];
        Some(Next { cell, hidden, seed, number: before + 1, of })
    }

    /// Does the next run, or goes on with it. Says whether it was done to the end: not if `stop`
    /// was raised, or if no run is left. A run that diverges is done; its best model until then
    /// counts.
    ///
    /// # Errors
    /// As [`train`]; [`Error::Comparison`] if the run's folder holds other settings.
    pub fn train_next(&mut self, observer: &mut dyn Observer, stop: &AtomicBool) -> Result<bool> {
        let Some(next) = self.next() else { return Ok(false) };
        let Next { cell, hidden, seed, .. } = next;
        let mut settings = with_cell(&self.settings, cell, hidden);
        settings.train.seed = seed;
        let path = self.folder.join(run_name(cell, hidden, seed));
        let folder = open_run(&path, settings.to_toml()?)?;
        let task = C::load(settings.clone())?;
        let outcome = match train(&task, &settings.train, &folder, observer, stop) {
            Ok(outcome) if outcome.ended == Ended::Stopped => return Ok(false),
            Ok(outcome) => Ok(outcome),
            Err(error @ Error::Diverged { .. }) => Err(error.to_string()),
            Err(error) => return Err(error),
        };
        let result = measure::run(&task, seed, &folder, outcome)?;
        result.write(&path.join(RESULT))?;
        let entry = self.report.cells.iter_mut().find(|entry| entry.cell == cell);
        entry.expect("the next run is one of the report's").runs.push(result);
        self.save()?;
        Ok(true)
    }

    /// Seeds and cells (by number) in the order of the runs.
    fn order(&self) -> Vec<(u64, usize)> {
        let cells = 0..self.report.cells.len();
        self.report.seeds.iter().flat_map(|seed| cells.clone().map(|i| (*seed, i))).collect()
    }

    fn save(&self) -> Result<()> {
        self.report.write(&self.report_path())?;
        picture::write(&self.picture_path(), &self.report)
    }

    fn wrong(&self, why: String) -> Error {
        Error::Comparison { path: self.folder.clone(), why }
    }
}

/// The settings with another recurrence of another size.
fn with_cell<C: TaskConfig>(
    settings: &RunSettings<C>,
    cell: Cell,
    hidden: usize,
) -> RunSettings<C> {
    let mut settings = settings.clone();
    settings.train.cell = cell;
    settings.set_hidden(hidden);
    settings
}

fn run_name(cell: Cell, hidden: usize, seed: u64) -> String {
    format!("{}-h{hidden}-s{seed}", cell.name())
}

/// The folder of a run of ours, new or interrupted.
fn open_run(path: &Path, settings: String) -> Result<RunFolder> {
    let file = RunFolder::settings_path(path);
    if !file.exists() {
        return RunFolder::create(path, settings, false);
    }
    if fs::read_to_string(&file).map_err(Error::io("read", &file))? != settings {
        let why =
            "its run.toml is not that of this comparison; delete the folder to do the run anew";
        return Err(Error::Comparison { path: path.to_owned(), why: why.to_owned() });
    }
    RunFolder::resume(path, settings)
}

//! A training as a person sees it.

use crate::input;
use crate::progress::Progress;
use crate::screen::Screen;
use anyhow::Result;
use gruvy::settings::{Metric, RunSettings, TaskConfig};
use gruvy::train::{Metrics, Outcome, RunFolder, train};
use std::sync::atomic::AtomicBool;

/// Trains, with everything that a person should see on the way.
///
/// # Errors
/// As [`TaskConfig::load`] and [`train`].
pub fn work<C: TaskConfig>(
    settings: &RunSettings<C>,
    folder: &RunFolder,
    stop: &AtomicBool,
    screen: &Screen,
) -> Result<Outcome> {
    Ok(work_with_task(settings, folder, stop, screen)?.0)
}

/// As [`work`]; gives the task too.
///
/// # Errors
/// As [`work`].
pub fn work_with_task<C: TaskConfig>(
    settings: &RunSettings<C>,
    folder: &RunFolder,
    stop: &AtomicBool,
    screen: &Screen,
) -> Result<(Outcome, C::Task)> {
    let mut settings = settings.clone();
    input::attach(&mut settings.data)?;
    let task = C::load(settings.clone())?;
    let mut progress = Progress::new::<C>(*screen, settings.train.max_minutes);
    let outcome = train(&task, &settings.train, folder, &mut progress, stop)?;
    Ok((outcome, task))
}

/// Such as `nats 1.512, bits/char 2.181, perplexity 4.54`.
pub fn metrics_in_words(shown: &[Metric], metrics: &Metrics) -> String {
    let words = shown.iter().filter_map(|Metric { name, title, decimals }| {
        Some(format!("{title} {:.decimals$}", metrics.get(*name)?))
    });
    words.collect::<Vec<_>>().join(", ")
}

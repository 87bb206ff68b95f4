//! A training run as a person watches it: a bar on a terminal, plain lines elsewhere.

use crate::screen::{Screen, duration, thousands};
use gruvy::settings::{Metric, TaskConfig};
use gruvy::train::{Metrics, Observer, Plan, Record, Step};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Share of the newest batch in the loss that the bar shows: about the last twenty batches count.
const LOSS_WEIGHT: f64 = 0.05;
/// Pause between two pictures of the bar.
const REDRAW: Duration = Duration::from_millis(100);

/// Watches a run and shows it.
pub struct Progress {
    screen: Screen,
    /// What the task counts a batch in.
    unit: &'static str,
    /// What is shown of an evaluation.
    /// Those that the first evaluation has.
    metrics: Vec<Metric>,
    /// Minutes after which the run stops by itself; zero: none.
    max_minutes: f64,
    bar: ProgressBar,
    plan: Option<Plan>,
    started: Instant,
    drawn: Instant,
    loss: Option<f64>,
    header_shown: bool,
}

impl Progress {
    /// Shows a run of a task that stops after `max_minutes` (zero: when it is done).
    pub fn new<C: TaskConfig>(screen: Screen, max_minutes: f64) -> Self {
        let now = Instant::now();
        Self {
            screen,
            unit: C::UNIT,
            metrics: C::METRICS.to_vec(),
            max_minutes,
            bar: ProgressBar::hidden(),
            plan: None,
            started: now,
            drawn: now,
            loss: None,
            header_shown: false,
        }
    }

    fn say(&self, text: &str) {
        self.bar.suspend(|| self.screen.note(text));
    }

    /// Rate, loss and time left.
    fn status(&self, plan: &Plan, step: &Step) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let steps_per_s = (step.step - plan.done) as f64 / seconds.max(1e-9);
        let mut left = (plan.steps - step.step) as f64 / steps_per_s;
        if self.max_minutes > 0.0 {
            left = left.min((60.0 * self.max_minutes - step.elapsed_s).max(0.0));
        }
        let rate = (steps_per_s * plan.units_per_step as f64) as usize;
        let loss = self.loss.unwrap_or(step.loss);
        let Metric { title, decimals, .. } = self.metrics[0];
        format!(
            "{} {}/s  {title} {loss:.decimals$}  {} left",
            thousands(rate),
            self.unit,
            duration(left)
        )
    }
}

impl Observer for Progress {
    fn started(&mut self, plan: &Plan) {
        self.say(&format!(
            "{} parameters, {} steps of {} {}, {} steps an epoch",
            thousands(plan.parameters as usize),
            thousands(plan.steps as usize),
            thousands(plan.units_per_step as usize),
            self.unit,
            thousands(plan.steps_per_epoch as usize),
        ));
        if plan.done > 0 {
            self.say(&format!("going on after step {}", thousands(plan.done as usize)));
        }
        if self.screen.shows_bar() {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}");
            self.bar = ProgressBar::new(plan.steps).with_position(plan.done);
            self.bar.set_style(style.expect("the template is valid").progress_chars("=> "));
        }
        self.plan = Some(plan.clone());
        self.started = Instant::now();
    }

    fn note(&mut self, text: &str) {
        self.say(text);
    }

    fn step(&mut self, step: &Step) {
        let before = self.loss.unwrap_or(step.loss);
        self.loss = Some(before + LOSS_WEIGHT * (step.loss - before));
        if self.bar.is_hidden() || self.drawn.elapsed() < REDRAW {
            return;
        }
        self.drawn = Instant::now();
        if let Some(plan) = &self.plan {
            self.bar.set_message(self.status(plan, step));
            self.bar.set_position(step.step);
        }
    }

    fn evaluated(&mut self, record: &Record) {
        if !std::mem::replace(&mut self.header_shown, true) {
            let parts = [Some(&record.train), record.valid.as_ref()];
            let there =
                |metric: &Metric| parts.iter().flatten().any(|part| part.contains_key(metric.name));
            self.metrics.retain(there);
            let titles = columns(&self.metrics, |metric| metric.title.to_owned());
            let width = titles.chars().count();
            self.say(&format!("{:12}   {:<width$}   validation", "", "training"));
            self.say(&format!("epoch   step   {titles}   {titles}  time"));
        }
        self.say(&format!(
            "{:>5.1} {:>6}  {}   {}  {}{}",
            record.epoch,
            record.step,
            values(&self.metrics, Some(&record.train)),
            values(&self.metrics, record.valid.as_ref()),
            duration(record.elapsed_s),
            if record.best { "  best" } else { "" },
        ));
    }

    fn saved(&mut self, step: u64) {
        if self.screen.verbose() {
            self.say(&format!("checkpoint at step {step}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Values under their titles; a dash for one that is not there.
fn values(shown: &[Metric], metrics: Option<&Metrics>) -> String {
    columns(shown, |Metric { name, decimals, .. }| {
        let value = metrics.and_then(|metrics| metrics.get(*name));
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
    })
}

/// A cell for each metric, as wide as its title and its values.
fn columns(shown: &[Metric], cell: impl Fn(&Metric) -> String) -> String {
    let wide = |metric: &Metric| metric.title.len().max(metric.decimals + 2);
    let cells = shown.iter().map(|metric| format!("{:>1$}", cell(metric), wide(metric)));
    cells.collect::<Vec<_>>().join("  ")
}

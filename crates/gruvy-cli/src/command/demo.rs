//! `gruvy demo`: a network learns, while you watch.

use crate::args::DemoArgs;
use crate::screen::Screen;
use crate::task::door::{Demo, Task};
use crate::task::list::{Visit, with};
use anyhow::{Context, Result};
use gruvy_runtime::TaskName;
use std::process::ExitCode;

/// The demo of a task.
struct Of;

impl Visit for Of {
    type Out = Option<Demo>;

    fn visit<T: Task>(self) -> Option<Demo> {
        T::DEMO
    }
}

/// Runs the subcommand.
///
/// # Errors
/// When the run folder cannot be written.
pub fn run(args: &DemoArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let demo = TaskName::from_name(&args.task).and_then(|task| with(task, Of));
    demo.context("the task has no demo")?(seed, screen)
}

//! `gruvy eval`: how well a model does its task on other data.

use crate::args::EvalArgs;
use crate::model;
use crate::screen::Screen;
use crate::task::door::{Asked, Task};
use crate::task::list::{Visit, with};
use anyhow::Result;
use std::process::ExitCode;

/// Runs the subcommand.
///
/// # Errors
/// When the model or the data cannot be read, or the data are too short.
pub fn run(args: &EvalArgs, seed: Option<u64>, screen: &Screen) -> Result<ExitCode> {
    let model = model::open(&args.model)?.model;
    let asked = Asked { path: &args.model, model: &model, data: &args.data, seed };
    with(model.task(), Eval { args, asked, screen })?;
    Ok(ExitCode::SUCCESS)
}

struct Eval<'a> {
    args: &'a EvalArgs,
    asked: Asked<'a>,
    screen: &'a Screen,
}

impl Visit for Eval<'_> {
    type Out = Result<()>;

    fn visit<T: Task>(self) -> Result<()> {
        T::eval(self.asked, self.args.of::<T>()?, self.screen)
    }
}

//! The one training loop. It knows no task: what it asks of one is [`Task`].
//!
//! ```text
//! for each step:  learning rate ── loss of a batch ── gradient ── clip ── AdamW ── moving average
//! now and then:   evaluate ── best? model.safetensors ── metrics, events, curves ── checkpoint
//! ```
//!
//! A run that is killed and resumed ends with the same bits as one that never was, because every
//! number follows from the checkpoint: the learning rate from the step and the validation losses,
//! the batch from the step, the random numbers from the run's seed and the step. The clock decides
//! only when to save and when to stop.
pub(crate) mod batches;
pub(crate) mod capacity;
pub(crate) mod checkpoint;
pub(crate) mod config;
#[cfg_attr(not(feature = "draw"), path = "no_curves.rs")]
pub(crate) mod curves;
pub(crate) mod events;
pub(crate) mod folder;
pub(crate) mod lock;
pub(crate) mod params;
pub(crate) mod report;
pub(crate) mod schedule;
pub(crate) mod size;
pub(crate) mod task;

pub use config::{FREE_ON_RESUME, Schedule, TrainConfig};
pub use folder::RunFolder;
pub use lock::FolderLock;
pub use report::{Ended, Metrics, Observer, Outcome, Plan, Record, Silent, Step};
pub use schedule::PLATEAU_EVALS;
pub use size::Size;
pub use task::{Carry, Part, Position, Task, Validated};

use crate::error::{Error, Result};
use crate::nn::key::Key;
use burn::{
    module::{Module, ParamGroup},
    optim::{AdamWConfig, GradientsParams, ModuleOptimizer},
    tensor::Device,
};
use checkpoint::{Bond, Progress, Running};
use folder::Logs;
use gruvy_runtime::{
    Codec,
    model::{ModelFile, Trained},
    random::mix,
};
use schedule::learning_rate;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

/// Trains `task` from the start, or from the checkpoint of `folder`, until the epochs are done,
/// patience or time is used up, or `stop` is raised.
///
/// # Errors
/// A setting out of range, a folder that cannot be written, a checkpoint that is damaged or belongs
/// to other data or another model, or a loss that is not a number. What was saved before stays.
pub fn train<T: Task>(
    task: &T,
    config: &TrainConfig,
    folder: &RunFolder,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Outcome> {
    config.check()?;
    let mut run = Run::start(task, config, folder)?;
    observer.started(&run.plan);
    gruvy_runtime::Remark::sentences(task.notes()).into_iter().for_each(|note| observer.note(note));
    run.logs.lost.iter().for_each(|note| observer.note(note));
    let ended = loop {
        if let Some(ended) = run.ended(stop) {
            break ended;
        }
        let step = run.step()?;
        observer.step(&step);
        if step.step.is_multiple_of(run.plan.eval_every) || step.step == run.plan.steps {
            let (record, note) = run.evaluate()?;
            observer.evaluated(&record);
            note.iter().for_each(|note| observer.note(note));
            run.save()?;
            observer.saved(step.step);
        } else if run.last_save.elapsed().as_secs_f64() >= config.save_every {
            run.save()?;
            observer.saved(step.step);
        }
    };
    run.verdict().iter().for_each(|note| observer.note(note));
    run.finish(ended)
}

/// The model that a run of these settings starts from.
pub fn untrained<T: Task>(task: &T, config: &TrainConfig) -> Result<ModelFile> {
    config.check()?;
    capacity::check(task, config)?;
    let model = init(task, config.seed).valid();
    let data_fingerprint = task.fingerprint();
    let trained = Trained { seed: config.seed, data_fingerprint, ..Trained::default() };
    Ok(task.export(&model, task.fresh_codec(), trained))
}

/// One training run.
struct Run<'a, T: Task> {
    task: &'a T,
    config: &'a TrainConfig,
    folder: &'a RunFolder,
    plan: Plan,
    bond: Bond,
    state: Running<T::Model>,
    logs: Logs,
    records: Vec<Record>,
    lr: f64,
    /// Training time before this process.
    elapsed_before_s: f64,
    started: Instant,
    last_save: Instant,
}

impl<'a, T: Task> Run<'a, T> {
    fn start(task: &'a T, config: &'a TrainConfig, folder: &'a RunFolder) -> Result<Self> {
        capacity::check(task, config)?;
        let bond = Bond::new(task, config);
        let model = init(task, config.seed);
        let mut plan = Plan::new(task, config, &model);
        let ema = (config.ema > 0.0).then(|| model.valid());
        let (optim, progress) = (optimizer(&model, config), Progress::default());
        let mut state = Running { model, ema, optim, carry: Carry::new(), progress };
        if folder.has_checkpoint() {
            let path = folder.checkpoint_path();
            state = state.load(&path, &bond, &Device::flex())?;
            // More epochs than before may have been asked for: patience is what stays used up.
            state.progress.ended = None;
        }
        plan.done = state.progress.step;
        let logs = folder.open(state.progress.logs)?;
        let records = if plan.done == 0 { Vec::new() } else { RunFolder::records(folder.path())? };
        let elapsed_before_s = state.progress.elapsed_s;
        let (started, last_save) = (Instant::now(), Instant::now());
        let lr = records.last().map_or(0.0, |r: &Record| r.lr);
        Ok(Self {
            task,
            config,
            folder,
            plan,
            bond,
            state,
            logs,
            records,
            lr,
            elapsed_before_s,
            started,
            last_save,
        })
    }

    fn elapsed_s(&self) -> f64 {
        self.elapsed_before_s + self.started.elapsed().as_secs_f64()
    }

    fn ended(&self, stop: &AtomicBool) -> Option<Ended> {
        let (config, progress) = (self.config, &self.state.progress);
        let over = config.max_minutes > 0.0 && self.elapsed_s() >= config.max_minutes * 60.0;
        if progress.step >= self.plan.steps {
            Some(Ended::Epochs)
        } else if progress.judge.give_up(config.patience) {
            Some(Ended::Patience)
        } else if stop.load(Ordering::Relaxed) {
            Some(Ended::Stopped)
        } else {
            over.then_some(Ended::Time)
        }
    }

    /// One optimizer step.
    fn step(&mut self) -> Result<Step> {
        let clock = Instant::now();
        let Self { task, config, plan, state, .. } = self;
        let done = state.progress.step;
        let (epoch, step) = (done / plan.steps_per_epoch, done % plan.steps_per_epoch);
        if step == 0 {
            state.carry.clear();
        }
        let lr = learning_rate(config, done, plan.steps, &state.progress.judge);
        let masks = Key::new(config.seed).named("masks").fold(done);
        let at = Position { step, epoch_seed: mix(config.seed, epoch), masks };
        let loss = task.loss(&state.model, at, &mut state.carry);
        let value = f64::from(loss.clone().into_scalar::<f32>());
        self.finite("the loss", value, lr)?;
        let mut grads = GradientsParams::from_grads(loss.backward(), &self.state.model);
        let grad_norm = params::clip(&self.state.model, &mut grads, self.config.clip);
        self.finite("the gradient's norm", grad_norm, lr)?;

        let state = &mut self.state;
        state.model = state.optim.step(lr, state.model.clone(), grads);
        if let Some(ema) = state.ema.take() {
            // A young average follows faster, so that it forgets the first weights.
            let decay = self.config.ema.min((done + 1) as f64 / (done + 10) as f64);
            state.ema = Some(params::average(ema, &state.model, decay));
        }
        state.progress.step += 1;
        state.progress.train_sum += value;
        state.progress.train_count += 1;
        state.progress.train_s += clock.elapsed().as_secs_f64();
        self.lr = lr;
        Ok(Step { step: done + 1, loss: value, lr, grad_norm, elapsed_s: self.elapsed_s() })
    }

    fn finite(&self, what: &'static str, value: f64, lr: f64) -> Result<()> {
        let step = self.state.progress.step;
        match value.is_finite() {
            true => Ok(()),
            false => Err(Error::Diverged { step, what, value, lr, kept: self.kept() }),
        }
    }

    /// The step of the best model so far.
    fn kept(&self) -> Option<u64> {
        let last = self.records.iter().rev().find(|record| record.best);
        last.map(|record| record.step).or(Some(self.state.progress.judge.best?.0))
    }

    /// The model that is judged and exported.
    fn judged(&self) -> T::Model {
        self.state.ema.clone().unwrap_or_else(|| self.state.model.valid())
    }

    /// Evaluates, keeps the model if it is the best, and writes the logs. Gives what was written
    /// and perhaps a warning.
    fn evaluate(&mut self) -> Result<(Record, Option<String>)> {
        let model = self.judged();
        let Validated { metrics: valid, codec } = self.validate(&model)?;
        let (elapsed_s, kept) = (self.elapsed_s(), self.kept());
        let progress = &mut self.state.progress;
        let train_loss = progress.train_sum / progress.train_count as f64;
        (progress.train_sum, progress.train_count) = (0.0, 0);
        let (mut best, mut note) = (true, None);
        if let Some(loss) = valid.as_ref().and_then(|v| v.get("loss").copied()) {
            if !loss.is_finite() {
                let (step, what) = (progress.step, "the validation loss");
                return Err(Error::Diverged { step, what, value: loss, lr: self.lr, kept });
            }
            best = progress.judge.hear(progress.step, train_loss, loss);
            if !self.task.endless() {
                note = progress.judge.overfitting(train_loss, loss);
            }
        }
        let record = Record {
            step: progress.step,
            epoch: progress.step as f64 / self.plan.steps_per_epoch as f64,
            lr: self.lr,
            train: self.task.train_metrics(train_loss),
            valid,
            best,
            elapsed_s,
            train_s: progress.train_s,
        };
        if best {
            self.export(&model, codec, record.valid.clone())?;
        }
        self.logs.append(&record)?;
        self.records.push(record.clone());
        self.logs.draw(&self.records)?;
        Ok((record, note))
    }

    /// Validates; weights that are not finite are a training that diverged.
    fn validate(&self, model: &T::Model) -> Result<Validated> {
        use gruvy_runtime::Error::NonFinite;
        self.task.validate(model).map_err(|error| match error {
            Error::Runtime(NonFinite { value, .. }) => Error::Diverged {
                step: self.state.progress.step,
                what: "a weight",
                value: f64::from(value),
                lr: self.lr,
                kept: self.kept(),
            },
            other => other,
        })
    }

    fn export(&self, model: &T::Model, codec: Codec, valid: Option<Metrics>) -> Result<()> {
        let named = |(name, value)| (format!("valid_{name}"), value);
        let trained = Trained {
            seed: self.config.seed,
            data_fingerprint: self.bond.fingerprint.clone(),
            steps: self.state.progress.step,
            metrics: valid.unwrap_or_default().into_iter().map(named).collect(),
        };
        Ok(self.task.export(model, codec, trained).write(self.folder.model_path())?)
    }

    /// Sentences on a model that learned nothing, or that got worse.
    fn verdict(&self) -> Vec<String> {
        let loss = |record: &Record| record.valid.as_ref()?.get("loss").copied();
        let losses: Vec<f64> = self.records.iter().filter_map(loss).collect();
        let (Some(first), Some(last)) = (losses.first(), losses.last()) else { return Vec::new() };
        let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
        let worse = (losses.len() > 1 && last > first).then(|| {
            format!(
                "the validation loss ended at {last:.4}, worse than the {first:.4} of the first \
                 evaluation"
            )
        });
        let floor = self.task.floor().filter(|floor| best >= *floor).map(|floor| {
            format!(
                "the best validation loss, {best:.4}, is no better than the {floor:.4} of a model \
                 that \
                 knows only how frequent each answer is: nothing more was learned"
            )
        });
        worse.into_iter().chain(floor).collect()
    }

    fn save(&mut self) -> Result<()> {
        self.state.progress.elapsed_s = self.elapsed_s();
        self.state.progress.logs = self.logs.lengths();
        self.state.save(&self.folder.checkpoint_path(), &self.bond)?;
        self.last_save = Instant::now();
        Ok(())
    }

    /// Saves where the run stands, makes sure that there is a model, and tests it if the run is
    /// complete.
    fn finish(mut self, ended: Ended) -> Result<Outcome> {
        let complete = matches!(ended, Ended::Epochs | Ended::Patience);
        self.state.progress.ended = complete.then_some(ended);
        self.save()?;
        // After the checkpoint, and unknown to it: a run that goes on must not notice this
        // evaluation.
        if !complete && (ended == Ended::Time || self.records.is_empty()) && self.unjudged() {
            let model = self.judged();
            let Validated { metrics: valid, codec } = self.validate(&model)?;
            let loss = valid.as_ref().and_then(|v| v.get("loss"));
            let best = self.state.progress.judge.best;
            if loss.is_none() || best.is_none_or(|(_, best)| loss.is_some_and(|l| *l < best)) {
                self.export(&model, codec, valid)?;
            }
        }
        let file = ModelFile::read(self.folder.model_path())?;
        let test = if complete {
            let model = self.task.import(&file, &Device::flex())?;
            self.task.evaluate(&model, &file.codec, Part::Test)?
        } else {
            None
        };
        let valid: Metrics = (file.trained.metrics.iter())
            .filter_map(|(name, v)| Some((name.strip_prefix("valid_")?.to_owned(), *v)))
            .collect();
        Ok(Outcome {
            ended,
            steps: self.state.progress.step,
            elapsed_s: self.state.progress.elapsed_s,
            train_s: self.state.progress.train_s,
            model_step: file.trained.steps,
            valid: (!valid.is_empty()).then_some(valid),
            test,
        })
    }

    /// Whether steps were done since the last evaluation.
    fn unjudged(&self) -> bool {
        self.records.last().is_none_or(|r| r.step < self.state.progress.step)
    }
}

impl Plan {
    fn new<T: Task>(task: &T, config: &TrainConfig, model: &T::Model) -> Self {
        let steps_per_epoch = task.steps_per_epoch();
        let steps = steps_per_epoch.saturating_mul(config.epochs as u64);
        let eval_every = match config.eval_every as u64 {
            0 => steps.div_ceil(40).min(steps_per_epoch),
            every => every,
        };
        let parameters = model.num_params() as u64;
        let units_per_step = task.units_per_step();
        Self { steps, steps_per_epoch, eval_every, units_per_step, parameters, done: 0 }
    }
}

/// AdamW; weight decay spares biases.
fn optimizer<M: Module>(model: &M, config: &TrainConfig) -> ModuleOptimizer {
    let adamw = |decay: f64| AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(decay as f32);
    let biases = params::collect(model).into_iter().filter(|p| p.shape.len() < 2);
    let biases = ParamGroup::from_paths(biases.map(|p| p.path).collect());
    ModuleOptimizer::from(adamw(config.weight_decay).build()).with_group(
        biases,
        adamw(0.0).build(),
        None,
    )
}

fn init<T: Task>(task: &T, seed: u64) -> T::Model {
    task.init(Key::new(seed).named("weights"), &Device::flex().autodiff())
}

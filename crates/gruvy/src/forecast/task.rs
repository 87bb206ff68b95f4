//! Forecasting as the training loop sees it.
use super::{
    choose,
    config::{ForecastConfig, ForecastRun},
    data::{Division, Window, draw},
    loss::{Targets, loss},
};
use crate::{
    error::{Error, Result},
    nn::{key::Key, model::SequenceModel},
    settings::run::{Metric, TaskConfig},
    train::{
        config::{MOST, MOST_RUNS, TrainConfig, at_most},
        report::Metrics,
        size::Size,
        task::{Carry, Part, Position, Task},
    },
};
use burn::tensor::{Device, Tensor, TensorData};
use gruvy_data::series::{Found, SeriesFormat, read_panel, read_series};
use gruvy_data::settings::{Setting, Settings};
use gruvy_data::to_source;
use gruvy_runtime::Remark;
use gruvy_runtime::{
    Codec, TaskName,
    forecast::{
        Decoder, Difference, ForecastCodec, Forecaster, Frame, Output, Prepared, Transform,
    },
    model::{Head, Input, ModelFile, Network, Spec, Trained},
    random::Fnv,
    series::{Panel, WallClock},
};
use serde_json::Value;
use std::sync::Arc;

/// The published figures of Box and Jenkins (1976): monthly totals of international airline
/// passengers, 1949 to 1960, in thousands.
pub const EMBEDDED_AIRLINE: &str = include_str!("airline.csv");

/// Fewest and most windows of an epoch, unless the settings say.
const EPOCH: [usize; 2] = [4096, 50_000];

/// Series ready to learn from.
#[derive(Debug)]
pub struct ForecastTask {
    run: ForecastRun,
    codec: ForecastCodec,
    panel: Panel,
    series: Vec<Prepared>,
    division: Division,
    epoch_windows: usize,
    notes: Vec<Remark>,
    /// What was guessed of the tables, to be kept with the model.
    found: Option<Found>,
}

impl ForecastTask {
    pub(super) fn load(run: ForecastRun) -> Result<Self> {
        let (panel, found) = match run.data.paths.is_empty() {
            true => (embedded_airline()?, None),
            false => {
                let (panel, found) = read_series(&run.data.inputs()?, &run.task.format)?;
                (panel, Some(found))
            }
        };
        let clock =
            found.as_ref().map_or_else(WallClock::default, |found| found.wall_clock(&panel));
        Ok(Self { found, ..Self::of(run, panel, clock)? })
    }

    /// Series that are already read.
    ///
    /// # Errors
    /// If they are too short, or have values that the settings do not allow.
    pub fn new(run: ForecastRun, panel: Panel) -> Result<Self> {
        Self::of(run, panel, WallClock::default())
    }

    fn of(run: ForecastRun, panel: Panel, wall_clock: WallClock) -> Result<Self> {
        let (codec, parts, chosen) = choose::choose(&run.task, &panel)?;
        let codec = ForecastCodec { wall_clock, ..codec };
        if let Decoder::Direct { segment } = codec.decoder
            && !codec.context.is_multiple_of(segment)
        {
            let why = format!("expected a multiple of the segment, {segment}");
            return Err(Error::setting("context", codec.context, why));
        }
        let prepared = panel.series.iter().map(|series| codec.prepare(series));
        let series = prepared.collect::<gruvy_runtime::Result<Vec<_>>>()?;
        let division = Division::new(&codec, &panel, &series, parts)?;
        let mut notes = panel.notes.clone();
        notes.extend(chosen);
        notes.extend(unusual(&panel, &division));
        notes.push(format!(
            "{} series, {} windows of {} + {} steps to learn from, {} to validate on, {} to test \
             on",
            series.len(),
            division.train.len(),
            codec.context,
            codec.horizon,
            division.valid.len(),
            division.test.len()
        ).into());
        let epoch_windows = match run.task.epoch_windows {
            0 => division.train.len().clamp(EPOCH[0], EPOCH[1]),
            given => given,
        };
        Ok(Self { run, codec, panel, series, division, epoch_windows, notes, found: None })
    }

    /// The codec that was chosen.
    pub fn codec(&self) -> &ForecastCodec {
        &self.codec
    }

    /// The series.
    pub fn panel(&self) -> &Panel {
        &self.panel
    }

    /// Mean loss `[1]` over all windows of a part at once, as [`Task::loss`] has it over a batch.
    pub fn batch_loss(&self, model: &SequenceModel, part: Part) -> Tensor<1> {
        self.loss_of(model, &self.division.of(part).iter().collect::<Vec<_>>(), None)
    }

    fn loss_of(&self, model: &SequenceModel, windows: &[&Window], masks: Option<Key>) -> Tensor<1> {
        let (head, targets) = self.answers(model, windows, masks);
        loss(self.codec.output, &self.codec.levels, head, targets)
    }

    /// The head's answers `[N, P]` for a batch of windows, and what came.
    fn answers(
        &self,
        model: &SequenceModel,
        windows: &[&Window],
        masks: Option<Key>,
    ) -> (Tensor<2>, Targets) {
        let (codec, device, batch) = (&self.codec, model.device(), windows.len());
        let of: Vec<(&Prepared, &Frame)> =
            windows.iter().map(|(series, frame)| (&self.series[*series], frame)).collect();
        let inputs = codec.windows(&of, true);
        let steps = |values: Vec<f32>, rows: usize| -> Tensor<3> {
            let size = codec.input_size();
            let shape = [values.len() / (rows * size), rows, size];
            Tensor::from_data(TensorData::new(values, shape), &device)
        };
        let head = match codec.decoder {
            Decoder::Direct { .. } => {
                let read = masks.map(|key| key.named("read"));
                let (_, state) = model.rnn.forward(steps(inputs.steps, batch), None, None, read);
                let segments = codec.segments();
                let state = state.repeat_dim(1, segments);
                model.every(steps(inputs.decode, batch * segments), Some(state), masks).0
            }
            Decoder::Autoregressive => model.every(steps(inputs.steps, batch), None, masks).0,
        };
        let parameters = codec.parameters();
        let [rows, outputs] = head.dims();
        let head = head.reshape([rows * outputs / parameters, parameters]);
        (head, self.targets(&of, &device))
    }

    /// In the order of the head's answers.
    fn targets(&self, of: &[(&Prepared, &Frame)], device: &Device) -> Targets {
        let (codec, horizon) = (&self.codec, self.codec.horizon);
        let (mut z, mut known, mut scale) = (Vec::new(), Vec::new(), Vec::new());
        let mut push = |series: &Prepared, frame: &Frame, t: Option<usize>| {
            let value = t.map_or(f64::NAN, |t| codec.z(&series.y, frame, t));
            z.push(if value.is_nan() { 0.0 } else { value as f32 });
            known.push(f32::from(u8::from(!value.is_nan())));
            scale.push(frame.scale as f32);
        };
        match codec.decoder {
            Decoder::Direct { segment } => {
                for position in 0..codec.segments() {
                    for (series, frame) in of {
                        for ahead in position * segment..(position + 1) * segment {
                            let t = (ahead < horizon).then_some(frame.origin + ahead);
                            push(series, frame, t);
                        }
                    }
                }
            }
            Decoder::Autoregressive => {
                for step in 1..codec.context + horizon {
                    for (series, frame) in of {
                        push(series, frame, (frame.origin + step).checked_sub(codec.context));
                    }
                }
            }
        }
        let count = known.iter().filter(|known| **known > 0.0).count();
        let column = |values: Vec<f32>| {
            let rows = values.len();
            Tensor::from_data(TensorData::new(values, [rows, 1]), device)
        };
        Targets { z: column(z), known: column(known), scale: column(scale), count }
    }

    fn forecaster(&self, model: &SequenceModel) -> gruvy_runtime::Result<Forecaster> {
        let network = Network::from_tensors(&model.spec(), &model.tensors())?;
        Forecaster::new(Arc::new(network), self.codec.clone())
    }

    fn measure(&self, model: &SequenceModel, part: Part) -> Result<Metrics> {
        let forecaster = self.forecaster(model)?;
        let windows: Vec<(&Prepared, usize)> = self
            .division
            .of(part)
            .iter()
            .map(|(series, frame)| (&self.series[*series], frame.origin))
            .collect();
        let (sum, count) = forecaster.loss(&windows)?;
        let mut metrics = self.train_metrics(sum / count.max(1) as f64);
        if part == Part::Test {
            metrics.extend(super::evaluate(&forecaster, &self.panel, &windows)?);
        }
        Ok(metrics)
    }
}

/// The embedded series.
///
/// # Errors
/// None, as they can be read.
pub fn embedded_airline() -> Result<Panel> {
    let airline = gruvy_data::Input::bytes("airline", EMBEDDED_AIRLINE.as_bytes());
    let format = SeriesFormat { found: Some(Found::only("airline")), ..SeriesFormat::default() };
    let mut panel = read_panel(&[airline], &format)?;
    panel.notes = vec![
        "no data given: learning from monthly airline passengers, 1949 to 1960 (Box and Jenkins \
         1976)"
            .into(),
    ];
    Ok(panel)
}

/// What a person should know of series that are hard to learn from.
fn unusual(panel: &Panel, division: &Division) -> Vec<Remark> {
    let constant = |series: &&gruvy_runtime::series::Series| {
        let mut known = series.y.iter().filter(|y| !y.is_nan());
        known.next().is_some_and(|first| known.all(|y| y == first))
    };
    let named = |list: Vec<&str>| {
        let more = if list.len() > 5 { ", …" } else { "" };
        format!("{}{more}", list.iter().take(5).copied().collect::<Vec<_>>().join(", "))
    };
    let mut notes = Vec::new();
    let constants: Vec<&str> =
        panel.series.iter().filter(constant).map(|s| s.id.as_str()).collect();
    if !constants.is_empty() {
        notes.push(format!("{} series never change: {}", constants.len(), named(constants)).into());
    }
    let mut learned = vec![false; panel.series.len()];
    division.train.iter().for_each(|(series, _)| learned[*series] = true);
    let left: Vec<&str> = panel
        .series
        .iter()
        .zip(&learned)
        .filter(|(_, l)| !**l)
        .map(|(s, _)| s.id.as_str())
        .collect();
    if !left.is_empty() {
        notes.push(
            format!("{} series are too short to learn from: {}", left.len(), named(left)).into(),
        );
    }
    notes
}

impl TaskConfig for ForecastConfig {
    const TASK: TaskName = TaskName::Forecast;
    const UNIT: &'static str = "windows";
    const METRICS: &'static [Metric] = &[
        Metric { name: "loss", title: "loss", decimals: 4 },
        Metric { name: "mase", title: "MASE", decimals: 3 },
        Metric { name: "smape", title: "sMAPE", decimals: 2 },
        Metric { name: "crps", title: "CRPS", decimals: 4 },
        Metric { name: "mse", title: "MSE", decimals: 4 },
        Metric { name: "mae", title: "MAE", decimals: 4 },
    ];
    const NESTED: &'static [(&'static str, &'static [Setting])] =
        &[("format", SeriesFormat::SETTINGS)];
    type Task = ForecastTask;

    fn train_defaults() -> TrainConfig {
        TrainConfig {
            hidden: 128,
            dropout: 0.1,
            batch: 64,
            epochs: 20,
            lr: 2e-3,
            patience: 8,
            ..TrainConfig::default()
        }
    }

    fn run_name(&self) -> String {
        "airline".to_owned()
    }

    fn members(run: &ForecastRun) -> Vec<ForecastRun> {
        run.by_seed(run.task.ensemble, |task| task.ensemble = 1)
    }

    fn check(run: &ForecastRun) -> Result<()> {
        let task = &run.task;
        let steps = [
            ("horizon", task.horizon),
            ("context", task.context),
            ("season", task.season),
            ("segment", task.segment),
            ("valid_steps", task.valid_steps.unwrap_or(0)),
            ("test_steps", task.test_steps),
            ("epoch_windows", task.epoch_windows),
        ];
        at_most(&steps, MOST)?;
        at_most(&[("ensemble", task.ensemble)], MOST_RUNS)?;
        let rising = task.levels.windows(2).all(|pair| pair[0] < pair[1]);
        if task.levels.is_empty() || !rising || !task.levels.iter().all(|l| *l > 0.0 && *l < 1.0) {
            let why = "expected rising numbers between 0 and 1, such as 0.1,0.5,0.9";
            return Err(Error::setting("levels", format!("{:?}", task.levels), why));
        }
        if run.train.label_smoothing != 0.0 {
            let why = "this task answers with numbers and has no labels to smooth";
            return Err(Error::setting("label_smoothing", run.train.label_smoothing, why));
        }
        if run.train.train_fraction != 1.0 {
            let why = "series are shortened at their end, by valid_steps and test_steps";
            return Err(Error::setting("train_fraction", run.train.train_fraction, why));
        }
        if task.output == Some(Output::NegativeBinomial) {
            let differenced = task.difference.is_some_and(|d| d != Difference::None);
            if differenced || task.transform.is_some_and(|t| t != Transform::None) {
                let why = "counts are neither differenced nor transformed: leave difference and transform out";
                return Err(Error::setting("output", "negative-binomial", why));
            }
        }
        Ok(())
    }

    fn load(run: ForecastRun) -> Result<ForecastTask> {
        run.check()?;
        ForecastTask::load(run)
    }
}

impl Task for ForecastTask {
    type Model = SequenceModel;

    fn notes(&self) -> &[Remark] {
        &self.notes
    }

    fn fingerprint(&self) -> String {
        let mut print = Fnv::new();
        for series in &self.panel.series {
            print.add(series.id.as_bytes());
            let others = series.past.iter().chain(&series.future).flatten();
            series.y.iter().chain(others).for_each(|value| print.add_number(value.to_bits()));
        }
        // Runs of before went by the stamps' clock.
        if !self.codec.wall_clock.is_none() {
            print.add(b"wall clock");
        }
        for part in &self.division.parts {
            [part.valid, part.test, part.end]
                .iter()
                .for_each(|step| print.add_number(*step as u64));
        }
        print.to_string()
    }

    fn size(&self) -> Option<Size> {
        let input = Input::Features { size: self.codec.input_size() };
        let rnn = self.run.train.recurrent(input.width()).spec();
        let head = Head::Linear { outputs: self.codec.outputs() };
        let spec = Spec { input, rnn, pool: None, head, decoder: None };
        Some(Size { spec, batch: self.run.train.batch, seq_len: self.codec.context })
    }

    fn init(&self, key: Key, device: &Device) -> SequenceModel {
        let input = Input::Features { size: self.codec.input_size() };
        let rnn = self.run.train.recurrent(input.width());
        let head = Head::Linear { outputs: self.codec.outputs() };
        SequenceModel::new(&input, &rnn, &head, key, device)
    }

    fn steps_per_epoch(&self) -> u64 {
        self.epoch_windows.div_ceil(self.run.train.batch) as u64
    }

    fn units_per_step(&self) -> u64 {
        self.run.train.batch as u64
    }

    fn loss(&self, model: &SequenceModel, at: Position, _: &mut Carry) -> Tensor<1> {
        let batch = self.run.train.batch as u64;
        let train = &self.division.train;
        let window = |row: u64| &train[draw(train.len(), at.step * batch + row, at.epoch_seed)];
        let windows: Vec<&Window> = (0..batch).map(window).collect();
        self.loss_of(model, &windows, Some(at.masks))
    }

    fn train_metrics(&self, loss: f64) -> Metrics {
        Metrics::from([("loss".to_owned(), loss)])
    }

    /// By the runtime, as anyone who uses the model would measure it.
    fn evaluate(&self, model: &SequenceModel, _: &Codec, part: Part) -> Result<Option<Metrics>> {
        if part == Part::Train || self.division.of(part).is_empty() {
            return Ok(None);
        }
        self.measure(model, part).map(Some)
    }

    fn settings(&self) -> Value {
        self.run.bound()
    }

    fn fresh_codec(&self) -> Codec {
        Codec::Forecast(Box::new(self.codec.clone()))
    }

    fn export(&self, model: &SequenceModel, codec: Codec, trained: Trained) -> ModelFile {
        // What was found holds for later series too.
        let (freq, found) = (Some(self.panel.frequency), self.found.clone());
        let source = to_source(&SeriesFormat { freq, found, ..self.run.task.format.clone() });
        ModelFile { spec: model.spec(), codec, source, trained, tensors: model.tensors() }
    }

    fn import(&self, file: &ModelFile, device: &Device) -> Result<SequenceModel> {
        self.init(Key::new(file.trained.seed), device).with_tensors(file)
    }
}

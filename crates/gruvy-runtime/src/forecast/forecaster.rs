//! A forecast model at work: on many series at once, or on one as its observations come.
//!
//! ```no_run
//! use gruvy_runtime::forecast::Forecaster;
//! use gruvy_runtime::series::{Columns, Frequency, Panel, Series, Stamp};
//!
//! let forecaster = Forecaster::open("runs/air")?;
//! let series = Series {
//!     id: "sales".into(),
//!     start: Stamp::Index(0),
//!     y: vec![112.0, 118.0, f64::NAN, 129.0],
//!     statics: vec![],
//!     past: vec![],
//!     future: vec![],
//! };
//! let (frequency, columns) = (Frequency::Index, Columns::default());
//! let panel = Panel { frequency, columns, series: vec![series], notes: vec![] };
//! for forecast in forecaster.forecast_panel(&panel)? {
//!     println!("{}: {:?}", forecast.id, forecast.mean);
//! }
//! # Ok::<(), gruvy_runtime::Error>(())
//! ```
use super::output::Law;
use super::window::{Frame, Prepared};
use crate::remark::Remark;
use crate::series::{Columns, Panel, calendar::Stamp};
use crate::task::TaskName;
use crate::{
    codec::Codec,
    error::{Error, Result},
    forecast::{
        answer::Forecast,
        codec::{Decoder, ForecastCodec},
        output::Output,
        transform::Transform,
    },
    model::{
        capacity::{bytes_of, check_memory},
        file::ModelFile,
        members::{joined, open_members},
        network::Network,
        session::Session,
        steps::Steps,
    },
};
use gruvy_kernels::random::{Fnv, SplitMix64};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Most rows that run side by side, which bounds the memory.
const ROWS: usize = 512;

/// Possible courses of one series from one origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Paths {
    /// The series.
    pub id: String,
    /// First step forecast, as an index into the series.
    pub origin: usize,
    /// `[N][H]`
    pub paths: Vec<Vec<f64>>,
}

/// A forecast model, ready to run; or several of the same kind, whose quantiles are averaged.
#[derive(Clone, Debug)]
pub struct Forecaster {
    /// At least one.
    networks: Vec<Arc<Network>>,
    pub(super) codec: Arc<ForecastCodec>,
    source: Value,
    /// Paths drawn for the quantiles of an autoregressive model.
    pub samples: usize,
    /// Seed of everything drawn. What is drawn for a series depends on it, the series' name and
    /// the origin alone.
    pub seed: u64,
}

impl Forecaster {
    /// Default number of paths.
    pub const SAMPLES: usize = 200;

    /// Makes a network ready.
    ///
    /// # Errors
    /// [`Error::Spec`] if network and codec do not fit.
    pub fn new(network: Arc<Network>, codec: ForecastCodec) -> Result<Self> {
        codec.fits(network.spec())?;
        let networks = vec![network];
        let (codec, source) = (Arc::new(codec), Value::Null);
        Ok(Self { networks, codec, source, samples: Self::SAMPLES, seed: 1 })
    }

    /// An ensemble of models that differ in their weights alone, such as those of several seeds.
    /// Each quantile is the mean of theirs, and so is the mean; each draws its share of the
    /// paths.
    ///
    /// # Errors
    /// [`Error::Setting`] for no model, and for models of different data or settings.
    pub fn ensemble(members: Vec<Self>) -> Result<Self> {
        joined(members, |member| (&member.codec, &mut member.networks))
    }

    /// Opens a model file, the model of a run folder, or the [ensemble](Self::ensemble) of the runs
    /// in a folder.
    ///
    /// # Errors
    /// As [`open_members`] and [`Forecaster::ensemble`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::ensemble(open_members(path, None, Self::from_file)?)
    }

    /// Models that are averaged: 1, or more in an ensemble.
    pub fn size(&self) -> usize {
        self.networks.len()
    }

    /// Makes the model of a file ready.
    ///
    /// # Errors
    /// [`Error::Task`] for a model of another task, and as [`Network::new`].
    pub fn from_file(file: &ModelFile) -> Result<Self> {
        let Codec::Forecast(codec) = &file.codec else {
            return Err(Error::Task { expected: TaskName::Forecast, got: file.task() });
        };
        let forecaster = Self::new(Arc::new(Network::new(file)?), (**codec).clone())?;
        Ok(Self { source: file.source.clone(), ..forecaster })
    }

    /// How the training data were read; for those who read data.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The codec.
    pub fn codec(&self) -> &ForecastCodec {
        &self.codec
    }

    /// A forecast of every series from its end on.
    ///
    /// # Errors
    /// [`Error::Series`] naming the series that cannot be forecast.
    pub fn forecast_panel(&self, panel: &Panel) -> Result<Vec<Forecast>> {
        let series = self.prepare(panel)?;
        let windows: Vec<_> = series.iter().map(|series| (series, series.len())).collect();
        self.forecast(&windows)
    }

    /// The series of a panel, ready for [`Forecaster::forecast`] and [`Forecaster::paths`].
    ///
    /// # Errors
    /// If the panel has other covariates or another frequency than the model, or a value that it
    /// cannot take.
    pub fn prepare(&self, panel: &Panel) -> Result<Vec<Prepared>> {
        let codec = &self.codec;
        if panel.frequency != codec.frequency {
            let expected = format!("{}, as the model was trained on", codec.frequency);
            return Err(Error::setting("frequency", panel.frequency, expected));
        }
        if panel.columns != codec.columns {
            let listed = |columns: &Columns| {
                [&columns.statics, &columns.past, &columns.future].map(Clone::clone)
            };
            let (got, wanted) = (listed(&panel.columns), listed(&codec.columns));
            let expected =
                format!("{wanted:?} (static, past, future), as the model was trained on");
            return Err(Error::setting("covariates", format!("{got:?}"), expected));
        }
        panel.series.iter().map(|series| codec.prepare(series)).collect()
    }

    /// As [`Forecaster::prepare`], but values that the model's transform or distribution cannot
    /// have, such as a 0 where it takes logarithms, are taken as missing; and a sentence for
    /// each series that has some.
    ///
    /// # Errors
    /// As [`Forecaster::prepare`], but for such values.
    pub fn prepare_what_fits(&self, panel: &Panel) -> Result<(Vec<Prepared>, Vec<Remark>)> {
        let (codec, mut notes) = (&self.codec, Vec::new());
        let takes = |y: &f64| codec.takes(*y);
        if panel.series.iter().all(|series| series.y.iter().all(takes)) {
            return Ok((self.prepare(panel)?, notes));
        }
        let mut panel = panel.clone();
        for series in &mut panel.series {
            let Some(first) = series.y.iter().position(|y| !takes(y)) else { continue };
            let (value, at) = (series.y[first], panel.frequency.at(series.start, first));
            let others = series.y.iter_mut().filter(|y| !takes(y));
            let count = others.map(|y| *y = f64::NAN).count();
            let what = match codec.output {
                Output::NegativeBinomial => "whole numbers from 0 on".to_owned(),
                _ => format!("values above 0 (transform `{}`)", codec.transform),
            };
            let more = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            notes.push(format!(
                "series `{}`: {value} at {at}{more} taken as missing, as the model takes {what} \
                 alone; train again with it \
                 for a model that knows such values",
                series.id
            ).into());
        }
        Ok((self.prepare(&panel)?, notes))
    }

    /// Forecasts of these series from these origins on: the first steps that are forecast, of which
    /// the values, and all later ones, are not looked at. Known-future covariates are.
    ///
    /// # Errors
    /// [`Error::Series`] for a series without a value in the context, or with known-future
    /// covariates that end before the horizon.
    pub fn forecast(&self, windows: &[(&Prepared, usize)]) -> Result<Vec<Forecast>> {
        if let Decoder::Autoregressive = self.codec.decoder {
            let paths = self.paths(windows, self.samples)?;
            return Ok(paths.iter().map(|of_series| self.by_paths(of_series)).collect());
        }
        let mut all: Vec<Forecast> = Vec::with_capacity(windows.len());
        let share = 1.0 / self.networks.len() as f64;
        for (member, network) in self.networks.iter().enumerate() {
            let mut at = 0;
            self.direct(network, windows, |window, laws| {
                let forecast = self.by_laws(window, laws);
                match member {
                    0 => all.push(forecast.scaled(share)),
                    _ => all[at].add(&forecast, share),
                }
                at += 1;
            })?;
        }
        Ok(all)
    }

    /// `count` possible courses of each series. A direct model says nothing of how its steps hang
    /// together: they are drawn one by one.
    ///
    /// # Errors
    /// As [`Forecaster::forecast`].
    pub fn paths(&self, windows: &[(&Prepared, usize)], count: usize) -> Result<Vec<Paths>> {
        let all = bytes_of(size_of::<f64>(), &[windows.len(), count, self.codec.horizon]);
        check_memory("drawing so many paths", all)?;
        let mut all: Vec<Paths> = Vec::with_capacity(windows.len());
        for (member, network) in self.networks.iter().enumerate() {
            let share =
                count / self.networks.len() + usize::from(member < count % self.networks.len());
            let mut at = 0;
            let mut give = |window: &Window<'_>, paths: Vec<Vec<f64>>| {
                match member {
                    0 => {
                        let (id, origin) = (window.series.id.clone(), window.frame.origin);
                        all.push(Paths { id, origin, paths });
                    }
                    _ => all[at].paths.extend(paths),
                }
                at += 1;
            };
            if let Decoder::Direct { .. } = self.codec.decoder {
                self.direct(network, windows, |window, laws| {
                    let mut random = self.random(window, member);
                    let mut path = || -> Vec<f64> {
                        let draw = |(t, law): (usize, &Law)| {
                            self.value(window, t, law.draw(&self.codec.levels, &mut random))
                        };
                        laws.iter().enumerate().map(draw).collect()
                    };
                    give(window, (0..share).map(|_| path()).collect());
                })?;
                continue;
            }
            for chunk in windows.chunks((ROWS / share.max(1)).max(1)) {
                let chunk = self.checked(chunk)?;
                let drawn = self.autoregressive(member, &chunk, share)?;
                chunk.iter().zip(drawn).for_each(|(window, paths)| give(window, paths));
            }
        }
        Ok(all)
    }

    /// Sum over steps, and number of steps, of the loss that the model was trained on, in units of
    /// each window's scale: over the horizon of the direct decoder, over context and horizon of
    /// the autoregressive one, whose inputs are then the values themselves. Quantiles that
    /// cross are put in order first.
    ///
    /// # Errors
    /// As [`Forecaster::forecast`]; the horizon's values must be known.
    pub fn loss(&self, windows: &[(&Prepared, usize)]) -> Result<(f64, usize)> {
        let (codec, mut sum, mut count) = (&self.codec, 0.0, 0);
        let mut add = |window: &Window<'_>, t: usize, law: &Law| {
            let z = codec.z(&window.series.y, &window.frame, t);
            if !z.is_nan() {
                sum += law.loss(z, &codec.levels);
                count += 1;
            }
        };
        let outputs = codec.outputs();
        for network in &self.networks {
            if let Decoder::Direct { .. } = codec.decoder {
                self.direct(network, windows, |window, laws| {
                    let steps = laws.iter().enumerate();
                    steps.for_each(|(h, law)| add(window, window.frame.origin + h, law));
                })?;
                continue;
            }
            for chunk in windows.chunks(ROWS / 4) {
                let chunk = self.checked(chunk)?;
                let inputs = codec.windows(&pairs(&chunk), true);
                let mut session = Session::new(network.clone(), chunk.len())?;
                let answers = session.run(Steps::Features(&inputs.steps))?;
                for (at, head) in answers.chunks_exact(outputs).enumerate() {
                    let (step, window) = (at / chunk.len() + 1, &chunk[at % chunk.len()]);
                    if let Some(t) = (window.frame.origin + step).checked_sub(codec.context) {
                        add(window, t, &codec.output.distribution(head, window.frame.scale));
                    }
                }
            }
        }
        Ok((sum, count))
    }

    /// The central interval of probability `share` that the forecast from one step before gives
    /// each step of the series; none where there was nothing to forecast from.
    ///
    /// # Errors
    /// [`Error::Setting`] for an interval wider than the levels of the model's quantiles.
    pub fn intervals(&self, series: &Prepared, share: f64) -> Result<Vec<Option<[f64; 2]>>> {
        let codec = &self.codec;
        let ends = [0.5 * (1.0 - share), 0.5 * (1.0 + share)];
        let outermost = 1.0 - 2.0 * codec.levels[0].max(1.0 - codec.levels[codec.levels.len() - 1]);
        if codec.output == Output::Quantile && share > outermost + 1e-9 {
            let expected =
                format!("at most {outermost:.3}, the widest interval that the model learned");
            return Err(Error::setting("interval", share, expected));
        }
        let windows: Vec<(&Prepared, usize)> = (0..series.len())
            .filter(|origin| codec.frame(series, *origin).is_some())
            .map(|origin| (series, origin))
            .collect();
        let mut all = vec![None; series.len()];
        let mut put = |window: &Window<'_>, law: &Law| {
            let share = 1.0 / self.networks.len() as f64;
            let bounds: &mut [f64; 2] = all[window.frame.origin].get_or_insert([0.0; 2]);
            for (bound, level) in bounds.iter_mut().zip(ends) {
                *bound += share * self.value(window, 0, law.quantile(level, &codec.levels));
            }
        };
        let outputs = codec.outputs();
        for network in &self.networks {
            if let Decoder::Direct { .. } = codec.decoder {
                self.direct(network, &windows, |window, laws| put(window, &laws[0]))?;
                continue;
            }
            for chunk in windows.chunks(ROWS) {
                let chunk = self.checked(chunk)?;
                let inputs = codec.windows(&pairs(&chunk), false);
                let mut session = Session::new(network.clone(), chunk.len())?;
                let heads = session.feed(Steps::Features(&inputs.steps))?.chunks_exact(outputs);
                for (window, head) in chunk.iter().zip(heads) {
                    put(window, &codec.output.distribution(head, window.frame.scale));
                }
            }
        }
        Ok(all)
    }

    /// Runs the direct decoder; gives each window's distributions `[H]`.
    fn direct(
        &self,
        network: &Arc<Network>,
        windows: &[(&Prepared, usize)],
        mut give: impl FnMut(&Window<'_>, &[Law]),
    ) -> Result<()> {
        let (codec, segments) = (&self.codec, self.codec.segments());
        let Decoder::Direct { segment } = codec.decoder else { return Ok(()) };
        let parameters = codec.parameters();
        for chunk in windows.chunks((ROWS / segments).max(1)) {
            let chunk = self.checked(chunk)?;
            let inputs = codec.windows(&pairs(&chunk), false);
            let mut reader = Session::new(network.clone(), chunk.len())?;
            reader.feed(Steps::Features(&inputs.steps))?;
            let mut decoder = Session::new(network.clone(), chunk.len() * segments)?;
            let width = network.spec().rnn.state_size();
            let layers = reader.state().chunks_exact(chunk.len() * width);
            let state: Vec<f32> = layers.flat_map(|layer| layer.repeat(segments)).collect();
            decoder.set_state(&state)?;
            let answers = decoder.step(Steps::Features(&inputs.decode))?;
            for (row, window) in chunk.iter().enumerate() {
                let law = |t: usize| {
                    let answer = (t / segment * chunk.len() + row) * segment + t % segment;
                    let head = &answers[answer * parameters..][..parameters];
                    codec.output.distribution(head, window.frame.scale)
                };
                give(window, &(0..codec.horizon).map(law).collect::<Vec<_>>());
            }
        }
        Ok(())
    }

    /// Draws `count` paths `[H]` of each window, side by side.
    fn autoregressive(
        &self,
        member: usize,
        windows: &[Window<'_>],
        count: usize,
    ) -> Result<Vec<Vec<Vec<f64>>>> {
        let (codec, network) = (&self.codec, &self.networks[member]);
        let (outputs, width) = (codec.outputs(), network.spec().rnn.state_size());
        let a_row = 4 * (outputs + 2 * width) + 8 * codec.horizon;
        check_memory("drawing so many paths", bytes_of(a_row, &[windows.len(), count]))?;
        let inputs = codec.windows(&pairs(windows), false);
        let mut reader = Session::new(network.clone(), windows.len())?;
        let first = reader.feed(Steps::Features(&inputs.steps))?;
        let mut answers: Vec<f32> =
            first.chunks_exact(outputs).flat_map(|row| row.repeat(count)).collect();
        let rows = reader.state().chunks_exact(width);
        let state: Vec<f32> = rows.flat_map(|row| row.repeat(count)).collect();
        let mut session = Session::new(network.clone(), windows.len() * count)?;
        session.set_state(&state)?;

        let mut random: Vec<_> = windows.iter().map(|window| self.random(window, member)).collect();
        let mut drawn: Vec<Vec<f64>> = windows
            .iter()
            .flat_map(|window| vec![window.series.y[..window.frame.origin].to_vec(); count])
            .collect();
        let mut steps = Vec::new();
        for ahead in 0..codec.horizon {
            steps.clear();
            for (row, y) in drawn.iter_mut().enumerate() {
                let Window { series, frame } = &windows[row / count];
                let law =
                    codec.output.distribution(&answers[row * outputs..][..outputs], frame.scale);
                let z = law.draw(&codec.levels, &mut random[row / count]);
                y.push(codec.base(y, frame, frame.origin + ahead) + frame.scale * z);
                let next = (frame.origin + ahead + 1) as isize;
                codec.single(series, y, frame, next, &mut steps);
            }
            if ahead + 1 < codec.horizon {
                answers.clear();
                answers.extend_from_slice(session.step(Steps::Features(&steps))?);
            }
        }
        let values =
            |y: &Vec<f64>, origin: usize| y[origin..].iter().map(|y| codec.value(*y)).collect();
        let of_window = |(window, drawn): (&Window<'_>, &[Vec<f64>])| {
            drawn.iter().map(|y| values(y, window.frame.origin)).collect()
        };
        Ok(windows.iter().zip(drawn.chunks(count.max(1))).map(of_window).collect())
    }

    /// The value that `z` at step `ahead` of the horizon stands for; the direct decoder's.
    fn value(&self, window: &Window<'_>, ahead: usize, z: f64) -> f64 {
        let Window { series, frame } = window;
        let base = self.codec.base(&series.y, frame, frame.origin + ahead);
        self.codec.value(base + frame.scale * z)
    }

    fn by_laws(&self, window: &Window<'_>, laws: &[Law]) -> Forecast {
        let levels = &self.codec.levels;
        let at = |level: f64| -> Vec<f64> {
            let quantile =
                |(t, law): (usize, &Law)| self.value(window, t, law.quantile(level, levels));
            laws.iter().enumerate().map(quantile).collect()
        };
        let quantiles: Vec<Vec<f64>> = levels.iter().map(|level| at(*level)).collect();
        let mean = laws.iter().enumerate().map(|(t, law)| match law {
            Law::Normal(mean, _) | Law::StudentT(mean, _, _)
                if self.codec.transform == Transform::None && !self.codec.positive =>
            {
                self.value(window, t, *mean)
            }
            Law::NegativeBinomial { mean, scale, .. } => self.value(window, t, mean / scale),
            // The integral of the quantile function, level beyond the outermost level.
            _ => {
                let ends = levels.iter().chain([&1.0]).zip([&0.0].into_iter().chain(levels));
                let widths: Vec<f64> = ends.map(|(to, from)| to - from).collect();
                let value = |k: usize| quantiles[k.min(levels.len() - 1)][t];
                let piece = |(k, width): (usize, &f64)| {
                    width * 0.5 * (value(k.saturating_sub(1)) + value(k))
                };
                widths.iter().enumerate().map(piece).sum()
            }
        });
        let mean = mean.collect();
        let (id, origin) = (window.series.id.clone(), window.frame.origin);
        Forecast { id, origin, mean, levels: levels.clone(), quantiles }
    }

    fn by_paths(&self, paths: &Paths) -> Forecast {
        let levels = &self.codec.levels;
        let mut mean = Vec::with_capacity(self.codec.horizon);
        let mut quantiles = vec![Vec::with_capacity(self.codec.horizon); levels.len()];
        for t in 0..self.codec.horizon {
            let mut values: Vec<f64> = paths.paths.iter().map(|path| path[t]).collect();
            values.sort_by(f64::total_cmp);
            mean.push(values.iter().sum::<f64>() / values.len() as f64);
            for (level, quantile) in levels.iter().zip(&mut quantiles) {
                let at = level * (values.len() - 1) as f64;
                let (below, share) = (at.floor() as usize, at.fract());
                let above = values[(below + 1).min(values.len() - 1)];
                quantile.push(values[below] + share * (above - values[below]));
            }
        }
        let (id, origin) = (paths.id.clone(), paths.origin);
        Forecast { id, origin, mean, levels: levels.clone(), quantiles }
    }

    /// The windows, each with its frame.
    fn checked<'a>(&self, windows: &[(&'a Prepared, usize)]) -> Result<Vec<Window<'a>>> {
        let window = |&(series, origin): &(&'a Prepared, usize)| {
            let wrong = |text: String| Err(Error::series(&series.id, text));
            let (context, horizon) = (self.codec.context, self.codec.horizon);
            let Some(frame) = self.codec.frame(series, origin) else {
                return wrong(format!(
                    "no value in the {context} steps before step {origin}: nothing to forecast from"
                ));
            };
            match series.known_ahead() {
                Some(known) if known < origin + horizon => {
                    let written = |step: usize| {
                        let frequency = self.codec.frequency;
                        frequency.written(frequency.at(series.start, step))
                    };
                    wrong(format!(
                        "the covariates known ahead ({}) are missing from {} on: give them up to \
                         {}, the end of the horizon \
                         of {horizon} steps, in rows with an empty value",
                        self.codec.columns.future.join(", "),
                        written(known),
                        written(origin + horizon - 1)
                    ))
                }
                _ => Ok(Window { series, frame }),
            }
        };
        windows.iter().map(window).collect()
    }

    /// The generator of a window: by seed, member of the ensemble, name and stamp of the origin.
    fn random(&self, window: &Window<'_>, member: usize) -> SplitMix64 {
        let Window { series, frame } = window;
        let stamp: Stamp = self.codec.frequency.at(series.start, frame.origin);
        let text = format!("{} {stamp}", series.id);
        let hash = Fnv::of(text.as_bytes());
        let seed = self.seed.wrapping_add((member as u64) << 32);
        SplitMix64::new(hash ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// A series and an origin that can be forecast from.
struct Window<'a> {
    series: &'a Prepared,
    frame: Frame,
}

fn pairs<'a>(windows: &'a [Window<'a>]) -> Vec<(&'a Prepared, &'a Frame)> {
    windows.iter().map(|window| (window.series, &window.frame)).collect()
}

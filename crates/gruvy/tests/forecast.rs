//! The forecast task with the one training loop.
#![allow(clippy::unwrap_used)]

use burn::tensor::{Device, Tensor, TensorData};
use gruvy::{
    forecast::{
        Anomalies, Applied, DecoderKind, ForecastConfig, ForecastRun, ForecastTask, PastForecasts,
        Targets, evaluate, last_origins, loss,
    },
    nn::Key,
    settings::TaskConfig,
    train::{Part, RunFolder, Silent, Task, train, untrained},
};
use gruvy_data::Input;
use gruvy_data::series::{SeriesFormat, read_panel};
use gruvy_runtime::Remark;
use gruvy_runtime::{
    Codec,
    forecast::{Decoder, Difference, Forecaster, Output, Transform},
    model::ModelFile,
    series::{Columns, Frequency, Panel, Series, Stamp},
};
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;

/// A wave with a period of six steps and a trend, with noise that depends on `id`; the price moves
/// it.
fn series(id: usize, steps: usize) -> Series {
    let price: Vec<f64> = (0..steps + 4).map(|t| ((t * 7 + id) % 5) as f64).collect();
    let wave = |t: usize| (t as f64 / 6.0 * std::f64::consts::TAU).sin();
    let noise = |t: usize| ((t * 31 + id * 17) % 13) as f64 / 26.0;
    let y = (0..steps).map(|t| 20.0 + 5.0 * wave(t) + 0.05 * t as f64 + price[t] + noise(t));
    Series {
        id: format!("s{id}"),
        start: Stamp::Index(0),
        y: y.collect(),
        statics: vec![],
        past: vec![],
        future: vec![price],
    }
}

fn panel(count: usize, steps: usize) -> Panel {
    let columns = Columns { future: vec!["price".into()], ..Columns::default() };
    let series = (0..count).map(|id| series(id, steps)).collect();
    Panel { frequency: Frequency::Index, columns, series, notes: vec![] }
}

fn run() -> ForecastRun {
    let mut run = ForecastRun::default();
    run.task.horizon = 4;
    run.task.season = 6;
    run.task.test_steps = 8;
    run.task.valid_steps = Some(8);
    run.task.epoch_windows = 320;
    run.task.levels = vec![0.1, 0.5, 0.9];
    run.task.format.future = vec!["price".into()];
    run.train.hidden = 24;
    run.train.batch = 32;
    run.train.epochs = 12;
    run.train.lr = 0.01;
    run
}

#[test]
fn waves_are_learned_and_the_file_answers_as_the_test_did() {
    for decoder in [DecoderKind::Direct, DecoderKind::Autoregressive] {
        let mut run = run();
        run.task.decoder = Some(decoder);
        run.task.transform = Some(Transform::None);
        let task = ForecastTask::new(run.clone(), panel(4, 90)).unwrap();
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(place.path(), run.to_toml().unwrap(), false).unwrap();
        let go_on = AtomicBool::new(false);
        let outcome = train(&task, &run.train, &folder, &mut Silent, &go_on).unwrap();
        let test = outcome.test.unwrap();
        // A season's values repeated have an error of about 1: the price moves them by up to 4.
        assert!(test["mase"] < 0.5, "{decoder:?}: {test:?}");

        let model = ModelFile::read(folder.model_path()).unwrap();
        let forecaster = Forecaster::from_file(&model).unwrap();
        let prepared = forecaster.prepare(task.panel()).unwrap();
        let windows: Vec<_> =
            prepared.iter().flat_map(|p| (82..=86).map(move |o| (p, o))).collect();
        let again = evaluate(&forecaster, task.panel(), &windows).unwrap();
        for name in ["mase", "smape", "crps", "mse", "mae"] {
            assert_eq!(again[name], test[name], "{decoder:?} {name}");
        }
    }
}

#[test]
fn the_loss_that_is_learned_from_is_the_one_that_is_measured() {
    let device = Device::flex();
    for (name, output) in Output::ALL {
        for decoder in [DecoderKind::Direct, DecoderKind::Autoregressive] {
            let mut run = run();
            run.task.decoder = Some(decoder);
            run.task.output = Some(output);
            // Quantiles of fresh weights cross, and are measured in order.
            run.task.levels = vec![0.3];
            run.train.dropout = 0.0;
            let mut panel = panel(2, 60);
            if output == Output::NegativeBinomial {
                run.task.difference = Some(Difference::None);
                run.task.transform = Some(Transform::None);
                panel.series.iter_mut().flat_map(|s| &mut s.y).for_each(|y| *y = y.round());
            }
            panel.series[0].y[45] = f64::NAN;
            let task = ForecastTask::new(run.clone(), panel).unwrap();
            let model = task.init(Key::new(1), &device);
            let runtime = task.validate(&model).unwrap().metrics.unwrap()["loss"];
            let burn: f64 =
                task.batch_loss(&model, Part::Valid).into_data().iter::<f64>().next().unwrap();
            assert!(
                (runtime - burn).abs() < 2e-5 * runtime.abs().max(1.0),
                "{name} {decoder:?}: {runtime} {burn}"
            );
        }
    }
}

/// The gradient of each loss against finite differences of it, the head's numbers being the
/// parameters.
#[test]
fn gradients_of_the_losses_are_those_of_finite_differences() {
    let device = Device::flex().autodiff();
    let levels = [0.1, 0.5, 0.9];
    for (name, output) in Output::ALL {
        let parameters = output.parameters(levels.len());
        let head: Vec<f32> =
            (0..4 * parameters).map(|i| ((i * 7) % 5) as f32 * 0.4 - 0.7).collect();
        let column = |values: [f32; 4]| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [4, 1]), &device)
        };
        let targets =
            || Targets {
                z: column([1.5, -0.5, 0.25, 0.0].map(|z: f32| {
                    if output == Output::NegativeBinomial { z.abs() * 2.0 } else { z }
                })),
                known: column([1.0, 1.0, 1.0, 0.0]),
                scale: column([2.0, 4.0, 2.0, 1.0]),
                count: 3,
            };
        let of = |head: &[f32]| {
            let tensor =
                Tensor::<2>::from_data(TensorData::new(head.to_vec(), [4, parameters]), &device)
                    .require_grad();
            (tensor.clone(), loss(output, &levels, tensor, targets()))
        };
        let (tensor, value) = of(&head);
        let gradient: Vec<f32> =
            tensor.grad(&value.backward()).unwrap().into_data().iter().collect();
        for i in 0..head.len() {
            let moved = |by: f32| -> f64 {
                let mut head = head.clone();
                head[i] += by;
                of(&head).1.into_data().iter::<f64>().next().unwrap()
            };
            let difference = (moved(0.02) - moved(-0.02)) / 0.04;
            let off = (difference - f64::from(gradient[i])).abs();
            assert!(off < 3e-3, "{name} [{i}]: {} against {difference}", gradient[i]);
        }
        assert!(
            gradient[3 * parameters..].iter().all(|g| *g == 0.0),
            "{name}: a missing value has a gradient"
        );
    }
}

#[test]
fn what_is_left_open_is_chosen_by_the_data_and_said() {
    let chosen = |panel: Panel, run: ForecastRun| {
        let task = ForecastTask::new(run, panel).unwrap();
        (task.codec().clone(), Remark::sentences(task.notes()).join("\n"))
    };
    let mut open = run();
    open.task.season = 6;
    let (codec, notes) = chosen(panel(2, 90), open.clone());
    assert_eq!((codec.decoder, codec.output), (Decoder::Direct { segment: 3 }, Output::Quantile));
    assert_eq!(codec.difference, Difference::Seasonal, "{notes}");
    assert!(codec.context.is_multiple_of(3) && codec.series_id, "{codec:?}");
    assert!(notes.contains("last season's values"), "{notes}");

    let mut given = open.clone();
    given.task.context = 10;
    let (codec, _) = chosen(panel(2, 90), given.clone());
    assert_eq!((codec.context, codec.decoder), (10, Decoder::Direct { segment: 2 }));
    given.task.segment = 4;
    let error = ForecastTask::new(given, panel(2, 90)).unwrap_err().to_string();
    assert!(error.contains("context = 10") && error.contains("segment, 4"), "{error}");

    let mut counts = panel(1, 90);
    counts.series[0].y.iter_mut().enumerate().for_each(|(t, y)| *y = (t % 4) as f64);
    let (codec, notes) = chosen(counts, open.clone());
    assert_eq!((codec.decoder, codec.output), (Decoder::Autoregressive, Output::NegativeBinomial));
    assert_eq!((codec.difference, codec.transform), (Difference::None, Transform::None));
    assert!(notes.contains("small counts"), "{notes}");

    let mut grows = panel(1, 120);
    for (t, y) in grows.series[0].y.iter_mut().enumerate() {
        *y = 1.03f64.powi(t as i32) * (10.0 + 2.0 * ((t % 6) as f64 - 2.5));
    }
    let (codec, notes) = chosen(grows, open);
    assert_eq!(codec.transform, Transform::Log, "{notes}");
    assert!(notes.contains("logarithms"), "{notes}");
}

#[test]
fn cycles_that_the_training_part_does_not_have_twice_are_left_out() {
    let calendar = |frequency: &str, steps: usize| {
        let mut panel = panel(1, steps);
        panel.frequency = frequency.parse().unwrap();
        let dated = read_panel(
            &[Input::bytes("dated", "ds,y\n2020-01-01,1\n2020-01-02,2\n".as_bytes())],
            &SeriesFormat::default(),
        )
        .unwrap();
        panel.series[0].start = dated.series[0].start;
        let task = ForecastTask::new(run(), panel).unwrap();
        (task.codec().calendar, task.codec().frequency.calendar_size())
    };
    assert_eq!(calendar("h", 300), (2, 6), "days alone");
    assert_eq!(calendar("h", 400), (4, 6), "days and weeks");
    assert_eq!(calendar("D", 400), (2, 4), "weeks alone");
    assert_eq!(calendar("D", 800), (4, 4));
    assert_eq!(calendar("MS", 60), (2, 2));
}

#[test]
fn a_model_is_told_the_hour_that_clocks_in_the_zone_show() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hours.csv");
    // Ten days; at one o'clock of the last Sunday clocks go back from two hours ahead to one.
    let hour = |at: usize| format!("2024-10-{:02} {:02}:00Z,{}\n", 20 + at / 24, at % 24, at % 5);
    let rows: String = (0..240).map(hour).collect();
    std::fs::write(&path, format!("ds,y\n{rows}")).unwrap();
    let mut run = ForecastRun::default();
    run.data.paths = vec![path];
    let load = |zone: Option<&str>| {
        let mut run = run.clone();
        run.task.format.time_zone = zone.map(str::to_owned);
        ForecastConfig::load(run).unwrap()
    };
    let task = load(Some("Europe/Berlin"));
    let Codec::Forecast(codec) = untrained(&task, &run.train).unwrap().codec else { panic!() };
    assert_eq!(*codec, *task.codec());
    let start = task.panel().series[0].start;
    for at in 0..240 {
        let ahead = if at < 7 * 24 + 1 { 2 } else { 1 };
        let Stamp::Time(shown) = codec.wall_clock.at(codec.frequency.at(start, at)) else {
            panic!()
        };
        assert_eq!(usize::from(shown.hour().unsigned_abs()), (at + ahead) % 24, "{shown}");
    }
    // A run that began by the other clock does not go on by this one.
    assert!(load(None).codec().wall_clock.is_none());
    assert_ne!(task.fingerprint(), load(None).fingerprint());
}

#[test]
fn nothing_after_the_training_part_is_learned_from() {
    let whole = panel(2, 90);
    let mut other = whole.clone();
    for series in &mut other.series {
        series.y[74..].iter_mut().for_each(|y| *y = 1000.0 - *y);
    }
    let train_in = |panel: Panel| {
        let mut run = run();
        run.train.epochs = 1;
        run.task.transform = Some(Transform::None);
        let task = ForecastTask::new(run.clone(), panel).unwrap();
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(place.path(), run.to_toml().unwrap(), false).unwrap();
        run.train.eval_every = 1000;
        train(&task, &run.train, &folder, &mut Silent, &AtomicBool::new(false)).unwrap();
        let model = ModelFile::read(folder.model_path()).unwrap();
        let Codec::Forecast(codec) = &model.codec else { panic!("{:?}", model.codec) };
        (model.tensors, codec.clone())
    };
    assert_eq!(train_in(whole), train_in(other));
}

#[test]
fn origins_go_back_from_the_end_and_those_that_were_learned_from_are_counted() {
    let task = ForecastTask::new(run(), panel(2, 90)).unwrap();
    let forecaster = Forecaster::from_file(&untrained(&task, &run().train).unwrap()).unwrap();
    let prepared = forecaster.prepare(task.panel()).unwrap();
    let origins = last_origins(&forecaster, &prepared, 3, 7);
    let steps: Vec<usize> = origins.windows.iter().map(|(_, origin)| *origin).collect();
    assert_eq!(steps, [72, 79, 86, 72, 79, 86]);
    // The last 16 of 90 steps were held back.
    assert_eq!(origins.learned, 2);
    assert_eq!(last_origins(&forecaster, &prepared, 100, 7).windows.len(), 2 * 13);
}

/// An untrained model of the embedded series, applied to it; the last two years were held back.
fn airline() -> Applied {
    let mut run = ForecastRun::default();
    run.task.horizon = 12;
    run.task.valid_steps = Some(12);
    run.task.test_steps = 12;
    run.train.hidden = 8;
    let task = ForecastConfig::load(run.clone()).unwrap();
    let forecaster = Forecaster::from_file(&untrained(&task, &run.train).unwrap()).unwrap();
    Applied::read(forecaster, &[], |_| Ok(())).unwrap()
}

#[test]
fn a_model_is_measured_on_the_past_of_its_series() {
    let applied = airline();
    let end = applied.panel.series[0].y.len();
    let origins = |past: &PastForecasts| -> Vec<usize> {
        past.forecasts.iter().map(|forecast| end - forecast.origin).collect()
    };
    let last = applied.backtest(NonZeroUsize::MIN, None).unwrap();
    assert_eq!((origins(&last), &last.warning), (vec![12], &None));
    let three = applied.backtest(NonZeroUsize::new(3).unwrap(), None).unwrap();
    assert_eq!(origins(&three), [36, 24, 12]);
    let warning = three.warning.unwrap();
    assert!(warning.starts_with("1 of 3 forecasts are of steps that the model learned from"));
    assert_eq!(three.backtest.notes.last(), Some(&warning));
    let close = NonZeroUsize::new(2);
    assert_eq!(origins(&applied.backtest(close.unwrap(), close).unwrap()), [14, 12]);

    let evaluated = applied.evaluate(Some(14)).unwrap();
    let windows: Vec<_> = (end - 14..=end - 12).map(|at| (&applied.series[0], at)).collect();
    let metrics = evaluate(&applied.forecaster, &applied.panel, &windows).unwrap();
    assert_eq!((evaluated.forecasts, evaluated.metrics), (3, metrics));
    assert_eq!(applied.evaluate(None).unwrap().forecasts, 1);
    assert!(applied.evaluate(Some(usize::MAX)).unwrap().forecasts > end / 2, "all that there are");
    let error = applied.evaluate(Some(11)).unwrap_err().to_string();
    assert!(
        error.starts_with("test_steps = 11: expected at least the model's horizon, 12"),
        "{error}"
    );
}

#[test]
fn anomalies_are_counted_beside_their_rows() {
    let applied = airline();
    let all = applied.places(&[]).unwrap();
    let Anomalies { rows, outside, of } = Anomalies::of(&applied, &all, 0.5).unwrap();
    assert_eq!(rows.rows.len(), applied.panel.series[0].y.len());
    let flagged = rows.rows.iter().filter(|row| row.said[2] > 0.0).count();
    let known = rows.rows.iter().filter(|row| !row.said[0].is_nan()).count();
    assert_eq!((outside, of), (flagged, known));
    assert!(0 < outside && outside < of && of < rows.rows.len(), "{outside} of {of}");
    let id = applied.panel.series[0].id.clone();
    let error = applied.places(&[id.clone(), "b".into()]).unwrap_err().to_string();
    assert_eq!(error, format!("no series `b`: there are {id}"));
    assert_eq!(applied.places(&[id]).unwrap(), all);
}

#[cfg(feature = "draw")]
#[test]
fn fans_are_drawn_of_the_first_series_and_a_page_of_the_past() {
    let applied = airline();
    let many = NonZeroUsize::new(14).unwrap();
    let past = applied.backtest(many, Some(NonZeroUsize::MIN)).unwrap();
    let fans = applied.fans(&past.forecasts);
    let series = &applied.panel.series[0];
    assert_eq!((fans.len(), &fans[0].title), (12, &series.id));
    assert_eq!((fans[3].forecast, (fans[3].label)(12)), (&past.forecasts[3], "1950-01-01".into()));
    let page = past.to_html(&applied, "a <model>").unwrap();
    assert!(page.contains("12 steps ahead, by a &lt;model&gt;") && page.contains("1960"), "{page}");
}

#[test]
fn series_that_cannot_be_learned_from_are_named() {
    let fails = |run: ForecastRun, panel: Panel| match ForecastTask::new(run, panel) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was taken"),
    };
    let text = fails(run(), panel(2, 4));
    assert!(
        text.contains("no series is long enough") && text.contains("`s") && text.contains('4'),
        "{text}"
    );
    let mut short_valid = run();
    short_valid.task.valid_steps = Some(2);
    let text = fails(short_valid, panel(2, 90));
    assert!(text.contains("valid_steps = 2") && text.contains("horizon, 4"), "{text}");
    let mut bad = run();
    bad.task.levels = vec![0.9, 0.1];
    assert!(bad.check().unwrap_err().to_string().contains("levels"), "not rising");
    let mut counts = run();
    counts.task.output = Some(Output::NegativeBinomial);
    let text = fails(counts, panel(1, 90));
    assert!(text.contains("whole numbers"), "{text}");
    let mut log = run();
    log.task.transform = Some(Transform::Log);
    let mut negative = panel(1, 90);
    negative.series[0].y[3] = -1.0;
    let text = fails(log, negative);
    assert!(text.contains("`s0`") && text.contains("-1"), "{text}");
    // A constant series and a short one beside a good one are told, and no reason to stop.
    let mut some = panel(3, 90);
    some.series[1].y = vec![5.0; 90];
    some.series[2] = series(2, 3);
    let task = ForecastTask::new(run(), some).unwrap();
    let notes = Remark::sentences(task.notes()).join("\n");
    assert!(
        notes.contains("never change: s1") && notes.contains("too short to learn from: s2"),
        "{notes}"
    );
}

#[test]
fn the_embedded_series_are_the_published_ones() {
    let task = ForecastConfig::load(ForecastRun::default()).unwrap();
    let y = &task.panel().series[0].y;
    assert_eq!((y.len(), y[0], y[143]), (144, 112.0, 432.0));
    assert_eq!(y.iter().sum::<f64>(), 40_363.0);
    assert_eq!(task.panel().frequency.to_string(), "MS");
    let codec = task.codec();
    assert_eq!((codec.season, codec.horizon), (12, 12));
    assert_eq!((codec.transform, codec.difference), (Transform::Log, Difference::Seasonal));
    let file = untrained(&task, &ForecastRun::default().train).unwrap();
    let forecaster = Forecaster::from_file(&file).unwrap();
    let forecast = &forecaster.forecast_panel(task.panel()).unwrap()[0];
    assert_eq!((forecast.origin, forecast.horizon()), (144, 12));
}

/// A run without covariates.
fn plain() -> ForecastRun {
    let mut run = run();
    run.task.format = SeriesFormat::default();
    run.task.epoch_windows = 64;
    run.train.hidden = 8;
    run.train.epochs = 2;
    run
}

fn without_covariates(mut panel: Panel) -> Panel {
    panel.columns = Columns::default();
    panel.series.iter_mut().for_each(|series| series.future.clear());
    panel
}

#[test]
fn a_model_of_series_in_another_unit_forecasts_the_same_in_it() {
    let forecasts = |by: f64| {
        let mut panel = without_covariates(panel(2, 90));
        // Beside the others a series of zeros, and one that never changes.
        panel.series.push(Series {
            id: "zeros".into(),
            y: vec![0.0; 90],
            ..panel.series[0].clone()
        });
        panel.series.push(Series {
            id: "same".into(),
            y: vec![5.0; 90],
            ..panel.series[0].clone()
        });
        panel.series.iter_mut().flat_map(|s| &mut s.y).for_each(|y| *y *= by);
        let task = ForecastTask::new(plain(), panel).unwrap();
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(place.path(), plain().to_toml().unwrap(), false).unwrap();
        train(&task, &plain().train, &folder, &mut Silent, &AtomicBool::new(false)).unwrap();
        let forecaster = Forecaster::open(folder.model_path()).unwrap();
        let all = forecaster.forecast_panel(task.panel()).unwrap();
        let values = all.iter().flat_map(|f| f.quantiles.iter().flatten().chain(&f.mean));
        values.map(|value| value / by).collect::<Vec<f64>>()
    };
    // About 1e30 and 1e-30; powers of two leave all digits as they are.
    let expected = forecasts(1.0);
    for by in [2f64.powi(100), 2f64.powi(-100)] {
        assert_eq!(forecasts(by), expected, "{by:e}");
    }
    let zeros = &expected[2 * 16..3 * 16];
    assert!(zeros.iter().all(|y| y.abs() < 0.5), "{zeros:?}");
}

#[test]
fn what_is_chosen_holds_for_the_values_held_back_too() {
    let codec = |change: &dyn Fn(usize, f64) -> f64, at: Option<(usize, f64)>| {
        let mut panel = without_covariates(panel(1, 120));
        let y = &mut panel.series[0].y;
        y.iter_mut().enumerate().for_each(|(t, y)| *y = change(t, *y));
        if let Some((at, value)) = at {
            y[at] = value;
        }
        ForecastTask::new(plain(), panel).unwrap().codec().clone()
    };
    let counts = |t: usize, _: f64| (t % 4) as f64;
    assert_eq!(codec(&counts, None).output, Output::NegativeBinomial);
    for value in [-1.0, 0.5] {
        let codec = codec(&counts, Some((118, value)));
        assert_eq!((codec.output, codec.positive), (Output::Quantile, value > 0.0));
    }
    let grows = |t: usize, _: f64| 1.03f64.powi(t as i32) * (10.0 + 2.0 * ((t % 6) as f64 - 2.5));
    assert_eq!(codec(&grows, None).transform, Transform::Log);
    for value in [0.0, -1.0] {
        assert_eq!(codec(&grows, Some((118, value))).transform, Transform::None);
    }
}

#[test]
fn values_near_the_ends_of_what_can_be_computed_are_refused_before_training() {
    for by in [1e200, 1e-200] {
        let mut panel = without_covariates(panel(1, 90));
        panel.series[0].y.iter_mut().for_each(|y| *y *= by);
        let problem = ForecastTask::new(plain(), panel).unwrap_err().to_string();
        assert!(problem.contains("`s0`") && problem.contains("another unit"), "{problem}");
    }
}

#[test]
fn a_value_is_laid_over_the_setting_of_its_name_wherever_it_lies() {
    let mut run = ForecastRun::default();
    let values = [("hidden", "64".into()), ("horizon", 7.into()), ("freq", "D".into())];
    for (name, value) in values {
        run.set(name, &value).unwrap();
    }
    run.set("series-id", &true.into()).unwrap();
    assert_eq!((run.train.hidden, run.task.horizon), (64, 7));
    assert_eq!((run.task.format.freq, run.task.series_id), ("D".parse().ok(), Some(true)));
    let unknown = run.set("horizn", &7.into()).unwrap_err().to_string();
    assert!(unknown.contains("`horizn`") && unknown.contains("`horizon`"), "{unknown}");
    let wrong = run.set("horizon", &"-7".into()).unwrap_err().to_string();
    assert!(wrong.starts_with("horizon = -7: expected"), "{wrong}");
    let names: Vec<&str> = ForecastRun::declared().map(|(_, setting)| setting.name).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(names.len(), once.len(), "a name is one setting's alone");
}

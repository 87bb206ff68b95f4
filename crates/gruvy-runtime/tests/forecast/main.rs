//! Windows, forecasts and streams of models with made-up weights.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod codec;
mod units;

use gruvy_runtime::{
    Cell, Error,
    forecast::{
        Affine, Decoder, Difference, ForecastCodec, Forecaster, Known, Output, Scale, StaticCoding,
        Transform,
    },
    model::{Head, Input, Network, RnnSpec, Spec},
    series::{Columns, Frequency, Series, Stamp, WallClock},
};
use proptest::prelude::*;
use std::sync::Arc;

fn codec(decoder: Decoder, output: Output) -> ForecastCodec {
    let columns = Columns {
        statics: vec!["kind".into()],
        past: vec!["wind".into()],
        future: vec!["price".into()],
    };
    let standard = Affine { mean: 4.0, std: 2.0 };
    let until = Stamp::Index(5);
    ForecastCodec {
        frequency: Frequency::Index,
        season: 3,
        columns,
        horizon: 3,
        context: 4,
        decoder,
        output,
        levels: vec![0.1, 0.5, 0.9],
        transform: Transform::None,
        difference: Difference::Last,
        scale: Scale::Window,
        statics: vec![StaticCoding::Category(vec!["shop".into(), "web".into()])],
        covariates: vec![standard, Affine { mean: 0.0, std: 1.0 }],
        calendar: 0,
        wall_clock: WallClock::default(),
        positive: false,
        series_id: true,
        series: vec![Known { id: "a".into(), standard, scale: 2.0, until }],
    }
}

const DIRECT: Decoder = Decoder::Direct { segment: 2 };

fn forecaster(codec: ForecastCodec, cell: Cell) -> Forecaster {
    let input_size = codec.input_size();
    let spec = Spec {
        input: Input::Features { size: input_size },
        rnn: RnnSpec {
            cell,
            input_size,
            hidden_size: 6,
            num_layers: 2,
            bidirectional: false,
            bias: true,
            zoneout: 0.0,
            layer_norm: false,
        },
        pool: None,
        decoder: None,
        head: Head::Linear { outputs: codec.outputs() },
    };
    let network = Network::from_tensors(&spec, &common::tensors(&spec)).unwrap();
    let mut forecaster = Forecaster::new(Arc::new(network), codec).unwrap();
    forecaster.samples = 20;
    forecaster
}

/// `steps` values that look random, around 20, with covariates.
fn series(id: &str, steps: usize) -> Series {
    let wave = |t: usize, by: usize| ((t * by) % 17) as f64;
    Series {
        id: id.into(),
        start: Stamp::Index(0),
        y: (0..steps).map(|t| 12.0 + wave(t, 5)).collect(),
        statics: vec!["web".into()],
        past: vec![(0..steps).map(|t| wave(t, 3)).collect()],
        future: vec![(0..steps + 3).map(|t| wave(t, 7)).collect()],
    }
}

#[test]
fn a_window_is_laid_out_as_its_documentation_says() {
    let codec = codec(DIRECT, Output::Quantile);
    let mut series = series("a", 6);
    series.y = vec![9.0, 5.0, f64::NAN, 7.0, 4.0, 100.0];
    series.past = vec![vec![0.0, 8.0, f64::NAN, 4.0, 6.0, 100.0]];
    series.future = vec![vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]];
    let prepared = codec.prepare(&series).unwrap();
    let frame = codec.frame(&prepared, 5).unwrap();
    // The last value is 4; differences 1, 3 and 0 over three known values.
    assert!((frame.scale - (10.0f64 / 3.0).sqrt()).abs() < 1e-12);
    assert_eq!(codec.base(&prepared.y, &frame, 6), 4.0);
    let windows = codec.windows(&[(&prepared, &frame)], false);
    let z = |y: f64| ((y - 4.0) / frame.scale) as f32;
    let expected = [
        // values, missing, past (of mean 4 and deviation 2), future, shop or web, series a,
        // position 0 or 1
        [z(5.0), 0.0, 0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0, 1.0, 0.0, 0.0],
        [z(7.0), z(4.0), 0.0, 0.0, 0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 1.0, 0.0, 0.0],
    ];
    assert_eq!(windows.steps, expected.concat());
    let expected = [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0, 0.0, 1.0, 1.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 7.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0],
    ];
    assert_eq!(windows.decode, expected.concat());
    assert_eq!(codec.input_size(), 13);
}

#[test]
fn an_autoregressive_window_predicts_each_step_from_the_one_before() {
    let codec = ForecastCodec {
        context: 2,
        difference: Difference::Seasonal,
        series_id: false,
        statics: vec![],
        columns: Columns::default(),
        covariates: vec![],
        ..codec(Decoder::Autoregressive, Output::Normal)
    };
    let mut series = series("a", 8);
    (series.statics, series.past, series.future) = (vec![], vec![], vec![]);
    series.y = vec![1.0, 2.0, 3.0, 3.0, 6.0, 4.0, 8.0, f64::NAN];
    let prepared = codec.prepare(&series).unwrap();
    let frame = codec.frame(&prepared, 5).unwrap();
    // Against three steps before: 3 − 1 and 6 − 2.
    assert!((frame.scale - 10.0f64.sqrt()).abs() < 1e-12);
    let z = |difference: f64| (difference / 10.0f64.sqrt()) as f32;
    let steps = |ahead| codec.windows(&[(&prepared, &frame)], ahead).steps;
    assert_eq!(steps(false), [[z(2.0), 0.0], [z(4.0), 0.0]].concat());
    // Through the horizon: 4 − 3 and 8 − 3 go in, what they predict does not.
    assert_eq!(steps(true), [[z(2.0), 0.0], [z(4.0), 0.0], [z(1.0), 0.0], [z(5.0), 0.0]].concat());
}

#[test]
fn a_seasonal_base_looks_for_the_last_season_that_is_known() {
    let codec = ForecastCodec {
        difference: Difference::Seasonal,
        horizon: 7,
        ..codec(DIRECT, Output::Quantile)
    };
    let mut series = series("a", 8);
    series.future[0].extend([0.0; 9]);
    series.y = vec![1.0, 2.0, 3.0, 4.0, f64::NAN, 6.0, 7.0, 8.0];
    let prepared = codec.prepare(&series).unwrap();
    let frame = codec.frame(&prepared, 7).unwrap();
    let base = |t| codec.base(&prepared.y, &frame, t);
    // Step 7 leans on 4, which is missing, so on 1; steps from 10 on never on the horizon itself.
    assert_eq!([7, 8, 9, 10, 11, 12].map(base), [2.0, 6.0, 7.0, 2.0, 6.0, 7.0]);
    assert!(base(2).is_nan() && base(3) == 1.0);
}

fn all_kinds() -> Vec<Forecaster> {
    let mut kinds = Vec::new();
    for decoder in [DIRECT, Decoder::Autoregressive] {
        for (_, output) in Output::ALL {
            for (_, difference) in Difference::ALL {
                let counts = output == Output::NegativeBinomial;
                if counts && difference != Difference::None {
                    continue;
                }
                let transform = if counts { Transform::None } else { Transform::Log };
                let codec = ForecastCodec { difference, transform, ..codec(decoder, output) };
                kinds.push(forecaster(codec, Cell::Gru));
            }
        }
    }
    kinds.push(forecaster(codec(DIRECT, Output::Quantile), Cell::Lstm));
    kinds.push(forecaster(codec(Decoder::Autoregressive, Output::StudentT), Cell::Lstm));
    kinds
}

#[test]
fn forecasts_are_finite_and_their_quantiles_in_order() {
    for forecaster in all_kinds() {
        let codec = forecaster.codec();
        let what = format!("{:?} {:?} {:?}", codec.decoder, codec.output, codec.difference);
        let mut gaps = series("b", 30);
        gaps.y[12] = f64::NAN;
        gaps.y[28] = f64::NAN;
        let mut constant = series("a", 30);
        constant.y = vec![7.0; 30];
        for series in [series("a", 30), gaps, constant, series("new", 2)] {
            let prepared = codec.prepare(&series).unwrap();
            let forecast = &forecaster.forecast(&[(&prepared, series.y.len())]).unwrap()[0];
            assert_eq!((forecast.horizon(), forecast.quantiles.len()), (3, 3), "{what}");
            assert!(
                forecast
                    .mean
                    .iter()
                    .chain(forecast.quantiles.iter().flatten())
                    .all(|v| v.is_finite()),
                "{what}"
            );
            for t in 0..3 {
                let quantiles: Vec<f64> = forecast.quantiles.iter().map(|q| q[t]).collect();
                assert!(quantiles.is_sorted(), "{what}: {quantiles:?}");
                assert!(quantiles[0] >= 0.0 || codec.transform == Transform::None, "{what}");
            }
        }
    }
}

#[test]
fn the_newest_observation_changes_the_forecast_and_what_comes_after_does_not() {
    for forecaster in all_kinds() {
        let codec = forecaster.codec();
        let at = |series: &Series| {
            let prepared = codec.prepare(series).unwrap();
            forecaster.forecast(&[(&prepared, 20)]).unwrap().remove(0)
        };
        let whole = series("a", 30);
        let expected = at(&whole);
        let mut later = whole.clone();
        later.y[20..].fill(500.0);
        later.past[0][20..].fill(500.0);
        assert_eq!(at(&later), expected, "what comes after the origin was looked at");
        let mut newest = whole.clone();
        newest.y[19] += 5.0;
        assert_ne!(at(&newest).quantiles, expected.quantiles, "{:?}", codec.difference);
        let mut ahead = whole.clone();
        ahead.future[0][21] += 50.0;
        assert_ne!(
            at(&ahead).quantiles,
            expected.quantiles,
            "known-future covariates were not looked at"
        );
        let mut beyond = whole;
        beyond.future[0][23] += 50.0;
        assert_eq!(at(&beyond), expected);
    }
}

#[test]
fn many_windows_answer_as_each_alone() {
    for forecaster in all_kinds() {
        let all: Vec<Series> =
            ["a", "b", "c"].iter().zip([30, 11, 3]).map(|(id, n)| series(id, n)).collect();
        let prepared: Vec<_> = all.iter().map(|s| forecaster.codec().prepare(s).unwrap()).collect();
        let windows: Vec<_> =
            prepared.iter().flat_map(|p| [(p, p.len()), (p, p.len() - 1)]).collect();
        let together = forecaster.forecast(&windows).unwrap();
        for (window, forecast) in windows.iter().zip(&together) {
            let alone = &forecaster.forecast(&[*window]).unwrap()[0];
            for (a, b) in alone.mean.iter().zip(&forecast.mean) {
                // The products' sums depend on the number of rows in the last digits.
                assert!((a - b).abs() < 1e-3 * (1.0 + a.abs()), "{a} {b}");
            }
            assert_eq!((&alone.id, alone.origin), (&forecast.id, forecast.origin));
        }
    }
}

#[test]
fn a_stream_answers_what_the_whole_history_does_to_the_bit() {
    for forecaster in all_kinds() {
        let whole = series("a", 40);
        let mut begun = whole.clone();
        begun.y.truncate(1);
        begun.past[0].truncate(1);
        begun.future[0].truncate(4);
        let mut stream = forecaster.stream(begun).unwrap();
        for t in 1..40 {
            let y = if t == 25 { f64::NAN } else { whole.y[t] };
            stream.observe(y, &[whole.past[0][t]]).unwrap();
            stream.know_ahead(&[whole.future[0][t + 3]]).unwrap();
            let mut history = whole.clone();
            history.y.truncate(t + 1);
            if t >= 25 {
                history.y[25] = f64::NAN;
            }
            history.past[0].truncate(t + 1);
            let prepared = forecaster.codec().prepare(&history).unwrap();
            let expected = forecaster.forecast(&[(&prepared, t + 1)]).unwrap().remove(0);
            assert_eq!(
                stream.forecast().unwrap(),
                expected,
                "{:?} step {t}",
                forecaster.codec().decoder
            );
        }
        assert!(matches!(stream.observe(f64::INFINITY, &[0.0]), Err(Error::Setting { .. })));
        assert!(matches!(stream.observe(1.0, &[]), Err(Error::Setting { .. })));
        assert!(matches!(stream.know_ahead(&[1.0, 2.0]), Err(Error::Setting { .. })));
    }
}

#[test]
fn paths_have_the_quantiles_of_the_forecast() {
    for forecaster in all_kinds() {
        let prepared = forecaster.codec().prepare(&series("a", 30)).unwrap();
        let paths = &forecaster.paths(&[(&prepared, 30)], 2000).unwrap()[0].paths;
        let mut more = forecaster.clone();
        more.samples = 2000;
        let forecast = &more.forecast(&[(&prepared, 30)]).unwrap()[0];
        for t in 0..3 {
            // Of the median; quantiles of counts hold more than their share.
            let below = paths.iter().filter(|path| path[t] <= forecast.quantiles[1][t]).count();
            let under = paths.iter().filter(|path| path[t] < forecast.quantiles[1][t]).count();
            assert!(below >= 930 && under <= 1070, "{:?}: {under} {below}", forecaster.codec());
        }
        let again = &forecaster.paths(&[(&prepared, 30)], 2000).unwrap()[0].paths;
        assert_eq!(again, paths, "the same seed");
        more.seed = 2;
        assert_ne!(&more.paths(&[(&prepared, 30)], 2000).unwrap()[0].paths, paths);
    }
}

#[test]
fn intervals_are_those_of_forecasts_one_step_before() {
    for decoder in [DIRECT, Decoder::Autoregressive] {
        let forecaster = forecaster(codec(decoder, Output::Normal), Cell::Gru);
        let prepared = forecaster.codec().prepare(&series("a", 12)).unwrap();
        let intervals = forecaster.intervals(&prepared, 0.8).unwrap();
        assert_eq!(intervals.len(), 12);
        assert!(intervals[0].is_none(), "there is nothing before the first step");
        if decoder == DIRECT {
            let forecast = &forecaster.forecast(&[(&prepared, 9)]).unwrap()[0];
            let [low, high] = intervals[9].unwrap();
            assert!((low - forecast.quantiles[0][0]).abs() < 1e-3, "{low}");
            assert!((high - forecast.quantiles[2][0]).abs() < 1e-3, "{high}");
        }
    }
    let forecaster = forecaster(codec(DIRECT, Output::Quantile), Cell::Gru);
    let prepared = forecaster.codec().prepare(&series("a", 12)).unwrap();
    let error = forecaster.intervals(&prepared, 0.95).unwrap_err().to_string();
    assert!(error.contains("0.95") && error.contains("0.800"), "{error}");
}

#[test]
fn what_never_was_below_zero_is_not_forecast_below_zero() {
    for decoder in [DIRECT, Decoder::Autoregressive] {
        let lowest = |positive| {
            let forecaster =
                forecaster(ForecastCodec { positive, ..codec(decoder, Output::Normal) }, Cell::Gru);
            let mut near = series("a", 12);
            near.y.iter_mut().enumerate().for_each(|(t, y)| *y = 40.0 * ((t + 1) % 4) as f64);
            let prepared = forecaster.codec().prepare(&near).unwrap();
            let forecast = forecaster.forecast(&[(&prepared, 12)]).unwrap().remove(0);
            forecast.quantiles.into_iter().flatten().fold(f64::INFINITY, f64::min)
        };
        assert!(lowest(false) < 0.0 && lowest(true) == 0.0, "{decoder:?}: {}", lowest(false));
    }
}

#[test]
fn a_window_that_hardly_moves_does_not_blow_up_what_comes_after() {
    let codec = codec(DIRECT, Output::Quantile);
    let mut still = series("a", 12);
    still.y[4..].fill(7.0);
    let prepared = codec.prepare(&still).unwrap();
    // Of the deviation of what was trained on, which is 2.
    assert_eq!(codec.frame(&prepared, 10).unwrap().scale, 0.04);
}

#[test]
fn what_cannot_be_forecast_is_named() {
    let message = |result: gruvy_runtime::Result<_>| -> String {
        match result {
            Err(error @ Error::Series { .. }) => error.to_string(),
            other => panic!("{:?}", other.map(|_: Vec<gruvy_runtime::forecast::Forecast>| ())),
        }
    };
    let forecaster = forecaster(codec(DIRECT, Output::Quantile), Cell::Gru);
    let prepare = |series: &Series| forecaster.codec().prepare(series).unwrap();
    let mut empty = series("gone", 12);
    empty.y[6..10].fill(f64::NAN);
    let text = message(forecaster.forecast(&[(&prepare(&empty), 10)]));
    assert!(text.contains("`gone`") && text.contains("no value in the 4 steps"), "{text}");
    let mut short = series("blind", 12);
    short.future[0].truncate(13);
    let text = message(forecaster.forecast(&[(&prepare(&short), 12)]));
    assert!(text.contains("`blind`") && text.contains("(price) are missing from 13 on"), "{text}");

    let mut bare = series("bare", 5);
    bare.past.clear();
    let text = forecaster.stream(bare).unwrap_err().to_string();
    assert!(text.contains("`bare`") && text.contains("[1, 0, 1]"), "{text}");

    let log = ForecastCodec { transform: Transform::Log, ..codec(DIRECT, Output::Quantile) };
    let mut zero = series("zero", 5);
    zero.y[2] = 0.0;
    let text = log.prepare(&zero).unwrap_err().to_string();
    assert!(text.contains("`zero`") && text.contains("above 0"), "{text}");
    let counts =
        ForecastCodec { difference: Difference::None, ..codec(DIRECT, Output::NegativeBinomial) };
    zero.y[2] = 1.5;
    let text = counts.prepare(&zero).unwrap_err().to_string();
    assert!(text.contains("whole numbers") && text.contains("1.5"), "{text}");
}

#[test]
fn values_that_a_transform_cannot_have_are_missing_and_said() {
    let mut codec = codec(DIRECT, Output::Quantile);
    codec.transform = Transform::Log;
    let forecaster = forecaster(codec, Cell::Gru);
    let mut with_zero = series("a", 20);
    with_zero.y[18] = 0.0;
    let mut missing = with_zero.clone();
    missing.y[18] = f64::NAN;
    let panel = |series: Series| gruvy_runtime::series::Panel {
        frequency: Frequency::Index,
        columns: forecaster.codec().columns.clone(),
        series: vec![series],
        notes: vec![],
    };
    let (taken, notes) = forecaster.prepare_what_fits(&panel(with_zero.clone())).unwrap();
    assert!(
        notes.len() == 1 && notes[0].why.contains("`a`: 0 at 18 taken as missing"),
        "{notes:?}"
    );
    let expected = forecaster.forecast_panel(&panel(missing)).unwrap();
    assert_eq!(forecaster.forecast(&[(&taken[0], 20)]).unwrap(), expected);
    let problem = forecaster.prepare(&panel(with_zero)).unwrap_err().to_string();
    assert!(problem.contains("the setting `transform=none`"), "{problem}");
}

#[test]
fn covariates_that_are_missing_ahead_are_told_by_date() {
    let mut codec = codec(DIRECT, Output::Quantile);
    codec.frequency = "D".parse().unwrap();
    let forecaster = forecaster(codec, Cell::Gru);
    let mut short = series("a", 20);
    short.start = Stamp::Time("2020-01-01T00:00".parse().unwrap());
    short.future[0].truncate(21);
    let prepared = forecaster.codec().prepare(&short).unwrap();
    let problem = forecaster.forecast(&[(&prepared, 20)]).unwrap_err().to_string();
    for part in ["price", "from 2020-01-22 on", "up to 2020-01-23"] {
        assert!(problem.contains(part), "{part} in {problem}");
    }
}

//! Forecasts judged beside simple methods: the table, the sentence, the pictures and the page.
#![allow(clippy::unwrap_used)]

use gruvy::forecast::judge::{
    Backtest, Baseline, FanChart, JudgeConfig, Observed, PageConfig, fan_png, fan_svg, judge,
};
use gruvy_runtime::forecast::Forecast;

const LEVELS: [f64; 5] = [0.1, 0.3, 0.5, 0.7, 0.9];

/// A forecast with a fan of the same width at every step.
fn forecast(id: &str, origin: usize, mean: &[f64], width: f64) -> Forecast {
    let row = |level: f64| mean.iter().map(|m| m + (level - 0.5) * width).collect();
    Forecast {
        id: id.to_owned(),
        origin,
        mean: mean.to_vec(),
        levels: LEVELS.to_vec(),
        quantiles: LEVELS.map(row).to_vec(),
    }
}

/// A season of four that grows, with noise.
fn growing(n: usize) -> Vec<f64> {
    let value =
        |t: usize| 50.0 + t as f64 + [0.0, 9.0, 4.0, -6.0][t % 4] + (t * 7 % 5) as f64 * 0.3;
    (0..n).map(value).collect()
}

fn config() -> JudgeConfig {
    JudgeConfig { season: 4, ..JudgeConfig::default() }
}

fn judged(y: &[f64], forecasts: &[Forecast]) -> Backtest {
    judge(&[Observed { id: "a", y }], forecasts, &config()).unwrap()
}

#[test]
fn a_perfect_model_wins_and_all_methods_stand_beside_it() {
    let y = growing(60);
    let forecasts = [forecast("a", 40, &y[40..46], 4.0), forecast("a", 50, &y[50..56], 4.0)];
    let backtest = judged(&y, &forecasts);
    let methods: Vec<&str> = backtest.rows.iter().map(|row| row.method.as_str()).collect();
    assert_eq!(methods, ["this model", "naive", "seasonal naive", "naive2", "ETS"]);
    assert_eq!((backtest.forecasts, backtest.horizon), (2, 6));
    let own = &backtest.rows[0].metrics;
    assert_eq!((own.mase, own.smape, own.mse, own.mae), (Some(0.0), Some(0.0), 0.0, 0.0));
    assert_eq!(own.coverage.iter().map(|c| c.share).collect::<Vec<_>>(), [1.0, 1.0]);
    // The season grows by 4, its noise aside, and seasonal naive does not.
    let seasonal = &backtest.rows[2];
    assert!((0.8..1.7).contains(&seasonal.metrics.mase.unwrap()), "{:?}", seasonal.metrics);
    assert!(seasonal.by_step[5] > seasonal.by_step[1], "two seasons ahead is worse than one");
    let ets = backtest.rows[4].metrics.mase.unwrap();
    assert!(ets < 0.3, "a line and a season are what ETS is made for: {ets}");
    assert!(
        backtest
            .verdict
            .starts_with("This model is better than every simple method by MASE (0.000")
    );
    assert_eq!(backtest.series[0].origins, [40, 50]);
}

#[test]
fn a_bad_model_is_sent_home() {
    let y = growing(60);
    let backtest = judged(&y, &[forecast("a", 56, &[0.0; 4], 1.0)]);
    let verdict = &backtest.verdict;
    assert!(verdict.starts_with("ETS is better than this model by MASE ("), "{verdict}");
    assert!(verdict.contains("CRPS") && verdict.ends_with(": use it."), "{verdict}");
}

#[test]
fn naive_rows_are_what_they_are_by_hand() {
    let y = [1.0, 3.0, 2.0, 5.0, 4.0, 8.0, 7.0, 6.0];
    let config = JudgeConfig { season: 2, ..JudgeConfig::default() };
    let forecasts = [forecast("a", 6, &[7.0, 7.0], 2.0)];
    let backtest = judge(&[Observed { id: "a", y: &y }], &forecasts, &config).unwrap();
    // Differences two apart before step 6: 1, 2, 2, 3.
    let mase = |row: usize| backtest.rows[row].metrics.mase.unwrap();
    assert!((mase(0) - 0.5 / 2.0).abs() < 1e-12);
    assert!((mase(1) - 1.5 / 2.0).abs() < 1e-12, "8 and 8 for 7 and 6");
    assert!((mase(2) - 2.5 / 2.0).abs() < 1e-12, "4 and 8 for 7 and 6");
    assert!((backtest.rows[2].metrics.rmsse.unwrap() - (6.5f64 / 4.5).sqrt()).abs() < 1e-12);
    assert_eq!(backtest.rows[2].by_step, [Some(1.5), Some(1.0)]);
}

#[test]
fn what_is_missing_constant_or_too_short_is_said() {
    let mut y = growing(60);
    y[20] = f64::NAN;
    y[57] = f64::NAN;
    let constant = [5.0; 60];
    let short = [1.0, 2.0, 1.5, 3.0, 2.0, 2.5];
    let series = [
        Observed { id: "a", y: &y },
        Observed { id: "constant", y: &constant },
        Observed { id: "short", y: &short },
    ];
    let forecasts = [
        forecast("a", 56, &[100.0; 4], 8.0),
        forecast("constant", 56, &[5.0; 4], 1.0),
        forecast("short", 3, &[2.0; 4], 1.0),
    ];
    let backtest = judge(&series, &forecasts, &config()).unwrap();
    let notes = backtest.notes.join("\n");
    for part in [
        "2 of 3 series are left out of MASE",
        "ETS could not be applied to 1 of 3 series",
        "(short: ",
        "2 of 12 values",
    ] {
        assert!(notes.contains(part), "{part:?} is missing in\n{notes}");
    }
    for row in &backtest.rows {
        let m = &row.metrics;
        let all = [m.smape.unwrap(), m.mase.unwrap(), m.crps.unwrap(), m.mse, m.mae];
        assert!(all.iter().all(|v| v.is_finite()), "{row:?}");
    }
    assert_eq!(backtest.series.len(), 3);
    assert_eq!(backtest.series[1].metrics[0].mase, None);
    let json = serde_json::to_value(&backtest).unwrap();
    assert_eq!(json["rows"][0]["method"], "this model");
    assert!(json["rows"][1]["metrics"]["mase"].is_number() && json["verdict"].is_string());
}

#[test]
fn without_a_season_there_are_no_seasonal_methods() {
    let y = growing(60);
    let forecasts = [forecast("a", 56, &[100.0; 4], 8.0)];
    let config = JudgeConfig { model: "gru".into(), ..JudgeConfig::default() };
    let backtest = judge(&[Observed { id: "a", y: &y }], &forecasts, &config).unwrap();
    let methods: Vec<&str> = backtest.rows.iter().map(|row| row.method.as_str()).collect();
    assert_eq!(methods, ["gru", "naive", "ETS"]);
}

#[test]
fn a_long_season_is_taken_out_before_smoothing() {
    let season = |t: usize| 1.0 + 0.5 * (t as f64 * std::f64::consts::TAU / 48.0).sin();
    let noise = |t: usize| (t * 7919 % 101) as f64 / 101.0;
    let y: Vec<f64> = (0..480).map(|t| (100.0 + noise(t)) * season(t)).collect();
    let forecasts = [forecast("a", 400, &[100.0; 60], 8.0), forecast("a", 420, &[100.0; 60], 8.0)];
    let config = JudgeConfig { season: 48, ..JudgeConfig::default() };
    let backtest = judge(&[Observed { id: "a", y: &y }], &forecasts, &config).unwrap();
    let smape = |row: usize| backtest.rows[row].metrics.smape.unwrap();
    assert!(smape(4) < 1.0 && smape(3) < 1.0, "ETS {}, naive2 {}", smape(4), smape(3));
    assert!(smape(1) > 10.0, "naive {}", smape(1));
    assert!(backtest.notes.len() == 1, "{:?}", backtest.notes);
}

#[test]
fn forecasts_that_cannot_be_judged_are_refused_by_name() {
    let y = growing(60);
    let series = [Observed { id: "a", y: &y }];
    let good = || forecast("a", 40, &[100.0; 4], 8.0);
    let refused = |series: &[Observed<'_>], forecasts: &[Forecast]| {
        judge(series, forecasts, &config()).unwrap_err().to_string()
    };
    let cases = [
        (Forecast { id: "b".into(), ..good() }, "series b from step 40: there is no series"),
        (Forecast { origin: 61, ..good() }, "the series has only 60 steps"),
        (Forecast { mean: vec![1.0; 3], ..good() }, "expected 4 steps"),
        (
            Forecast { levels: vec![0.1, 0.2, 0.5, 0.7, 0.9], ..good() },
            "expected quantiles at levels",
        ),
        (forecast("a", 41, &[1.0, f64::NAN, 1.0, 1.0], 1.0), "at step 2 of the horizon"),
    ];
    for (bad, expected) in cases {
        let error = refused(&series, &[good(), bad]);
        assert!(error.contains(expected), "{error}, expected {expected}");
    }
    assert!(refused(&series, &[]).contains("no forecast"));
    assert!(refused(&series, &[Forecast { origin: 60, ..good() }]).contains("no value is known"));
    assert!(refused(&[series[0], series[0]], &[good()]).contains("a is there twice"));
    let unknown = [f64::NAN, f64::NAN, 3.0, 4.0, 5.0];
    let error = refused(&[Observed { id: "a", y: &unknown }], &[Forecast { origin: 1, ..good() }]);
    assert!(error.contains("series a cannot be judged from step 1: nothing is known"), "{error}");
    let falling = Forecast { levels: vec![0.9, 0.7, 0.5, 0.3, 0.1], ..good() };
    assert!(refused(&series, &[falling]).contains("levels that increase"));
}

fn month(t: usize) -> String {
    format!("{}-{:02}-01", 2001 + t / 12, t % 12 + 1)
}

#[test]
fn a_fan_chart_shows_the_calendar_the_bands_and_gaps() {
    let mut y = growing(60);
    y[45] = f64::NAN;
    let at = forecast("a", 48, &[100.0; 12], 20.0);
    let fan = || FanChart {
        title: "sales & <more>".into(),
        y: &y,
        forecast: &at,
        season: 12,
        label: Box::new(month),
    };
    let svg = fan_svg(&[fan()]).unwrap();
    for text in ["sales &amp; &lt;more&gt;", "2003", "2004", "interval 80 %", "40 %", "median"] {
        assert!(svg.contains(text), "{text} is missing");
    }
    assert!(!svg.contains("2003-01-01"), "what all dates end with is left out");
    balanced(&svg);
    assert_eq!(svg.matches("<polygon").count(), 2, "one for each interval");
    let four = fan_svg(&[fan(), fan(), fan(), fan()]).unwrap();
    assert_eq!(four.matches("sales").count(), 4);
    let png = fan_png(&[fan()]).unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (1800, 908));
}

#[test]
fn fans_of_one_step_of_constants_and_of_nothing_observed_are_drawn() {
    let constant = [0.0; 8];
    let unknown = [f64::NAN; 8];
    for y in [&constant[..], &unknown[..], &[]] {
        for origin in [0, y.len()] {
            let at = forecast("a", origin, &[0.0], 0.0);
            let label = Box::new(|t: usize| t.to_string());
            let fan = FanChart { title: String::new(), y, forecast: &at, season: 1, label };
            balanced(&fan_svg(&[fan]).unwrap());
        }
    }
    balanced(&fan_svg(&[]).unwrap());
}

#[test]
fn the_page_has_the_numbers_and_needs_nothing_else() {
    let y = growing(60);
    let (flat, other) = ([0.0; 6], growing(70));
    let series = [
        Observed { id: "a", y: &y },
        Observed { id: "b<i>", y: &other },
        Observed { id: "c", y: &other },
    ];
    let forecasts = [
        forecast("a", 50, &y[50..56], 4.0),
        forecast("b<i>", 50, &flat, 4.0),
        forecast("c", 50, &other[51..57], 4.0),
    ];
    let backtest = judge(&series, &forecasts, &config()).unwrap();
    let label = |_: &str, t: usize| month(t);
    let page = PageConfig { title: "A & B", series: &series, forecasts: &forecasts, label: &label };
    let html = backtest.to_html(&page).unwrap();
    balanced(&html);
    assert!(!html.contains("{{") && !html.contains("<script") && !html.contains("b<i>"), "{html}");
    for link in ["http://", "https://", "src=", "url("] {
        let outside = html.matches(link).count();
        let namespaces = html.matches("xmlns=\"http://www.w3.org").count();
        assert_eq!(outside, if link == "http://" { namespaces } else { 0 }, "{link}");
    }
    for text in ["A &amp; B", &backtest.verdict, "largest error: b&lt;i&gt;", "smallest error: a"] {
        assert!(html.contains(text), "{text} is missing");
    }
    for row in &backtest.rows {
        let cell = format!("<td{}>{:.3}</td>", "", row.metrics.smape.unwrap());
        let best = format!("<td class=\"best\">{:.3}</td>", row.metrics.smape.unwrap());
        assert!(html.contains(&cell) || html.contains(&best), "{cell} is missing");
        assert!(html.contains(&format!("</b>{}</span>", row.method)), "no key for {}", row.method);
    }
    let best = backtest.rows.iter().map(|r| r.metrics.mase.unwrap()).fold(f64::MAX, f64::min);
    assert!(html.contains(&format!("<td class=\"best\">{best:.3}</td>")));
}

#[test]
fn every_method_can_be_asked_alone() {
    for method in Baseline::ALL {
        let config = JudgeConfig { baselines: vec![method], ..config() };
        let y = growing(60);
        let forecasts = [forecast("a", 50, &[100.0; 4], 4.0)];
        let backtest = judge(&[Observed { id: "a", y: &y }], &forecasts, &config).unwrap();
        assert_eq!(backtest.rows[1].method, method.name());
    }
}

/// Every tag that opens closes, in order.
fn balanced(text: &str) {
    let void = ["meta", "link", "br", "img"];
    let mut open: Vec<&str> = Vec::new();
    for piece in text.split('<').skip(1) {
        let tag = piece.split('>').next().unwrap();
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with(['!', '?']) || tag.ends_with('/') || void.contains(&name) {
            continue;
        }
        match tag.starts_with('/') {
            false => open.push(name),
            true => assert_eq!(open.pop(), Some(name), "in {text}"),
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

//! Forecasting, as a user goes.
use crate::place::{Place, Said};
use std::io::Write;
use std::process::Stdio;

/// Daily sales of two shops over twelve weeks, a row missing here and there.
fn sales() -> String {
    let mut csv = "unique_id,ds,y,promo\n".to_owned();
    for (shop, level) in [("north", 40.0), ("south", 90.0)] {
        for day in 0..84 {
            let promo = u32::from(day % 10 == 3);
            let week = [0.0, 2.0, 3.0, 3.0, 8.0, 15.0, -6.0][day % 7];
            let y = level + week + 6.0 * f64::from(promo) + ((day * 13) % 5) as f64 * 0.4;
            let (month, of_month) = (1 + day / 28, 1 + day % 28);
            if day % 31 != 11 {
                csv += &format!("{shop},2023-{:02}-{of_month:02},{y},{promo}\n", month);
            }
        }
    }
    // February 2023 has 28 days; January's last three and no more are missing.
    csv
}

/// Arguments of a training that takes about a second.
fn tiny(more: &str) -> Vec<&str> {
    let small =
        "train forecast sales.csv --horizon 7 --test-steps 7 --hidden 16 --epochs 3 --out run";
    small.split(' ').chain(more.split_whitespace()).collect()
}

fn place() -> Place {
    let place = Place::new();
    place.write("sales.csv", sales());
    place
}

#[test]
fn train_forecast_backtest_eval_info() {
    let place = place();
    let trained = place.gruvy(&tiny("--json")).json();
    let test = trained["outcome"]["test"].clone();
    assert!(test["mase"].as_f64().unwrap() < 1.0, "{test}");
    let chosen = trained["chosen"].as_array().unwrap();
    let value = |setting: &str| chosen.iter().find(|one| one["setting"] == setting);
    for (setting, expected) in
        [("time", "ds"), ("id", "unique_id"), ("target", "y"), ("freq", "D"), ("season", "7")]
    {
        let one = value(setting).unwrap_or_else(|| panic!("{setting} in {chosen:?}"));
        assert_eq!(one["value"], expected, "{one}");
        assert!(one["why"].as_str().unwrap().contains(expected), "{one}");
    }
    assert!(value("horizon").is_none(), "it was given: {chosen:?}");
    // What is usual is in the list and not said.
    assert_eq!(value("context").unwrap()["value"], "28", "{chosen:?}");
    assert!(value("difference").is_some() && value("transform").is_some(), "{chosen:?}");
    let info = place.gruvy(&["info", "run", "--json"]).json();
    assert_eq!((&info["task"], &info["codec"]["horizon"]), (&"forecast".into(), &7.into()));
    place.gruvy(&["info", "run"]).success();

    let table = place.gruvy(&["forecast", "run"]).success().out;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "unique_id,ds,mean,q2.5,q10,q20,q30,q40,q50,q60,q70,q80,q90,q97.5");
    assert_eq!(lines.len(), 1 + 2 * 7, "{table}");
    assert!(
        lines[1].starts_with("north,2023-03-29,") && lines[8].starts_with("south,2023-03-29,"),
        "{table}"
    );
    let json = place.gruvy(&["forecast", "run", "--only", "south", "--json"]).json();
    assert_eq!(json["rows"].as_array().unwrap().len(), 7);
    let out = place.gruvy(&["forecast", "run", "-o", "out.csv", "--picture", "fan.svg"]).success();
    assert_eq!(out.out, "", "the table goes to the file alone");
    assert_eq!(place.read("out.csv").trim_end(), table.trim_end());
    assert!(place.read("fan.svg").contains("</svg>"));
    place.gruvy(&["forecast", "run", "--picture", "fan.png", "-q"]).success();
    place.gruvy(&["forecast", "run", "--picture", "fan.txt"]).error(&["fan.txt", ".svg or .png"]);

    let paths = place.gruvy(&["forecast", "run", "--paths", "3", "-q"]).success().out;
    assert!(paths.starts_with("unique_id,ds,path1,path2,path3\n"), "{paths}");
    let flagged = place.gruvy(&["forecast", "run", "--flag-anomalies", "0.8"]).success();
    assert!(flagged.out.starts_with("unique_id,ds,y,low,high,anomaly\n"), "{}", flagged.out);
    assert!(flagged.err.contains("outside the central 80% interval"), "{}", flagged.err);

    let backtest = place.gruvy(&["backtest", "run", "--windows", "3"]).success();
    for method in ["this model", "naive", "seasonal naive", "ETS"] {
        assert!(backtest.out.contains(method), "{}", backtest.out);
    }
    // The third window before the end lies in what was learned from.
    assert!(backtest.err.contains("learned from"), "{}", backtest.err);
    assert!(place.read("run/backtest.html").contains("</html>"));
    let eval = place.gruvy(&["eval", "run", "--json"]).json();
    assert_eq!(eval["mse"], test["mse"], "of the steps that the run was tested on");
    let backtest = place.gruvy(&["backtest", "run", "--json"]).json();
    let noticed = backtest["chosen"][1]["why"].as_str().unwrap();
    assert_eq!(noticed, "steps without a row, taken as missing: north (6), south (6)");
    place.gruvy(&["train", "forecast", "--resume", "run"]).success();
    let more = ["train", "forecast", "--resume", "run", "--ensemble", "3"];
    place.gruvy(&more).error(&["--resume", "only --epochs"]);
}

#[test]
fn an_ensemble_is_a_folder_of_runs_and_goes_on_where_it_stopped() {
    let place = place();
    place.gruvy(&tiny("--ensemble 2")).success();
    let two = place.gruvy(&["forecast", "run"]).success();
    assert!(two.err.contains("an ensemble of 2 models"), "{}", two.err);
    let eval = place.gruvy(&["eval", "run"]).success();
    assert!(eval.err.contains("an ensemble of 2 models"), "{}", eval.err);
    let one = place.gruvy(&["forecast", "run/1"]).success();
    assert_ne!(one.out, two.out);
    place.gruvy(&tiny("--ensemble 3")).success();
    assert!(place.path("run/3/model.safetensors").exists());
    place.gruvy(&tiny("--ensemble 3 --lr 0.1")).error(&["run.toml", "other settings", "--force"]);
}

#[test]
fn every_member_of_an_ensemble_learns_from_standard_input() {
    let place = place();
    let args = "train forecast - --out run --horizon 3 --hidden 4 --epochs 1 --ensemble 2";
    let args: Vec<&str> = args.split(' ').collect();
    let mut child = place.piped(&args).stdin(Stdio::piped()).spawn().unwrap();
    let rows: String = (0..60).map(|at| format!("{at},{}\n", at % 7)).collect();
    child.stdin.take().unwrap().write_all(format!("ds,y\n{rows}").as_bytes()).unwrap();
    let said = Said::from(child.wait_with_output().unwrap()).success();
    assert!(said.out.contains("2 of 2 members"), "{}", said.out);
}

#[test]
fn later_data_and_new_series_are_forecast_without_training() {
    let place = place();
    place.gruvy(&tiny("-q")).success();
    let later = sales() + "north,2023-03-29,55,0\neast,2023-03-28,70,0\neast,2023-03-29,72,0\n";
    place.write("later.csv", later);
    let table = place.gruvy(&["forecast", "run", "later.csv", "-q"]).success().out;
    assert!(
        table.contains("\nnorth,2023-03-30,") && table.contains("\nsouth,2023-03-29,"),
        "{table}"
    );
    assert!(table.contains("\neast,2023-03-30,"), "{table}");
}

#[test]
fn what_forecasting_refuses() {
    let place = place();
    let with = |more| place.gruvy(&tiny(more));
    with("--target price").error(&["sales.csv", "price", "promo"]);
    with("--levels 0.9,0.1").error(&["levels", "rising"]);
    for (typed, hint) in [("--transform box", "none, log"), ("--freq fortnight", "30min")] {
        let said = with(typed);
        assert!(said.code == 2 && said.err.contains(hint), "{}", said.err);
    }
    with("--test-steps 3").error(&["test_steps = 3", "horizon"]);
    with("--output negative-binomial").error(&["negative-binomial", "whole numbers"]);
    assert!(!place.path("run").exists(), "a run folder was left behind");
    place.write("twice.csv", "unique_id,ds,y\na,2023-01-01,1\na,2023-01-01,2\n");
    place.gruvy(&["train", "forecast", "twice.csv"]).error(&[
        "twice.csv, line 3",
        "`a`",
        "2023-01-01",
    ]);
    place.write("word.csv", "ds,y\n2023-01-01,1\n2023-01-02,many\n");
    place.gruvy(&["train", "forecast", "word.csv"]).error(&["word.csv, line 3", "`many`"]);
    with("-q").success();
    place.write("hours.csv", "ds,y\n2023-01-01 00:00,1\n2023-01-01 01:00,2\n2023-01-01 02:00,2\n");
    place.gruvy(&["forecast", "run", "hours.csv"]).error(&["hours.csv"]);
    place.gruvy(&["forecast", "run", "--only", "west"]).error(&["`west`", "north"]);
    place.gruvy(&["forecast", "run", "--flag-anomalies", "0.99"]).error(&["0.99", "0.950"]);
    place
        .gruvy(&["forecast", "run/model.safetensors"])
        .error(&["no run folder", "give the series"]);
    place.gruvy(&["backtest", "run", "--windows", "0"]).error(&["--windows is 0", "at least 1"]);
    for steps in ["0", "6"] {
        let said = place.gruvy(&["eval", "run", "sales.csv", "--test-steps", steps]);
        said.error(&[&format!("test_steps = {steps}"), "at least the model's horizon, 7"]);
    }
    place.gruvy(&["eval", "run", "sales.csv", "--test-steps", "7"]).success();
    place.write(
        "short.csv",
        days(0..7, |t| t.to_string()).replace("\n", ",0\n").replace("ds,y,0", "ds,y,promo"),
    );
    for command in ["eval", "backtest"] {
        let said = place.gruvy(&[command, "run", "short.csv"]);
        said.error(&["the longest, `", "has 7 steps", "a series of at least 8 steps"]);
    }
    place.gruvy(&["generate", "run"]).error(&["`forecast`", "`text`"]);
}

#[test]
fn the_demo_ends_with_a_chart() {
    let place = Place::new();
    let demo = place.gruvy(&["demo", "forecast"]).success();
    assert!(
        demo.out.contains("seasonal naive") && demo.err.contains("forecast.svg"),
        "{}",
        demo.out
    );
    assert!(place.read("runs/demo-forecast/forecast.svg").contains("</svg>"));
    assert!(place.path("runs/demo-forecast/forecast.png").exists());
}

/// A table of days from 2024-01-01 on.
fn days(steps: std::ops::Range<usize>, y: impl Fn(usize) -> String) -> String {
    let of_month = [31, 29, 31, 30, 31];
    let date = |t: usize| {
        let (mut month, mut day) = (0, t);
        while day >= of_month[month] {
            day -= of_month[month];
            month += 1;
        }
        format!("2024-{:02}-{:02}", month + 1, day + 1)
    };
    let rows: String = steps.map(|t| format!("{},{}\n", date(t), y(t))).collect();
    format!("ds,y\n{rows}")
}

#[test]
fn files_that_continue_one_another_and_files_under_other_names_give_the_same() {
    let place = Place::new();
    let week = |t: usize| (100 + t % 7).to_string();
    place.write("jan.csv", days(0..60, week));
    place.write("mar.csv", days(60..120, week));
    place.write("all.csv", days(0..120, week));
    let train = |data: &[&str], out: &str| {
        let small = "--horizon 3 --hidden 8 --epochs 2 --seed 1 --threads 1 -q --out";
        let args: Vec<&str> =
            ["train", "forecast"].into_iter().chain(data.iter().copied()).collect();
        let small = small.split(' ').chain([out]);
        place.gruvy(&args.into_iter().chain(small).collect::<Vec<_>>()).success();
    };
    train(&["jan.csv", "mar.csv"], "parts");
    train(&["all.csv"], "whole");
    let forecast =
        |args: &[&str]| place.gruvy(&[&["forecast"], args, &["-q"]].concat()).success().out;
    let whole = forecast(&["whole"]);
    assert_eq!(forecast(&["parts"]), whole);
    assert_eq!(whole.lines().count(), 1 + 3, "{whole}");
    place.write("newer.csv", days(0..120, week));
    assert_eq!(forecast(&["whole", "newer.csv"]), whole);
    for table in ["all.csv", "newer.csv"] {
        let said = place.gruvy(&["backtest", "whole", table, "--windows", "10"]).success();
        assert!(said.err.contains("learned from"), "{table}: {}", said.err);
    }
    // One more column is left out.
    let more = days(0..120, |t| format!("{},7", week(t))).replace("ds,y", "ds,y,customers");
    place.write("more.csv", more);
    assert_eq!(forecast(&["whole", "more.csv"]), whole);
    // A value that the model cannot have is said and taken as missing, not refused.
    place.write("all.csv", days(0..120, |t| (t % 4).to_string()));
    train(&["all.csv"], "counts");
    place.write(
        "late.csv",
        days(0..120, |t| if t == 118 { "-1".into() } else { (t % 4).to_string() }),
    );
    let said = place.gruvy(&["forecast", "counts", "late.csv"]).success();
    assert!(said.err.contains("-1 at 2024-04-28 taken as missing"), "{}", said.err);
}

#[test]
fn numbers_have_the_digits_that_tell_them_apart() {
    let place = Place::new();
    let csv = days(0..120, |t| (1_000_000_000 + 20 * (t % 7)).to_string());
    place.write("large.csv", &csv);
    let small =
        "train forecast large.csv --horizon 3 --hidden 8 --epochs 5 --threads 1 -q --out run";
    place.gruvy(&small.split(' ').collect::<Vec<_>>()).success();
    let table = place.gruvy(&["forecast", "run", "-q", "--picture", "fan.svg"]).success().out;
    let means: Vec<&str> =
        table.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
    let different = means.windows(2).all(|pair| pair[0] != pair[1]);
    assert!(different && means.iter().all(|mean| mean.len() >= 12), "{means:?}");
    assert!(place.read("fan.svg").contains("10000000"), "the axis shows the swing");
    let flagged = place.gruvy(&["forecast", "run", "-q", "--flag-anomalies"]).success().out;
    assert!(flagged.trim_end().ends_with(",0") || flagged.trim_end().ends_with(",1"), "{flagged}");
    assert!(flagged.contains(",2024-04-29,1000000000,"), "{flagged}");
}

#[test]
fn forecasts_have_the_stamps_of_their_calendar() {
    let place = Place::new();
    let days = |month: &str, days: [u32; 2], from: usize| {
        let row = |(at, day): (usize, u32)| format!("{month}-{day:02},{}\n", (from + at) % 5);
        days.into_iter().enumerate().map(row).collect::<String>()
    };
    let months = ["2023-07", "2023-08", "2023-10", "2023-12", "2024-01", "2024-03", "2024-05"];
    let csv: String = months.iter().enumerate().map(|(at, m)| days(m, [15, 31], 2 * at)).collect();
    place.write("halves.csv", format!("ds,y\n{csv}"));
    let fridays = ["01-05", "01-12", "01-19", "01-26", "02-02", "02-09", "02-16", "02-23"];
    let later = ["03-01", "03-08", "03-15", "03-22", "03-28", "04-05", "04-12", "04-19"];
    let row = |(at, day): (usize, &&str)| format!("2024-{day},{}\n", at % 4);
    let csv: String = fridays.iter().chain(&later).enumerate().map(row).collect();
    place.write("weeks.csv", format!("ds,y\n{csv}"));
    for (file, frequency, next) in [
        ("halves.csv", "SME", ["2024-06-15", "2024-06-30", "2024-07-15"]),
        ("weeks.csv", "BWE", ["2024-04-26", "2024-05-03", "2024-05-10"]),
    ] {
        let small = "--horizon 3 --context 4 --hidden 4 --epochs 1 --test-steps 0 --out";
        let args: Vec<&str> = ["train", "forecast", file]
            .into_iter()
            .chain(small.split(' '))
            .chain([frequency])
            .collect();
        let said = place.gruvy(&args).success();
        assert!(said.err.contains(&format!("frequency {frequency}")), "{}", said.err);
        let table = place.gruvy(&["forecast", frequency, "-q"]).success().out;
        let stamps: Vec<&str> =
            table.lines().skip(1).map(|line| line.split(',').nth(1).unwrap()).collect();
        assert_eq!(stamps, next);
        // Forecasts go on behind the data, and their own table can be read again.
        place.write("next.csv", format!("{}{},1\n", place.read(file), next[0]));
        let table = place.gruvy(&["forecast", frequency, "next.csv", "-q"]).success().out;
        assert!(table.lines().nth(1).unwrap().contains(next[1]), "{table}");
    }
}

#[test]
fn forecasts_are_stamped_in_the_time_zone_of_the_data() {
    let place = Place::new();
    let days: String = (1..=30).map(|day| format!("2024-10-{day:02},{}\n", day % 7)).collect();
    place.write("days.csv", format!("ds,y\n{days}"));
    let hour =
        |at: u32| format!("2024-10-{:02} {:02}:00:00+00:00,{}\n", 22 + at / 24, at % 24, at % 5);
    place.write("hours.csv", format!("ds,y\n{}", (0..120).map(hour).collect::<String>()));
    let train = |file: &str| {
        let small = "--horizon 6 --context 8 --hidden 4 --epochs 1 --test-steps 0 --time-zone Europe/Berlin";
        let args = [
            &["train", "forecast", file, "--out", file.strip_suffix(".csv").unwrap()][..],
            &small.split(' ').collect::<Vec<_>>(),
        ]
        .concat();
        place.gruvy(&args).success();
    };
    let forecast = |args: &[&str]| -> Vec<String> {
        let table = place.gruvy(&[&["forecast", "-q"], args].concat()).success().out;
        table.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()).collect()
    };
    train("days.csv");
    assert_eq!(forecast(&["days"])[0], "2024-10-31 00:00:00+01:00[Europe/Berlin]");
    // As it is written, it can be read: behind midnight of that day, in UTC and in the zone.
    for next in ["2024-10-30T23:00Z", "2024-10-31 00:00:00+01:00[Europe/Berlin]"] {
        let days = days.replace(",", " 00:00[Europe/Berlin],");
        let days = if next.ends_with('Z') { String::new() } else { days };
        place.write("next.csv", format!("ds,y\n{days}{next},1\n"));
        let stamps = forecast(&["days", "next.csv"]);
        assert_eq!(stamps[0], "2024-11-01 00:00:00+01:00[Europe/Berlin]");
    }
    train("hours.csv");
    let night = [
        "2024-10-27 02:00:00+02:00[Europe/Berlin]",
        "2024-10-27 02:00:00+01:00[Europe/Berlin]",
        "2024-10-27 03:00:00+01:00[Europe/Berlin]",
    ];
    assert_eq!(forecast(&["hours"])[..3], night);
}

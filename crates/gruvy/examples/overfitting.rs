//! What each means against overfitting does on a small text: the curves of `docs/overfitting.md`.
//!
//! ```text
//! cargo run --release -p gruvy --example overfitting -- docs        writes docs/overfitting.svg and prints the table
//! ```
//! The embedded tales are learned from for the same number of epochs with a constant learning rate,
//! each time with one setting changed.
#![allow(clippy::unwrap_used)]
use gruvy::{
    settings::TaskConfig,
    text::{TextConfig, TextRun},
    train::{Record, RunFolder, Schedule, Silent, TrainConfig, train},
};
use plotters::{coord::Shift, prelude::*};
use std::{path::Path, sync::atomic::AtomicBool};

const EPOCHS: usize = 24;
const COLUMNS: usize = 4;
const PANEL: (u32, u32) = (290, 230);

type Change = fn(&mut TrainConfig);

/// The title of a panel, the flags that do it, and the settings that they change.
const VARIANTS: [(&str, &str, Change); 12] = [
    ("nothing", "--dropout 0 --weight-decay 0", |_| ()),
    ("dropout", "--dropout 0.5", |t| t.dropout = 0.5),
    ("variational dropout", "--input-dropout 0.2 --recurrent-dropout 0.3", |t| {
        (t.input_dropout, t.recurrent_dropout) = (0.2, 0.3);
    }),
    ("zoneout", "--zoneout 0.2", |t| t.zoneout = 0.2),
    ("DropConnect", "--weight-dropout 0.5", |t| t.weight_dropout = 0.5),
    ("layer normalisation", "--layer-norm", |t| t.layer_norm = true),
    ("weight decay", "--weight-decay 0.5", |t| t.weight_decay = 0.5),
    ("label smoothing", "--label-smoothing 0.1", |t| t.label_smoothing = 0.1),
    ("fewer units", "--hidden 96", |t| t.hidden = 96),
    ("a quarter of the data", "--train-fraction 0.25", |t| t.train_fraction = 0.25),
    ("dropout and DropConnect", "--dropout 0.5 --weight-dropout 0.5", |t| {
        (t.dropout, t.weight_dropout) = (0.5, 0.5);
    }),
    (
        "all four kinds of noise",
        "--dropout 0.3 --input-dropout 0.1 --recurrent-dropout 0.2 --weight-dropout 0.3 --zoneout \
         0.1",
        |t| {
            (t.dropout, t.input_dropout, t.recurrent_dropout) = (0.3, 0.1, 0.2);
            (t.weight_dropout, t.zoneout) = (0.3, 0.1);
        },
    ),
];

/// One run; its evaluations, once an epoch of the whole training text.
fn run(change: Change) -> Vec<Record> {
    let mut settings = TextRun::default();
    settings.train.epochs = EPOCHS;
    settings.train.schedule = Schedule::Constant;
    settings.train.lr = 2e-3;
    (settings.train.dropout, settings.train.weight_decay) = (0.0, 0.0);
    settings.train.patience = 0;
    change(&mut settings.train);
    // As many steps, whatever the share of the data.
    settings.train.epochs = (EPOCHS as f64 / settings.train.train_fraction).round() as usize;
    settings.train.eval_every = 0;
    let task = TextConfig::load(settings.clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let run = RunFolder::create(&path, settings.to_toml().unwrap(), false).unwrap();
    train(&task, &settings.train, &run, &mut Silent, &AtomicBool::new(false)).unwrap();
    RunFolder::records(&path).unwrap()
}

fn valid(record: &Record) -> f64 {
    record.valid.as_ref().map_or(f64::NAN, |metrics| metrics["loss"])
}

/// The evaluation whose model is kept.
fn best(records: &[Record]) -> &Record {
    records.iter().min_by(|a, b| valid(a).total_cmp(&valid(b))).unwrap()
}

fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    (title, records): (&str, &[Record]),
    nothing: &[Record],
) -> Result<(), Box<dyn std::error::Error>> {
    let steps = records.last().unwrap().step as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 15))
        .margin(8)
        .x_label_area_size(26)
        .y_label_area_size(34)
        .build_cartesian_2d(0.0..steps, 0.2..2.6)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(BLACK.mix(0.1))
        .axis_style(BLACK.mix(0.6))
        .x_labels(4)
        .x_label_formatter(&|step| format!("{step:.0}"))
        .y_labels(6)
        .label_style(("sans-serif", 11))
        .draw()?;
    let (blue, orange) = (RGBColor(0x00, 0x72, 0xb2), RGBColor(0xd5, 0x5e, 0x00));
    let line = |records: &[Record], value: &dyn Fn(&Record) -> f64| -> Vec<(f64, f64)> {
        records.iter().map(|r| (r.step as f64, value(r))).filter(|(_, v)| *v < 2.6).collect()
    };
    chart.draw_series(LineSeries::new(line(nothing, &valid), BLACK.mix(0.25).stroke_width(2)))?;
    let train = line(records, &|r| r.train["loss"]);
    chart.draw_series(LineSeries::new(train, orange.stroke_width(2)))?;
    chart.draw_series(LineSeries::new(line(records, &valid), blue.stroke_width(2)))?;
    let kept = best(records);
    chart.draw_series([Circle::new((kept.step as f64, valid(kept)), 4, blue.filled())])?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).expect("usage: overfitting FOLDER");
    let mut runs = Vec::new();
    println!(
        "| | flags | best validation, nats | at step | training there | validation at the end |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for (title, flags, change) in VARIANTS {
        let records = run(change);
        let (kept, last) = (best(&records), records.last().unwrap());
        println!(
            "| {title} | `{flags}` | {:.3} | {} | {:.3} | {:.3} |",
            valid(kept),
            kept.step,
            kept.train["loss"],
            valid(last)
        );
        runs.push((title, records));
    }
    let rows = VARIANTS.len().div_ceil(COLUMNS);
    let size = (PANEL.0 * COLUMNS as u32, PANEL.1 * rows as u32);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, (title, records)) in root.split_evenly((rows, COLUMNS)).iter().zip(&runs) {
            panel(area, (title, records), &runs[0].1)?;
        }
        root.present()?;
    }
    std::fs::write(Path::new(&folder).join("overfitting.svg"), svg)?;
    Ok(())
}

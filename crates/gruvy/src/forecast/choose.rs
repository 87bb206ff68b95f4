//! What the settings leave open is chosen by the data, and said.
use super::{
    config::{DecoderKind, ForecastConfig},
    data::Parts,
};
use crate::error::{Error, Result};
use gruvy_runtime::Remark;
use gruvy_runtime::{
    forecast::{
        Affine, Decoder, Difference, ForecastCodec, Known, Output, StaticCoding, Transform,
    },
    series::{Frequency, Panel, Series, Stamp, WallClock},
};
use std::collections::BTreeSet;

/// A λ of Guerrero's below this is taken for the logarithm.
const LOG_BELOW: f64 = 0.35;
/// Counts with a mean below this are forecast as counts.
const SMALL_COUNT: f64 = 20.0;
/// Most series that the network is told apart by itself.
const MANY_SERIES: usize = 32;
/// Longest segment.
const MAX_SEGMENT: usize = 32;

/// The codec for these series, how each is divided, and a sentence for each choice.
pub(super) fn choose(
    config: &ForecastConfig,
    panel: &Panel,
) -> Result<(ForecastCodec, Vec<Parts>, Vec<Remark>)> {
    panel.series.iter().try_for_each(ForecastCodec::check_sizes)?;
    let mut notes = Vec::new();
    let season = season(config, panel, &mut notes);
    let horizon = horizon(config, season, &mut notes);
    let parts = parts(config, panel, horizon, &mut notes)?;
    let train: Vec<&[f64]> =
        panel.series.iter().zip(&parts).map(|(series, part)| &series.y[..part.valid]).collect();
    if train.iter().all(|y| y.iter().all(|v| v.is_nan())) {
        return Err(Error::Data("no series has a value to learn from".to_owned()));
    }
    // What a codec can hold, the values held back decide too: they are to be forecast, and so are
    // later ones.
    let all: Vec<&[f64]> = panel.series.iter().map(|series| &series.y[..]).collect();
    let (decoder, output) = form(config, &train, &all, &mut notes)?;
    let counts = output == Output::NegativeBinomial;
    let transform = match config.transform {
        Some(transform) => transform,
        None if counts => Transform::None,
        None => by_spread(&train, &all, season, &mut notes),
    };
    let difference = match config.difference {
        Some(difference) => difference,
        None if counts => Difference::None,
        None => by_error(&train, season, horizon, &mut notes),
    };
    let (decoder, context) = lengths(config, decoder, season, horizon, (panel.frequency, &train));
    if config.context == 0 {
        let why = "by the season and the horizon";
        notes.push(Remark::usual("context", context, why));
    }
    if let (Decoder::Direct { segment }, 0) = (decoder, config.segment) {
        notes.push(Remark::usual("segment", segment, "a part of a season"));
    }
    let series = known(panel, &parts, transform);
    let codec = ForecastCodec {
        frequency: panel.frequency,
        season,
        columns: panel.columns.clone(),
        horizon,
        context,
        decoder,
        output,
        levels: config.levels.clone(),
        transform,
        difference,
        scale: config.scale,
        statics: statics(panel),
        covariates: covariates(panel, &parts),
        calendar: if config.calendar { calendar(panel, &parts) } else { 0 },
        wall_clock: WallClock::default(),
        positive: all.iter().flat_map(|y| y.iter()).all(|y| *y >= 0.0 || y.is_nan()),
        series_id: config.series_id.unwrap_or((2..=MANY_SERIES).contains(&panel.series.len())),
        series,
    };
    Ok((codec, parts, notes))
}

fn horizon(config: &ForecastConfig, season: usize, notes: &mut Vec<Remark>) -> usize {
    let horizon = match config.horizon {
        0 if season > 1 => season,
        0 => 10,
        given => return given,
    };
    let why = format!("forecasting {horizon} steps; the setting `horizon` asks for others");
    notes.push(Remark::chosen("horizon", horizon, why));
    horizon
}

/// How each series is divided.
fn parts(
    config: &ForecastConfig,
    panel: &Panel,
    horizon: usize,
    notes: &mut Vec<Remark>,
) -> Result<Vec<Parts>> {
    // One horizon of one series says little; of many it does.
    let steps = panel.series.iter().map(|series| series.y.len()).max().unwrap_or(0);
    let tenth = if panel.series.len() < MANY_SERIES { steps / 10 } else { 0 };
    let valid_steps = config.valid_steps.unwrap_or(horizon.max(tenth));
    for (name, steps) in [("valid_steps", valid_steps), ("test_steps", config.test_steps)] {
        if (1..horizon).contains(&steps) {
            let why = format!("expected 0, or at least the horizon, {horizon}");
            return Err(Error::setting(name, steps, why));
        }
    }
    let part = |steps: usize| Parts::of(steps, horizon, valid_steps, config.test_steps);
    let parts: Vec<Parts> = panel.series.iter().map(|series| part(series.y.len())).collect();
    let short = parts.iter().filter(|part| part.valid == part.end).count();
    if valid_steps + config.test_steps > 0 && short > 0 {
        notes.push(
            format!("{short} of {} series are too short to hold steps back from", parts.len())
                .into(),
        );
    }
    Ok(parts)
}

fn season(config: &ForecastConfig, panel: &Panel, notes: &mut Vec<Remark>) -> usize {
    if config.season > 0 {
        return config.season;
    }
    let season = panel.frequency.season();
    let why = match (season, panel.frequency) {
        (1, Frequency::Index | Frequency::Steps(_)) => {
            "the steps have no calendar, so no season is assumed; the setting `season` sets \
             one"
            .to_owned()
        }
        (1, frequency) => {
            format!("no season at frequency {frequency}; the setting `season` sets one")
        }
        (season, frequency) => {
            format!(
                "a season of {season} steps, by the frequency {frequency}; the setting `season` sets another"
            )
        }
    };
    notes.push(Remark::chosen("season", season, why));
    season
}

/// The calendar numbers whose cycle the training part of a series has twice: what it has once is no
/// cycle to learn.
fn calendar(panel: &Panel, parts: &[Parts]) -> usize {
    let size = panel.frequency.calendar_size();
    let days = |series: &Series, steps: usize| match (
        series.start,
        panel.frequency.at(series.start, steps),
    ) {
        (Stamp::Time(from), Stamp::Time(to)) => to.duration_since(from).as_hours() / 24,
        _ => 0,
    };
    let spans = panel.series.iter().zip(parts).map(|(series, part)| days(series, part.valid));
    // The year is the last cycle, and the week the one before it.
    match spans.max().unwrap_or(0) {
        0..14 => size.saturating_sub(4),
        14..730 => size.saturating_sub(2),
        _ => size,
    }
}

/// Decoder and distribution.
fn form(
    config: &ForecastConfig,
    train: &[&[f64]],
    all: &[&[f64]],
    notes: &mut Vec<Remark>,
) -> Result<(DecoderKind, Output)> {
    let whole = |y: &f64| y.is_nan() || (*y >= 0.0 && y.fract() == 0.0);
    let whole = all.iter().all(|y| y.iter().all(whole));
    let mean = Affine::of(train.iter().flat_map(|y| y.iter().copied())).mean;
    if config.output == Some(Output::NegativeBinomial) && !whole {
        let why = "the values are not all whole numbers from 0 on";
        return Err(Error::setting("output", "negative-binomial", why));
    }
    let plain = config.transform.is_none() && config.difference.is_none();
    let small = whole && mean < SMALL_COUNT && plain;
    let output = config.output.unwrap_or(match config.decoder {
        _ if small => Output::NegativeBinomial,
        Some(DecoderKind::Autoregressive) => Output::StudentT,
        _ => Output::Quantile,
    });
    let decoder = config.decoder.unwrap_or(match output {
        Output::NegativeBinomial => DecoderKind::Autoregressive,
        _ => DecoderKind::Direct,
    });
    if config.output.is_none() || config.decoder.is_none() {
        let why =
            if small { "the values are small counts" } else { "the values are no small counts" };
        let (decoder_name, how) = match decoder {
            DecoderKind::Direct => ("direct", "the whole horizon at once"),
            DecoderKind::Autoregressive => ("autoregressive", "step by step"),
        };
        let said = format!("{how}, output {}: {why}", output.name());
        if config.decoder.is_none() {
            notes.push(Remark::chosen("decoder", decoder_name, said.clone()));
        }
        if config.output.is_none() {
            notes.push(Remark::chosen("output", output.name(), said));
        }
    }
    Ok((decoder, output))
}

fn by_spread(
    train: &[&[f64]],
    all: &[&[f64]],
    season: usize,
    notes: &mut Vec<Remark>,
) -> Transform {
    let mut none = |why: &str| {
        notes.push(Remark::usual("transform", Transform::None, why));
        Transform::None
    };
    if all.iter().any(|y| y.iter().any(|y| *y <= 0.0)) {
        return none("not all values are above 0");
    }
    let lambda = Transform::guerrero(train.iter().copied(), season);
    if lambda > LOG_BELOW {
        return none("the spread does not grow with the level");
    }
    let why = format!(
        "the spread grows with the level (Guerrero's lambda {lambda}): taking logarithms; the \
         setting `transform=none` does not"
    );
    notes.push(Remark::chosen("transform", Transform::Log, why));
    Transform::Log
}

/// Whichever has the lower mean scaled error over the last horizon of the training part: repeating
/// the last value, or the last season.
fn by_error(
    train: &[&[f64]],
    season: usize,
    horizon: usize,
    notes: &mut Vec<Remark>,
) -> Difference {
    let (mut last, mut seasonal) = (0.0, 0.0);
    for y in train.iter().filter(|y| season > 1 && y.len() > horizon + season) {
        let origin = y.len() - horizon;
        let scale = Affine::of(y.iter().copied()).std;
        for t in origin..y.len() {
            let before = t - season * ((t - origin) / season + 1);
            let errors = ((y[t] - y[origin - 1]).abs() / scale, (y[t] - y[before]).abs() / scale);
            if !(errors.0 + errors.1).is_nan() {
                (last, seasonal) = (last + errors.0, seasonal + errors.1);
            }
        }
    }
    if seasonal < last {
        let why = format!(
            "last season's values are {:.0} % closer than the last value: forecasting the \
             difference from them",
            100.0 * (1.0 - seasonal / last)
        );
        notes.push(Remark::chosen("difference", Difference::Seasonal.name(), why));
        return Difference::Seasonal;
    }
    let why = "last season's values are no closer than the last value";
    notes.push(Remark::usual("difference", Difference::Last.name(), why));
    Difference::Last
}

/// Segment and context, where they are not given.
fn lengths(
    config: &ForecastConfig,
    decoder: DecoderKind,
    season: usize,
    horizon: usize,
    (frequency, train): (Frequency, &[&[f64]]),
) -> (Decoder, usize) {
    let context = match config.context {
        0 => {
            // Within days, a week.
            let seasons =
                if matches!(frequency, Frequency::Seconds(s) if s < 86_400) { 7 } else { 4 };
            let wanted = (seasons * season).max(2 * horizon).max(8);
            // Half of a series of usual length, so that there are windows to learn from.
            let mut lengths: Vec<usize> = train.iter().map(|y| y.len()).collect();
            lengths.sort();
            let usual = lengths[lengths.len() / 2];
            wanted.min(usual.saturating_sub(horizon) / 2).max(1)
        }
        given => given,
    };
    if decoder == DecoderKind::Autoregressive {
        return (Decoder::Autoregressive, context);
    }
    let most = MAX_SEGMENT.min(horizon.max(4)).min(context);
    // A context that is given stays as it is.
    let fits = |w: &usize| config.context == 0 || context.is_multiple_of(*w);
    let of_season = (3..=most).rev().filter(fits).find(|w| season.is_multiple_of(*w));
    let segment = match config.segment {
        0 => of_season.or((1..=most.min(12)).rev().find(fits)).unwrap_or(1),
        given => given,
    };
    let context = if config.context == 0 { context.next_multiple_of(segment) } else { context };
    (Decoder::Direct { segment }, context)
}

fn known(panel: &Panel, parts: &[Parts], transform: Transform) -> Vec<Known> {
    let known = |(series, part): (&Series, &Parts)| {
        let train = &series.y[..part.valid];
        let transformed: Vec<f64> = train.iter().map(|y| transform.apply(*y)).collect();
        Known {
            id: series.id.clone(),
            standard: Affine::of(train.iter().copied()),
            scale: ForecastCodec::scale_of(&transformed, transform),
            until: panel.frequency.at(series.start, part.valid),
        }
    };
    let mut all: Vec<Known> = panel.series.iter().zip(parts).map(known).collect();
    // Zeros alone have no scale of their own: they are small beside the others.
    let least = all.iter().map(|known| known.scale).filter(|scale| *scale > 0.0);
    let least = least.min_by(f64::total_cmp).unwrap_or(1.0);
    for known in all.iter_mut().filter(|known| known.scale <= 0.0) {
        known.scale = least;
        known.standard.std = least;
    }
    all
}

fn statics(panel: &Panel) -> Vec<StaticCoding> {
    let coding = |column: usize| {
        let values: Vec<&str> = panel.series.iter().map(|s| s.statics[column].as_str()).collect();
        let numbers: Option<Vec<f64>> = values.iter().map(|v| v.trim().parse().ok()).collect();
        match numbers {
            Some(numbers) => StaticCoding::Number(Affine::of(numbers.iter().copied())),
            None => {
                let known: BTreeSet<&str> = values.into_iter().collect();
                StaticCoding::Category(known.into_iter().map(str::to_owned).collect())
            }
        }
    };
    (0..panel.columns.statics.len()).map(coding).collect()
}

fn covariates(panel: &Panel, parts: &[Parts]) -> Vec<Affine> {
    let (past, future) = (panel.columns.past.len(), panel.columns.future.len());
    let column = |of: usize| {
        let values = panel.series.iter().zip(parts).flat_map(move |(series, part)| {
            let all = series.past.iter().chain(&series.future).nth(of);
            all.into_iter().flat_map(|values| &values[..part.valid.min(values.len())]).copied()
        });
        Affine::of(values)
    };
    (0..past + future).map(column).collect()
}

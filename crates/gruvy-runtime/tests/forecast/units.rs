//! Forecasts follow the unit of the series.
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_series_moved_and_stretched_is_forecast_moved_and_stretched(
        shift in -1e3f64..1e3, stretch in 0.01f64..100.0, which in 0usize..3
    ) {
        // Base and scale are of the window alone.
        let difference = Difference::ALL[which].1;
        let codec = ForecastCodec { difference, ..codec(DIRECT, Output::Quantile) };
        let forecaster = forecaster(codec, Cell::Gru);
        let plain = series("a", 20);
        let mut moved = plain.clone();
        moved.y.iter_mut().for_each(|y| *y = shift + stretch * *y);
        let forecast = |series: &Series| {
            let prepared = forecaster.codec().prepare(series).unwrap();
            forecaster.forecast(&[(&prepared, 20)]).unwrap().remove(0)
        };
        for (a, b) in forecast(&plain).mean.iter().zip(&forecast(&moved).mean) {
            let expected = shift + stretch * a;
            prop_assert!((b - expected).abs() < 1e-3 * (1.0 + stretch * 20.0), "{b} {expected}");
        }
    }
}

proptest! {
    /// Forecasts of `a y + b` are `a` times those of `y`, plus `b`.
    #[test]
    fn forecasts_follow_the_unit_of_the_series(
        power in -30i32..=30,
        shift in -1e6f64..1e6,
        difference in prop::sample::select(&Difference::ALL[..]),
        scale in prop::sample::select(&Scale::ALL[..]),
        output in prop::sample::select(&[Output::Quantile, Output::Normal, Output::StudentT][..]),
        kind in 0usize..3,
    ) {
        let codec = ForecastCodec {
            difference: difference.1,
            scale: scale.1,
            ..codec(DIRECT, output)
        };
        let forecaster = forecaster(codec, Cell::Gru);
        let mut plain = series("new", 20);
        if kind == 1 {
            // A pause at the end of what the model sees.
            plain.y[8..].fill(17.0);
        }
        if kind == 2 {
            plain.y[3] = f64::NAN;
        }
        let a = 10f64.powi(power);
        // A window that never changes is as wide as its level asks, which a shift moves.
        let b = if kind == 1 { 0.0 } else { shift };
        let mut other = plain.clone();
        other.y.iter_mut().for_each(|y| *y = a * (*y + b));
        let of = |series: &Series| {
            let prepared = forecaster.codec().prepare(series).unwrap();
            forecaster.forecast(&[(&prepared, prepared.len())]).unwrap().remove(0)
        };
        let (plain, other) = (of(&plain), of(&other));
        let values = plain.quantiles.iter().flatten().chain(&plain.mean);
        let others = other.quantiles.iter().flatten().chain(&other.mean);
        for (y, scaled) in values.zip(others) {
            let back = scaled / a - b;
            prop_assert!((y - back).abs() < 1e-3, "{y} came as {back}");
        }
    }
}

#[test]
fn a_series_of_zeros_is_forecast_near_zero_in_the_unit_of_the_others() {
    let mut codec = codec(DIRECT, Output::Quantile);
    codec.series[0].scale = 2e-6;
    let forecaster = forecaster(codec, Cell::Gru);
    let mut zeros = series("zeros", 20);
    zeros.y.fill(0.0);
    let prepared = forecaster.codec().prepare(&zeros).unwrap();
    let forecast = forecaster.forecast(&[(&prepared, 20)]).unwrap().remove(0);
    let all = forecast.quantiles.iter().flatten().chain(&forecast.mean);
    assert!(all.clone().all(|y| y.abs() < 1e-6), "{forecast:?}");
}

#[test]
fn numbers_near_the_ends_of_what_can_be_computed_are_refused() {
    let codec = codec(DIRECT, Output::Quantile);
    for by in [1e200, 1e-200] {
        let mut far = series("far", 20);
        far.y.iter_mut().for_each(|y| *y *= by);
        let problem = codec.prepare(&far).unwrap_err().to_string();
        assert!(problem.contains("`far`") && problem.contains("another unit"), "{problem}");
    }
}

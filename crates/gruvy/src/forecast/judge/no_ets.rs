//! What stands for exponential smoothing where it is not built in.
use super::ask::{Ask, NO_ETS, Observed};
use gruvy_runtime::forecast::Forecast;

/// As [`Baseline::forecasts`](super::Baseline::forecasts).
pub(super) fn forecasts(_: Observed<'_>, _: &[usize], _: Ask<'_>) -> Result<Vec<Forecast>, String> {
    Err(NO_ETS.to_owned())
}

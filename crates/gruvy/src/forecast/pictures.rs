//! Forecasts of series as fan charts, and of their past as a page.
use super::applied::Applied;
use super::judge::ask::Observed;
use super::judge::picture::FanChart;
use super::judge::report::PageConfig;
use super::past::PastForecasts;
use crate::error::Result;
use gruvy_runtime::forecast::Forecast;

/// Most series in a picture.
const DRAWN: usize = 12;

impl Applied {
    /// Fan charts of forecasts of these series, of the first twelve.
    pub fn fans<'a>(&'a self, forecasts: &'a [Forecast]) -> Vec<FanChart<'a>> {
        let fan = |forecast: &'a Forecast| {
            let index = self.index(&forecast.id)?;
            Some(FanChart {
                title: forecast.id.clone(),
                y: &self.panel.series[index].y,
                forecast,
                season: self.forecaster.codec().season,
                label: Box::new(move |step| self.written(index, step)),
            })
        };
        forecasts.iter().filter_map(fan).take(DRAWN).collect()
    }
}

impl PastForecasts {
    /// The page about it; `of` are the series, `model` is what the model is called.
    ///
    /// # Errors
    /// As [`Backtest::to_html`](super::judge::Backtest::to_html).
    pub fn to_html(&self, of: &Applied, model: &str) -> Result<String> {
        let label = |id: &str, step: usize| {
            of.index(id).map_or(String::new(), |index| of.written(index, step))
        };
        self.backtest.to_html(&PageConfig {
            title: &format!("{} steps ahead, by {model}", self.backtest.horizon),
            series: &Observed::of(&of.panel),
            forecasts: &self.forecasts,
            label: &label,
        })
    }
}

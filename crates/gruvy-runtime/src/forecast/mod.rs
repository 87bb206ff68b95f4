//! Forecasting: series in, a mean and quantiles for every step ahead out.
pub(crate) mod affine;
pub(crate) mod answer;
pub(crate) mod codec;
pub(crate) mod forecaster;
pub(crate) mod output;
pub(crate) mod stream;
pub(crate) mod transform;
pub(crate) mod window;

pub use affine::Affine;
pub use answer::Forecast;
pub use codec::{Decoder, Difference, ForecastCodec, Known, Scale, StaticCoding};
pub use forecaster::{Forecaster, Paths};
pub use output::{LEAST_SPREAD, Output};
pub use stream::ForecastStream;
pub use transform::Transform;
pub use window::{Frame, Prepared, Windows};

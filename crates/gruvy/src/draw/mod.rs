//! What all pictures and pages share, and how pictures become PNG.
pub(crate) mod page;
#[cfg(feature = "draw")]
pub(crate) mod raster;
#[cfg(feature = "draw")]
pub(crate) mod style;

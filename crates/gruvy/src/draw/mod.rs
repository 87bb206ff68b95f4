//! What all pictures and pages share, and how pictures become PNG.
pub(crate) mod page;
pub(crate) mod raster;
pub(crate) mod style;

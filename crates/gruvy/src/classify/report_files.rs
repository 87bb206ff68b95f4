//! The page and the picture of a classifier that was judged.
use super::judge::report::Report;
use crate::error::Result;
use gruvy_runtime::model::write_atomic;
use std::path::{Path, PathBuf};

/// Puts `report.html` and `confusion.svg` into a folder; gives the page. `shown` is what an item
/// says.
pub(super) fn write(
    report: &Report,
    folder: &Path,
    title: &str,
    shown: &dyn Fn(usize) -> String,
) -> Result<Option<PathBuf>> {
    let page = folder.join("report.html");
    write_atomic(&page, report.to_html(title, shown)?.as_bytes())?;
    if let Some(svg) = report.confusion_svg()? {
        write_atomic(&folder.join("confusion.svg"), svg.as_bytes())?;
    }
    Ok(Some(page))
}

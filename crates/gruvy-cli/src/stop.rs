//! Ctrl-C: the first press asks the work to end well, the second one ends it.

use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Exit status of a program that an interrupt ended, by the shells' convention.
const INTERRUPTED: i32 = 130;

/// A flag that is set once the user has pressed Ctrl-C.
///
/// # Errors
/// When the system does not let us listen.
pub fn on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })
    .context("could not listen for Ctrl-C")?;
    Ok(stop)
}

/// A seed that differs from run to run, short enough to type.
pub fn fresh_seed() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since_1970.subsec_nanos()) ^ since_1970.as_secs()
}

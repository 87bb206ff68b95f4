//! Whether there is the memory for something, asked before it is taken: a system that runs out of
//! memory ends the process without a word.
use crate::error::{Error, Result};
use std::fs;

/// Bytes of `count` numbers of `size` bytes each, as many as there can be at most.
pub fn bytes_of(size: usize, counts: &[usize]) -> u64 {
    counts.iter().fold(size as u64, |bytes, count| bytes.saturating_mul(*count as u64))
}

/// Bytes below which nobody is asked: asking the system takes longer than a step of a small network.
const SMALL: u64 = 1 << 20;

/// Refuses what takes more memory than there is.
///
/// # Errors
/// [`Error::Memory`] with both amounts.
pub fn check_memory(what: &'static str, needed: u64) -> Result<()> {
    if needed < SMALL {
        return Ok(());
    }
    let available = available_bytes().unwrap_or(isize::MAX as u64);
    match needed <= available {
        true => Ok(()),
        false => Err(Error::Memory { what, needed, available }),
    }
}

/// Bytes that this process could still take, where the system tells.
pub fn available_bytes() -> Option<u64> {
    let table = fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |name: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let free = (kib("MemAvailable")? + kib("SwapFree").unwrap_or(0)) * 1024;
    // What a container may have altogether.
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
    Some(free.min(limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::in_words;

    #[test]
    fn what_fits_is_let_through_and_what_does_not_is_named() {
        check_memory("this", 1000).unwrap();
        let error = check_memory("this", bytes_of(4, &[usize::MAX, 2])).unwrap_err().to_string();
        assert!(error.contains("this takes at least 18.4 EB"), "{error}");
        assert!(error.contains("available"), "{error}");
    }

    #[test]
    fn bytes_are_said_in_a_short_unit() {
        let words = [0, 999, 1000, 999_499, 999_500, 1_500_000_000].map(in_words);
        assert_eq!(words, ["0 bytes", "999 bytes", "1.0 kB", "999.5 kB", "1.0 MB", "1.5 GB"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_what_there_is() {
        assert!(available_bytes().unwrap() > 1 << 20);
    }
}

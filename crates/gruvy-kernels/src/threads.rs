//! Work shared between threads by fixed, disjoint ranges. Without `std` everything runs in the caller.
//!
//! No result depends on the partition: each output value is computed by one thread, its terms added in
//! an order that the shapes alone decide.

use core::ops::Range;

/// Threads that a call may use: those of the current rayon pool.
fn count() -> usize {
    #[cfg(feature = "std")]
    return rayon::current_num_threads().max(1);
    #[cfg(not(feature = "std"))]
    1
}

/// Threads worth using for so many multiply-adds: one for little work.
pub(crate) fn worth(work: usize) -> usize {
    /// Below about 20 µs of work, waking a second thread does not pay.
    const SMALL: usize = 1 << 20;
    if work < SMALL { 1 } else { count() }
}

/// Range `part` of `parts` of `0..len`, in multiples of `unit` but for the end.
pub(crate) fn split(len: usize, unit: usize, part: usize, parts: usize) -> Range<usize> {
    let units = len.div_ceil(unit);
    let edge = |part: usize| (units * part / parts * unit).min(len);
    edge(part)..edge(part + 1)
}

/// Calls `work(0)` to `work(parts - 1)`, side by side.
pub(crate) fn run(parts: usize, work: impl Fn(usize) + Sync) {
    #[cfg(feature = "std")]
    if parts > 1 {
        use rayon::prelude::*;
        (0..parts).into_par_iter().with_max_len(1).for_each(&work);
        return;
    }
    (0..parts).for_each(work);
}

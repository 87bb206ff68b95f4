//! Work shared between threads by fixed, disjoint ranges. Without `std` everything runs in the caller.
//!
//! No result depends on the partition: each output value is computed by one thread, its terms added in
//! an order that the shapes alone decide.

use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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

/// Calls `work(0)` to `work(parts - 1)`, side by side where threads are free.
pub(crate) fn run(parts: usize, work: impl Fn(usize) + Sync) {
    #[cfg(feature = "std")]
    if parts > 1 {
        use rayon::prelude::*;
        (0..parts).into_par_iter().with_max_len(1).for_each(&work);
        return;
    }
    (0..parts).for_each(work);
}

/// Calls `work(0)` to `work(parts - 1)` side by side, so that they may wait for each other at the barrier. Each but the first
/// gets a thread of its own: those of a pool may be busy, and whoever waits for a busy one waits forever.
pub(crate) fn together(parts: usize, work: impl Fn(usize, &Barrier) + Sync) {
    let barrier = Barrier::new(parts);
    #[cfg(feature = "std")]
    if parts > 1 {
        let run = |part| {
            let _guard = BreakOnPanic(&barrier);
            work(part, &barrier);
        };
        std::thread::scope(|scope| {
            (1..parts).for_each(|part| drop(scope.spawn(move || run(part))));
            run(0);
        });
        return;
    }
    assert!(parts == 1, "without std there is one thread");
    work(0, &barrier);
}

/// Where threads wait for each other after every step of a recurrence: a few hundred nanoseconds, where sleeping and waking
/// would take longer than the step.
pub(crate) struct Barrier {
    parts: usize,
    arrived: AtomicUsize,
    /// Completed waits of all.
    round: AtomicUsize,
    broken: AtomicBool,
}

impl Barrier {
    pub fn new(parts: usize) -> Self {
        let zero = || AtomicUsize::new(0);
        Self { parts, arrived: zero(), round: zero(), broken: AtomicBool::new(false) }
    }

    /// Returns when all parts have called it as often. What each wrote before, all see afterwards.
    ///
    /// # Panics
    /// If another part panicked.
    pub fn wait(&self) {
        /// Looks before the thread lets others run, which may be those that it waits for: about 30 µs.
        const PATIENCE: u32 = 10_000;
        if self.parts == 1 {
            return;
        }
        let round = self.round.load(Ordering::Relaxed);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.parts {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut looks = 0u32;
        while self.round.load(Ordering::Acquire) == round {
            assert!(!self.broken.load(Ordering::Relaxed), "another thread of this call panicked");
            looks += 1;
            match looks < PATIENCE {
                true => core::hint::spin_loop(),
                #[cfg(feature = "std")]
                false => std::thread::yield_now(),
                #[cfg(not(feature = "std"))]
                false => core::hint::spin_loop(),
            }
        }
    }
}

/// Frees those who wait for a thread that panics.
#[cfg(feature = "std")]
struct BreakOnPanic<'a>(&'a Barrier);

#[cfg(feature = "std")]
impl Drop for BreakOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Each part writes its place, and after the barrier reads all others': many rounds, more threads than cores.
    #[test]
    fn nobody_passes_the_barrier_before_the_last() {
        let rounds = if cfg!(miri) { 20 } else { 5_000 };
        for parts in [1, 2, 3, 8] {
            let places: Vec<[AtomicUsize; 2]> = (0..parts).map(|_| Default::default()).collect();
            together(parts, |part, barrier| {
                for round in 0..rounds {
                    // Relaxed: the order is the barrier's to keep. Two places, as the kernels have two states.
                    places[part][round % 2].store(round + part, Ordering::Relaxed);
                    barrier.wait();
                    for (other, place) in places.iter().enumerate() {
                        let seen = place[round % 2].load(Ordering::Relaxed);
                        assert_eq!(seen, round + other, "part {part} in round {round}");
                    }
                }
            });
        }
    }

    #[test]
    fn a_panic_reaches_those_who_wait() {
        let result = std::panic::catch_unwind(|| {
            together(3, |part, barrier| {
                barrier.wait();
                assert!(part != 1, "part 1 fails");
                barrier.wait();
            });
        });
        assert!(result.is_err());
    }
}

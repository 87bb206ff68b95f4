//! Work divided between threads in fixed, disjoint ranges. Without `std` everything runs on the
//! calling thread.
//!
//! No result depends on the partition: one thread computes each output value and adds its terms in
//! an order that depends on the shapes alone. How many threads a call uses is decided once, when it
//! begins ([`worth`]): as many of the current rayon pool's as have a free core
//! ([`load`](crate::load)).

#[cfg(feature = "std")]
use crate::load::{Load, thread_time};
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(feature = "std")]
use {
    core::{cell::Cell, sync::atomic::AtomicU64, time::Duration},
    std::sync::{Condvar, Mutex, PoisonError},
    std::time::Instant,
};

/// What this process has seen of the machine's load. It decides how long a call takes, never what
/// it computes.
#[cfg(feature = "std")]
static LOAD: Load = Load::new();

/// Threads that a call may use: those of the current rayon pool, as far as there are free cores for
/// them.
fn count() -> usize {
    #[cfg(feature = "std")]
    return LOAD.threads(rayon::current_num_threads().max(1), Instant::now);
    #[cfg(not(feature = "std"))]
    1
}

/// Threads worth using for so many multiply-adds; one if there is little work. Two answers may
/// differ, so a call asks once.
pub(crate) fn worth(work: usize) -> usize {
    /// Below about 20 µs of work, waking a second thread does not pay.
    const SMALL: usize = 1 << 20;
    if work < SMALL { 1 } else { count() }
}

/// Range `part` of `parts` of `0..len`. All ranges but the last end at multiples of `unit`.
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
        let meter = Meter::new(parts);
        (0..parts).into_par_iter().with_max_len(1).for_each(|part| {
            let clock = thread_time();
            work(part);
            meter.part(clock, Duration::ZERO);
        });
        meter.report();
        return;
    }
    (0..parts).for_each(work);
}

/// Calls `work(0)` to `work(parts - 1)` side by side, in threads that may wait for each other at
/// the barrier. Each part but the first gets a new thread: the threads of a pool may be busy, and
/// waiting for a busy one could take forever.
pub(crate) fn together(parts: usize, work: impl Fn(usize, &Member<'_>) + Sync) {
    let barrier = Barrier::new(parts);
    #[cfg(feature = "std")]
    if parts > 1 {
        let meter = Meter::new(parts);
        let run = |part| {
            let _guard = BreakOnPanic(&barrier);
            let (clock, member) = (thread_time(), Member::new(&barrier));
            work(part, &member);
            meter.part(clock, member.idle.get());
        };
        std::thread::scope(|scope| {
            (1..parts).for_each(|part| drop(scope.spawn(move || run(part))));
            run(0);
        });
        meter.report();
        return;
    }
    assert!(parts == 1, "without std there is one thread");
    work(0, &Member::new(&barrier));
}

/// The processor time of a call's threads, and how long the call took.
#[cfg(feature = "std")]
struct Meter {
    parts: usize,
    start: Instant,
    computed_ns: AtomicU64,
}

#[cfg(feature = "std")]
impl Meter {
    fn new(parts: usize) -> Self {
        Self { parts, start: Instant::now(), computed_ns: AtomicU64::new(0) }
    }

    /// Takes note that a part is done. `began` is the processor time of its thread when it began;
    /// `idle` is how long it only waited.
    fn part(&self, began: Option<Duration>, idle: Duration) {
        if let (Some(began), Some(ended)) = (began, thread_time()) {
            let computed = ended.saturating_sub(began).saturating_sub(idle);
            self.computed_ns.fetch_add(computed.as_nanos() as u64, Ordering::Relaxed);
        }
    }

    fn report(self) {
        let computed = self.computed_ns.into_inner();
        // Zero means that the system does not report it.
        if computed > 0 {
            let now = Instant::now();
            LOAD.heard(self.parts, now - self.start, Duration::from_nanos(computed), now);
        }
    }
}

/// Where threads wait for each other after every step of a recurrence. Spinning takes a few hundred
/// nanoseconds, where sleeping and waking would take longer than the step. A thread that has to
/// wait longer sleeps, since its core may be what the others are waiting for.
struct Barrier {
    parts: usize,
    arrived: AtomicUsize,
    /// Rounds that all parts have completed.
    round: AtomicUsize,
    broken: AtomicBool,
    #[cfg(feature = "std")]
    sleepers: AtomicUsize,
    #[cfg(feature = "std")]
    lock: Mutex<()>,
    #[cfg(feature = "std")]
    woken: Condvar,
}

/// One of the threads that meet at a barrier.
pub(crate) struct Member<'a> {
    barrier: &'a Barrier,
    /// Time that this thread spent spinning.
    #[cfg(feature = "std")]
    idle: Cell<Duration>,
}

impl<'a> Member<'a> {
    fn new(barrier: &'a Barrier) -> Self {
        Self {
            barrier,
            #[cfg(feature = "std")]
            idle: Cell::new(Duration::ZERO),
        }
    }

    /// Returns when all parts have called this method equally often. What any part wrote before,
    /// all parts see afterwards.
    ///
    /// # Panics
    /// If another part panicked.
    pub fn wait(&self) {
        let barrier = self.barrier;
        if barrier.parts == 1 {
            return;
        }
        let round = barrier.round.load(Ordering::Relaxed);
        if barrier.arrived.fetch_add(1, Ordering::AcqRel) + 1 == barrier.parts {
            barrier.arrived.store(0, Ordering::Relaxed);
            barrier.open(round.wrapping_add(1));
            return;
        }
        /// Looks before the clock is read: about a microsecond.
        const LOOKS: usize = 64;
        if !barrier.look(round, LOOKS) {
            self.wait_long(round);
        }
        let broken = barrier.broken.load(Ordering::Relaxed);
        assert!(!broken, "another thread of this call panicked");
    }

    /// Looks for a while, then sleeps, until a round is over.
    #[cold]
    #[inline(never)]
    fn wait_long(&self, round: usize) {
        #[cfg(feature = "std")]
        {
            /// Less than half the time of sleeping and waking on a virtual machine. With 5 µs,
            /// training with a batch of one is 15 % slower on a quiet machine; with 60 µs it is no
            /// faster.
            const PATIENCE: Duration = Duration::from_micros(20);
            let start = Instant::now();
            let mut over = false;
            while !over && start.elapsed() < PATIENCE {
                over = self.barrier.look(round, 16);
            }
            self.idle.set(self.idle.get() + start.elapsed());
            if !over {
                self.barrier.sleep(round);
            }
        }
        #[cfg(not(feature = "std"))]
        while !self.barrier.look(round, 16) {}
    }
}

impl Barrier {
    fn new(parts: usize) -> Self {
        let zero = || AtomicUsize::new(0);
        Self {
            parts,
            arrived: zero(),
            round: zero(),
            broken: AtomicBool::new(false),
            #[cfg(feature = "std")]
            sleepers: zero(),
            #[cfg(feature = "std")]
            lock: Mutex::new(()),
            #[cfg(feature = "std")]
            woken: Condvar::new(),
        }
    }

    /// Whether a round is over, or will never be.
    fn over(&self, round: usize, order: Ordering) -> bool {
        self.round.load(order) != round || self.broken.load(order)
    }

    /// Looks at most `times` times whether a round is over.
    fn look(&self, round: usize, times: usize) -> bool {
        for _ in 0..times {
            if self.over(round, Ordering::Acquire) {
                return true;
            }
            core::hint::spin_loop();
        }
        false
    }

    /// Begins a round.
    fn open(&self, round: usize) {
        // Sequentially consistent with `sleepers`: either this thread sees the sleeper, or the
        // sleeper sees the new round.
        self.round.store(round, Ordering::SeqCst);
        #[cfg(feature = "std")]
        self.wake();
    }

    #[cfg(feature = "std")]
    fn sleep(&self, round: usize) {
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        while !self.over(round, Ordering::SeqCst) {
            guard = self.woken.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    #[cfg(feature = "std")]
    fn wake(&self) {
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            // A thread that has counted itself but is not asleep yet holds the lock.
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.woken.notify_all();
        }
    }
}

/// Releases the threads that wait for one that panics.
#[cfg(feature = "std")]
struct BreakOnPanic<'a>(&'a Barrier);

#[cfg(feature = "std")]
impl Drop for BreakOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::SeqCst);
            self.0.wake();
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Each part writes its place, and after the barrier reads all others': many rounds, more
    /// threads than cores.
    #[test]
    fn nobody_passes_the_barrier_before_the_last() {
        let rounds = if cfg!(miri) { 20 } else { 5_000 };
        for parts in [1, 2, 3, 8] {
            let places: Vec<[AtomicUsize; 2]> = (0..parts).map(|_| Default::default()).collect();
            together(parts, |part, member| {
                for round in 0..rounds {
                    // Relaxed: the order is the barrier's to keep. Two places, as the kernels have
                    // two states.
                    places[part][round % 2].store(round + part, Ordering::Relaxed);
                    member.wait();
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
            together(3, |part, member| {
                member.wait();
                assert!(part != 1, "part 1 fails");
                member.wait();
            });
        });
        assert!(result.is_err());
    }

    /// Some parts come late, so that the others sleep: late by a time slice, by about the patience,
    /// or not at all.
    #[test]
    fn those_who_sleep_are_woken() {
        let rounds = if cfg!(miri) { 3 } else { 300 };
        let passed = AtomicUsize::new(0);
        together(4, |part, member| {
            for round in 0..rounds {
                if (round + part) % 4 == 0 {
                    let late = [2_000, 40, 21, 20, 5][round % 5];
                    std::thread::sleep(Duration::from_micros(late));
                }
                member.wait();
                passed.fetch_add(1, Ordering::Relaxed);
                member.wait();
                assert_eq!(passed.load(Ordering::Relaxed), (round + 1) * 4);
                member.wait();
            }
        });
    }

    #[test]
    fn a_panic_reaches_those_who_sleep() {
        let result = std::panic::catch_unwind(|| {
            together(3, |part, member| {
                if part == 1 {
                    std::thread::sleep(Duration::from_millis(20));
                    panic!("part 1 fails");
                }
                member.wait();
            });
        });
        assert!(result.is_err());
    }
}

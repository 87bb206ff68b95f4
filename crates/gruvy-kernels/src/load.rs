//! How many threads are worth using at present.
//!
//! Other processes, other calls and a container's quota take cores away. The threads of a call then
//! wait for the one that has no core. So each call measures what it got out of its threads, and
//! later calls use fewer or more:
//!
//! ```text
//! p = time that the threads of a call computed / time that the call took
//! p < half + 0.1     half as many threads would do as well: the limit is halved
//! after a pause      the limit is doubled for a trial; the pause grows with every failed trial
//! ```
//! `p` is judged over calls of a few hundredths of a second in total. It asks what fewer threads
//! would achieve, not who is to blame, so rows that cannot be divided evenly do not look like a
//! busy machine. The limit affects nothing but time, which is why calls of different runs may share
//! it: it is a guess about the machine, and there is one machine for all of them.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Mutex;
use std::time::Instant;

/// Calls are judged together until they have taken this long: several time slices of the system's
/// scheduler, and enough that a thread which is slow to wake after a long sleep does not matter.
const WINDOW: Duration = Duration::from_millis(25);
/// Time from the first failed trial to the next trial.
const PAUSE: Duration = Duration::from_millis(100);
/// The pause doubles at most this many times, up to 3.2 s.
const DOUBLINGS: u32 = 5;
/// Trials may take one part in this many of the time.
const SHARE: u32 = 30;

/// The limit of a machine's threads.
pub(crate) struct Load {
    limit: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    /// Duration of the calls in the window.
    took: Duration,
    /// Processor time that the calls' threads used, and what they would have had to use for their
    /// number to be worth it, in seconds.
    computed: f64,
    needed: f64,
    /// Failed trials minus successful ones.
    failed: u32,
    /// When to try more threads.
    retry: Option<Instant>,
}

impl Load {
    pub const fn new() -> Self {
        let state =
            State { took: Duration::ZERO, computed: 0.0, needed: 0.0, failed: 0, retry: None };
        Self { limit: AtomicUsize::new(usize::MAX), state: Mutex::new(state) }
    }

    /// Threads that a call should use, at most `most`.
    pub fn threads(&self, most: usize, now: impl FnOnce() -> Instant) -> usize {
        let limit = self.limit.load(Ordering::Relaxed);
        if limit >= most {
            return most;
        }
        // If another thread holds the state, go by the limit.
        if let Ok(mut state) = self.state.try_lock()
            && state.retry.is_some_and(|retry| now() >= retry)
        {
            let limit = limit.saturating_mul(2);
            self.limit.store(limit, Ordering::Relaxed);
            state.retry = None;
            state.clear();
            return limit.min(most);
        }
        limit
    }

    /// Takes note of a call of several `parts`: how long it took, and the processor time of all its
    /// parts together.
    pub fn heard(&self, parts: usize, took: Duration, computed: Duration, now: Instant) {
        // A call that began before the limit fell says nothing about it.
        if parts > self.limit.load(Ordering::Relaxed) {
            return;
        }
        let Ok(mut state) = self.state.try_lock() else { return };
        let half = parts.div_ceil(2);
        state.took += took;
        state.computed += computed.as_secs_f64();
        state.needed += took.as_secs_f64() * (half as f64 + 0.1);
        if state.took < WINDOW {
            return;
        }
        let pays = state.computed >= state.needed;
        let limited = self.limit.load(Ordering::Relaxed) < usize::MAX;
        if pays && limited && state.retry.is_none() {
            // The trial succeeded: perhaps even more threads are worth using.
            state.failed = state.failed.saturating_sub(1);
            state.retry = Some(now + PAUSE);
        } else if !pays {
            self.limit.store(half, Ordering::Relaxed);
            let pause = PAUSE * (1 << state.failed.min(DOUBLINGS));
            state.retry = Some(now + pause.max(state.took * SHARE));
            state.failed = (state.failed + 1).min(DOUBLINGS);
        }
        state.clear();
    }
}

impl State {
    fn clear(&mut self) {
        (self.took, self.computed, self.needed) = (Duration::ZERO, 0.0, 0.0);
    }
}

/// The processor time of the calling thread; none where the system does not report it.
pub(crate) fn thread_time() -> Option<Duration> {
    #[cfg(all(
        any(target_os = "linux", target_os = "android", target_vendor = "apple"),
        not(miri)
    ))]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).ok()
    }
    #[cfg(not(all(
        any(target_os = "linux", target_os = "android", target_vendor = "apple"),
        not(miri)
    )))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Duration = Duration::from_millis(2);

    /// Simulates calls on a machine with `free` cores: the number of threads that each call used.
    fn calls(load: &Load, free: f64, most: usize, count: usize, clock: &mut Instant) -> Vec<usize> {
        let call = |_| {
            let parts = load.threads(most, || *clock);
            *clock += CALL;
            if parts > 1 {
                load.heard(parts, CALL, CALL.mul_f64(free.min(parts as f64)), *clock);
            }
            parts
        };
        (0..count).map(call).collect()
    }

    #[test]
    fn a_quiet_machine_uses_all_threads() {
        let (load, mut clock) = (Load::new(), Instant::now());
        assert!(calls(&load, 8.0, 8, 1000, &mut clock).iter().all(|n| *n == 8));
        // Nine rows on eight threads: two rounds, in the second of which seven have nothing to do.
        assert!(calls(&load, 4.5, 8, 1000, &mut clock).iter().all(|n| *n == 8));
        // Three rows on two.
        assert!(calls(&load, 1.5, 2, 1000, &mut clock).iter().all(|n| *n == 2));
    }

    #[test]
    fn threads_that_wait_are_left_out_and_come_back_when_it_is_quiet() {
        let (load, mut clock) = (Load::new(), Instant::now());
        assert_eq!(calls(&load, 2.0, 8, 30, &mut clock).last(), Some(&2));
        let busy = calls(&load, 1.0, 8, 20_000, &mut clock);
        assert!(busy[..60].contains(&1), "{:?}", &busy[..60]);
        let trials = busy[60..].iter().filter(|n| **n > 1).count();
        assert!((10..20_000 / 20).contains(&trials), "{trials} calls for trials");
        let quiet = calls(&load, 8.0, 8, 4000, &mut clock);
        assert!(quiet[3000..].iter().all(|n| *n == 8), "{:?}", &quiet[3990..]);
    }

    #[test]
    fn more_threads_than_cores_settle_at_the_cores() {
        let (load, mut clock) = (Load::new(), Instant::now());
        let used = calls(&load, 2.0, 8, 10_000, &mut clock);
        let settled = used.iter().filter(|n| **n == 2).count();
        assert!(settled > 9_000, "{settled} of 10,000");
        assert!(!used.contains(&1));
        let quiet = calls(&load, 8.0, 8, 4000, &mut clock);
        assert!(quiet[3000..].iter().all(|n| *n == 8));
    }

    #[test]
    fn a_long_call_is_followed_by_a_long_pause() {
        let (load, start) = (Load::new(), Instant::now());
        let took = Duration::from_secs(2);
        load.heard(2, took, took, start);
        assert_eq!(load.threads(2, || start + took * 29), 1);
        assert_eq!(load.threads(2, || start + took * 31), 2);
    }

    #[cfg(all(target_os = "linux", not(miri)))]
    #[test]
    fn a_sleeping_thread_takes_no_processor_time() {
        let before = thread_time().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let slept = thread_time().unwrap() - before;
        assert!(slept < Duration::from_millis(50), "{slept:?}");
    }
}

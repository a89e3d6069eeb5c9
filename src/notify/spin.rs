//! Spinning before a sleep, limited by time.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

/// How long a waiter spins before it sleeps.
///
/// A sleep and a wakeup take from one to tens of microseconds. If the notification comes sooner, spinning is faster and
/// saves the notifier a system call. An unsuccessful spin wastes processor time, and with one processor it delays the
/// notification too.
///
/// A waiter spins for at most [the maximum](Self::max_time), then it sleeps. After an unsuccessful spin no waiter
/// spins for 100 times the maximum and a millisecond. So unsuccessful spins take at most 1 % of a thread's time, and
/// 2 % of the processor's where two threads notify each other: even with one processor, with more threads than
/// processors, or under `SCHED_FIFO`.
///
/// The maximum must exceed the time in which a sleeping thread is woken: otherwise two threads that notify each other,
/// and both sleep, never begin to spin at the same time.
///
/// ```
/// use rsyscall::notify::{Notifier, Spin};
///
/// let notifier = Notifier::new()?.with_spin(Spin::BRIEFLY);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spin {
    micros: u32,
}

impl Spin {
    /// No spinning: a waiter sleeps at once.
    pub const NEVER: Self = Self { micros: 0 };

    /// At most fifty microseconds: as long as a sleep and a wakeup may take.
    pub const BRIEFLY: Self = Self { micros: 50 };

    /// Spins for at most this time, rounded up to microseconds, and at most ten seconds.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rsyscall::notify::Spin;
    ///
    /// assert_eq!(Spin::max_time(Duration::from_micros(50)), Spin::BRIEFLY);
    /// assert_eq!(Spin::max_time(Duration::ZERO), Spin::NEVER);
    /// ```
    pub const fn max_time(max: Duration) -> Self {
        const SECOND: u32 = 1_000_000;
        if max.as_secs() >= 10 {
            return Self { micros: 10 * SECOND };
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is less than 10")]
        let seconds = max.as_secs() as u32;
        Self { micros: seconds.wrapping_mul(SECOND).wrapping_add(max.subsec_nanos().div_ceil(1000)) }
    }
}

/// The checks between two readings of the clock, which is a system call. They take from less than one to five
/// microseconds: a processor's spin-loop hint takes 5 to 50 ns.
const CHECKS: u32 = 64;

/// Of the waits that may not spin yet, one of so many reads the clock: beside a sleep and a wakeup its cost is
/// negligible.
const CLOCK_INTERVAL: u32 = 16;

/// When the next spin is allowed. Its atomics are relaxed: they order no other memory.
#[derive(Debug)]
pub(crate) struct Spinner {
    max: u32,
    /// No spin before this time, in microseconds. 0: a spin is allowed at once.
    pause_end: AtomicU32,
    /// The waits that may not spin.
    waits: AtomicU32,
}

impl Spinner {
    pub(crate) const fn new(spin: Spin) -> Self {
        Self { max: spin.micros, pause_end: AtomicU32::new(0), waits: AtomicU32::new(0) }
    }

    #[inline(always)]
    pub(crate) const fn is_enabled(&self) -> bool {
        self.max != 0
    }

    /// Repeats `check` until it returns `true`, the maximum or `limit` microseconds have passed, or the clock fails.
    /// The error is the time that an unsuccessful spin took.
    ///
    /// `clock` returns microseconds, modulo 2³². It is not called if `check` succeeds at once after a successful spin.
    #[inline]
    pub(crate) fn spin(
        &self,
        limit: u32,
        check: impl Fn() -> bool,
        clock: impl Fn() -> Option<u32>,
    ) -> Result<(), u32> {
        let max = if limit < self.max { limit } else { self.max };
        if max == 0 {
            return Err(0);
        }
        let pause_end = self.pause_end.load(Ordering::Relaxed);
        let mut start = None;
        if pause_end != 0 {
            let waits = self.waits.load(Ordering::Relaxed).wrapping_add(1);
            self.waits.store(waits, Ordering::Relaxed);
            if waits % CLOCK_INTERVAL != 0 {
                return Err(0);
            }
            start = clock().filter(|now| !self.is_paused(pause_end, *now));
            if start.is_none() {
                return Err(0);
            }
        }
        loop {
            for _ in 0..CHECKS {
                if check() {
                    if pause_end != 0 {
                        self.replace(pause_end, 0);
                    }
                    return Ok(());
                }
                core::hint::spin_loop();
            }
            let Some(now) = clock() else {
                // Without a clock no wait spins any more.
                self.replace(pause_end, 1);
                return Err(0);
            };
            let spent = now.wrapping_sub(*start.get_or_insert(now));
            if spent >= max {
                self.replace(pause_end, now.wrapping_add(self.pause()).max(1));
                return Err(spent);
            }
        }
    }

    /// Returns how long no wait spins after an unsuccessful spin.
    ///
    /// The spin was longer than the maximum, by the checks before the first reading of the clock and by those in which
    /// the time ran out: less than 10 µs together, to which the millisecond corresponds.
    #[inline]
    const fn pause(&self) -> u32 {
        self.max.wrapping_mul(100).wrapping_add(1000)
    }

    /// The clock wraps every 71 minutes: a pause that seems to be twice as long as any is over.
    #[inline]
    const fn is_paused(&self, pause_end: u32, now: u32) -> bool {
        let left = pause_end.wrapping_sub(now);
        left != 0 && left <= self.pause().wrapping_mul(2)
    }

    /// Sets the end of the pause, unless another waiter has set it since this one began to spin: that end is as good.
    #[inline]
    fn replace(&self, from: u32, to: u32) {
        let _ignored = self.pause_end.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
    }
}

//! How long a waiter spins before it sleeps, on a simulated clock: every check and every reading of the clock takes a
//! given time, so what is spun is counted, and the load of the machine has no effect.

#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/notify/spin.rs"]
mod spin;

use spin::{Spin, Spinner};
use std::cell::Cell;
use std::time::Duration;

/// Nanoseconds.
const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
/// A reading of the clock.
const CLOCK: u64 = 100;

const fn micros(micros: u64) -> Spin {
    Spin::max_time(Duration::from_micros(micros))
}

/// A thread that waits, with its time.
struct Thread {
    now: Cell<u64>,
    /// What a check takes: the spin-loop hint.
    check: u64,
    checks: Cell<u64>,
    readings: Cell<u64>,
    /// The time of unsuccessful spins.
    wasted: Cell<u64>,
}

impl Thread {
    fn new(check: u64) -> Self {
        // Near the wrap of the 32 bits of microseconds.
        let now = Cell::new((1 << 32) * MICROSECOND - 20 * MILLISECOND);
        Self { now, check, checks: Cell::new(0), readings: Cell::new(0), wasted: Cell::new(0) }
    }

    fn pass(&self, time: u64) {
        self.now.set(self.now.get() + time);
    }

    /// Spins until a check at `notified` or later. Returns whether it succeeded.
    fn spin(&self, spinner: &Spinner, notified: u64) -> bool {
        let (start, checks) = (self.now.get(), self.checks.get());
        let check = || {
            self.checks.set(self.checks.get() + 1);
            self.pass(self.check);
            self.now.get() >= notified
        };
        let clock = || {
            self.readings.set(self.readings.get() + 1);
            self.pass(CLOCK);
            Some((self.now.get() / MICROSECOND) as u32)
        };
        let succeeded = spinner.spin(u32::MAX, check, clock).is_ok();
        if !succeeded && self.checks.get() != checks {
            self.wasted.set(self.wasted.get() + self.now.get() - start);
        }
        succeeded
    }
}

const NEVER: u64 = u64::MAX;

#[test]
fn never_checks_nothing_and_reads_no_clock() {
    let (spinner, thread) = (Spinner::new(Spin::NEVER), Thread::new(10));
    assert!(!thread.spin(&spinner, 0));
    assert_eq!((thread.checks.get(), thread.readings.get()), (0, 0));
}

#[test]
fn a_notification_within_a_microsecond_costs_no_reading_of_the_clock() {
    let (spinner, thread) = (Spinner::new(Spin::BRIEFLY), Thread::new(10));
    for _ in 0..1_000 {
        assert!(thread.spin(&spinner, thread.now.get() + 500));
    }
    assert_eq!(thread.readings.get(), 0);
    assert_eq!(thread.checks.get(), 50 * 1_000);
}

#[test]
fn a_spin_lasts_for_the_maximum_whatever_a_check_takes() {
    for check in [1, 5, 9, 50, 80] {
        for max in [1, 10, 50, 1_000] {
            let thread = Thread::new(check);
            assert!(!thread.spin(&Spinner::new(micros(max)), NEVER));
            let (time, max) = (thread.wasted.get(), max * MICROSECOND);
            // The checks before the first reading of the clock, and those in which the time ran out.
            let more = 2 * (64 * check + CLOCK) + MICROSECOND;
            assert!((max..=max + more).contains(&(time + MICROSECOND)), "{check} ns a check, {max} ns: {time}");
        }
    }
}

/// The share of the time that is spent in unsuccessful spins, and of the waits that read the clock, where the notifier
/// can run only while the waiter sleeps: with one processor, or under `SCHED_FIFO` on the same one.
fn wasted(thread: &Thread, spinner: &Spinner, sleep: u64, hit: impl Fn(u32) -> bool) -> (f64, f64) {
    let start = thread.now.get();
    let (mut waits, mut last) = (0, (0, 0));
    while thread.now.get() - start < 120 * MILLISECOND {
        let before = (thread.now.get() - start, thread.wasted.get());
        // Now and then the waiter is preempted in a spin, and finds the notification when it continues.
        thread.spin(spinner, if hit(waits) { thread.now.get() } else { NEVER });
        if thread.wasted.get() > before.1 {
            last = before;
        }
        thread.pass(sleep);
        waits += 1;
    }
    // Until the last spin begins, so that each spin is counted with its pause.
    (last.1 as f64 / last.0 as f64, f64::from(thread.readings.get() as u32) / f64::from(waits))
}

#[test]
fn unsuccessful_spins_take_at_most_a_hundredth_of_the_time() {
    for check in [1, 9, 50, 80] {
        for max in [1, 10, 50, 500] {
            for sleep in [3_000, 20 * MICROSECOND, MILLISECOND] {
                for period in [2, 3, 50, u32::MAX] {
                    let (thread, spinner) = (Thread::new(check), Spinner::new(micros(max)));
                    // A success does not shorten the pause after the next failure.
                    let (share, _) = wasted(&thread, &spinner, sleep, |wait| wait % period == period - 1);
                    let case = format!("{check} ns a check, at most {max} us, sleeps of {sleep} ns, hits 1/{period}");
                    assert!(share <= 0.01, "{case}: {share}");
                    // Spins are made, as often as the sleeps allow.
                    assert!(share > 0.00005, "{case}: {share}");
                }
            }
        }
    }
}

#[test]
fn of_sixteen_waits_that_may_not_spin_one_reads_the_clock() {
    let (thread, spinner) = (Thread::new(9), Spinner::new(Spin::BRIEFLY));
    let (_, readings) = wasted(&thread, &spinner, 1_500, |_| false);
    // In a pause of 6 ms there are 4000 waits, and a spin reads the clock 75 times.
    assert!((0.0625..0.09).contains(&readings), "{readings}");
}

#[test]
fn several_waiters_waste_no_more_each() {
    let spinner = Spinner::new(Spin::BRIEFLY);
    let threads = [Thread::new(9), Thread::new(50), Thread::new(9)];
    let start = threads[0].now.get();
    for turn in 0.. {
        // The one that is behind.
        let thread = threads.iter().min_by_key(|thread| thread.now.get()).unwrap();
        if thread.now.get() - start > 1_000 * MILLISECOND {
            break;
        }
        thread.spin(&spinner, if turn % 97 == 0 { thread.now.get() } else { NEVER });
        thread.pass(1_500);
    }
    for thread in &threads {
        let share = thread.wasted.get() as f64 / (1_000 * MILLISECOND) as f64;
        assert!(share > 0.001 && share <= 0.01, "{share}");
    }
}

/// Two threads on two free processors, which notify each other in turn. Returns the mean time from one to the other.
fn ping_pong(spin: Spin, wakeup: u64, disturbance: u64, period: u64) -> u64 {
    /// From one processor to the other, through a cache line.
    const LINE: u64 = 75;
    const WORK: u64 = 50;
    const TRIPS: u64 = 20_000;
    let spinners = [Spinner::new(spin), Spinner::new(spin)];
    let threads = [Thread::new(9), Thread::new(9)];
    let start = threads[0].now.get();
    let mut next = start + period;
    let mut notified = start;
    for trip in 0..TRIPS {
        let waiter = (trip % 2) as usize;
        let thread = &threads[waiter];
        let asleep = !thread.spin(&spinners[waiter], notified + LINE);
        if asleep && notified + LINE > thread.now.get() {
            thread.now.set(notified + LINE + wakeup);
        }
        // Another process runs on this processor.
        if thread.now.get() > next {
            thread.pass(disturbance);
            next = thread.now.get() + period;
        }
        thread.pass(WORK);
        notified = thread.now.get();
    }
    (notified - start) / TRIPS
}

#[test]
fn two_threads_on_two_free_processors_spin_even_after_disturbances() {
    for wakeup in [3 * MICROSECOND, 30 * MICROSECOND] {
        let asleep = ping_pong(Spin::NEVER, wakeup, 0, NEVER / 2);
        assert!(asleep >= wakeup);
        let spinning = ping_pong(Spin::BRIEFLY, wakeup, 0, NEVER / 2);
        assert!(spinning < 200, "{spinning} ns, of which a check is 9 and the cache line 75");
        // Each disturbance makes the other waiter spin unsuccessfully, and both sleep until its pause is over.
        let disturbed = ping_pong(Spin::BRIEFLY, wakeup, 200 * MICROSECOND, 20 * MILLISECOND);
        assert!(disturbed * 4 < asleep, "wakeups of {wakeup} ns: {disturbed} of {asleep}");
    }
}

#[test]
fn without_a_clock_no_wait_spins_after_the_first() {
    let spinner = Spinner::new(Spin::BRIEFLY);
    let checks = Cell::new(0);
    for _ in 0..100 {
        let check = || {
            checks.set(checks.get() + 1);
            false
        };
        assert!(spinner.spin(u32::MAX, check, || None).is_err());
    }
    assert_eq!(checks.get(), 64);
}

#[test]
fn a_maximum_is_rounded_up_and_limited() {
    assert_eq!(Spin::max_time(Duration::from_nanos(1)), micros(1));
    assert_eq!(Spin::max_time(Duration::from_nanos(1_000_999_001)), micros(1_001_000));
    assert_eq!(Spin::max_time(Duration::from_nanos(9_999_999_999)), micros(10_000_000));
    assert_eq!(Spin::max_time(Duration::from_secs(10)), micros(10_000_000));
    assert_eq!(Spin::max_time(Duration::MAX), micros(10_000_000));
}

#[test]
fn a_spin_is_limited_by_the_timeout_of_its_wait_and_tells_how_long_it_took() {
    for (limit, spent) in [(0, 0..=0), (20, 20..=25), (500, 500..=505), (10_000, 1000..=1005)] {
        let now = Cell::new(7_u32);
        let clock = || {
            now.set(now.get() + 5);
            Some(now.get())
        };
        let spinner = Spinner::new(micros(1000));
        assert!(spent.contains(&spinner.spin(limit, || false, clock).unwrap_err()), "{limit}");
        assert!(now.get() <= 7 + 5 + *spent.end(), "{limit}: {}", now.get());
    }
}

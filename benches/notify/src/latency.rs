//! From thread to thread and back: half of a round trip between two threads, on two processors or on one.

use crate::statistics::{bound, interval, median};
use rsyscall::Notifier;
use rsyscall::notify::Spin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{mem, ptr, thread};

const ROUNDS: usize = 101;
const TRIPS: u32 = 200;

/// The processors of the two threads.
pub type Place = [usize; 2];
pub const APART: Place = [0, 1];

/// One end of a pair: wakes the other, waits to be woken.
trait End: Send {
    fn wake(&mut self);
    fn wait(&mut self);
}

struct Ours<'a> {
    mine: &'a Notifier,
    other: &'a Notifier,
}

impl End for Ours<'_> {
    fn wake(&mut self) {
        self.other.notify().unwrap();
    }
    fn wait(&mut self) {
        self.mine.wait().unwrap();
    }
}

struct Mio<'a> {
    poll: mio::Poll,
    events: mio::Events,
    other: &'a mio::Waker,
}

impl End for Mio<'_> {
    fn wake(&mut self) {
        self.other.wake().unwrap();
    }
    fn wait(&mut self) {
        while {
            self.poll.poll(&mut self.events, None).unwrap();
            self.events.is_empty()
        } {}
    }
}

/// polling returns without an event when it is notified.
struct Polling<'a> {
    mine: &'a polling::Poller,
    events: polling::Events,
    other: &'a polling::Poller,
}

impl End for Polling<'_> {
    fn wake(&mut self) {
        self.other.notify().unwrap();
    }
    fn wait(&mut self) {
        self.events.clear();
        self.mine.wait(&mut self.events, None).unwrap();
    }
}

struct Futex<'a> {
    mine: &'a AtomicU32,
    other: &'a AtomicU32,
}

fn futex(word: &AtomicU32, operation: i32, value: u32) {
    // SAFETY: the word lives for the call; a null timeout waits without limit.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            operation | libc::FUTEX_PRIVATE_FLAG,
            value,
            ptr::null::<libc::timespec>(),
        )
    };
}

impl End for Futex<'_> {
    fn wake(&mut self) {
        self.other.store(1, Ordering::Release);
        futex(self.other, libc::FUTEX_WAKE, 1);
    }
    fn wait(&mut self) {
        while self.mine.swap(0, Ordering::Acquire) == 0 {
            futex(self.mine, libc::FUTEX_WAIT, 0);
        }
    }
}

struct Pipe {
    read: i32,
    write: i32,
}

impl End for Pipe {
    fn wake(&mut self) {
        // SAFETY: one byte of static memory.
        assert_eq!(unsafe { libc::write(self.write, b"!".as_ptr().cast(), 1) }, 1);
    }
    fn wait(&mut self) {
        let mut byte = 0_u8;
        // SAFETY: one byte.
        assert_eq!(unsafe { libc::read(self.read, (&raw mut byte).cast(), 1) }, 1);
    }
}

pub fn pin_to(processor: usize) {
    // SAFETY: all zero is an empty set.
    unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}

/// Half of the mean round trip, in nanoseconds.
fn trip(here: impl End, there: impl End) -> f64 {
    trips(TRIPS, APART, here, there)
}

fn trips(count: u32, place: Place, mut here: impl End, mut there: impl End) -> f64 {
    thread::scope(|scope| {
        scope.spawn(|| {
            pin_to(place[1]);
            for _ in 0..count {
                there.wait();
                there.wake();
            }
        });
        pin_to(place[0]);
        let mut start = Instant::now();
        for trip in 0..count {
            if trip == count / 10 {
                start = Instant::now();
            }
            here.wake();
            here.wait();
        }
        start.elapsed().as_nanos() as f64 / f64::from(count - count / 10) / 2.0
    })
}

fn ours(spin: Spin) -> f64 {
    ours_in(spin, TRIPS, APART)
}

pub fn ours_in(spin: Spin, count: u32, place: Place) -> f64 {
    let (a, b) = (Notifier::new().unwrap().with_spin(spin), Notifier::new().unwrap().with_spin(spin));
    trips(count, place, Ours { mine: &a, other: &b }, Ours { mine: &b, other: &a })
}

fn mio() -> f64 {
    let make = || {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        (poll, waker)
    };
    let ((a, wake_a), (b, wake_b)) = (make(), make());
    let end = |poll, other| Mio { poll, events: mio::Events::with_capacity(8), other };
    trip(end(a, &wake_b), end(b, &wake_a))
}

fn polling() -> f64 {
    let (a, b) = (polling::Poller::new().unwrap(), polling::Poller::new().unwrap());
    let end = |mine, other| Polling { mine, events: polling::Events::new(), other };
    trip(end(&a, &b), end(&b, &a))
}

fn futexes() -> f64 {
    let (a, b) = (AtomicU32::new(0), AtomicU32::new(0));
    trip(Futex { mine: &a, other: &b }, Futex { mine: &b, other: &a })
}

fn pipes() -> f64 {
    let pipe = || {
        let mut ends = [0; 2];
        // SAFETY: the call writes two `int`s.
        assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
        ends
    };
    let (a, b) = (pipe(), pipe());
    let time = trip(Pipe { read: a[0], write: b[1] }, Pipe { read: b[0], write: a[1] });
    for fd in [a, b].concat() {
        // SAFETY: created above, and no longer used.
        unsafe { libc::close(fd) };
    }
    time
}

pub fn run() -> bool {
    if thread::available_parallelism().map_or(1, usize::from) < 2 {
        println!("latency: SKIPPED: needs two processors");
        return true;
    }
    type Way = (&'static str, fn() -> f64, Vec<f64>);
    let mut ways: [Way; 6] = [
        ("Notifier, spinning off", || ours(Spin::NEVER), Vec::new()),
        ("Notifier, spinning on", || ours(Spin::BRIEFLY), Vec::new()),
        ("mio", mio, Vec::new()),
        ("polling", polling, Vec::new()),
        ("futex", futexes, Vec::new()),
        ("pipe", pipes, Vec::new()),
    ];
    // A machine that was idle must speed up first.
    let warm = Instant::now();
    while warm.elapsed() < Duration::from_millis(300) {
        futexes();
    }
    for round in 0..ROUNDS {
        // Each starts as often as the others, and runs as often before its neighbours as after them.
        let count = ways.len();
        for turn in 0..count {
            let turn = if round % 2 == 0 { turn } else { count - turn };
            let (_, way, times) = &mut ways[(round / 2 + turn) % count];
            times.push(way());
        }
    }
    println!("wakeup from thread to thread, ns (median of {ROUNDS} rounds of {TRIPS} round trips, halved)");
    for (name, _, times) in &ways {
        println!("  {name:24} {:8.0}", median(times.clone()));
    }
    let [(_, _, off), (_, _, on), others @ ..] = ways;
    let (best, _, others) =
        others.into_iter().min_by(|(_, _, a), (_, _, b)| median(a.clone()).total_cmp(&median(b.clone()))).unwrap();
    let ratios: Vec<f64> = off.iter().zip(&others).map(|(ours, theirs)| ours / theirs).collect();
    let (least, most) = interval(ratios.clone());
    println!("  of {best}, spinning off: {:.3} (95 %: {least:.3} to {most:.3})", median(ratios));
    let faster = median(others) / median(on);
    // The best is another way to the same sleep, so half of the runs would be above 1 without any difference.
    bound("spinning off, the least that it may cost of the best of the others", least, least <= 1.0)
        & bound("spinning on, times better than the best of the others", faster, faster >= 3.0)
}

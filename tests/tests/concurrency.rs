//! Several threads, real signals, real sleep: what the suite, which has one thread, cannot show.
//!
//! No test here waits by the clock for another thread to reach a call: it reads what the thread sleeps in. The crate's
//! own atomics are two, a flag that is only ever set (`sysif::Features`) and a counter (`far`); neither guards other
//! memory, so there is no order of theirs to explore. The suite's case L2.1 has two processes that take turns.

use rsyscall::near::{self, FileDescriptor, PollFd};
use rsyscall::sysif::Local;
use rsyscall::{Current, Errno, EventFd, EventfdFlags};
use rsyscall_suite::Environment;
use rsyscall_tests::signal::Signal;
use rsyscall_tests::skip;
use rsyscall_tests::threads::{Call, Limit, can_be_seen, start};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::scope;
use std::time::{Duration, Instant};

const MAX: u64 = u64::MAX - 1;

fn eventfd(initval: u32, flags: EventfdFlags) -> EventFd {
    EventFd::new(initval, flags).expect("an eventfd")
}

fn full(flags: EventfdFlags) -> EventFd {
    let bell = eventfd(0, flags);
    bell.write(MAX).expect("room");
    bell
}

/// Skips the test if the system call that a thread sleeps in cannot be read.
macro_rules! see_sleepers_or_skip {
    ($test:literal) => {
        if let Err(reason) = can_be_seen() {
            return skip($test, &reason);
        }
        let _limit = Limit::of($test);
    };
}

#[test]
fn a_sleeping_reader_is_woken_by_a_write() {
    see_sleepers_or_skip!("a_sleeping_reader_is_woken_by_a_write");
    let bell = eventfd(0, EventfdFlags::empty());
    scope(|scope| {
        let reader = start(scope, || bell.read());
        reader.tid.until_asleep_in(Call::Read(bell.as_raw_fd()));
        bell.write(0).unwrap();
        reader.tid.until_asleep_in(Call::Read(bell.as_raw_fd()));
        bell.write(7).unwrap();
        assert_eq!(reader.join(), Ok(7));
    });
    assert_eq!(bell.try_read(), Ok(None));
}

#[test]
fn a_sleeping_writer_is_woken_by_a_read() {
    see_sleepers_or_skip!("a_sleeping_writer_is_woken_by_a_read");
    let bell = full(EventfdFlags::empty());
    scope(|scope| {
        let writer = start(scope, || bell.write(7));
        writer.tid.until_asleep_in(Call::Write(bell.as_raw_fd()));
        assert_eq!(bell.read(), Ok(MAX));
        assert_eq!(writer.join(), Ok(()));
    });
    assert_eq!(bell.read(), Ok(7));
}

#[test]
fn a_writer_of_five_waits_for_five_reads_of_a_full_semaphore() {
    see_sleepers_or_skip!("a_writer_of_five_waits_for_five_reads_of_a_full_semaphore");
    let bell = full(EventfdFlags::SEMAPHORE);
    scope(|scope| {
        let writer = start(scope, || bell.write(5));
        for _ in 0..4 {
            writer.tid.until_asleep_in(Call::Write(bell.as_raw_fd()));
            assert_eq!(bell.read(), Ok(1));
        }
        // After four wakeups it sleeps again: a part of its value is never added.
        writer.tid.until_asleep_in(Call::Write(bell.as_raw_fd()));
        assert!(!writer.is_finished());
        assert_eq!(bell.read(), Ok(1));
        assert_eq!(writer.join(), Ok(()));
    });
    bell.set_nonblocking(true).unwrap();
    assert_eq!(bell.write(1), Err(Errno::EAGAIN));
}

#[test]
fn one_reader_sees_the_sum_of_169_threads_that_write_primes() {
    const POSTS: u64 = 1_000;
    let _limit = Limit::of("one_reader_sees_the_sum_of_169_threads_that_write_primes");
    let primes: Vec<u64> = (2..).filter(|number| (2..*number).all(|divisor| number % divisor != 0)).take(169).collect();
    assert_eq!(primes.last(), Some(&1009));
    let expected = primes.iter().sum::<u64>() * POSTS;
    let bell = eventfd(0, EventfdFlags::empty());
    let mut sum = 0;
    scope(|scope| {
        for prime in &primes {
            scope.spawn(|| (0..POSTS).for_each(|_| bell.write(*prime).unwrap()));
        }
        while sum < expected {
            sum += bell.read().unwrap();
        }
    });
    assert_eq!(sum, expected);
    assert_eq!(bell.try_read(), Ok(None));
}

#[test]
fn a_handler_without_sa_restart_ends_a_sleeping_read_and_write_with_eintr() {
    see_sleepers_or_skip!("a_handler_without_sa_restart_ends_a_sleeping_read_and_write_with_eintr");
    let _turn = Signal::install();
    let (empty, full) = (eventfd(0, EventfdFlags::empty()), full(EventfdFlags::empty()));
    scope(|scope| {
        let reader = start(scope, || empty.read());
        reader.tid.until_asleep_in(Call::Read(empty.as_raw_fd()));
        Signal::Interrupts.deliver(reader.tid);
        assert_eq!(reader.join(), Err(Errno::EINTR));

        let writer = start(scope, || full.write(3));
        writer.tid.until_asleep_in(Call::Write(full.as_raw_fd()));
        Signal::Interrupts.deliver(writer.tid);
        assert_eq!(writer.join(), Err(Errno::EINTR));
    });
    // Nothing was added, and nothing taken.
    assert_eq!((empty.try_read(), full.read()), (Ok(None), Ok(MAX)));
}

#[test]
fn read_and_write_continue_after_a_handler_with_sa_restart() {
    see_sleepers_or_skip!("read_and_write_continue_after_a_handler_with_sa_restart");
    let _turn = Signal::install();
    let (empty, full) = (eventfd(0, EventfdFlags::empty()), full(EventfdFlags::empty()));
    scope(|scope| {
        let reader = start(scope, || empty.read());
        let writer = start(scope, || full.write(3));
        for _ in 0..3 {
            reader.tid.until_asleep_in(Call::Read(empty.as_raw_fd()));
            Signal::Restarts.deliver(reader.tid);
            writer.tid.until_asleep_in(Call::Write(full.as_raw_fd()));
            Signal::Restarts.deliver(writer.tid);
        }
        reader.tid.until_asleep_in(Call::Read(empty.as_raw_fd()));
        writer.tid.until_asleep_in(Call::Write(full.as_raw_fd()));
        empty.write(2).unwrap();
        assert_eq!(full.read(), Ok(MAX));
        assert_eq!((reader.join(), writer.join()), (Ok(2), Ok(())));
    });
    assert_eq!(full.read(), Ok(3));
}

#[test]
fn a_poll_ends_with_eintr_even_after_a_handler_with_sa_restart() {
    see_sleepers_or_skip!("a_poll_ends_with_eintr_even_after_a_handler_with_sa_restart");
    let _turn = Signal::install();
    let bell = eventfd(0, EventfdFlags::empty());
    scope(|scope| {
        let poller = start(scope, || {
            let mut entry = [PollFd { fd: bell.near(), events: PollFd::IN, revents: 0 }];
            near::ppoll(&Local, &mut entry, None, None)
        });
        poller.tid.until_asleep_in(Call::Ppoll);
        Signal::Restarts.deliver(poller.tid);
        assert_eq!(poller.join(), Err(Errno::EINTR));
    });
}

#[test]
fn wait_survives_every_handler() {
    see_sleepers_or_skip!("wait_survives_every_handler");
    let _turn = Signal::install();
    for (flags, asleep) in [
        (EventfdFlags::empty(), Call::Read as fn(i32) -> Call),
        (EventfdFlags::NONBLOCK, |_| Call::Ppoll),
        (EventfdFlags::SEMAPHORE, Call::Read),
    ] {
        let bell = eventfd(0, flags);
        scope(|scope| {
            let waiter = start(scope, || bell.wait());
            for signal in [Signal::Interrupts, Signal::Restarts].repeat(5) {
                waiter.tid.until_asleep_in(asleep(bell.as_raw_fd()));
                signal.deliver(waiter.tid);
            }
            waiter.tid.until_asleep_in(asleep(bell.as_raw_fd()));
            bell.write(1).unwrap();
            assert_eq!(waiter.join(), Ok(1), "{flags:?}");
        });
    }
}

#[test]
fn wait_timeout_keeps_its_deadline_in_a_storm_of_signals() {
    const TIME: Duration = Duration::from_millis(200);
    const FAR_TOO_LONG: Duration = Duration::from_secs(60);
    let _limit = Limit::of("wait_timeout_keeps_its_deadline_in_a_storm_of_signals");
    let _turn = Signal::install();
    for flags in [EventfdFlags::empty(), EventfdFlags::NONBLOCK] {
        let bell = eventfd(0, flags);
        scope(|scope| {
            let waiter = start(scope, || {
                let before = Instant::now();
                (bell.wait_timeout(TIME), before.elapsed())
            });
            // A timeout that began anew at each signal would last as long as the storm.
            let storm = Instant::now();
            while !waiter.is_finished() && storm.elapsed() < FAR_TOO_LONG {
                Signal::Interrupts.send(waiter.tid);
                std::thread::sleep(TIME / 100);
            }
            let (result, lasted) = waiter.join();
            assert_eq!(result, Ok(None));
            assert!(lasted >= TIME, "{lasted:?}");
            assert!(lasted < FAR_TOO_LONG, "{lasted:?}");
        });
    }
}

#[test]
fn wait_timeout_is_ended_by_a_write() {
    see_sleepers_or_skip!("wait_timeout_is_ended_by_a_write");
    for flags in [EventfdFlags::empty(), EventfdFlags::NONBLOCK] {
        let bell = eventfd(0, flags);
        scope(|scope| {
            let waiter = start(scope, || bell.wait_timeout(Duration::MAX));
            waiter.tid.until_asleep_in(Call::Ppoll);
            bell.write(3).unwrap();
            assert_eq!(waiter.join(), Ok(Some(3)));
        });
    }
}

#[test]
fn close_does_not_wake_a_reader_and_a_write_through_a_duplicate_does() {
    see_sleepers_or_skip!("close_does_not_wake_a_reader_and_a_write_through_a_duplicate_does");
    let twin = eventfd(0, EventfdFlags::empty());
    let bell = twin.try_clone().unwrap();
    let fd = bell.into_raw_fd();
    scope(|scope| {
        let reader = start(scope, || {
            let mut count = [std::mem::MaybeUninit::uninit(); 8];
            // SAFETY: open until the thread is asleep in this call, which then holds the open file description itself.
            unsafe { near::read(&Local, FileDescriptor(fd), &mut count) }.map(|read| read.len())
        });
        reader.tid.until_asleep_in(Call::Read(fd));
        // SAFETY: ownership was given up above, and the file descriptor is not used any more.
        unsafe { near::close(&Local, FileDescriptor(fd)) }.unwrap();
        // It still sleeps; if `close` had woken it, it would be gone.
        reader.tid.until_asleep_in(Call::Read(fd));
        assert!(!reader.is_finished());
        twin.write(1).unwrap();
        assert_eq!(reader.join(), Ok(8));
    });
}

#[test]
fn setting_nonblocking_does_not_wake_a_sleeping_reader() {
    see_sleepers_or_skip!("setting_nonblocking_does_not_wake_a_sleeping_reader");
    let bell = eventfd(0, EventfdFlags::empty());
    scope(|scope| {
        let reader = start(scope, || bell.read());
        reader.tid.until_asleep_in(Call::Read(bell.as_raw_fd()));
        bell.set_nonblocking(true).unwrap();
        reader.tid.until_asleep_in(Call::Read(bell.as_raw_fd()));
        assert_eq!(bell.read(), Err(Errno::EAGAIN));
        bell.write(2).unwrap();
        assert_eq!(reader.join(), Ok(2));
    });
}

#[test]
fn a_write_of_one_returns_in_one_of_eight_sleeping_readers() {
    see_sleepers_or_skip!("a_write_of_one_returns_in_one_of_eight_sleeping_readers");
    const READERS: usize = 8;
    let bell = eventfd(0, EventfdFlags::empty());
    let (sender, won) = channel();
    scope(|scope| {
        let mut readers: Vec<_> = (0..READERS)
            .map(|_| {
                let sender = sender.clone();
                let bell = &bell;
                start(scope, move || {
                    let count = bell.read();
                    sender.send((rsyscall_tests::threads::Tid::own(), count)).unwrap();
                })
            })
            .collect();
        while !readers.is_empty() {
            for reader in &readers {
                reader.tid.until_asleep_in(Call::Read(bell.as_raw_fd()));
            }
            bell.write(1).unwrap();
            let (winner, count) = won.recv().unwrap();
            assert_eq!(count, Ok(1));
            readers.retain(|reader| reader.tid != winner);
            // The others wake, find nothing, and sleep again: until then no other thread can have taken the count.
            for reader in &readers {
                reader.tid.until_asleep_in(Call::Read(bell.as_raw_fd()));
            }
            assert!(won.try_recv().is_err());
        }
    });
    assert_eq!(bell.try_read(), Ok(None));
}

/// Eight readers that never sleep and one writer: every unit is taken once, and every reader ends.
fn competing_try_reads(bell: &EventFd) {
    const WRITES: u64 = 20_000;
    let taken = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // Reads once more after the end, so that nothing is left.
                loop {
                    let last = over.load(Ordering::SeqCst);
                    match bell.try_read().unwrap() {
                        Some(count) => _ = taken.fetch_add(count, Ordering::SeqCst),
                        None if last => break,
                        None => std::thread::yield_now(),
                    }
                }
            });
        }
        (0..WRITES).for_each(|_| bell.write(1).unwrap());
        over.store(true, Ordering::SeqCst);
    });
    assert_eq!(taken.into_inner(), WRITES);
}

#[test]
fn try_read_never_blocks_on_a_blocking_counter_with_other_readers() {
    let _limit = Limit::of("try_read_never_blocks_on_a_blocking_counter_with_other_readers");
    if let Err(reason) = Environment::of(Current, "here").nowait {
        return skip("try_read_never_blocks_on_a_blocking_counter_with_other_readers", reason);
    }
    competing_try_reads(&eventfd(0, EventfdFlags::empty()));
    competing_try_reads(&eventfd(0, EventfdFlags::SEMAPHORE));
}

#[test]
fn try_read_never_blocks_on_a_nonblocking_counter_on_any_kernel() {
    let _limit = Limit::of("try_read_never_blocks_on_a_nonblocking_counter_on_any_kernel");
    competing_try_reads(&eventfd(0, EventfdFlags::NONBLOCK));
}

#[test]
fn a_semaphore_admits_no_more_threads_than_its_count() {
    const PERMITS: u32 = 4;
    let _limit = Limit::of("a_semaphore_admits_no_more_threads_than_its_count");
    let semaphore = eventfd(PERMITS, EventfdFlags::SEMAPHORE);
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..200 {
                    assert_eq!(semaphore.wait(), Ok(1));
                    let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    semaphore.write(1).unwrap();
                }
            });
        }
    });
    let most = most.into_inner();
    assert!((1..=PERMITS as usize).contains(&most), "{most}");
    assert_eq!((0..PERMITS).map(|_| semaphore.try_read()).collect::<Vec<_>>(), [Ok(Some(1)); PERMITS as usize]);
    assert_eq!(semaphore.try_read(), Ok(None));
}

#[test]
fn memory_written_before_a_write_is_visible_after_the_read() {
    /// Written and read in turns, which only the two eventfds order.
    struct Shared(UnsafeCell<[u64; 8]>);
    // SAFETY: the threads below take turns.
    unsafe impl Sync for Shared {}
    let _limit = Limit::of("memory_written_before_a_write_is_visible_after_the_read");
    const ROUNDS: u64 = 20_000;
    let (there, back) = (eventfd(0, EventfdFlags::empty()), eventfd(0, EventfdFlags::empty()));
    let shared = Shared(UnsafeCell::new([0; 8]));
    let shared = &shared;
    scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                // SAFETY: the other thread sleeps in its read until the write below.
                unsafe { *shared.0.get() = [round; 8] };
                there.write(1).unwrap();
                back.read().unwrap();
            }
        });
        for round in 1..=ROUNDS {
            there.read().unwrap();
            // SAFETY: the other thread sleeps in its read until the write below.
            assert_eq!(unsafe { *shared.0.get() }, [round; 8]);
            back.write(1).unwrap();
        }
    });
}

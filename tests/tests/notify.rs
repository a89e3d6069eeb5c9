//! The notifier, with real threads, real processes and event loops of other crates.

mod signals;

use rsyscall::deadline::Deadline;
use rsyscall::notify::{Notifier, Spin, State};
use rsyscall::sys::epoll::{Epoll, EpollEvents};
use rsyscall::sysif::Local;
use rsyscall::{EventFd, EventfdFlags};
use rsyscall_tests::emulated;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{ptr, thread};

/// Long enough for any machine: a wait that needs it has lost its wakeup.
const FOR_EVER: Duration = Duration::from_secs(60);

const STORM: u64 = 10_000_000;

/// `THREADS` threads each add to a counter and notify; the waiter must see every addition, and sleeps whenever it may.
fn storm(notifier: &Notifier, total: u64, mut wait: impl FnMut() -> bool) {
    const THREADS: u64 = 8;
    let work = AtomicU64::new(0);
    let mut seen = 0;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..total / THREADS {
                    work.fetch_add(1, Ordering::Relaxed);
                    notifier.notify().unwrap();
                }
            });
        }
        while seen < total {
            assert!(wait(), "lost a wakeup: saw {seen} of {total}, {} were added", work.load(Ordering::SeqCst));
            seen += work.swap(0, Ordering::Relaxed);
        }
    });
    assert_eq!(seen, total);
    assert!(notifier.wait_timeout(Duration::ZERO).is_ok());
}

fn storm_size() -> u64 {
    if emulated() { STORM / 100 } else { STORM }
}

#[test]
fn a_storm_from_eight_threads_loses_no_notification() {
    let notifier = Notifier::new().unwrap();
    storm(&notifier, storm_size(), || notifier.wait_timeout(FOR_EVER).unwrap());
}

#[test]
fn a_storm_loses_none_if_the_waiter_spins() {
    let notifier = Notifier::new().unwrap().with_spin(Spin::BRIEFLY);
    storm(&notifier, storm_size() / 4, || notifier.wait_timeout(FOR_EVER).unwrap());
}

#[test]
fn a_storm_loses_none_if_the_waits_time_out_all_the_time() {
    let notifier = Notifier::new().unwrap();
    storm(&notifier, storm_size() / 4, || {
        let start = Instant::now();
        while start.elapsed() < FOR_EVER {
            if notifier.wait_timeout(Duration::from_nanos(1)).unwrap() {
                return true;
            }
        }
        false
    });
}

#[test]
fn a_storm_loses_none_in_an_event_loop_level_and_edge_triggered() {
    for trigger in [EpollEvents::IN, EpollEvents::IN | EpollEvents::ET] {
        let notifier = Notifier::new().unwrap();
        let epoll = Epoll::new().unwrap();
        epoll.add(&notifier, trigger, 7).unwrap();
        let mut memory = [MaybeUninit::uninit(); 4];
        storm(&notifier, storm_size() / 4, || {
            loop {
                let sleep = if notifier.arm() { FOR_EVER } else { Duration::ZERO };
                let rung = !epoll.wait_timeout(&mut memory, sleep).unwrap().is_empty();
                if if rung { notifier.acknowledge().unwrap() } else { notifier.disarm() } {
                    return true;
                }
                if !rung {
                    return false;
                }
            }
        });
    }
}

#[test]
fn a_storm_loses_none_in_mio() {
    let notifier = Notifier::new().unwrap();
    let mut poll = mio::Poll::new().unwrap();
    let mut events = mio::Events::with_capacity(4);
    let fd: RawFd = notifier.as_raw_fd();
    let mut source = mio::unix::SourceFd(&fd);
    poll.registry().register(&mut source, mio::Token(3), mio::Interest::READABLE).unwrap();
    storm(&notifier, storm_size() / 4, || {
        loop {
            let sleep = if notifier.arm() { FOR_EVER } else { Duration::ZERO };
            poll.poll(&mut events, Some(sleep)).unwrap();
            let rung = events.iter().any(|event| event.token() == mio::Token(3) && event.is_readable());
            if if rung { notifier.acknowledge().unwrap() } else { notifier.disarm() } {
                return true;
            }
            if !rung {
                return false;
            }
        }
    });
}

#[test]
fn a_loop_that_arms_after_each_iteration_is_woken_by_the_next_notification() {
    let notifier = Notifier::new().unwrap();
    let epoll = Epoll::new().unwrap();
    epoll.add(&notifier, EpollEvents::IN | EpollEvents::ET, 0).unwrap();
    let mut memory = [MaybeUninit::uninit(); 1];
    assert!(notifier.arm());
    for _ in 0..100 {
        thread::scope(|scope| {
            scope.spawn(|| notifier.notify().unwrap());
            assert_eq!(epoll.wait_timeout(&mut memory, FOR_EVER).unwrap().len(), 1);
            assert!(notifier.acknowledge().unwrap());
            assert_eq!(notifier.bell().try_read(), Ok(None), "acknowledged, and still readable");
            assert!(notifier.arm());
        });
    }
}

#[test]
fn notify_makes_no_system_call_when_no_thread_waits() {
    let notifier = Notifier::new().unwrap();
    for _ in 0..3 {
        notifier.notify().unwrap();
    }
    assert_eq!(notifier.bell().try_read(), Ok(None));
    assert!(!notifier.arm());
    assert!(notifier.try_wait());
    assert!(notifier.arm());
    for _ in 0..3 {
        notifier.notify().unwrap();
    }
    assert_eq!(notifier.bell().try_read(), Ok(Some(1)), "one write for a sleeper, however many notify");
}

#[test]
fn many_notifications_before_the_wait_are_one() {
    let notifier = Notifier::new().unwrap();
    notifier.notify().unwrap();
    notifier.notify().unwrap();
    notifier.wait().unwrap();
    assert!(!notifier.try_wait());
    assert_eq!(notifier.wait_timeout(Duration::from_millis(1)), Ok(false));
}

#[test]
fn a_late_write_to_the_eventfd_ends_no_wait_and_is_drained_by_the_loop_that_sees_it() {
    let state = State::new();
    let bell = EventFd::new(0, EventfdFlags::empty()).unwrap();
    let notifier = Notifier::from_parts(&state, bell.try_clone().unwrap());
    bell.write(1).unwrap();
    assert_eq!(notifier.wait_timeout(Duration::from_millis(2)), Ok(false));
    assert!(notifier.arm());
    assert_eq!(notifier.acknowledge(), Ok(false));
    assert_eq!(bell.try_read(), Ok(None));
}

#[test]
fn a_waiter_is_woken_by_futex_without_the_eventfd_and_a_spurious_wakeup_ends_no_wait() {
    let (state, _) = shared_page();
    let notifier = Notifier::from_parts(state, EventFd::new(0, EventfdFlags::empty()).unwrap());
    let woken = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut disturbed = 0;
            while disturbed < 3 {
                // SAFETY: the word is never unmapped; a wake does not change it.
                disturbed += unsafe { libc::syscall(libc::SYS_futex, ptr::from_ref(state), libc::FUTEX_WAKE, 1) };
            }
            assert!(!woken.load(Ordering::SeqCst), "woken without a notification");
            notifier.notify().unwrap();
        });
        notifier.wait().unwrap();
        woken.store(true, Ordering::SeqCst);
    });
    assert_eq!(notifier.bell().try_read(), Ok(None), "no thread polled the eventfd");
}

#[test]
fn a_spinning_waiter_takes_a_notification_without_sleeping() {
    for (spin, left) in [(Spin::max_time(FOR_EVER), 0), (Spin::NEVER, 4)] {
        let (state, _) = shared_page();
        let notifier = Notifier::from_parts(state, EventFd::new(0, EventfdFlags::empty()).unwrap()).with_spin(spin);
        // SAFETY: the word of the state, which is never unmapped and only ever changed atomically.
        let word = unsafe { AtomicU32::from_ptr(ptr::from_ref(state).cast_mut().cast()) };
        let seen = thread::scope(|scope| {
            scope.spawn(|| notifier.wait().unwrap());
            thread::sleep(Duration::from_millis(20));
            let seen = word.load(Ordering::SeqCst);
            notifier.notify().unwrap();
            seen
        });
        assert_eq!(seen, left, "{spin:?}");
        assert!(!notifier.try_wait(), "{spin:?}");
    }
}

#[test]
fn the_longest_timeout_waits_without_limit() {
    let notifier = Notifier::new().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(5));
            notifier.notify().unwrap();
        });
        assert_eq!(notifier.wait_timeout(Duration::MAX), Ok(true));
    });
}

#[test]
fn a_wait_outlasts_signal_handlers_and_a_timeout_is_kept_across_them() {
    signals::handle(libc::SIGUSR1, 0);
    let notifier = Notifier::new().unwrap();
    let (time, start) = (Duration::from_millis(20), Instant::now());
    assert_eq!(signals::under_fire(libc::SIGUSR1, || notifier.wait_timeout(time)), Ok(false));
    assert!(start.elapsed() >= time);
    let before = signals::runs();
    thread::scope(|scope| {
        scope.spawn(|| {
            while signals::runs() < before + 10 {
                thread::yield_now();
            }
            notifier.notify().unwrap();
        });
        signals::under_fire(libc::SIGUSR1, || notifier.wait()).unwrap();
    });
    assert!(!notifier.try_wait());
}

#[test]
fn two_threads_that_take_turns_always_wake_each_other() {
    for spin in [Spin::NEVER, Spin::BRIEFLY, Spin::max_time(Duration::from_micros(1))] {
        let (ping, pong) = (Notifier::new().unwrap().with_spin(spin), Notifier::new().unwrap().with_spin(spin));
        let rounds = if emulated() { 200 } else { 5_000 };
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..rounds {
                    assert!(ping.wait_timeout(FOR_EVER).unwrap());
                    pong.notify().unwrap();
                }
            });
            for _ in 0..rounds {
                ping.notify().unwrap();
                pong.wait().unwrap();
            }
        });
    }
}

/// A shared page of zeros: the state, and after it the work.
fn shared_page() -> (&'static State, &'static AtomicU64) {
    // SAFETY: a new mapping, which is never unmapped, is zeroed, aligned, and holds both; zeros are valid for both.
    unsafe {
        let page = libc::mmap(
            ptr::null_mut(),
            4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        assert_ne!(page, libc::MAP_FAILED);
        (&*page.cast::<State>(), &*page.cast::<AtomicU64>().add(1))
    }
}

#[test]
fn processes_that_share_the_state_wake_each_other() {
    const PROCESSES: u64 = 4;
    let (state, work) = shared_page();
    let notifier = Notifier::from_parts(state, EventFd::new(0, EventfdFlags::empty()).unwrap());
    let each = if emulated() { 1_000 } else { 50_000 };
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            // SAFETY: the child only adds to shared memory, makes system calls and ends: it takes no lock.
            match unsafe { libc::fork() } {
                0 => {
                    for _ in 0..each {
                        work.fetch_add(1, Ordering::Relaxed);
                        if notifier.notify().is_err() {
                            rsyscall::Current.exit(1);
                        }
                    }
                    rsyscall::Current.exit(0)
                }
                child => child,
            }
        })
        .collect();
    let mut seen = 0;
    while seen < PROCESSES * each {
        assert!(notifier.wait_timeout(FOR_EVER).unwrap(), "lost a wakeup: saw {seen}");
        seen += work.swap(0, Ordering::Relaxed);
    }
    for child in children {
        let mut status = -1;
        // SAFETY: a child of this process, waited for once.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}

#[test]
fn a_notification_of_a_process_killed_before_the_wake_is_found_when_the_timeout_expires() {
    let (state, _) = shared_page();
    let notifier = Notifier::from_parts(state, EventFd::new(0, EventfdFlags::empty()).unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(5));
            // The state after the one instruction of `notify`: NOTIFIED is 1.
            // SAFETY: the word of the state, which is never unmapped and only ever changed atomically.
            unsafe { AtomicU32::from_ptr(ptr::from_ref(state).cast_mut().cast()) }.store(1, Ordering::Release);
        });
        assert_eq!(notifier.wait_timeout(Duration::from_millis(50)), Ok(true));
    });
}

#[test]
fn a_signal_handler_may_notify() {
    static NOTIFIER: std::sync::OnceLock<Notifier> = std::sync::OnceLock::new();
    extern "C" fn handler(_signal: libc::c_int) {
        let _unreported = NOTIFIER.get().map(Notifier::notify);
    }
    let notifier = NOTIFIER.get_or_init(|| Notifier::new().unwrap());
    // SAFETY: all zero is a valid `sigaction`; the handler takes no lock and allocates nothing.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as extern "C" fn(libc::c_int) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut()), 0);
    }
    for _ in 0..100 {
        signals::raise(libc::SIGUSR2);
        assert!(notifier.try_wait());
    }
    // Also while the same thread sleeps.
    signals::under_fire(libc::SIGUSR2, || notifier.wait()).unwrap();
}

#[test]
fn each_of_many_waiters_takes_one_notification_while_others_time_out() {
    const WAITERS: usize = 4;
    let notifier = Notifier::new().unwrap();
    let (taken, over) = (AtomicU32::new(0), std::sync::atomic::AtomicBool::new(false));
    thread::scope(|scope| {
        // These never take one: they time out asleep, and leave what they find by then to another.
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    if notifier.wait_timeout(Duration::from_micros(50)).unwrap() {
                        notifier.notify().unwrap();
                    }
                }
            });
        }
        for round in 0..200 {
            let waiters: Vec<_> = (0..WAITERS)
                .map(|_| {
                    scope.spawn(|| {
                        notifier.wait().unwrap();
                        taken.fetch_add(1, Ordering::SeqCst);
                    })
                })
                .collect();
            for n in 1..=WAITERS as u32 {
                notifier.notify().unwrap();
                let start = std::time::Instant::now();
                while taken.load(Ordering::SeqCst) < round * WAITERS as u32 + n {
                    assert!(start.elapsed() < Duration::from_secs(20), "a waiter never wakes");
                    thread::yield_now();
                }
            }
            waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        }
        over.store(true, Ordering::SeqCst);
        notifier.notify().unwrap();
    });
}

#[test]
fn only_a_state_that_may_be_shared_uses_a_shared_futex() {
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    };
    if rsyscall_suite::Environment::is_emulated(rsyscall::Current) {
        return rsyscall_tests::skip(
            "only_a_state_that_may_be_shared_uses_a_shared_futex",
            "seccomp filters have no effect under emulation",
        );
    }
    const PRIVATE: u64 = 128;
    let by_value = Notifier::new().unwrap();
    let state = State::new();
    let by_reference = Notifier::from_parts(&state, by_value.bell().try_clone().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            let masked = SeccompCmpOp::MaskedEq(PRIVATE);
            let shared = SeccompCondition::new(1, SeccompCmpArgLen::Dword, masked, 0).unwrap();
            let rules = [(libc::SYS_futex, vec![SeccompRule::new(vec![shared]).unwrap()])].into();
            let (allow, refuse) = (SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32));
            let filter = SeccompFilter::new(rules, allow, refuse, std::env::consts::ARCH.try_into().unwrap()).unwrap();
            seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
            let time = Duration::from_millis(1);
            assert_eq!(by_value.wait_timeout(time), Ok(false));
            assert_eq!(by_reference.wait_timeout(time), Err(rsyscall::Errno::EPERM));
        });
    });
}

/// Each notification follows the taking of the last one, so that a lost wakeup is a hang.
#[test]
fn one_waiter_takes_each_notification_among_those_that_time_out_poll_and_sleep() {
    let _limit = rsyscall_tests::threads::Limit::of("waiters of all kinds");
    let total = if emulated() { 300 } else { 6_000 };
    for spin in [Spin::NEVER, Spin::max_time(Duration::from_micros(1))] {
        let notifier = Notifier::new().unwrap().with_spin(spin);
        let (taken, done) = (AtomicU64::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let mut waiters = Vec::new();
            for waiter in 0..5_u64 {
                let (notifier, taken, done) = (&notifier, &taken, &done);
                waiters.push(scope.spawn(move || {
                    for turn in waiter.. {
                        if done.load(Ordering::SeqCst) {
                            break;
                        }
                        let took = match waiter {
                            0 | 1 => notifier.wait().map(|()| true),
                            2 => notifier.wait_timeout(Duration::from_micros(turn % 90)),
                            3 => notifier.wait_timeout(Duration::from_micros(turn % 7)),
                            _ => {
                                thread::yield_now();
                                Ok(notifier.try_wait())
                            }
                        };
                        if took.unwrap() {
                            taken.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }));
            }
            for count in 1..=total {
                notifier.notify().unwrap();
                while taken.load(Ordering::SeqCst) < count {
                    thread::yield_now();
                }
                assert_eq!(taken.load(Ordering::SeqCst), count, "a waiter took it");
            }
            done.store(true, Ordering::SeqCst);
            // Those without a timeout take one each and end.
            while !waiters.iter().all(|waiter| waiter.is_finished()) {
                notifier.notify().unwrap();
                thread::yield_now();
            }
        });
    }
}

#[test]
fn what_a_child_notifies_its_parent_does_not_take_and_nothing_of_the_parents_own_is_lost() {
    let notifier = Notifier::new().unwrap();
    for armed in [false, true] {
        assert!(!armed || notifier.arm());
        // SAFETY: the child makes system calls and nothing else, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // A copy of the state, as it was when the child was made.
            let told = notifier.notify().is_ok() && notifier.try_wait() && !notifier.try_wait();
            // SAFETY: ends the child without anything of the test program.
            unsafe { libc::_exit(i32::from(!told)) };
        }
        let mut status = 0;
        // SAFETY: the status is valid memory.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
        // The bell was written for another poller, and there is nothing to take.
        assert!(!notifier.try_wait());
        assert!(!armed || !notifier.acknowledge().unwrap());
        assert!(!notifier.wait_timeout(Duration::from_millis(2)).unwrap());
        notifier.notify().unwrap();
        assert!(notifier.wait_timeout(Duration::ZERO).unwrap());
    }
}

#[test]
fn a_spin_does_not_outlast_the_timeout() {
    let long = Spin::max_time(Duration::from_secs(10));
    let timeout = Duration::from_millis(20);
    type Wait = fn(&Notifier, Duration) -> bool;
    let waits: [Wait; 2] = [
        |notifier, timeout| notifier.wait_timeout(timeout).unwrap(),
        |notifier, timeout| notifier.wait_until(Deadline::after(&Local, timeout).unwrap()).unwrap(),
    ];
    for wait in waits {
        for timeout in [Duration::ZERO, timeout] {
            let notifier = Notifier::new().unwrap().with_spin(long);
            let start = Instant::now();
            assert!(!wait(&notifier, timeout));
            assert!(start.elapsed() >= timeout, "early");
            // Half of the maximum: it is no bound on a busy machine's time.
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        }
    }
}

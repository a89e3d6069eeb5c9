//! A: what the typed layer adds to the kernel's calls.

use crate::check::Verdict;
use crate::interfaces::{Through, one_less};
use crate::{Case, Environment, calls};
use core::cell::Cell;
use core::time::Duration;
use rsyscall::fd::OwnedFd;
use rsyscall::near;
use rsyscall::nr;
use rsyscall::sysif::{Features, SyscallInterface};
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 23] {
    [
        Case {
            id: "A1.1",
            sentence: "try_read takes what a read takes, and returns None if the count is 0",
            run: try_read,
        },
        Case {
            id: "A1.2",
            sentence: "try_read without preadv2 polls with ppoll and then reads",
            run: try_read_fallback,
        },
        Case {
            id: "A1.3",
            sentence: "an interface that caches tries preadv2 once, another each time",
            run: probed_once,
        },
        Case { id: "A1.4", sentence: "try_read's fallback survives a count that another reader took", run: lost_race },
        Case {
            id: "A1.5",
            sentence: "an error of preadv2 is returned unless it means that the call is missing",
            run: nowait_fails,
        },
        Case {
            id: "A2.1",
            sentence: "try_write returns false for a value that does not fit, and adds nothing",
            run: try_write,
        },
        Case {
            id: "A2.2",
            sentence: "try_write on a blocking counter fails with EOPNOTSUPP and adds nothing",
            run: try_write_blocking,
        },
        Case { id: "A3.1", sentence: "wait takes what a read takes, nonblocking or not", run: wait },
        Case { id: "A3.2", sentence: "wait continues after EINTR", run: wait_interrupted },
        Case {
            id: "A3.3",
            sentence: "wait on an empty nonblocking counter sleeps until it is written",
            run: wait_nonblocking,
        },
        Case {
            id: "A4.1",
            sentence: "wait_timeout takes a count that is there, whatever the timeout",
            run: timeout_at_once,
        },
        Case {
            id: "A4.2",
            sentence: "wait_timeout returns None when the timeout expires, and not before",
            run: timeout_expired,
        },
        Case { id: "A4.3", sentence: "wait_timeout keeps its deadline in a storm of signals", run: timeout_storm },
        Case { id: "A4.4", sentence: "wait_timeout takes a count that comes while it sleeps", run: timeout_woken },
        Case {
            id: "A4.5",
            sentence: "wait_timeout keeps its deadline when others take the count",
            run: timeout_overtaken,
        },
        Case { id: "A4.6", sentence: "times are added and subtracted with carry", run: times },
        Case { id: "A5.1", sentence: "inheritable clears FD_CLOEXEC for as long as the guard lives", run: inheritable },
        Case { id: "A6.1", sentence: "close frees the file descriptor, and so does drop", run: close_and_drop },
        Case { id: "A6.2", sentence: "into_raw_fd leaves it open, adopt takes ownership", run: raw },
        Case { id: "A6.3", sentence: "an EventFd converts to an OwnedFd and back", run: conversions },
        Case { id: "A6.4", sentence: "a failed creation leaves no descriptor behind", run: no_leak },
        Case { id: "A6.5", sentence: "close and restore return the call's error", run: close_errors },
        Case { id: "A7.1", sentence: "read and write are one call each, and fail with EINTR", run: one_call },
    ]
}

/// So many that they outlast five milliseconds by far, and end even if a deadline is not kept.
const STORM: u32 = 1_000_000;

const SETS: [EventfdFlags; 2] = [EventfdFlags::empty(), EventfdFlags::NONBLOCK];

/// What all ways of reading without sleep have in common.
fn takes_without_sleeping<T: EventfdTask>(task: T) -> Verdict {
    for flags in SETS {
        let bell = ok!(task.eventfd(3, flags));
        is!(ok!(bell.try_read()), Some(3));
        is!(ok!(bell.try_read()), None);
        ok!(bell.write(u64::MAX - 1));
        is!(ok!(bell.try_read()), Some(u64::MAX - 1));
        is!(ok!(bell.try_read()), None);
        is!(ok!(bell.is_nonblocking()), flags.contains(EventfdFlags::NONBLOCK));
        let semaphore = ok!(task.eventfd(2, flags | EventfdFlags::SEMAPHORE));
        is!((ok!(semaphore.try_read()), ok!(semaphore.try_read())), (Some(1), Some(1)));
        is!(ok!(semaphore.try_read()), None);
    }
    Ok(())
}

fn try_read<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    takes_without_sleeping(task)
}

fn try_read_fallback<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for errno in [Errno::ENOSYS, Errno::EOPNOTSUPP] {
        let without = |nr| (nr == nr::PREADV2).then_some(errno);
        takes_without_sleeping(Through { task, before: &without, known: None })?;
    }
    Ok(())
}

fn probed_once<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let remembers = Features::new();
    for (known, expected) in [(Some(&remembers), 1), (None, 3)] {
        let asked = Cell::new(0);
        let without = |nr| {
            (nr == nr::PREADV2).then(|| {
                asked.set(asked.get() + 1);
                Errno::ENOSYS
            })
        };
        let through = Through { task, before: &without, known };
        is!(SyscallInterface::features(&&through).is_some(), known.is_some());
        let bell = ok!(through.eventfd(1, EventfdFlags::empty()));
        is!((ok!(bell.try_read()), ok!(bell.try_read()), ok!(bell.try_read())), (Some(1), None, None));
        is!(asked.get(), expected);
        is!(known.is_some_and(Features::lacks_nowait), known.is_some());
    }
    Ok(())
}

fn lost_race<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let rival = ok!(task.eventfd(1, EventfdFlags::NONBLOCK));
    // Another reader takes the count between the poll and the read.
    let before = |nr| {
        if nr == nr::READ {
            let _taken = rival.read();
        }
        (nr == nr::PREADV2).then_some(Errno::ENOSYS)
    };
    let through = Through { task, before: &before, known: None };
    // SAFETY: the kernel just created it for this caller.
    let bell = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(rival.try_clone()).into_raw_fd())) };
    is!(ok!(bell.try_read()), None);
    // On a blocking one the read sleeps until a handler runs; then it polls again, and the count is 0.
    ok!(rival.write(1));
    let before = |nr| match nr {
        nr::PREADV2 => Some(Errno::ENOSYS),
        nr::READ => {
            let _taken = rival.read();
            Some(Errno::EINTR)
        }
        _ => None,
    };
    let through = Through { task, before: &before, known: None };
    // SAFETY: the kernel just created it for this caller.
    let bell = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(rival.try_clone()).into_raw_fd())) };
    is!(ok!(bell.try_read()), None);
    Ok(())
}

fn try_write<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    const MAX: u64 = u64::MAX - 1;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    holds!(ok!(bell.try_write(MAX - 1)));
    holds!(!ok!(bell.try_write(2)));
    holds!(ok!(bell.try_write(1)));
    holds!(!ok!(bell.try_write(1)));
    holds!(ok!(bell.try_write(0)));
    refused!(bell.try_write(u64::MAX), EINVAL);
    is!(ok!(bell.read()), MAX);
    Ok(())
}

fn try_write_blocking<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    refused!(bell.try_write(1), EOPNOTSUPP);
    is!(ok!(bell.read()), 3);
    holds!(!ok!(bell.is_nonblocking()));
    Ok(())
}

fn wait<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for flags in SETS {
        let bell = ok!(task.eventfd(3, flags));
        is!(ok!(bell.wait()), 3);
        let semaphore = ok!(task.eventfd(2, flags | EventfdFlags::SEMAPHORE));
        is!((ok!(semaphore.wait()), ok!(semaphore.wait())), (1, 1));
        is!(ok!(semaphore.try_read()), None);
    }
    Ok(())
}

fn wait_interrupted<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for flags in SETS {
        let left = Cell::new(5);
        let handler = |nr| (nr == nr::READ && one_less(&left)).then_some(Errno::EINTR);
        let bell = ok!(Through { task, before: &handler, known: None }.eventfd(3, flags));
        is!(ok!(bell.wait()), 3);
        is!(left.get(), 0);
    }
    Ok(())
}

fn wait_nonblocking<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.order?;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    let left = Cell::new(3);
    // Two handlers run while it sleeps; then it is written.
    let before = |nr| {
        if nr != nr::PPOLL {
            return None;
        }
        if one_less(&left) && left.get() > 0 {
            return Some(Errno::EINTR);
        }
        let _written = bell.write(4);
        None
    };
    let through = Through { task, before: &before, known: None };
    // SAFETY: the kernel just created it for this caller.
    let sleeper = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(bell.try_clone()).into_raw_fd())) };
    is!(ok!(sleeper.wait()), 4);
    is!(left.get(), 0);
    Ok(())
}

fn timeout_at_once<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(3600), Duration::MAX] {
        for flags in SETS {
            let bell = ok!(task.eventfd(3, flags));
            is!(ok!(bell.wait_timeout(time)), Some(3));
            is!(ok!(bell.wait_timeout(Duration::ZERO)), None);
        }
    }
    Ok(())
}

fn timeout_expired<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.clock?;
    const TIME: Duration = Duration::from_millis(5);
    for flags in SETS {
        // If the timeout began anew with each sleep, it would never expire: the test bounds this with an error.
        let left = Cell::new(1_000);
        let patience = |nr| (nr == nr::PPOLL && !one_less(&left)).then_some(Errno::ETIMEDOUT);
        let bell = ok!(Through { task, before: &patience, known: None }.eventfd(0, flags));
        let before = ok!(near::clock_monotonic(task.sysif()));
        is!(ok!(bell.wait_timeout(TIME)), None);
        let after = ok!(near::clock_monotonic(task.sysif()));
        holds!(after >= before.saturating_add(TIME.into()));
        is!(ok!(bell.wait_timeout(Duration::from_nanos(1))), None);
    }
    Ok(())
}

fn timeout_storm<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.clock?;
    const TIME: Duration = Duration::from_millis(5);
    for flags in SETS {
        let left = Cell::new(STORM);
        // Where every check is a poll of its own, that one passes: a handler runs during each sleep.
        let look = Cell::new(false);
        let storm = |nr| {
            if nr != nr::PPOLL || (environment.nowait.is_err() && !look.replace(!look.get())) {
                return None;
            }
            Some(if one_less(&left) { Errno::EINTR } else { Errno::ETIMEDOUT })
        };
        let bell = ok!(Through { task, before: &storm, known: None }.eventfd(0, flags));
        let before = ok!(near::clock_monotonic(task.sysif()));
        is!(ok!(bell.wait_timeout(TIME)), None);
        let after = ok!(near::clock_monotonic(task.sysif()));
        holds!(after >= before.saturating_add(TIME.into()));
        holds!(left.get() > 0);
    }
    Ok(())
}

fn timeout_woken<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.order?;
    for flags in SETS {
        let bell = ok!(task.eventfd(0, flags));
        let before = |nr| {
            if nr == nr::PPOLL {
                let _written = bell.write(4);
            }
            None
        };
        let through = Through { task, before: &before, known: None };
        // SAFETY: the kernel just created it for this caller.
        let sleeper = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(bell.try_clone()).into_raw_fd())) };
        is!(ok!(sleeper.wait_timeout(Duration::from_secs(3600))), Some(4));
        is!(ok!(bell.try_read()), None);
    }
    Ok(())
}

fn timeout_overtaken<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.clock?;
    environment.nowait?;
    const TIME: Duration = Duration::from_millis(5);
    for flags in SETS {
        let bell = ok!(task.eventfd(0, flags));
        let left = Cell::new(STORM);
        // Each time it sleeps a writer adds, and each time it reads another reader has taken the count.
        let before = |nr| {
            if nr == nr::PPOLL {
                if !one_less(&left) {
                    return Some(Errno::ETIMEDOUT);
                }
                let _written = bell.write(1);
            }
            if nr == nr::PREADV2 {
                let _taken = bell.try_read();
            }
            None
        };
        let through = Through { task, before: &before, known: None };
        // SAFETY: the kernel just created it for this caller.
        let sleeper = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(bell.try_clone()).into_raw_fd())) };
        is!(ok!(sleeper.wait_timeout(TIME)), None);
        holds!(left.get() > 0);
    }
    Ok(())
}

fn inheritable<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let mut bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let guard = ok!(bell.inheritable());
    is!(ok!(calls::getfd(task, guard.near())), 0);
    drop(guard);
    holds!(ok!(bell.is_cloexec()));
    let fd = bell.as_raw_fd();
    let guard = ok!(bell.inheritable());
    is!(guard.as_raw_fd(), fd);
    is!(ok!(calls::getfd(task, guard.near())), 0);
    ok!(guard.restore());
    holds!(ok!(bell.is_cloexec()));
    Ok(())
}

fn close_and_drop<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let twin = ok!(bell.try_clone());
    let (first, second) = (bell.near(), twin.near());
    ok!(bell.close());
    refused!(calls::getfd(task, first), EBADF);
    is!(ok!(calls::getfd(task, second)), 1);
    drop(twin);
    refused!(calls::getfd(task, second), EBADF);
    Ok(())
}

fn raw<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    let fd = bell.near();
    is!(bell.as_raw_fd(), fd.0);
    is!(bell.into_raw_fd(), fd.0);
    is!(ok!(calls::getfd(task, fd)), 1);
    // SAFETY: ownership was given up above.
    let again = unsafe { EventFd::adopt(task, fd) };
    is!(ok!(again.read()), 3);
    drop(again);
    refused!(calls::getfd(task, fd), EBADF);
    Ok(())
}

fn conversions<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.order?;
    let bell = ok!(task.eventfd(3, EventfdFlags::NONBLOCK));
    let fd = bell.near();
    is!(bell.as_owned_fd().near(), fd);
    let owned: OwnedFd<T> = bell.into();
    is!(owned.near(), fd);
    holds!(ok!(owned.is_nonblocking()));
    let twin = EventFd::from(ok!(owned.try_clone()));
    let bell: EventFd<T> = owned.into();
    is!(ok!(twin.read()), 3);
    refused!(bell.read(), EAGAIN);
    holds!(bell.task().fd_table() == task.fd_table());
    let owned = bell.into_owned_fd();
    is!(owned.into_raw_fd(), fd.0);
    // SAFETY: ownership was given up a line above.
    ok!(unsafe { near::close(task.sysif(), fd) });
    Ok(())
}

fn no_leak<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    let next = ok!(calls::lowest_free(task));
    for _ in 0..3 {
        refused!(task.eventfd(0, EventfdFlags::from_bits_retain(2)), EINVAL);
    }
    is!(ok!(calls::lowest_free(task)), next);
    Ok(())
}

fn one_call<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let calls = Cell::new(0);
    let interrupted = Cell::new(false);
    let before = |_| {
        calls.set(calls.get() + 1);
        interrupted.get().then_some(Errno::EINTR)
    };
    let bell = ok!(Through { task, before: &before, known: None }.eventfd(3, EventfdFlags::NONBLOCK));
    is!(calls.replace(0), 1);
    is!(ok!(bell.read()), 3);
    is!(calls.replace(0), 1);
    ok!(bell.write(3));
    is!(calls.replace(0), 1);
    interrupted.set(true);
    refused!(bell.read(), EINTR);
    refused!(bell.write(1), EINTR);
    is!(calls.replace(0), 2);
    interrupted.set(false);
    is!(ok!(bell.try_read()), Some(3));
    Ok(())
}

fn nowait_fails<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let fails = |nr| (nr == nr::PREADV2).then_some(Errno::EIO);
    let bell = ok!(Through { task, before: &fails, known: None }.eventfd(1, EventfdFlags::empty()));
    refused!(bell.try_read(), EIO);
    refused!(bell.wait_timeout(Duration::ZERO), EIO);
    is!(ok!(bell.read()), 1);
    Ok(())
}

fn close_errors<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let refusal = Cell::new(None);
    let through = Through { task, before: &|_| refusal.get(), known: None };
    let mut bell = ok!(through.eventfd(0, EventfdFlags::empty()));
    let guard = ok!(bell.inheritable());
    refusal.set(Some(Errno::ENOMEM));
    refused!(guard.restore(), ENOMEM);
    let fd = bell.near();
    refused!(bell.close(), ENOMEM);
    // SAFETY: the close failed before it closed, and the owner is gone.
    ok!(unsafe { near::close(task.sysif(), fd) });
    Ok(())
}

fn times<T: EventfdTask>(_: T, _: &Environment<'_>) -> Verdict {
    let time = |seconds, nanoseconds| near::Timespec { seconds, nanoseconds };
    is!(time(1, 999_999_999).saturating_add(time(0, 1)), time(2, 0));
    is!(time(1, 999_999_998).saturating_add(time(0, 1)), time(1, 999_999_999));
    is!(time(i64::MAX, 0).saturating_add(time(1, 5)), time(i64::MAX, 5));
    is!(time(2, 0).checked_sub(time(0, 1)), Some(time(1, 999_999_999)));
    is!(time(2, 5).checked_sub(time(1, 5)), Some(time(1, 0)));
    is!(time(2, 5).checked_sub(time(2, 4)), Some(time(0, 1)));
    is!((time(2, 5).checked_sub(time(2, 5)), time(2, 5).checked_sub(time(2, 6))), (None, None));
    is!(time(1, 0).checked_sub(time(2, 0)), None);
    Ok(())
}

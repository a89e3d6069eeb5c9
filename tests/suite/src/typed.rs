//! A: what the typed layer adds to the kernel's calls.

use crate::check::Verdict;
use crate::interfaces::{Through, one_less};
use crate::{Case, World, calls};
use core::cell::Cell;
use core::time::Duration;
use rsyscall::fd::OwnedFd;
use rsyscall::near;
use rsyscall::nr;
use rsyscall::sysif::{Features, SyscallInterface};
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 23] {
    [
        Case { id: "A1.1", says: "try_read takes what a read would, and is None if there is nothing", run: try_read },
        Case {
            id: "A1.2",
            says: "try_read without preadv2 looks with ppoll and then reads",
            run: try_read_second_best,
        },
        Case {
            id: "A1.3",
            says: "an interface that remembers is asked for preadv2 once, another each time",
            run: asked_once,
        },
        Case { id: "A1.4", says: "try_read's second best survives a count that another reader took", run: lost_race },
        Case { id: "A1.5", says: "an error of preadv2 other than its absence is told", run: nowait_fails },
        Case {
            id: "A2.1",
            says: "try_write is false for what does not fit, and nothing of it is added",
            run: try_write,
        },
        Case {
            id: "A2.2",
            says: "try_write on a blocking counter is EOPNOTSUPP and adds nothing",
            run: try_write_blocking,
        },
        Case { id: "A3.1", says: "wait takes what a read would, nonblocking or not", run: wait },
        Case { id: "A3.2", says: "wait goes on after EINTR", run: wait_interrupted },
        Case {
            id: "A3.3",
            says: "wait on an empty nonblocking counter sleeps until someone writes",
            run: wait_nonblocking,
        },
        Case { id: "A4.1", says: "wait_timeout takes a count that is there, whatever the time", run: timeout_at_once },
        Case { id: "A4.2", says: "wait_timeout is None when the time is over, and not before", run: timeout_over },
        Case { id: "A4.3", says: "wait_timeout keeps its deadline in a storm of signals", run: timeout_storm },
        Case { id: "A4.4", says: "wait_timeout takes a count that comes while it sleeps", run: timeout_woken },
        Case { id: "A4.5", says: "wait_timeout keeps its deadline when others take the count", run: timeout_overtaken },
        Case { id: "A4.6", says: "times are added and subtracted with their carry", run: times },
        Case { id: "A5.1", says: "inheritable lifts CLOEXEC for as long as the guard lives", run: inheritable },
        Case { id: "A6.1", says: "close frees the number, and so does drop", run: close_and_drop },
        Case { id: "A6.2", says: "into_raw_fd leaves it open, adopt takes it over", run: raw },
        Case { id: "A6.3", says: "an EventFd becomes an OwnedFd and comes back", run: conversions },
        Case { id: "A6.4", says: "a failed creation leaves no descriptor behind", run: no_leak },
        Case { id: "A6.5", says: "close and restore tell what was answered", run: told },
        Case { id: "A7.1", says: "read and write are one call each, and EINTR is theirs to tell", run: one_call },
    ]
}

/// So many that they outlast five milliseconds by far, and end all the same if a deadline is not kept.
const STORM: u32 = 1_000_000;

const SETS: [EventfdFlags; 2] = [EventfdFlags::empty(), EventfdFlags::NONBLOCK];

/// What all ways of never sleeping have in common.
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

fn try_read<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    takes_without_sleeping(task)
}

fn try_read_second_best<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for errno in [Errno::ENOSYS, Errno::EOPNOTSUPP] {
        let without = |nr| (nr == nr::PREADV2).then_some(errno);
        takes_without_sleeping(Through { task, before: &without, known: None })?;
    }
    Ok(())
}

fn asked_once<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
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

fn lost_race<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    let rival = ok!(task.eventfd(1, EventfdFlags::NONBLOCK));
    // Between the look and the read, the other reader is quicker.
    let before = |nr| {
        if nr == nr::READ {
            let _taken = rival.read();
        }
        (nr == nr::PREADV2).then_some(Errno::ENOSYS)
    };
    let through = Through { task, before: &before, known: None };
    // SAFETY: the kernel just made it for us.
    let bell = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(rival.try_clone()).into_raw_fd())) };
    is!(ok!(bell.try_read()), None);
    // On a blocking one the read sleeps until a handler runs; then it looks again, and there is nothing.
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
    // SAFETY: the kernel just made it for us.
    let bell = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(rival.try_clone()).into_raw_fd())) };
    is!(ok!(bell.try_read()), None);
    Ok(())
}

fn try_write<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
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

fn try_write_blocking<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    refused!(bell.try_write(1), EOPNOTSUPP);
    is!(ok!(bell.read()), 3);
    holds!(!ok!(bell.is_nonblocking()));
    Ok(())
}

fn wait<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for flags in SETS {
        let bell = ok!(task.eventfd(3, flags));
        is!(ok!(bell.wait()), 3);
        let semaphore = ok!(task.eventfd(2, flags | EventfdFlags::SEMAPHORE));
        is!((ok!(semaphore.wait()), ok!(semaphore.wait())), (1, 1));
        is!(ok!(semaphore.try_read()), None);
    }
    Ok(())
}

fn wait_interrupted<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for flags in SETS {
        let left = Cell::new(5);
        let handler = |nr| (nr == nr::READ && one_less(&left)).then_some(Errno::EINTR);
        let bell = ok!(Through { task, before: &handler, known: None }.eventfd(3, flags));
        is!(ok!(bell.wait()), 3);
        is!(left.get(), 0);
    }
    Ok(())
}

fn wait_nonblocking<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.order?;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    let left = Cell::new(3);
    // Two handlers run while it sleeps; then someone writes.
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
    // SAFETY: the kernel just made it for us.
    let sleeper = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(bell.try_clone()).into_raw_fd())) };
    is!(ok!(sleeper.wait()), 4);
    is!(left.get(), 0);
    Ok(())
}

fn timeout_at_once<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for time in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(3600), Duration::MAX] {
        for flags in SETS {
            let bell = ok!(task.eventfd(3, flags));
            is!(ok!(bell.wait_timeout(time)), Some(3));
            is!(ok!(bell.wait_timeout(Duration::ZERO)), None);
        }
    }
    Ok(())
}

fn timeout_over<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.clock?;
    const TIME: Duration = Duration::from_millis(5);
    for flags in SETS {
        // If the time began anew with each sleep, it would never end: here it ends with an error.
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

fn timeout_storm<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.clock?;
    const TIME: Duration = Duration::from_millis(5);
    for flags in SETS {
        let left = Cell::new(STORM);
        // Where every look is a poll of its own, it is let through: a handler runs during each sleep.
        let look = Cell::new(false);
        let storm = |nr| {
            if nr != nr::PPOLL || (world.nowait.is_err() && !look.replace(!look.get())) {
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

fn timeout_woken<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.order?;
    for flags in SETS {
        let bell = ok!(task.eventfd(0, flags));
        let before = |nr| {
            if nr == nr::PPOLL {
                let _written = bell.write(4);
            }
            None
        };
        let through = Through { task, before: &before, known: None };
        // SAFETY: the kernel just made it for us.
        let sleeper = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(bell.try_clone()).into_raw_fd())) };
        is!(ok!(sleeper.wait_timeout(Duration::from_secs(3600))), Some(4));
        is!(ok!(bell.try_read()), None);
    }
    Ok(())
}

fn timeout_overtaken<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.clock?;
    world.nowait?;
    const TIME: Duration = Duration::from_millis(5);
    for flags in SETS {
        let bell = ok!(task.eventfd(0, flags));
        let left = Cell::new(STORM);
        // Each time it sleeps someone writes, and each time it looks someone has been quicker.
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
        // SAFETY: the kernel just made it for us.
        let sleeper = unsafe { EventFd::adopt(through, near::FileDescriptor(ok!(bell.try_clone()).into_raw_fd())) };
        is!(ok!(sleeper.wait_timeout(TIME)), None);
        holds!(left.get() > 0);
    }
    Ok(())
}

fn inheritable<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
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

fn close_and_drop<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.alone?;
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

fn raw<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.alone?;
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    let number = bell.near();
    is!(bell.as_raw_fd(), number.0);
    is!(bell.into_raw_fd(), number.0);
    is!(ok!(calls::getfd(task, number)), 1);
    // SAFETY: given away above.
    let again = unsafe { EventFd::adopt(task, number) };
    is!(ok!(again.read()), 3);
    drop(again);
    refused!(calls::getfd(task, number), EBADF);
    Ok(())
}

fn conversions<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.order?;
    let bell = ok!(task.eventfd(3, EventfdFlags::NONBLOCK));
    let number = bell.near();
    is!(bell.as_owned_fd().near(), number);
    let owned: OwnedFd<T> = bell.into();
    is!(owned.near(), number);
    holds!(ok!(owned.is_nonblocking()));
    let twin = EventFd::from(ok!(owned.try_clone()));
    let bell: EventFd<T> = owned.into();
    is!(ok!(twin.read()), 3);
    refused!(bell.read(), EAGAIN);
    holds!(bell.task().fd_table() == task.fd_table());
    let owned = bell.into_owned_fd();
    is!(owned.into_raw_fd(), number.0);
    // SAFETY: given away a line above.
    ok!(unsafe { near::close(task.sysif(), number) });
    Ok(())
}

fn no_leak<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.alone?;
    let next = ok!(calls::lowest_free(task));
    for _ in 0..3 {
        refused!(task.eventfd(0, EventfdFlags::from_bits_retain(2)), EINVAL);
    }
    is!(ok!(calls::lowest_free(task)), next);
    Ok(())
}

fn one_call<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
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

fn nowait_fails<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    let fails = |nr| (nr == nr::PREADV2).then_some(Errno::EIO);
    let bell = ok!(Through { task, before: &fails, known: None }.eventfd(1, EventfdFlags::empty()));
    refused!(bell.try_read(), EIO);
    refused!(bell.wait_timeout(Duration::ZERO), EIO);
    is!(ok!(bell.read()), 1);
    Ok(())
}

fn told<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    let refusal = Cell::new(None);
    let through = Through { task, before: &|_| refusal.get(), known: None };
    let mut bell = ok!(through.eventfd(0, EventfdFlags::empty()));
    let guard = ok!(bell.inheritable());
    refusal.set(Some(Errno::ENOMEM));
    refused!(guard.restore(), ENOMEM);
    let number = bell.near();
    refused!(bell.close(), ENOMEM);
    // SAFETY: refused before it was closed, and its owner is gone.
    ok!(unsafe { near::close(task.sysif(), number) });
    Ok(())
}

fn times<T: EventfdTask>(_: T, _: &World<'_>) -> Verdict {
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

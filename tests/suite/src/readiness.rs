//! P: when a poll reports it ready, and what an edge is.

use crate::calls::{EPOLLET, EPOLLIN, EPOLLOUT, Epoll};
use crate::check::Verdict;
use crate::{Case, Environment};
use core::time::Duration;
use rsyscall::near::{self, FileDescriptor, PollFd, Timespec};
use rsyscall::{EventFd, EventfdFlags, EventfdTask};

const MAX: u64 = u64::MAX - 1;

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 11] {
    [
        Case {
            id: "P1.1",
            sentence: "it is readable above 0, writable below MAX−1, and nothing else is ever reported",
            run: thresholds,
        },
        Case {
            id: "P1.2",
            sentence: "a poll reports every ready one of several, and NVAL for a closed file descriptor",
            run: several,
        },
        Case {
            id: "P1.3",
            sentence: "a poll of an empty one returns 0 when its timeout expires, and not before",
            run: timeout_expires,
        },
        Case {
            id: "P2.1",
            sentence: "edge-triggered: every write is a new edge, even if the count was not read",
            run: write_edges,
        },
        Case { id: "P2.2", sentence: "edge-triggered: a read that makes room is an edge for writers", run: read_edge },
        Case { id: "P2.3", sentence: "edge-triggered: a failed read makes no edge", run: failed_read },
        Case { id: "P2.4", sentence: "edge-triggered: a failed write makes no edge", run: failed_write },
        Case { id: "P2.5", sentence: "edge-triggered: adding 0 is an edge if the count is above 0", run: zero_edge },
        Case { id: "P2.6", sentence: "edge-triggered: EPOLL_CTL_MOD reports again", run: modify },
        Case { id: "P2.7", sentence: "level-triggered: reported until it is read", run: level },
        Case { id: "P2.8", sentence: "edge-triggered: the whole sequence on one descriptor", run: sequence },
    ]
}

/// The events that a poll for every bit reports.
fn revents<T: EventfdTask>(bell: &EventFd<T>) -> Result<i16, T::Error> {
    let mut entry = [PollFd { fd: bell.near(), events: i16::MAX, revents: 0 }];
    let ready = near::ppoll(bell.task().sysif(), &mut entry, Some(Timespec::ZERO), None)?;
    let [entry] = entry;
    // Both ways of polling must agree.
    Ok(if (ready == 1) == (entry.revents != 0) { entry.revents } else { -1 })
}

fn thresholds<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for flags in [EventfdFlags::empty(), EventfdFlags::SEMAPHORE, EventfdFlags::NONBLOCK] {
        let bell = ok!(task.eventfd(0, flags));
        is!(ok!(revents(&bell)), PollFd::OUT);
        ok!(bell.write(1));
        is!(ok!(revents(&bell)), PollFd::IN | PollFd::OUT);
        ok!(bell.write(MAX - 2));
        is!(ok!(revents(&bell)), PollFd::IN | PollFd::OUT);
        ok!(bell.write(1));
        is!(ok!(revents(&bell)), PollFd::IN);
        ok!(bell.read());
        let left = if flags.contains(EventfdFlags::SEMAPHORE) { PollFd::IN | PollFd::OUT } else { PollFd::OUT };
        is!(ok!(revents(&bell)), left);
    }
    Ok(())
}

fn several<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let (empty, ready) = (ok!(task.eventfd(0, EventfdFlags::empty())), ok!(task.eventfd(1, EventfdFlags::empty())));
    let entry = |fd| PollFd { fd, events: PollFd::IN, revents: 0 };
    // One that no table is large enough for, and one that poll ignores.
    let (closed, none) = (FileDescriptor(i32::MAX), FileDescriptor(-1));
    let mut entries = [entry(empty.near()), entry(ready.near()), entry(closed), entry(none), entry(ready.near())];
    is!(ok!(near::ppoll(task.sysif(), &mut entries, Some(Timespec::ZERO), None)), 3);
    is!(entries.map(|entry| entry.revents), [0, PollFd::IN, PollFd::NVAL, 0, PollFd::IN]);
    is!(ok!(near::ppoll(task.sysif(), &mut [], Some(Timespec::ZERO), None)), 0);
    Ok(())
}

fn timeout_expires<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.clock?;
    const TIME: Duration = Duration::from_millis(5);
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let before = ok!(near::clock_monotonic(task.sysif()));
    let mut entry = [PollFd { fd: bell.near(), events: PollFd::IN, revents: 0 }];
    is!(ok!(near::ppoll(task.sysif(), &mut entry, Some(TIME.into()), None)), 0);
    let after = ok!(near::clock_monotonic(task.sysif()));
    holds!(after >= before.saturating_add(TIME.into()));
    Ok(())
}

/// An eventfd and an epoll that watches it, the report of its first state already taken.
fn watched<T: EventfdTask>(task: T, count: u64, events: u32) -> Result<(EventFd<T>, Epoll<T>), T::Error> {
    let bell = task.eventfd(0, EventfdFlags::NONBLOCK)?;
    bell.write(count)?;
    let epoll = Epoll::watching(bell.as_owned_fd(), events)?;
    epoll.events()?;
    Ok((bell, epoll))
}

fn write_edges<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (bell, epoll) = ok!(watched(task, 0, EPOLLIN | EPOLLET));
    is!(ok!(epoll.events()), 0);
    for _ in 0..3 {
        ok!(bell.write(1));
        is!(ok!(epoll.events()), EPOLLIN);
        is!(ok!(epoll.events()), 0);
    }
    is!(ok!(bell.read()), 3);
    Ok(())
}

fn read_edge<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (bell, epoll) = ok!(watched(task, MAX, EPOLLOUT | EPOLLET));
    is!(ok!(epoll.events()), 0);
    is!(ok!(bell.read()), MAX);
    is!(ok!(epoll.events()), EPOLLOUT);
    is!(ok!(epoll.events()), 0);
    Ok(())
}

fn failed_read<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (bell, epoll) = ok!(watched(task, 0, EPOLLIN | EPOLLOUT | EPOLLET));
    refused!(bell.read(), EAGAIN);
    is!(ok!(epoll.events()), 0);
    Ok(())
}

fn failed_write<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (bell, epoll) = ok!(watched(task, MAX, EPOLLIN | EPOLLOUT | EPOLLET));
    refused!(bell.write(1), EAGAIN);
    refused!(bell.write(u64::MAX), EINVAL);
    is!(ok!(epoll.events()), 0);
    Ok(())
}

fn zero_edge<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (bell, epoll) = ok!(watched(task, 1, EPOLLIN | EPOLLET));
    ok!(bell.write(0));
    is!(ok!(epoll.events()), EPOLLIN);
    is!(ok!(bell.read()), 1);
    ok!(bell.write(0));
    is!(ok!(epoll.events()), 0);
    Ok(())
}

fn modify<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (bell, epoll) = ok!(watched(task, 1, EPOLLIN | EPOLLET));
    is!(ok!(epoll.events()), 0);
    ok!(epoll.modify(bell.as_owned_fd(), EPOLLIN | EPOLLET));
    is!(ok!(epoll.events()), EPOLLIN);
    is!(ok!(epoll.events()), 0);
    Ok(())
}

fn level<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (bell, epoll) = ok!(watched(task, 0, EPOLLIN));
    is!(ok!(epoll.events()), 0);
    ok!(bell.write(1));
    is!(ok!(epoll.events()), EPOLLIN);
    is!(ok!(epoll.events()), EPOLLIN);
    ok!(bell.read());
    is!(ok!(epoll.events()), 0);
    Ok(())
}

fn sequence<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    const BOTH: u32 = EPOLLIN | EPOLLOUT;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    let epoll = ok!(Epoll::watching(bell.as_owned_fd(), BOTH | EPOLLET));
    is!((ok!(epoll.events()), ok!(epoll.events())), (EPOLLOUT, 0));
    ok!(bell.write(1));
    is!((ok!(epoll.events()), ok!(epoll.events())), (BOTH, 0));
    ok!(bell.write(1));
    is!((ok!(epoll.events()), ok!(epoll.events())), (BOTH, 0));
    is!(ok!(bell.read()), 2);
    is!((ok!(epoll.events()), ok!(epoll.events())), (EPOLLOUT, 0));
    refused!(bell.read(), EAGAIN);
    is!(ok!(epoll.events()), 0);
    ok!(bell.write(MAX));
    is!((ok!(epoll.events()), ok!(epoll.events())), (EPOLLIN, 0));
    refused!(bell.write(1), EAGAIN);
    is!(ok!(epoll.events()), 0);
    ok!(bell.write(0));
    is!((ok!(epoll.events()), ok!(epoll.events())), (EPOLLIN, 0));
    ok!(epoll.modify(bell.as_owned_fd(), BOTH | EPOLLET));
    is!((ok!(epoll.events()), ok!(epoll.events())), (EPOLLIN, 0));
    Ok(())
}

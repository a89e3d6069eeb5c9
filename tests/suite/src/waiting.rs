//! M: waiting for many, through the typed poll and epoll.

use crate::check::Verdict;
use crate::{Case, Environment};
use core::mem::MaybeUninit;
use core::time::Duration;
use rsyscall::sys::epoll::{Epoll, EpollEvent, EpollEvents, EpollTask};
use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
use rsyscall::sys::pollable::PollTask;
use rsyscall::{EventFd, EventfdFlags, EventfdTask};

pub(crate) fn cases<T: PollTask>() -> [Case<T>; 8] {
    [
        Case { id: "M1.1", sentence: "poll: each entry has the events of its own file descriptor", run: places },
        Case {
            id: "M1.2",
            sentence: "poll: the requested events can be changed, and only those are reported",
            run: ask,
        },
        Case { id: "M2.1", sentence: "epoll: every event carries the 64 bits of its own file descriptor", run: bits },
        Case {
            id: "M2.2",
            sentence: "epoll: events that do not fit into the memory are returned by the next wait",
            run: room,
        },
        Case { id: "M2.3", sentence: "epoll: ONESHOT reports once until it is modified", run: oneshot },
        Case { id: "M2.4", sentence: "epoll: EXCLUSIVE is valid for adding only", run: exclusive },
        Case {
            id: "M2.5",
            sentence: "epoll: EEXIST if it was added, ENOENT if it was not, EINVAL without memory",
            run: refusals,
        },
        Case {
            id: "M2.6",
            sentence: "epoll: its file descriptor has FD_CLOEXEC, and is readable in a poll",
            run: itself,
        },
    ]
}

fn bell<T: PollTask>(task: T, initval: u32) -> Result<EventFd<T>, T::Error> {
    task.eventfd(initval, EventfdFlags::empty())
}

const ROOM: [MaybeUninit<EpollEvent>; 4] = [const { MaybeUninit::uninit() }; 4];

/// The events that are ready now: how many, and the sum of their bits.
fn now<T: PollTask>(epoll: &Epoll<T>) -> Result<(usize, u64), T::Error> {
    let mut room = ROOM;
    let events = epoll.wait_timeout(&mut room, Duration::ZERO)?;
    Ok((events.len(), events.iter().fold(0, |sum, event| sum.wrapping_add(event.data()))))
}

fn places<T: PollTask>(task: T, _: &Environment<'_>) -> Verdict {
    let (empty, full, middle) = (ok!(bell(task, 0)), ok!(bell(task, 0)), ok!(bell(task, 7)));
    ok!(full.write(u64::MAX - 1));
    let mut memory = [PollFd::UNUSED; 3];
    let mut set = PollSet::new(task, &mut memory);
    for (fd, place) in [&empty, &full, &middle].into_iter().zip(0..) {
        is!(ok!(set.add(fd, PollEvents::IN | PollEvents::OUT)), place);
    }
    refused!(set.add(&empty, PollEvents::IN), ENOSPC);
    is!(ok!(set.wait()), 3);
    is!(set.revents(0), PollEvents::OUT);
    is!(set.revents(1), PollEvents::IN);
    is!(set.revents(2), PollEvents::IN | PollEvents::OUT);
    is!(set.revents(3), PollEvents::empty());
    Ok(())
}

fn ask<T: PollTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(bell(task, 1));
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(task, &mut memory);
    let place = ok!(set.add(&bell, PollEvents::IN));
    is!(ok!(set.wait()), 1);
    set.modify(place, PollEvents::empty());
    is!(ok!(set.wait_timeout(Duration::ZERO)), 0);
    set.modify(place, PollEvents::OUT);
    is!(ok!(set.wait_timeout(Duration::ZERO)), 1);
    is!(set.revents(place), PollEvents::OUT);
    Ok(())
}

fn bits<T: PollTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let epoll = ok!(task.epoll());
    for bits in [0, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX] {
        let bell = ok!(bell(task, 1));
        ok!(epoll.add(&bell, EpollEvents::IN, bits));
        let mut room = ROOM;
        is!(ok!(epoll.wait(&mut room)), &[EpollEvent::new(EpollEvents::IN, bits)][..]);
        ok!(bell.read());
        is!(ok!(now(&epoll)), (0, 0));
        ok!(epoll.delete(&bell));
    }
    Ok(())
}

fn room<T: PollTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let epoll = ok!(task.epoll());
    let bells = [ok!(bell(task, 1)), ok!(bell(task, 1)), ok!(bell(task, 1))];
    for (bell, bits) in bells.iter().zip([1, 10, 100]) {
        ok!(epoll.add(bell, EpollEvents::IN | EpollEvents::ET, bits));
    }
    let mut room = [const { MaybeUninit::uninit() }; 2];
    let mut sum = 0;
    for expected in [2, 1, 0] {
        let events = ok!(epoll.wait_timeout(&mut room, Duration::ZERO));
        is!(events.len(), expected);
        sum += events.iter().map(|event| event.data()).sum::<u64>();
    }
    is!(sum, 111);
    Ok(())
}

fn oneshot<T: PollTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (epoll, bell) = (ok!(task.epoll()), ok!(bell(task, 1)));
    let once = EpollEvents::IN | EpollEvents::ONESHOT;
    ok!(epoll.add(&bell, once, 5));
    is!(ok!(now(&epoll)), (1, 5));
    ok!(bell.write(1));
    is!(ok!(now(&epoll)), (0, 0));
    ok!(epoll.modify(&bell, once, 6));
    is!(ok!(now(&epoll)), (1, 6));
    is!(ok!(now(&epoll)), (0, 0));
    Ok(())
}

fn exclusive<T: PollTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    if !environment.since((4, 5)) {
        return Err("EPOLLEXCLUSIVE came with Linux 4.5".into());
    }
    let (epoll, bell) = (ok!(task.epoll()), ok!(bell(task, 1)));
    let exclusive = EpollEvents::IN | EpollEvents::EXCLUSIVE;
    refused!(epoll.add(&bell, exclusive | EpollEvents::ONESHOT, 0), EINVAL);
    ok!(epoll.add(&bell, exclusive, 3));
    is!(ok!(now(&epoll)), (1, 3));
    refused!(epoll.modify(&bell, EpollEvents::IN, 3), EINVAL);
    Ok(())
}

fn refusals<T: PollTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (epoll, bell) = (ok!(task.epoll()), ok!(bell(task, 1)));
    refused!(epoll.modify(&bell, EpollEvents::IN, 0), ENOENT);
    refused!(epoll.delete(&bell), ENOENT);
    ok!(epoll.add(&bell, EpollEvents::IN, 0));
    refused!(epoll.add(&bell, EpollEvents::IN, 0), EEXIST);
    refused!(epoll.add(&epoll, EpollEvents::IN, 0), EINVAL);
    refused!(epoll.wait_timeout(&mut [], Duration::ZERO), EINVAL);
    Ok(())
}

fn itself<T: PollTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.epoll?;
    let (epoll, bell) = (ok!(task.epoll()), ok!(bell(task, 0)));
    holds!(ok!(epoll.as_owned_fd().is_cloexec()));
    ok!(epoll.add(&bell, EpollEvents::IN, 0));
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(task, &mut memory);
    ok!(set.add(&epoll, PollEvents::IN));
    is!(ok!(set.wait_timeout(Duration::ZERO)), 0);
    ok!(bell.write(1));
    is!(ok!(set.wait_timeout(Duration::ZERO)), 1);
    Ok(())
}

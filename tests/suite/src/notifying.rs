//! N: the notifier, and futures that wait. Both belong to the current process, whatever the task.

use crate::check::Verdict;
use crate::{Case, Environment, calls};
use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::mem::MaybeUninit;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use rsyscall::notify::{Notifier, Spin, State, StaticNotifier};
use rsyscall::reactor::{Reactor, WaitSlot};
use rsyscall::sys::epoll::{Epoll, EpollEvents};
use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask, near, sysif::Local};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 10] {
    [
        Case {
            id: "N1.1",
            sentence: "many notifications before the wait are one, and the eventfd is not written",
            run: one_of_many,
        },
        Case { id: "N1.2", sentence: "a wait takes a pending notification, and times out without one", run: times_out },
        Case {
            id: "N1.3",
            sentence: "the first notification after arming writes the eventfd and no other does",
            run: armed,
        },
        Case { id: "N1.4", sentence: "a late write to the eventfd ends no wait and is drained", run: late_write },
        Case { id: "N1.5", sentence: "processes that share the state wake each other from wait", run: asleep },
        Case { id: "N1.6", sentence: "processes that share the state wake each other from a poll", run: in_poll },
        Case { id: "N2.1", sentence: "two futures of one thread wake each other through eventfds", run: futures },
        Case {
            id: "N2.2",
            sentence: "a waker ends the reactor's sleep, and without a sleep is one atomic operation",
            run: waker,
        },
        Case { id: "N2.3", sentence: "a reactor waits no longer than its timeout", run: run_once_times_out },
        Case { id: "N2.4", sentence: "a dropped wait frees its slot and is not reported", run: dropped },
    ]
}

const TIME: Duration = Duration::from_millis(5);

/// Long enough to be noticed if a test waited for it.
const LONG: Duration = Duration::from_secs(30);

fn one_of_many<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let notifier = ok!(Notifier::new());
    holds!(!notifier.try_wait());
    for _ in 0..3 {
        ok!(notifier.notify());
    }
    holds!(!notifier.arm());
    ok!(notifier.wait());
    holds!(!notifier.try_wait());
    is!(ok!(notifier.bell().try_read()), None);
    Ok(())
}

fn times_out<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    for spin in [Spin::NEVER, Spin::max_time(Duration::from_micros(1))] {
        let notifier = ok!(Notifier::new()).with_spin(spin);
        let before = ok!(near::clock_monotonic(&Local));
        holds!(!ok!(notifier.wait_timeout(TIME)));
        holds!(ok!(near::clock_monotonic(&Local)) >= before.saturating_add(TIME.into()));
        holds!(!ok!(notifier.wait_timeout(Duration::ZERO)));
        ok!(notifier.notify());
        holds!(ok!(notifier.wait_timeout(Duration::ZERO)));
        ok!(notifier.notify());
        holds!(ok!(notifier.wait_timeout(Duration::MAX)));
    }
    Ok(())
}

fn armed<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let notifier = ok!(Notifier::new());
    let epoll = ok!(Epoll::new());
    ok!(epoll.add(&notifier, EpollEvents::IN | EpollEvents::ET, 7));
    let (mut memory, mut entry) = ([MaybeUninit::uninit(); 2], [PollFd::UNUSED; 1]);
    let mut poll = PollSet::new(Current, &mut entry);
    let _place = ok!(poll.add(&notifier, PollEvents::IN));
    for _ in 0..3 {
        holds!(notifier.arm());
        is!(ok!(epoll.wait_timeout(&mut memory, Duration::ZERO)).len(), 0);
        for _ in 0..3 {
            ok!(notifier.notify());
        }
        is!(ok!(poll.wait_timeout(LONG)), 1);
        let events = ok!(epoll.wait_timeout(&mut memory, LONG));
        is!(events.len(), 1);
        is!(some!(events.first()).data(), 7);
        holds!(ok!(notifier.acknowledge()));
        holds!(!ok!(notifier.acknowledge()));
        is!(ok!(poll.wait_timeout(Duration::ZERO)), 0);
    }
    holds!(notifier.arm());
    holds!(!notifier.disarm());
    ok!(notifier.notify());
    is!(ok!(poll.wait_timeout(Duration::ZERO)), 0);
    Ok(())
}

fn late_write<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let state = State::new();
    let notifier = Notifier::from_parts(&state, ok!(EventFd::new(1, EventfdFlags::empty())));
    holds!(!ok!(notifier.wait_timeout(TIME)));
    holds!(notifier.arm());
    holds!(!ok!(notifier.acknowledge()));
    is!(ok!(notifier.bell().try_read()), None);
    Ok(())
}

/// Two notifiers whose states are in memory shared with children.
fn shared() -> Result<[Notifier<&'static State>; 2], Errno> {
    let bell = || EventFd::new(0, EventfdFlags::empty());
    // SAFETY: the words are zero, which is a valid state, are never unmapped, and have no other user.
    let state = |word: *const u32| unsafe { &*word.cast::<State>() };
    let [first, second] = calls::shared_words()?;
    Ok([Notifier::from_parts(state(first), bell()?), Notifier::from_parts(state(second), bell()?)])
}

fn ping_pong(
    environment: &Environment<'_>,
    wait: impl Fn(&Notifier<&'static State>) -> Result<bool, Errno>,
) -> Verdict {
    environment.here?;
    let [ping, pong] = ok!(shared());
    let rounds = environment.rounds / 100;
    let echo = || (0..rounds).all(|_| wait(&ping) == Ok(true) && pong.notify().is_ok());
    // SAFETY: the child makes system calls only.
    let child = ok!(unsafe { calls::fork(Current, echo) });
    for _ in 0..rounds {
        ok!(ping.notify());
        holds!(ok!(wait(&pong)));
    }
    let succeeded = ok!(child.succeeded());
    holds!(succeeded);
    holds!(!ping.try_wait() && !pong.try_wait());
    Ok(())
}

fn asleep<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    ping_pong(environment, |notifier| notifier.wait_timeout(LONG))
}

fn in_poll<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    ping_pong(environment, |notifier| {
        loop {
            let rung = if notifier.arm() {
                let mut entry = [PollFd::UNUSED; 1];
                let mut poll = PollSet::new(Current, &mut entry);
                let _place = poll.add(notifier, PollEvents::IN)?;
                match poll.wait_timeout(LONG)? {
                    0 => return Ok(false),
                    _ => true,
                }
            } else {
                false
            };
            if if rung { notifier.acknowledge()? } else { notifier.disarm() } {
                return Ok(true);
            }
        }
    })
}

static WAKE: StaticNotifier = StaticNotifier::new();

/// Polls two futures on one thread.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        step(&mut first, a.as_mut(), context);
        step(&mut second, b.as_mut(), context);
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            undone => {
                (first, second) = undone;
                Poll::Pending
            }
        }
    })
    .await
}

/// Polls a future once if it is pending.
fn step<F: Future>(output: &mut Option<F::Output>, future: Pin<&mut F>, context: &mut Context<'_>) {
    if output.is_none() {
        if let Poll::Ready(value) = future.poll(context) {
            *output = Some(value);
        }
    }
}

fn futures<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let slots = [const { WaitSlot::new() }; 2];
    let reactor = ok!(Reactor::new(&WAKE, &slots));
    refused!(Reactor::new(&WAKE, &slots), EBUSY);
    // Blocking ones: the thread must not sleep in either of them.
    let ping = ok!(EventFd::new(0, EventfdFlags::empty()));
    let pong = ok!(EventFd::new(0, EventfdFlags::empty()));
    let rounds = u64::from(environment.rounds / 100);
    let one = async {
        for round in 1..=rounds {
            ping.write(round)?;
            if reactor.next(&pong).await? != round {
                return Ok(false);
            }
        }
        Ok::<bool, Errno>(true)
    };
    let other = async {
        for _ in 0..rounds {
            pong.write(reactor.next(&ping).await?)?;
        }
        Ok::<(), Errno>(())
    };
    let (one, other) = ok!(reactor.block_on(both(one, other)));
    holds!(ok!(one));
    ok!(other);
    Ok(())
}

fn waker<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let slots = [];
    let reactor = ok!(Reactor::new(&WAKE, &slots));
    let waker = ok!(WAKE.waker());
    waker.wake_by_ref();
    waker.wake_by_ref();
    holds!(ok!(reactor.run_once(None)));
    holds!(!ok!(reactor.run_once(Some(Duration::ZERO))));
    // A future that wakes itself is polled again; nothing else ends the sleep.
    let polls = Cell::new(0);
    let yielding = poll_fn(|context| {
        polls.set(polls.get() + 1);
        context.waker().wake_by_ref();
        if polls.get() == 3 { Poll::Ready(()) } else { Poll::Pending }
    });
    ok!(reactor.block_on(yielding));
    is!(polls.get(), 3);
    Ok(())
}

fn run_once_times_out<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let slots = [];
    let reactor = ok!(Reactor::new(&WAKE, &slots));
    // Left in the reactor by another case.
    while ok!(reactor.run_once(Some(Duration::ZERO))) {}
    let before = ok!(near::clock_monotonic(&Local));
    holds!(!ok!(reactor.run_once(Some(TIME))));
    holds!(ok!(near::clock_monotonic(&Local)) >= before.saturating_add(TIME.into()));
    Ok(())
}

fn dropped<T: EventfdTask>(_: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let slots = [const { WaitSlot::new() }; 1];
    let reactor = ok!(Reactor::new(&WAKE, &slots));
    let (never, soon) = (ok!(EventFd::new(0, EventfdFlags::empty())), ok!(EventFd::new(1, EventfdFlags::empty())));
    let ended = ok!(reactor.block_on(async {
        let mut waits = true;
        {
            let mut readable = pin!(reactor.readable(&never));
            poll_fn(|context| {
                waits = readable.as_mut().poll(context).is_pending();
                Poll::Ready(())
            })
            .await;
            // The only slot is taken.
            if reactor.readable(&soon).await != Err(Errno::ENOSPC) {
                return Err(Errno::EEXIST);
            }
        }
        never.write(1)?;
        reactor.readable(&soon).await?;
        Ok(waits)
    }));
    is!(ended, Ok(true));
    Ok(())
}

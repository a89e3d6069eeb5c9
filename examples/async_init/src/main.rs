//! Process 1 made of futures: three tasks on one thread, and nothing below them but the kernel.
//!
//! One waits for signals and takes leave of who has ended, one adds up what the service rings, one waits for the
//! service's end. When
//! nobody is left it prints what came of it, `RESULT: passed` or `RESULT: failed`, and switches the machine off.
#![no_std]
#![no_main]

// What init itself is made of, to start it and to talk to the kernel and to the console.
#[path = "../../init/src/log.rs"]
#[allow(dead_code, reason = "this program says less")]
mod log;
#[path = "../../init/src/memory.rs"]
mod memory;
#[path = "../../init/src/start.rs"]
#[allow(dead_code, reason = "this program has no arguments")]
mod start;
#[path = "../../init/src/sys.rs"]
#[allow(dead_code, reason = "this program does less")]
mod sys;

use core::cell::Cell;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;
use log::Line;
use rsyscall::fd::OwnedFd;
use rsyscall::near::SignalSet;
use rsyscall::notify::StaticNotifier;
use rsyscall::reactor::{Reactor, WaitSlot};
use rsyscall::{Current, Errno, EventFd, EventfdFlags};
use start::Arguments;

/// What wakers point to.
static WAKE: StaticNotifier = StaticNotifier::new();

fn main(_arguments: Arguments) -> ! {
    if sys::getpid() != 1 {
        sys::become_subreaper();
    }
    let passed = run() == Ok(true);
    sys::print(1, if passed { b"RESULT: passed\n" as &[u8] } else { b"RESULT: failed\n" });
    if sys::is_machine() {
        sys::power_off();
    }
    Current.exit(i32::from(!passed))
}

/// How often the service rings, each time by as much as its turn.
const RINGS: u64 = 100;

/// The service: rings, leaves an orphan, and ends.
fn service(bell: &EventFd) -> i32 {
    for turn in 1..=RINGS {
        if bell.write(turn).is_err() {
            return 1;
        }
    }
    // Its child's child is nobody's but process 1's.
    i32::from(sys::fork(|| 0).is_err())
}

fn run() -> Result<bool, Errno> {
    sys::block(SignalSet::ALL);
    let signals = sys::signalfd(SignalSet::ALL)?;
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    let process = sys::fork(|| service(&bell))?;
    let pidfd = sys::pidfd_open(process)?;
    Line::new(b"async_init: the service runs as process ").number(process as u32).print(2);

    let slots = [const { WaitSlot::new() }; 3];
    let reactor = Reactor::new(&WAKE, &slots)?;
    let (sum, reaped) = (Cell::new(0), Cell::new(0));
    reactor.block_on(first_of(
        until_all_have_ended(&reactor, &signals, &reaped),
        first_of(count(&reactor, &bell, &sum), announce_the_end(&reactor, &pidfd)),
    ))??;
    // What was rung last may not have been counted yet.
    sum.set(sum.get() + bell.try_read()?.unwrap_or(0));

    Line::new(b"async_init: processes taken leave of: ").number(reaped.get()).print(2);
    Line::new(b"async_init: rung in sum: ").number(sum.get() as u32).print(2);
    Ok(reaped.get() == 2 && sum.get() == RINGS * (RINGS + 1) / 2)
}

/// Takes leave of who has ended, and ends when nobody is left.
async fn until_all_have_ended(reactor: &Reactor<'_>, signals: &OwnedFd, reaped: &Cell<u32>) -> Result<(), Errno> {
    loop {
        loop {
            match sys::reap() {
                Ok(Some(_)) => reaped.set(reaped.get() + 1),
                Ok(None) => break,
                Err(Errno::ECHILD) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        reactor.readable(signals).await?;
        while let Some(signal) = sys::next_signal(signals) {
            Line::new(b"async_init: signal ").number(signal).print(2);
        }
    }
}

/// Says when the service has ended.
async fn announce_the_end(reactor: &Reactor<'_>, pidfd: &OwnedFd) -> Result<(), Errno> {
    reactor.readable(pidfd).await?;
    sys::print(2, b"async_init: the service has ended\n");
    pending().await
}

/// Adds up what is rung, for ever.
async fn count(reactor: &Reactor<'_>, bell: &EventFd, sum: &Cell<u64>) -> Result<(), Errno> {
    loop {
        sum.set(sum.get() + reactor.next(bell).await?);
    }
}

/// Runs both; ends with the one that ends first.
async fn first_of<A: Future>(a: A, b: impl Future<Output = A::Output>) -> A::Output {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Pending => b.as_mut().poll(context),
        ready => ready,
    })
    .await
}

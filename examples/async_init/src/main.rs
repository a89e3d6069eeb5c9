//! Process 1 made of futures: three tasks on one thread, without libc and std.
//!
//! One reads signals and reaps, one adds up what the service writes, one waits for the service's end. When no process
//! is left it prints the result, `RESULT: passed` or `RESULT: failed`, and powers the machine off.
#![no_std]
#![no_main]

use core::cell::Cell;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;
use rsyscall::near::Process;
use rsyscall::notify::StaticNotifier;
use rsyscall::reactor::{Reactor, WaitSlot};
use rsyscall::start::Arguments;
use rsyscall::sys::pidfd::{PidFd, PidfdTask};
use rsyscall::sys::signal::{Preset, Signal, SignalSet, SignalTask};
use rsyscall::sys::signalfd::SignalFd;
use rsyscall::sys::stdio::Stdio;
use rsyscall::sys::wait::{Changes, Children, WaitTask};
use rsyscall::{Current, Errno, EventFd, EventfdFlags};
use rsyscall_init::{Child, Command, Program, SpawnError, Step, StringList, process, reboot, spawn};

rsyscall::start!(main);

/// What wakers point to.
static WAKE: StaticNotifier = StaticNotifier::new();

/// How often the service writes, each time the number of the round.
const RINGS: u64 = 100;
/// The service's file descriptor of the eventfd.
const BELL: i32 = 3;

fn main(arguments: Arguments, stdio: Stdio) -> i32 {
    let mut strings = arguments.args();
    let program = strings.next().unwrap_or_default();
    // The service and its child run this program too.
    match strings.next().map(core::ffi::CStr::to_bytes) {
        Some(b"service") => return i32::from(service(program).is_err()),
        Some(b"orphan") => return 0,
        _ => {}
    }
    let machine = reboot::is_machine();
    if process::pid() != Ok(Process(1)) {
        let _where_that_is_missing_an_orphan_is_too = process::become_subreaper();
    }
    let passed = run(program, stdio) == Ok(true);
    let _printed = writeln!(stdio.output(), "RESULT: {}", if passed { "passed" } else { "failed" });
    if machine {
        reboot::end(reboot::End::PowerOff);
    }
    i32::from(!passed)
}

/// Starts this program as one of its parts.
fn start(program: &core::ffi::CStr, part: &core::ffi::CStr, steps: &[Step<'_>]) -> Result<Child, Errno> {
    let mut list = StringList::<3>::new();
    list.push(program)?;
    list.push(part)?;
    let command = Command { arguments: list.as_strings(), steps, ..Command::new(Program::Path(program)) };
    spawn(&command).map_err(|SpawnError { errno, .. }| errno)
}

/// The service: writes the eventfd, leaves an orphan, and ends.
fn service(program: &core::ffi::CStr) -> Result<(), Errno> {
    // SAFETY: `spawn` placed the eventfd there, and nothing else in this process uses it.
    let bell = unsafe { EventFd::from_raw_fd(BELL) };
    for turn in 1..=RINGS {
        bell.write(turn)?;
    }
    // Once this process has ended, process 1 is its parent.
    start(program, c"orphan", &[]).map(drop)
}

fn run(program: &core::ffi::CStr, stdio: Stdio) -> Result<bool, Errno> {
    Current.set_disposition(Signal::CHLD, Preset::Default)?;
    Current.block_signals(SignalSet::ALL)?.keep();
    let signals = SignalFd::new(SignalSet::ALL)?;
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    let child = start(program, c"service", &[Step::Descriptor { from: bell.as_owned_fd(), to: BELL }])?;
    let pidfd = Current.pidfd_open(child.process())?;
    writeln!(stdio.error(), "async_init: the service runs as process {}", child.process().0)?;

    let slots = [const { WaitSlot::new() }; 3];
    let reactor = Reactor::new(&WAKE, &slots)?;
    let (sum, reaped) = (Cell::new(0), Cell::new(0));
    reactor.block_on(first_of(
        until_all_have_ended(&reactor, &signals, &reaped, stdio),
        first_of(count(&reactor, &bell, &sum), announce_the_end(&reactor, &pidfd, stdio)),
    ))??;
    // The last write may not have been counted yet.
    sum.set(sum.get() + bell.try_read()?.unwrap_or(0));

    writeln!(stdio.error(), "async_init: reaped {} processes, counted {}", reaped.get(), sum.get())?;
    Ok(reaped.get() == 2 && sum.get() == RINGS * (RINGS + 1) / 2)
}

/// Reaps, and ends when no child is left.
async fn until_all_have_ended(
    reactor: &Reactor<'_>,
    signals: &SignalFd,
    reaped: &Cell<u32>,
    stdio: Stdio,
) -> Result<(), Errno> {
    loop {
        loop {
            match Current.try_wait(Children::Any, Changes::ENDED) {
                Ok(Some(_)) => reaped.set(reaped.get() + 1),
                Ok(None) => break,
                Err(Errno::ECHILD) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        reactor.readable(signals).await?;
        while let Some(info) = signals.try_read()? {
            writeln!(stdio.error(), "async_init: {}", info.signal())?;
        }
    }
}

/// Prints when the service has ended.
async fn announce_the_end(reactor: &Reactor<'_>, pidfd: &PidFd, stdio: Stdio) -> Result<(), Errno> {
    reactor.readable(pidfd).await?;
    writeln!(stdio.error(), "async_init: the service has ended")?;
    pending().await
}

/// Adds up the counts, without an end.
async fn count(reactor: &Reactor<'_>, bell: &EventFd, sum: &Cell<u64>) -> Result<(), Errno> {
    loop {
        sum.set(sum.get() + reactor.next(bell).await?);
    }
}

/// Polls both; ends with the one that ends first.
async fn first_of<A: Future>(a: A, b: impl Future<Output = A::Output>) -> A::Output {
    let (mut a, mut b) = (pin!(a), pin!(b));
    poll_fn(|context| match a.as_mut().poll(context) {
        Poll::Pending => b.as_mut().poll(context),
        ready => ready,
    })
    .await
}

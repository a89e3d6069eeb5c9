//! The parts of the crate that `nr::used_by` has lists for, and for each a function that makes all of its calls.
//!
//! The preparation runs in the child before the filter is installed; neither it nor the work may allocate.

mod other;
mod program;
mod remote;
mod signals;

pub use program::set_program;

use rsyscall::notify::StaticNotifier;
use rsyscall::nr::used_by;
use rsyscall::reactor::{Reactor, WaitSlot};
use rsyscall::sys::epoll::{Epoll, EpollEvents};
use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
use rsyscall::{Current, Errno, EventFd, EventfdFlags, Notifier};
use std::mem::MaybeUninit;
use std::time::Duration;

/// A part of the crate.
pub struct Part {
    /// The name of its list.
    pub name: &'static str,
    /// The list.
    pub list: &'static [usize],
    /// How many at the list's end only older kernels need.
    pub older: usize,
    /// Whether more than one process makes the calls: then another one may be killed.
    pub several: bool,
    /// What runs before the filter is installed.
    pub prepare: fn(&EventFd),
    /// What makes all of its calls, with an eventfd that has the count 1.
    pub work: fn(&EventFd) -> Result<bool, Errno>,
}

impl Part {
    const fn new(name: &'static str, list: &'static [usize], work: fn(&EventFd) -> Result<bool, Errno>) -> Self {
        Self { name, list, older: 0, several: false, prepare: |_| (), work }
    }

    const fn after(self, prepare: fn(&EventFd)) -> Self {
        Self { prepare, ..self }
    }
}

/// The parts that run in one process.
pub const PARTS: [Part; 13] = [
    Part::new("EVENTFD", used_by::EVENTFD, eventfd),
    Part::new("POLL", used_by::POLL, poll),
    Part::new("EPOLL", used_by::EPOLL, epoll),
    Part::new("NOTIFIER", used_by::NOTIFIER, notify),
    Part::new("REACTOR", used_by::REACTOR, reactor).after(wake_by_signal),
    Part::new("TASK", used_by::TASK, exit),
    Part::new("SIGNAL", used_by::SIGNAL, signals::signal).after(signals::who_am_i),
    Part::new("SIGNALFD", used_by::SIGNALFD, signals::signalfd).after(signals::pending),
    Part::new("WAIT", used_by::WAIT, signals::wait).after(signals::ended_child),
    Part { older: 1, ..Part::new("PIDFD", used_by::PIDFD, signals::pidfd).after(signals::sleeping_group) },
    Part::new("STDIO", used_by::STDIO, program::stdio).after(program::nothing_to_say),
    Part::new("SERVE", used_by::SERVE, remote::serve).after(remote::late_client),
    Part::new("CONNECTION", used_by::CONNECTION, remote::connection).after(remote::server),
];

pub const FORK: Part = Part { older: 6, several: true, ..Part::new("FORK", used_by::FORK, remote::forked) };

pub const START: Part = Part::new("START", used_by::START, program::start).after(program::handed_over);

/// Everything that a notifier of one thread can do, including sleep.
fn notify(_: &EventFd) -> Result<bool, Errno> {
    let notifier = Notifier::new()?;
    let slept = !notifier.wait_timeout(Duration::from_millis(1))?;
    notifier.notify()?;
    notifier.wait()?;
    let armed = notifier.arm();
    notifier.notify()?;
    Ok(slept && armed && notifier.acknowledge()?)
}

/// Everything that an eventfd and its file descriptor can do.
fn eventfd(_: &EventFd) -> Result<bool, Errno> {
    let mut bell = EventFd::new(1, EventfdFlags::empty())?;
    let done = bell.read()? == 1 && bell.try_read()?.is_none();
    bell.write(2)?;
    let twin = bell.try_clone()?;
    let waited = twin.wait()? == 2 && twin.wait_timeout(Duration::from_millis(1))?.is_none();
    bell.set_nonblocking(true)?;
    let flags = bell.is_nonblocking()? && bell.is_cloexec()?;
    bell.inheritable()?.restore()?;
    bell.close()?;
    Ok(done && waited && flags)
}

fn poll(bell: &EventFd) -> Result<bool, Errno> {
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(Current, &mut memory);
    let place = set.add(bell, PollEvents::IN)?;
    let found = set.wait()? == 1 && set.wait_timeout(Duration::from_millis(1))? == 1;
    Ok(found && set.revents(place) == PollEvents::IN)
}

fn epoll(bell: &EventFd) -> Result<bool, Errno> {
    let epoll = Epoll::new()?;
    epoll.add(bell, EpollEvents::IN, 7)?;
    epoll.modify(bell, EpollEvents::IN, 8)?;
    let mut memory = [const { MaybeUninit::uninit() }; 2];
    let found = epoll.wait(&mut memory)?.len() == 1;
    let found =
        found && epoll.wait_timeout(&mut memory, Duration::from_millis(1))?.first().map(|e| e.data()) == Some(8);
    epoll.delete(bell)?;
    let fd = epoll.into_owned_fd();
    fd.set_nonblocking(true)?;
    let twin = fd.try_clone()?;
    fd.close()?;
    Ok(found && twin.is_cloexec()?)
}

static WAKE: StaticNotifier = StaticNotifier::new();

/// Lets a timer call the reactor's waker while the reactor sleeps, as another thread would.
fn wake_by_signal(_: &EventFd) {
    extern "C" fn wake(_signal: i32) {
        if let Ok(waker) = WAKE.waker() {
            waker.wake();
        }
    }
    let soon = libc::timeval { tv_sec: 0, tv_usec: 20_000 };
    let timer = libc::itimerval { it_interval: libc::timeval { tv_sec: 0, tv_usec: 0 }, it_value: soon };
    // SAFETY: the handler makes system calls only.
    unsafe { libc::signal(libc::SIGALRM, wake as extern "C" fn(i32) as libc::sighandler_t) };
    // SAFETY: the call reads one timer.
    assert_eq!(unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) }, 0);
}

fn reactor(bell: &EventFd) -> Result<bool, Errno> {
    let slots = [const { WaitSlot::new() }; 2];
    let reactor = Reactor::new(&WAKE, &slots)?;
    let read = reactor.block_on(reactor.next(bell))? == Ok(1);
    Ok(read && reactor.run_once(Some(Duration::from_secs(10)))?)
}

fn exit(_: &EventFd) -> Result<bool, Errno> {
    Current.exit(0)
}

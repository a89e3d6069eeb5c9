//! Signals, and children.

use super::other::{PROCESS, child, process};
use rsyscall::sys::pidfd::PidfdTask;
use rsyscall::sys::signal::{Disposition, Preset, Signal, SignalSet, SignalTask, Target};
use rsyscall::sys::signalfd::SignalFd;
use rsyscall::sys::wait::{Change, Changes, Children, ExitStatus, WaitTask};
use rsyscall::{Current, Errno, EventFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(1);

pub fn who_am_i(_: &EventFd) {
    // SAFETY: no argument and no effect.
    PROCESS.store(unsafe { libc::getpid() }, Ordering::Relaxed);
}

pub fn signal(_: &EventFd) -> Result<bool, Errno> {
    let blocked = Current.block_signals(SignalSet::of(&[Signal::USR1]))?;
    let is_blocked = Current.signal_mask()?.has(Signal::USR1);
    drop(blocked);
    Current.set_disposition(Signal::USR2, Preset::Ignore)?;
    Current.send_signal(Target::Process(process()), Signal::USR2)?;
    Ok(is_blocked && Current.disposition(Signal::USR2)? == Disposition::Ignore)
}

/// Blocks a signal and makes it pending.
pub fn pending(_: &EventFd) {
    std::mem::forget(Current.block_signals(SignalSet::of(&[Signal::USR1])));
    // SAFETY: a signal that is blocked.
    assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
}

pub fn signalfd(_: &EventFd) -> Result<bool, Errno> {
    let signals = SignalFd::new(SignalSet::EMPTY)?;
    signals.set(SignalSet::of(&[Signal::USR1]))?;
    let read = signals.wait()?.signal() == Signal::USR1;
    let none = signals.wait_timeout(SOON)?.is_none() && signals.read().is_err() && signals.try_read()?.is_none();
    let fd = signals.into_owned_fd();
    fd.set_nonblocking(true)?;
    let twin = fd.try_clone()?;
    fd.close()?;
    Ok(read && none && twin.is_cloexec()?)
}

pub fn ended_child(_: &EventFd) {
    child(|| ());
}

pub fn wait(_: &EventFd) -> Result<bool, Errno> {
    let ended = Change::Ended(ExitStatus::Exited(3));
    let peeked = Current.wait(Children::Process(process()), Changes::ENDED | Changes::PEEK)?.change == ended;
    Ok(peeked && Current.try_wait(Children::Any, Changes::ENDED)?.map(|waited| waited.change) == Some(ended))
}

/// A child that leads a process group, and sleeps.
pub fn sleeping_group(_: &EventFd) {
    child(|| {
        // SAFETY: no argument.
        unsafe { libc::pause() };
    });
    // SAFETY: two words.
    assert_eq!(unsafe { libc::setpgid(process().0, 0) }, 0);
}

pub fn pidfd(bell: &EventFd) -> Result<bool, Errno> {
    let child = Current.pidfd_open(process())?;
    // SAFETY: a copy of this process, whose eventfd may have duplicates.
    drop(unsafe { child.getfd(bell.near()) }?);
    child.send_signal(Signal::CONT)?;
    let runs = child.wait_timeout(SOON)?.is_none() && child.peek()?.is_none();
    child.send_signal_to_group(process(), Signal::TERM)?;
    let ended = child.wait()?.signal() == Some(Signal::TERM);
    let fd = child.into_owned_fd();
    fd.set_nonblocking(true)?;
    let twin = fd.try_clone()?;
    fd.close()?;
    Ok(runs && ended && twin.is_cloexec()?)
}

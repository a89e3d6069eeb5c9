//! G: signals that are read, and children, of which the task's process has none.

use crate::check::Verdict;
use crate::{Case, Environment};
use core::time::Duration;
use rsyscall::near::{self, Process};
use rsyscall::sys::pidfd::PidfdTask;
use rsyscall::sys::signal::{Disposition, Preset, Signal, SignalSet, SignalTask, Target};
use rsyscall::sys::signalfd::SignalfdTask;
use rsyscall::sys::wait::{Changes, Children, WaitTask};
use rsyscall::sysif::{Arg, SyscallInterface};
use rsyscall::{Errno, EventfdTask, nr};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 6] {
    [
        Case {
            id: "G1.1",
            sentence: "a blocked signal is read once, however often it was sent, with its sender",
            run: read,
        },
        Case {
            id: "G1.2",
            sentence: "a signalfd is nonblocking and closed by execve, and keeps a deadline",
            run: signalfd,
        },
        Case { id: "G1.3", sentence: "the set of a signalfd selects the signals that it reads", run: set },
        Case { id: "G1.4", sentence: "a guard restores the mask, and a disposition is read as it was set", run: mask },
        Case {
            id: "G2.1",
            sentence: "without children every wait fails with ECHILD, without a kind of change with EINVAL",
            run: no_child,
        },
        Case {
            id: "G2.2",
            sentence: "a pidfd sends signals to its process, and only a parent can wait for it",
            run: pidfd,
        },
    ]
}

const BOTH: SignalSet = SignalSet::of(&[Signal::USR1, Signal::USR2]);

/// Sends a signal to the calling thread. Another thread, which does not block it, would be killed.
fn send<T: EventfdTask>(task: T, signal: Signal) -> Result<(), T::Error> {
    let process = near::getpid(task.sysif())?;
    // SAFETY: no argument, and no memory.
    let thread = unsafe { task.sysif().syscall(nr::GETTID, []) }?;
    // SAFETY: words and no memory; the signal is blocked.
    unsafe { task.sysif().syscall(nr::TGKILL, [process.into(), Arg::Word(thread), signal.raw().into()]) }.map(drop)
}

fn read<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.signals?;
    let _blocked = ok!(task.block_signals(BOTH));
    let signals = ok!(task.signalfd(BOTH));
    for signal in [Signal::USR2, Signal::USR1, Signal::USR2] {
        ok!(send(task, signal));
    }
    let me = ok!(near::getpid(task.sysif()));
    let first = ok!(signals.read());
    is!((first.signal(), first.sender().map(|sender| sender.0), first.value()), (Signal::USR1, Some(me), None));
    is!(ok!(signals.wait()).signal(), Signal::USR2);
    is!(ok!(signals.try_read()), None);
    Ok(())
}

fn signalfd<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.signals?;
    let signals = ok!(task.signalfd(SignalSet::EMPTY));
    holds!(ok!(signals.as_owned_fd().is_cloexec()));
    holds!(ok!(signals.as_owned_fd().is_nonblocking()));
    refused!(signals.read(), EAGAIN);
    is!(ok!(signals.wait_timeout(Duration::from_millis(5))), None);
    is!(ok!(signals.wait_timeout(Duration::ZERO)), None);
    Ok(())
}

fn set<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.signals?;
    let _blocked = ok!(task.block_signals(BOTH));
    let signals = ok!(task.signalfd(SignalSet::of(&[Signal::USR1])));
    ok!(send(task, Signal::USR2));
    is!(ok!(signals.try_read()), None);
    ok!(signals.set(BOTH));
    is!(ok!(signals.read()).signal(), Signal::USR2);
    let bell = ok!(task.eventfd(1, rsyscall::EventfdFlags::NONBLOCK));
    let wrong = rsyscall::sys::signalfd::SignalFd::from(bell.into_owned_fd());
    refused!(wrong.set(BOTH), EINVAL);
    refused!(wrong.read(), EIO);
    Ok(())
}

fn mask<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.signals?;
    let before = ok!(task.signal_mask());
    let outer = ok!(task.block_signals(SignalSet::of(&[Signal::USR1])));
    let inner = ok!(task.block_signals(SignalSet::of(&[Signal::USR2])));
    holds!(inner.before().has(Signal::USR1));
    holds!(ok!(task.signal_mask()).has(Signal::USR2));
    drop(inner);
    is!(ok!(task.signal_mask()), before.with(Signal::USR1.raw()));
    drop(outer);
    is!(ok!(task.signal_mask()), before);

    ok!(task.set_disposition(Signal::USR2, Preset::Ignore));
    is!(ok!(task.disposition(Signal::USR2)), Disposition::Ignore);
    ok!(task.set_disposition(Signal::USR2, Preset::Default));
    is!(ok!(task.disposition(Signal::USR2)), Disposition::Default);
    refused!(task.set_disposition(Signal::KILL, Preset::Ignore), EINVAL);
    refused!(task.send_signal(Target::Group(Process(1)), Signal::USR1), EINVAL);
    refused!(task.send_signal(Target::Process(Process(i32::MAX)), Signal::USR1), ESRCH);
    Ok(())
}

fn no_child<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.signals?;
    for children in [Children::Any, Children::Process(Process(i32::MAX)), Children::Group(Process(i32::MAX))] {
        refused!(task.waitid(children, Changes::ENDED), ECHILD);
        refused!(task.try_wait(children, Changes::ENDED | Changes::PEEK), ECHILD);
        refused!(task.try_wait(children, Changes::PEEK), EINVAL);
    }
    Ok(())
}

fn pidfd<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.signals?;
    let me = ok!(near::getpid(task.sysif()));
    let pidfd = match task.pidfd_open(me) {
        Err(error) if rsyscall::sysif::SyscallError::errno(&error) == Some(Errno::ENOSYS) => {
            return Err(crate::check::Stop::from("pidfd_open came with Linux 5.3, and the emulator has none"));
        }
        pidfd => ok!(pidfd),
    };
    holds!(ok!(pidfd.as_owned_fd().is_cloexec()));
    refused!(task.pidfd_open(Process(0)), EINVAL);
    refused!(task.pidfd_open(Process(i32::MAX)), ESRCH);
    // It has no effect on a running process.
    ok!(pidfd.send_signal(Signal::CONT));
    refused!(pidfd.send_signal_to_group(Process(1), Signal::USR1), EINVAL);
    if environment.kernel >= (5, 4) {
        refused!(pidfd.peek(), ECHILD);
        refused!(pidfd.try_wait(), ECHILD);
    }
    Ok(())
}

//! `#include <sys/wait.h>`: what became of children, and reaping them.
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::WAIT`](crate::nr::used_by::WAIT).

use super::pidfd::PidFd;
use super::signal::Signal;
use crate::Errno;
use crate::near::{self, Process, WaitId, WaitInfo};
use crate::sysif::{Local, SyscallError};
use crate::task::{Current, FileDescriptorTask};

/// How a process ended.
///
/// # Source
///
/// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// By `exit`, with the lowest eight bits of this status.
    Exited(i32),
    /// By a signal.
    Killed {
        /// The signal.
        signal: Signal,
        /// Whether its memory was written to a file.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// Returns the exit status, unless a signal ended the process.
    #[inline]
    pub const fn code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Killed { .. } => None,
        }
    }

    /// Returns the signal that ended the process, if one did.
    #[inline]
    pub const fn signal(self) -> Option<Signal> {
        match self {
            Self::Exited(_) => None,
            Self::Killed { signal, .. } => Some(signal),
        }
    }

    /// Returns whether the process exited with status 0.
    #[inline]
    pub const fn success(self) -> bool {
        matches!(self, Self::Exited(0))
    }

    /// Returns the status as a shell has it in `$?`: the exit status, or 128 and the signal.
    ///
    /// ```
    /// use rsyscall::sys::signal::Signal;
    /// use rsyscall::sys::wait::ExitStatus;
    ///
    /// assert_eq!(ExitStatus::Exited(3).shell_status(), 3);
    /// assert_eq!(ExitStatus::Killed { signal: Signal::TERM, core_dumped: false }.shell_status(), 143);
    /// ```
    #[inline]
    pub const fn shell_status(self) -> i32 {
        match self {
            Self::Exited(code) => code,
            Self::Killed { signal, .. } => 128_i32.saturating_add_unsigned(signal.raw()),
        }
    }
}

/// What happened to a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It ended.
    Ended(ExitStatus),
    /// A signal stopped it.
    Stopped(Signal),
    /// It was stopped, and `SIGCONT` continued it.
    Continued,
}

impl Change {
    /// `None`: not a change that the kernel reports.
    fn new(info: WaitInfo) -> Option<Self> {
        // `include/uapi/asm-generic/siginfo.h`.
        const CLD_EXITED: i32 = 1;
        const CLD_KILLED: i32 = 2;
        const CLD_DUMPED: i32 = 3;
        const CLD_TRAPPED: i32 = 4;
        const CLD_STOPPED: i32 = 5;
        const CLD_CONTINUED: i32 = 6;
        // Of a tracer's stop the higher bits say why.
        let signal = Signal::from_raw(u32::from_ne_bytes(info.status.to_ne_bytes()) & 0x7f);
        Some(match info.code {
            CLD_EXITED => Self::Ended(ExitStatus::Exited(info.status)),
            CLD_KILLED => Self::Ended(ExitStatus::Killed { signal: signal?, core_dumped: false }),
            CLD_DUMPED => Self::Ended(ExitStatus::Killed { signal: signal?, core_dumped: true }),
            CLD_TRAPPED | CLD_STOPPED => Self::Stopped(signal?),
            CLD_CONTINUED => Self::Continued,
            _ => return None,
        })
    }
}

/// A child, and what happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Waited {
    /// The child.
    pub process: Process,
    /// What happened.
    pub change: Change,
}

/// Which children are waited for.
#[derive(Debug)]
pub enum Children<'a, T: FileDescriptorTask = Current> {
    /// Any child. To reap one takes its status away from whoever else waits for it by its pid (std's `Child`, say):
    /// look with [`Changes::PEEK`] first, and reap by process what is yours.
    ///
    /// The child of a [`remote::fork`](crate::remote::fork()) is not among them until it executes another program.
    Any,
    /// The child of this pid.
    Process(Process),
    /// The children in the process group of this number; 0 is the task's own group (Linux 5.4).
    Group(Process),
    /// The child that this pidfd refers to (Linux 5.4).
    PidFd(&'a PidFd<T>),
}

impl<T: FileDescriptorTask> Clone for Children<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: FileDescriptorTask> Copy for Children<'_, T> {}

near::flags! {
    /// Which changes are waited for.
    ///
    /// # Source
    ///
    /// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html); `include/uapi/linux/wait.h`.
    pub struct Changes: u32 {
        /// A child ended (`WEXITED`); it is reaped.
        const ENDED = near::WEXITED;
        /// A child was stopped (`WSTOPPED`).
        const STOPPED = near::WSTOPPED;
        /// A stopped child was continued (`WCONTINUED`).
        const CONTINUED = near::WCONTINUED;
        /// The change is left as it is (`WNOWAIT`): the next wait finds it again, and a child that ended keeps its pid.
        const PEEK = near::WNOWAIT;
    }
}

/// Waits for children. Every task can: for those of its own process.
///
/// A process that ended is a zombie until its parent reaps it; so long it keeps its pid, and signals to it succeed. A
/// pid that was reaped can be another process's at once.
///
/// ```
/// use rsyscall::sys::wait::{Changes, Children, WaitTask};
/// use rsyscall::{Current, Errno};
///
/// # // Under a test harness other tests have children.
/// let none = Children::Process(rsyscall::near::Process(1));
/// assert_eq!(Current.try_wait(none, Changes::ENDED), Err(Errno::ECHILD));
/// ```
pub trait WaitTask: FileDescriptorTask {
    /// Waits for one change. Exactly one system call.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// `ECHILD`: there is no such child, or it was reaped, or `SIGCHLD` is ignored and the last such child has ended.
    /// `EINTR`: a signal handler ran. `EINVAL`: no change is named, or by pidfd or by group 0 before Linux 5.4.
    /// `EBADF`, and no call is made: the pidfd is in another table. `EAGAIN`: the pidfd is nonblocking and its process
    /// has not ended. `EIO`: a change that is not known.
    ///
    /// # Source
    ///
    /// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html).
    #[doc(alias = "waitpid", alias = "wait4")]
    fn waitid(self, children: Children<'_, Self>, changes: Changes) -> Result<Waited, Self::Error>;

    /// Returns a change that has happened, or `None` if none has: it never sleeps.
    ///
    /// An init reaps in a loop, until it is `None` or `ECHILD`: one `SIGCHLD` can stand for several ends.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// Those of [`waitid`](Self::waitid), without `EINTR` and `EAGAIN`.
    fn try_wait(self, children: Children<'_, Self>, changes: Changes) -> Result<Option<Waited>, Self::Error>;

    /// Waits for one change, however many signal handlers run.
    ///
    /// With a deadline there is [`PidFd::wait_timeout`].
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// Those of [`waitid`](Self::waitid), without `EINTR`.
    fn wait(self, children: Children<'_, Self>, changes: Changes) -> Result<Waited, Self::Error> {
        loop {
            match self.waitid(children, changes) {
                Err(error) if error.errno() == Some(Errno::EINTR) => {}
                result => return result,
            }
        }
    }
}

impl<T: FileDescriptorTask> WaitTask for T {
    #[inline]
    fn waitid(self, children: Children<'_, Self>, changes: Changes) -> Result<Waited, T::Error> {
        // Without `WNOHANG` there is always one.
        look(self, children, changes.bits())?.ok_or(Errno::EIO.into())
    }

    #[inline]
    fn try_wait(self, children: Children<'_, Self>, changes: Changes) -> Result<Option<Waited>, T::Error> {
        match look(self, children, changes.bits() | near::WNOHANG) {
            Err(error) if error.errno() == Some(Errno::EAGAIN) => Ok(None),
            result => result,
        }
    }
}

/// One `waitid`.
fn look<T: FileDescriptorTask>(task: T, children: Children<'_, T>, options: u32) -> Result<Option<Waited>, T::Error> {
    let (kind, id) = match children {
        Children::Any => (WaitId::All, 0),
        Children::Process(process) => (WaitId::Pid, process.0),
        Children::Group(group) => (WaitId::Pgid, group.0),
        Children::PidFd(pidfd) if pidfd.task().fd_table() == task.fd_table() => (WaitId::PidFd, pidfd.as_raw_fd()),
        Children::PidFd(_) => return Err(Errno::EBADF.into()),
    };
    match near::waitid(task.sysif(), kind, id, options)? {
        None => Ok(None),
        Some(info) => match Change::new(info) {
            Some(change) => Ok(Some(Waited { process: info.process, change })),
            None => Err(Errno::EIO.into()),
        },
    }
}

/// Waits for the end of a child of this process, and reaps it unless the options hold `WNOWAIT`; `None` with `WNOHANG`
/// if it has not ended.
#[inline]
pub(crate) fn wait_end(kind: WaitId, id: i32, options: u32) -> Result<Option<ExitStatus>, Errno> {
    let change = near::waitid(&Local, kind, id, options | near::WEXITED)?.and_then(Change::new);
    Ok(change.and_then(|change| match change {
        Change::Ended(status) => Some(status),
        Change::Stopped(_) | Change::Continued => None,
    }))
}

//! `#include <sys/wait.h>`: for programs with children: waits for changes of their state, and reaps them.
//!
//! ```
//! use rsyscall::Current;
//! use rsyscall::near::Process;
//! use rsyscall::sys::wait::{Change, Changes, Children, ExitStatus, WaitTask};
//!
//! let child = std::process::Command::new("false").spawn().unwrap();
//! let child = Children::Process(Process(child.id() as i32));
//! assert_eq!(Current.wait(child, Changes::ENDED)?.change, Change::Ended(ExitStatus::Exited(1)));
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::WAIT`](crate::nr::used_by::WAIT).

use super::pidfd::PidFd;
use super::signal::Signal;
use crate::Errno;
use crate::near::{self, Process, WaitId, WaitInfo};
use crate::sysif::{Local, SyscallError};
use crate::task::{Current, FileDescriptorTask};

/// The exit status of a process.
///
/// # Source
///
/// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It exited with this status, 0..=255.
    Exited(i32),
    /// A signal terminated it.
    Killed {
        /// The signal.
        signal: Signal,
        /// Whether it produced a core dump.
        core_dumped: bool,
    },
}

impl ExitStatus {
    /// Returns the exit status, or `None` if a signal terminated the process.
    #[inline]
    pub const fn code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Killed { .. } => None,
        }
    }

    /// Returns the signal that terminated the process, or `None` if it exited.
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

    /// Returns the status as a shell has it in `$?`: the exit status, or 128 plus the signal.
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

/// A change of state of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It has ended.
    Ended(ExitStatus),
    /// A signal has stopped it.
    Stopped(Signal),
    /// `SIGCONT` has continued it after a stop.
    Continued,
}

impl Change {
    /// Decodes the result of `waitid`, or returns `None` for a change that the kernel does not report.
    fn new(info: WaitInfo) -> Option<Self> {
        // `include/uapi/asm-generic/siginfo.h`.
        const CLD_EXITED: i32 = 1;
        const CLD_KILLED: i32 = 2;
        const CLD_DUMPED: i32 = 3;
        const CLD_TRAPPED: i32 = 4;
        const CLD_STOPPED: i32 = 5;
        const CLD_CONTINUED: i32 = 6;
        // For a stop by a tracer the upper bits have the reason.
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

/// A child and a change of its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Waited {
    /// The child.
    pub process: Process,
    /// The change.
    pub change: Change,
}

/// The children to wait for.
#[derive(Debug)]
pub enum Children<'a, T: FileDescriptorTask = Current> {
    /// Any child. Reaping a child takes its status from other code that waits for its pid (such as `Child` of std): use
    /// [`Changes::PEEK`] first, and reap only your own children by their pid.
    ///
    /// The child of a [`remote::fork`](crate::remote::fork()) is not included until it executes another program.
    Any,
    /// The child with this pid.
    Process(Process),
    /// The children in the process group with this ID; 0 is the group of the task (Linux 5.4).
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
    /// The changes to wait for.
    ///
    /// # Source
    ///
    /// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html); `include/uapi/linux/wait.h`.
    pub struct Changes: u32 {
        /// A child has ended (`WEXITED`); it is reaped.
        const ENDED = near::WEXITED;
        /// A signal has stopped a child (`WSTOPPED`).
        const STOPPED = near::WSTOPPED;
        /// `SIGCONT` has continued a stopped child (`WCONTINUED`).
        const CONTINUED = near::WCONTINUED;
        /// Does not consume the change (`WNOWAIT`): the next wait returns it again, and a child that has ended is not
        /// reaped.
        const PEEK = near::WNOWAIT;
    }
}

/// Waits for children of the task's process. It is implemented for all tasks.
///
/// A process that has ended is a zombie until its parent reaps it. Until then it keeps its pid, and sending it a signal
/// succeeds. After that another process can reuse the pid at once.
///
/// ```
/// use rsyscall::sys::wait::{Changes, Children, WaitTask};
/// use rsyscall::{Current, Errno, near::Process};
///
/// let child = std::process::Command::new("true").spawn().unwrap();
/// let child = Children::Process(Process(child.id() as i32));
/// Current.wait(child, Changes::ENDED | Changes::PEEK)?; // it is a zombie now
/// assert!(Current.try_wait(child, Changes::ENDED)?.is_some()); // reaps it
/// assert_eq!(Current.try_wait(child, Changes::ENDED), Err(Errno::ECHILD));
/// # Ok::<(), Errno>(())
/// ```
pub trait WaitTask: FileDescriptorTask {
    /// Blocks until a change, and returns it. It makes exactly one system call.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// `ECHILD`: there is no such child, it was reaped, or `SIGCHLD` is ignored and the last such child has ended.
    /// `EINTR`: a signal handler ran. `EINVAL`: `changes` is empty, or a pidfd or group 0 before Linux 5.4. `EBADF`,
    /// without a call: the pidfd is in another table. `EAGAIN`: the pidfd is nonblocking and its process has not ended.
    /// `EIO`: the kernel reported an unknown change.
    ///
    /// # Source
    ///
    /// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html).
    #[doc(alias = "waitpid", alias = "wait4")]
    fn waitid(self, children: Children<'_, Self>, changes: Changes) -> Result<Waited, Self::Error>;

    /// Returns a change that has occurred, or `None` if there is none. It never blocks.
    ///
    /// An init reaps in a loop until `None` or `ECHILD`: several children that end can cause a single `SIGCHLD`.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// Those of [`waitid`](Self::waitid), except `EINTR` and `EAGAIN`.
    fn try_wait(self, children: Children<'_, Self>, changes: Changes) -> Result<Option<Waited>, Self::Error>;

    /// Blocks until a change, and returns it. Signal handlers do not end the wait.
    ///
    /// [`PidFd::wait_timeout`] waits with a timeout.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// Those of [`waitid`](Self::waitid), except `EINTR`.
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
        // Without `WNOHANG` there is always a change.
        waitid_once(self, children, changes.bits())?.ok_or(Errno::EIO.into())
    }

    #[inline]
    fn try_wait(self, children: Children<'_, Self>, changes: Changes) -> Result<Option<Waited>, T::Error> {
        match waitid_once(self, children, changes.bits() | near::WNOHANG) {
            Err(error) if error.errno() == Some(Errno::EAGAIN) => Ok(None),
            result => result,
        }
    }
}

/// Makes one `waitid`.
fn waitid_once<T: FileDescriptorTask>(
    task: T,
    children: Children<'_, T>,
    options: u32,
) -> Result<Option<Waited>, T::Error> {
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

/// Waits until a child of this process has ended, and reaps it unless the options include `WNOWAIT`. Returns `None`
/// with `WNOHANG` if it has not ended.
#[inline]
pub(crate) fn wait_end(kind: WaitId, id: i32, options: u32) -> Result<Option<ExitStatus>, Errno> {
    let change = near::waitid(&Local, kind, id, options | near::WEXITED)?.and_then(Change::new);
    Ok(change.and_then(|change| match change {
        Change::Ended(status) => Some(status),
        Change::Stopped(_) | Change::Continued => None,
    }))
}

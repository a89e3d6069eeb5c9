//! `#include <sys/pidfd.h>`: a file descriptor that refers to one process, whatever becomes of its pid.
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::PIDFD`](crate::nr::used_by::PIDFD).

use super::signal::{Signal, SignalTask, Target};
use super::wait::{Change, Changes, Children, ExitStatus, WaitTask};
use crate::Errno;
use crate::deadline::keep;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor, Process};
use crate::sys::kind::kind;
use crate::sys::ready;
use crate::sysif::SyscallError;
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::time::Duration;
use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};

/// Makes pidfds. Every task does.
pub trait PidfdTask: FileDescriptorTask {
    /// Makes a file descriptor in the task's table for a process, closed by `execve`.
    ///
    /// The pid of a process that is not an unreaped child of the task can be another process's by the time of the call.
    ///
    /// System calls: `pidfd_open`.
    ///
    /// ```
    /// use rsyscall::sys::pidfd::PidfdTask;
    /// use rsyscall::{Current, Errno, near::Process};
    ///
    /// assert_eq!(Current.pidfd_open(Process(0)).unwrap_err(), Errno::EINVAL);
    /// ```
    ///
    /// # Errors
    ///
    /// `ESRCH`: there is no such process. `EINVAL`: not above 0, or a thread that does not lead its process. `EMFILE`,
    /// `ENFILE`, `ENODEV`, `ENOMEM`. `ENOSYS`: Linux before 5.3.
    ///
    /// # Source
    ///
    /// [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
    fn pidfd_open(self, process: Process) -> Result<PidFd<Self>, Self::Error>;
}

impl<T: FileDescriptorTask> PidfdTask for T {
    #[inline]
    fn pidfd_open(self, process: Process) -> Result<PidFd<T>, T::Error> {
        let fd = near::pidfd_open(self.sysif(), process)?;
        // SAFETY: the kernel just made it, and nothing can fail between.
        Ok(PidFd { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// A file descriptor for a process.
///
/// It is readable in a poll once the process has ended, and hung up (`HUP`) besides once it was reaped (Linux 6.9). To
/// be readable says nothing of the exit status, and reaps nothing: [`peek`](Self::peek) and
/// [`try_wait`](Self::try_wait) do, for children.
///
/// ```
/// use rsyscall::sys::pidfd::PidfdTask;
/// use rsyscall::sys::wait::ExitStatus;
/// use rsyscall::{Current, near::Process};
///
/// let child = std::process::Command::new("false").spawn().unwrap();
/// let pidfd = Current.pidfd_open(Process(child.id() as i32))?;
/// assert_eq!(pidfd.wait()?, ExitStatus::Exited(1));
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Source
///
/// [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
pub struct PidFd<T: FileDescriptorTask = Current> {
    fd: OwnedFd<T>,
}

assert_eq_size!(PidFd, Option<PidFd>, i32);
assert_impl_all!(PidFd: Send, Sync);
assert_not_impl_any!(PidFd: Copy, Clone);

impl<T: FileDescriptorTask> PidFd<T> {
    /// Sends the process a signal. To a zombie it succeeds, and does nothing.
    ///
    /// System calls: `pidfd_send_signal`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: it was reaped. `EPERM`: not allowed. `EINVAL`: the process is not in the caller's pid namespace or one
    /// below. `EBADF`: the file descriptor is not a pidfd. `ENOSYS`: Linux before 5.1.
    ///
    /// # Source
    ///
    /// [pidfd_send_signal(2)](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html).
    #[inline]
    #[doc(alias = "pidfd_send_signal")]
    pub fn send_signal(&self, signal: Signal) -> Result<(), T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts; a signal breaks no memory, as in
        // `SignalTask::send_signal`.
        unsafe { near::pidfd_send_signal(self.fd.sysif(), self.fd.near(), signal.raw()) }
    }

    /// Sends a signal to the process group that the process leads, whose number is `leader`. It never reaches another
    /// group that has got the number.
    ///
    /// From Linux 6.9 the group is reached through the file descriptor, also after its leader was reaped. Before, it is
    /// reached by its number, and only while the leader was not reaped, so that the number is still its own: that holds
    /// only where one party reaps it, the caller, and not while this function runs.
    ///
    /// System calls: `pidfd_send_signal`; before Linux 6.9 also `waitid`, `kill`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: the group is empty; before Linux 6.9 also: its leader was reaped, or is not a child. `EINVAL`, and no
    /// call is made: `leader` is below 2. `EPERM`: not allowed for any of them. `EINVAL`: Linux before 5.4.
    ///
    /// # Source
    ///
    /// [pidfd_send_signal(2)](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html); `kernel/signal.c`.
    #[inline]
    #[doc(alias = "killpg", alias = "PIDFD_SIGNAL_PROCESS_GROUP")]
    pub fn send_signal_to_group(&self, leader: Process, signal: Signal) -> Result<(), T::Error> {
        if leader.0 < 2 {
            return Err(Errno::EINVAL.into());
        }
        // SAFETY: owned, so open, for as long as the borrow lasts; a signal breaks no memory, as in
        // `SignalTask::send_signal`.
        match unsafe { near::pidfd_send_signal_to_group(self.fd.sysif(), self.fd.near(), signal.raw()) } {
            Err(error) if error.errno() == Some(Errno::EINVAL) => self.send_signal_by_number(leader, signal),
            result => result,
        }
    }

    #[cold]
    fn send_signal_by_number(&self, leader: Process, signal: Signal) -> Result<(), T::Error> {
        match self.peek() {
            Ok(_) => self.task().send_signal(Target::Group(leader), signal),
            Err(error) if error.errno() == Some(Errno::ECHILD) => Err(Errno::ESRCH.into()),
            Err(error) => Err(error),
        }
    }

    /// Returns how the child ended without reaping it, or `None` if it has not: it never sleeps.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// `ECHILD`: it is not a child of the task's process, or it was reaped. `EINVAL`: Linux before 5.4. `EBADF`: the
    /// file descriptor is not a pidfd.
    ///
    /// # Source
    ///
    /// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html), `P_PIDFD`, `WNOWAIT`.
    #[inline]
    pub fn peek(&self) -> Result<Option<ExitStatus>, T::Error> {
        self.look(Changes::ENDED | Changes::PEEK)
    }

    /// Reaps the child if it has ended, and returns how; `None` if it has not: it never sleeps.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// Those of [`peek`](Self::peek).
    #[inline]
    pub fn try_wait(&self) -> Result<Option<ExitStatus>, T::Error> {
        self.look(Changes::ENDED)
    }

    #[inline]
    fn look(&self, changes: Changes) -> Result<Option<ExitStatus>, T::Error> {
        Ok(self.task().try_wait(Children::PidFd(self), changes)?.and_then(|waited| match waited.change {
            Change::Ended(status) => Some(status),
            Change::Stopped(_) | Change::Continued => None,
        }))
    }

    /// Waits for the end of the child, however many signal handlers run, and reaps it.
    ///
    /// System calls: `waitid`; if it has not ended also `ppoll`, or `pselect6` where that is refused.
    ///
    /// # Errors
    ///
    /// Those of [`peek`](Self::peek). `EINVAL` and others: `ppoll` and `pselect6` are refused, as for
    /// [`EventFd::wait`](crate::EventFd::wait).
    #[inline]
    pub fn wait(&self) -> Result<ExitStatus, T::Error> {
        loop {
            if let Some(status) = self.try_wait()? {
                return Ok(status);
            }
            ready::sleep(&self.fd, None)?;
        }
    }

    /// Waits for the end of the child for at most `timeout`, and reaps it; `None` if the timeout expires. The deadline
    /// is kept on `CLOCK_MONOTONIC`, across signal handlers.
    ///
    /// System calls: `waitid`; if it has not ended also `clock_gettime` and `ppoll`, or `pselect6` where that is
    /// refused.
    ///
    /// # Errors
    ///
    /// Those of [`peek`](Self::peek). `EINVAL` and others: `ppoll` and `pselect6` are refused, as for
    /// [`EventFd::wait`](crate::EventFd::wait).
    #[inline]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<ExitStatus>, T::Error> {
        let status = self.try_wait()?;
        if status.is_some() || timeout.is_zero() {
            return Ok(status);
        }
        keep(self.fd.sysif(), timeout, |left| ready::attempt(&self.fd, left, || self.try_wait()))
    }

    /// Duplicates a file descriptor of the process; the duplicate is in the task's table, and closed by `execve`.
    ///
    /// System calls: `pidfd_getfd`.
    ///
    /// ```
    /// use rsyscall::sys::pidfd::PidfdTask;
    /// use rsyscall::{Current, EventFd, EventfdFlags, near::Process};
    ///
    /// let bell = EventFd::new(3, EventfdFlags::empty())?;
    /// let me = Current.pidfd_open(Process(std::process::id() as i32))?;
    /// // SAFETY: an eventfd of our own, of which there may be duplicates.
    /// let again = EventFd::from(unsafe { me.getfd(bell.near()) }?);
    /// assert_eq!(again.read()?, 3);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EPERM`: the caller may not trace the process. `EBADF`: not open there. `ESRCH`: the process has ended.
    /// `EMFILE`. `ENOSYS`: Linux before 5.6.
    ///
    /// # Safety
    ///
    /// Whoever owns the file descriptor there allows a duplicate of it here. A process that may be traced includes this
    /// one: of the stream of a [`Connection`](crate::remote::Connection) a duplicate is a second client, and makes any
    /// call in the other process.
    ///
    /// # Source
    ///
    /// [pidfd_getfd(2)](https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html).
    #[inline]
    #[doc(alias = "pidfd_getfd")]
    pub unsafe fn getfd(&self, fd: FileDescriptor) -> Result<OwnedFd<T>, T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        let fd = unsafe { near::pidfd_getfd(self.fd.sysif(), self.fd.near(), fd) }?;
        // SAFETY: the kernel just made it, and nothing can fail between.
        Ok(unsafe { OwnedFd::adopt(self.task(), fd) })
    }
}

kind! {
    PidFd,
    kind: "a pidfd",
    uses: "rsyscall::{near::Process, sys::pidfd::{PidFd, PidfdTask}}",
    new: "rsyscall::Current.pidfd_open(Process(std::process::id() as i32))?",
    wrong: "the calls of another kind fail with `EBADF`.",
    end: "The process is not affected."
}

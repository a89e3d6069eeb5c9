//! `#include <sys/pidfd.h>`: for supervisors: a file descriptor that refers to one process, even if its pid is reused.
//!
//! ```
//! use core::time::Duration;
//! use rsyscall::sys::pidfd::PidfdTask;
//! use rsyscall::sys::signal::Signal;
//! use rsyscall::{Current, near::Process};
//!
//! let child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
//! let pidfd = Current.pidfd_open(Process(child.id() as i32))?;
//! assert_eq!(pidfd.wait_timeout(Duration::from_millis(1))?, None);
//! pidfd.send_signal(Signal::TERM)?;
//! assert_eq!(pidfd.wait()?.signal(), Some(Signal::TERM));
//! # Ok::<(), rsyscall::Errno>(())
//! ```
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

/// Creates pidfds. It is implemented for all tasks.
pub trait PidfdTask: FileDescriptorTask {
    /// Creates a file descriptor for a process in the task's table, which `execve` closes.
    ///
    /// The pid may be reused before the call, unless it is that of a child of the task that was not reaped.
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
    /// `ESRCH`: there is no such process. `EINVAL`: the pid is below 1, or that of a thread that is not the leader of
    /// its process. `EMFILE`, `ENFILE`: the per-process or system-wide limit of file descriptors is reached. `ENODEV`:
    /// the kernel cannot mount its file system of anonymous inodes. `ENOMEM`. `ENOSYS`: Linux before 5.3.
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
        // SAFETY: the kernel just created it for us, and nothing can fail in between.
        Ok(PidFd { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// A file descriptor that refers to a process.
///
/// A poll reports it as readable when the process has ended, and also as hung up (`HUP`) when it was reaped (Linux
/// 6.9). The poll neither returns the exit status nor reaps the process; for children, [`peek`](Self::peek) and
/// [`try_wait`](Self::try_wait) do.
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
    /// Sends a signal to the process. For a zombie it succeeds without an effect.
    ///
    /// System calls: `pidfd_send_signal`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: the process was reaped. `EPERM`: no permission. `EINVAL`: the process is not in the caller's pid
    /// namespace or a descendant of it. `EBADF`: the file descriptor is not a pidfd. `ENOSYS`: Linux before 5.1.
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

    /// Sends a signal to the process group that the process leads; `leader` is its pid. It never reaches another group
    /// that reuses the ID.
    ///
    /// From Linux 6.9 the file descriptor identifies the group, also after its leader was reaped. Before, the group is
    /// identified by its ID, and only if the leader was not reaped, so that the ID was not reused. That is reliable
    /// only if the caller alone reaps the leader, and not while this function runs.
    ///
    /// System calls: `pidfd_send_signal`; before Linux 6.9 also `waitid`, `kill`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: the group is empty; before Linux 6.9 also: its leader was reaped, or is not a child. `EINVAL`, without
    /// a call: `leader` is below 2. `EPERM`: no permission for any of them. `EINVAL`: Linux before 5.4.
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
            Err(error) if error.errno() == Some(Errno::EINVAL) => self.send_signal_by_id(leader, signal),
            result => result,
        }
    }

    #[cold]
    fn send_signal_by_id(&self, leader: Process, signal: Signal) -> Result<(), T::Error> {
        match self.peek() {
            Ok(_) => self.task().send_signal(Target::Group(leader), signal),
            Err(error) if error.errno() == Some(Errno::ECHILD) => Err(Errno::ESRCH.into()),
            Err(error) => Err(error),
        }
    }

    /// Returns the exit status of the child without reaping it, or `None` if it has not ended. It never blocks.
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
        self.ended(Changes::ENDED | Changes::PEEK)
    }

    /// Reaps the child and returns its exit status, or `None` if it has not ended. It never blocks.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// Those of [`peek`](Self::peek).
    #[inline]
    pub fn try_wait(&self) -> Result<Option<ExitStatus>, T::Error> {
        self.ended(Changes::ENDED)
    }

    #[inline]
    fn ended(&self, changes: Changes) -> Result<Option<ExitStatus>, T::Error> {
        Ok(self.task().try_wait(Children::PidFd(self), changes)?.and_then(|waited| match waited.change {
            Change::Ended(status) => Some(status),
            Change::Stopped(_) | Change::Continued => None,
        }))
    }

    /// Blocks until the child has ended, reaps it and returns its exit status. Signal handlers do not end the wait.
    ///
    /// System calls: `waitid`; if the child has not ended also `ppoll`, or `pselect6` if that is refused.
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

    /// Blocks until the child has ended, reaps it and returns its exit status, or returns `None` when the timeout
    /// expires. The timeout is measured on `CLOCK_MONOTONIC`, across signal handlers.
    ///
    /// System calls: `waitid`; if the child has not ended also `clock_gettime` and `ppoll`, or `pselect6` if that is
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

    /// Duplicates a file descriptor of the process. The duplicate is in the task's table, and `execve` closes it.
    ///
    /// System calls: `pidfd_getfd`.
    ///
    /// ```
    /// use rsyscall::sys::pidfd::PidfdTask;
    /// use rsyscall::{Current, EventFd, EventfdFlags, near::Process};
    ///
    /// let bell = EventFd::new(3, EventfdFlags::empty())?;
    /// let me = Current.pidfd_open(Process(std::process::id() as i32))?;
    /// // SAFETY: an eventfd of this process, which may have duplicates.
    /// let again = EventFd::from(unsafe { me.getfd(bell.near()) }?);
    /// assert_eq!(again.read()?, 3);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EPERM`: the caller may not trace the process. `EBADF`: `fd` is not open there. `ESRCH`: the process has ended.
    /// `EMFILE`: the per-process limit of file descriptors is reached. `ENOSYS`: Linux before 5.6.
    ///
    /// # Safety
    ///
    /// The owner of the file descriptor there allows a duplicate of it here. That matters even if the process is this
    /// one: a duplicate of the stream of a [`Connection`](crate::remote::Connection) is a second client, which can make
    /// any call in the other process.
    ///
    /// # Source
    ///
    /// [pidfd_getfd(2)](https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html).
    #[inline]
    #[doc(alias = "pidfd_getfd")]
    pub unsafe fn getfd(&self, fd: FileDescriptor) -> Result<OwnedFd<T>, T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        let fd = unsafe { near::pidfd_getfd(self.fd.sysif(), self.fd.near(), fd) }?;
        // SAFETY: the kernel just created it for us, and nothing can fail in between.
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

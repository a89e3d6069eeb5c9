//! A process that was forked here: signals to it, and its end.

use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor, PollFd, Process, SIGKILL, SIGURG, WALL, WNOHANG, WNOWAIT, WaitId};
use crate::sys::wait::{ExitStatus, wait_end};
use crate::sysif::Local;

/// A child of this process.
///
/// Dropped, it is killed and waited for, so that nothing of it is left. [`wait`](Self::wait) blocks until it ends by
/// itself: it does when the [`Connection`](super::Connection) to it is dropped.
///
/// # Other waits of the process
///
/// A child that only serves ends without `SIGCHLD`: a `waitpid(-1)` elsewhere in this process does not find it (one
/// with `__WALL` or `__WCLONE` does; and any, where clone knows one way to fork, as in qemu-user). Once it has executed
/// a program it is a child like any other, for `execve` makes its exit signal `SIGCHLD`: a `waitpid(-1)` may reap it
/// first. Then [`wait`](Self::wait) fails with `ECHILD`, and the pid can be another process's.
///
/// Signals and waits go by pidfd, which never means another process. Where there is none (before Linux 5.2) they go by
/// pid: a signal is sent only if the child is seen to be there just before, and a drop kills it only while no ordinary
/// wait can have freed its pid. An executed program is then left alone.
///
/// # A child that may not be signalled
///
/// Once it has executed a set-user-ID program or changed its user, signals may fail with `EPERM`. A drop then does not
/// block: the child is left alone, and reaped only if it has ended already.
#[derive(Debug)]
pub struct Child {
    process: Process,
    pidfd: Option<OwnedFd>,
    status: Option<ExitStatus>,
}

impl Child {
    #[inline]
    pub(super) const fn new(process: Process, pidfd: Option<OwnedFd>) -> Self {
        Self { process, pidfd, status: None }
    }

    /// The child's pid, which stays its own until it is waited for.
    #[inline]
    pub fn process(&self) -> Process {
        self.process
    }

    /// The child's pidfd, readable in a poll once it has ended. `None` before Linux 5.2.
    #[inline]
    pub fn pidfd(&self) -> Option<&OwnedFd> {
        self.pidfd.as_ref()
    }

    /// Sends it a signal.
    ///
    /// System calls: `pidfd_send_signal`; without a pidfd `waitid`, `kill`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: it was waited for. `EINVAL`: no such signal. `EPERM`: it has executed a set-user-ID program, or changed
    /// its user.
    #[inline]
    pub fn signal(&self, signal: u32) -> Result<(), Errno> {
        if self.status.is_some() {
            return Err(Errno::ESRCH);
        }
        match &self.pidfd {
            // SAFETY: it is ours, and so is the child.
            Some(pidfd) => unsafe { near::pidfd_send_signal(&Local, pidfd.near(), signal) },
            None => {
                self.look(WALL | WNOHANG | WNOWAIT).map_err(|_| Errno::ESRCH)?;
                // SAFETY: it is our child and was just seen to be there, dead or alive.
                unsafe { near::kill(&Local, self.process, signal) }
            }
        }
    }

    /// Interrupts the call that it is making: if that call sleeps, it fails with `EINTR`.
    ///
    /// A call that has not begun to sleep yet does not notice: interrupt again until it has returned. The signal is
    /// `SIGURG`, which does nothing to a child that meanwhile executes another program.
    ///
    /// System calls: those of [`signal`](Self::signal).
    ///
    /// # Errors
    ///
    /// Those of [`signal`](Self::signal).
    #[inline]
    pub fn interrupt(&self) -> Result<(), Errno> {
        self.signal(SIGURG)
    }

    /// Kills it, without waiting for its end.
    ///
    /// System calls: those of [`signal`](Self::signal).
    ///
    /// # Errors
    ///
    /// Those of [`signal`](Self::signal).
    #[inline]
    pub fn kill(&self) -> Result<(), Errno> {
        self.signal(SIGKILL)
    }

    /// Blocks until it ends, and reaps it: afterwards nothing of it is left.
    ///
    /// System calls: `waitid`; `ppoll` if the pidfd was made nonblocking; `pidfd_send_signal` before Linux 5.4.
    ///
    /// # Errors
    ///
    /// `ECHILD`: it was reaped elsewhere in this process, or by the kernel because `SIGCHLD` is ignored.
    #[inline]
    pub fn wait(&mut self) -> Result<ExitStatus, Errno> {
        loop {
            match self.reap(0) {
                Ok(Some(status)) => return Ok(status),
                Err(Errno::EAGAIN) => self.poll()?,
                Ok(None) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Returns how it ended, or `None` if it has not. If it has, it is reaped.
    ///
    /// System calls: `waitid`; `pidfd_send_signal` before Linux 5.4.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    #[inline]
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Errno> {
        match self.reap(WNOHANG) {
            Err(Errno::EAGAIN) => Ok(None),
            ended => ended,
        }
    }

    #[inline]
    fn reap(&mut self, options: u32) -> Result<Option<ExitStatus>, Errno> {
        if self.status.is_none() {
            self.status = self.look(WALL | options)?;
        }
        Ok(self.status)
    }

    #[inline]
    fn look(&self, options: u32) -> Result<Option<ExitStatus>, Errno> {
        wait_exit(self.pidfd.as_ref().map(OwnedFd::near), self.process, options)
    }

    /// Blocks until it has ended. A nonblocking pidfd makes `waitid` fail instead.
    #[cold]
    #[inline]
    fn poll(&self) -> Result<(), Errno> {
        let Some(pidfd) = &self.pidfd else { return Ok(()) };
        match near::ppoll(&Local, &mut [PollFd { fd: pidfd.near(), events: PollFd::IN, revents: 0 }], None, None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

impl Drop for Child {
    #[inline]
    fn drop(&mut self) {
        if self.status.is_some() {
            return;
        }
        // Without a pidfd the pid may be another process's as soon as an ordinary wait finds the child.
        let may_kill = self.pidfd.is_some() || sends_sigchld(None, self.process, 0) == Some(false);
        if may_kill && self.kill().is_ok() {
            // Killed, it ends: this does not block for long. Ignored: there is no one to be told.
            let _ignored = self.wait();
        } else {
            // What may not be killed may not end either.
            let _ignored = self.try_wait();
        }
    }
}

/// Waits for the end of a child, as [`wait_end`] does: by pidfd if there is one.
#[inline]
fn wait_exit(pidfd: Option<FileDescriptor>, process: Process, options: u32) -> Result<Option<ExitStatus>, Errno> {
    let by_pid = || wait_end(WaitId::Pid, process.0, options);
    let Some(pidfd) = pidfd else { return by_pid() };
    match wait_end(WaitId::PidFd, pidfd.0, options) {
        // Before Linux 5.4. The pid is its own for as long as it was not reaped.
        // SAFETY: the pidfd is open, and signal 0 is none.
        Err(Errno::EINVAL) => match unsafe { near::pidfd_send_signal(&Local, pidfd, 0) } {
            Err(Errno::ESRCH) => Err(Errno::ECHILD),
            _ => by_pid(),
        },
        ended => ended,
    }
}

/// Returns whether the end of a child is told by `SIGCHLD`. For one that was made without a signal that is whether it
/// has executed a program: `execve` makes it `SIGCHLD` as soon as it can no longer fail. `None` if the child was
/// reaped.
///
/// # Source
///
/// `de_thread` in `fs/exec.c`; `eligible_child` in `kernel/exit.c`.
#[inline]
pub(super) fn sends_sigchld(pidfd: Option<FileDescriptor>, process: Process, options: u32) -> Option<bool> {
    let look = |more| wait_exit(pidfd, process, WNOHANG | WNOWAIT | options | more);
    match look(0) {
        Ok(_) => Some(true),
        Err(Errno::ECHILD) => look(WALL).is_ok().then_some(false),
        Err(_) => None,
    }
}

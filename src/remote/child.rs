//! A process that we made: signals to it, and its end.

use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, Process, SIGKILL, SIGURG};
use crate::sys::wait::{ExitStatus, reap};
use crate::sysif::Local;
use crate::task::Current;

/// A child of this process, which nobody else waits for.
///
/// Dropped, it is killed and waited for, so that nothing of it is left. [`wait`](Self::wait) waits for it to end by itself:
/// it does when the [`Connection`](super::Connection) to it is dropped.
///
/// Where the kernel can, the child ends without `SIGCHLD`, and is not seen by a `waitpid(-1)` elsewhere in this process.
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

    /// The child's number, which stays its own until it is waited for.
    #[inline]
    pub fn process(&self) -> Process {
        self.process
    }

    /// A descriptor for the child that is readable in a poll once it has ended. `None` before Linux 5.2 and under qemu-user.
    #[inline]
    pub fn pidfd(&self) -> Option<&OwnedFd> {
        self.pidfd.as_ref()
    }

    /// Sends it a signal.
    ///
    /// System calls: `pidfd_send_signal` or `kill`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: it was waited for. `EINVAL`: no such signal. `EPERM`: it has changed its user.
    #[inline]
    pub fn signal(&self, signal: u32) -> Result<(), Errno> {
        if self.status.is_some() {
            return Err(Errno::ESRCH);
        }
        match &self.pidfd {
            // SAFETY: it is ours, and so is the child.
            Some(pidfd) => unsafe { near::pidfd_send_signal(&Local, pidfd.near(), signal) },
            // SAFETY: it is our child and was not waited for, so the number is its own.
            None => unsafe { near::kill(&Local, self.process, signal) },
        }
    }

    /// Interrupts the call that it is making: if that call sleeps, it answers `EINTR`.
    ///
    /// A call that has not begun to sleep yet does not notice: ask again until it has answered. The signal is `SIGURG`, which
    /// does nothing to a child that meanwhile executes another program.
    ///
    /// System calls: `pidfd_send_signal` or `kill`.
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
    /// System calls: `pidfd_send_signal` or `kill`.
    ///
    /// # Errors
    ///
    /// Those of [`signal`](Self::signal).
    #[inline]
    pub fn kill(&self) -> Result<(), Errno> {
        self.signal(SIGKILL)
    }

    /// Waits for its end; afterwards nothing of it is left.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// `ECHILD`: something else in this process waited for it, or it was adopted from another.
    #[inline]
    pub fn wait(&mut self) -> Result<ExitStatus, Errno> {
        loop {
            match self.reap(true) {
                Ok(Some(status)) => return Ok(status),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Whether it has ended, and how: `None` if it has not.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    #[inline]
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Errno> {
        self.reap(false)
    }

    #[inline]
    fn reap(&mut self, block: bool) -> Result<Option<ExitStatus>, Errno> {
        if self.status.is_none() {
            // By number: it is ours until this very call, and kernels before 5.4 do not take a pidfd here.
            self.status = reap(Current, self.process, block)?;
        }
        Ok(self.status)
    }
}

impl Drop for Child {
    #[inline]
    fn drop(&mut self) {
        if self.status.is_none() && self.kill().is_ok() {
            // Killed, it ends: this does not wait for long. Ignored: nobody is left to be told.
            let _ignored = self.wait();
        }
    }
}

//! A child process: signals, and waiting for its end.

use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor, Process, SIGKILL, SIGURG, WALL, WNOHANG, WNOWAIT, WaitId};
use crate::sys::ready;
use crate::sys::wait::{ExitStatus, wait_end};
use crate::sysif::Local;

/// A child of this process.
///
/// Dropping it kills and reaps the child. [`wait`](Self::wait) blocks until the child ends by itself, as it does when
/// the [`Connection`](super::Connection) to it is dropped.
///
/// # Other waits of the process
///
/// A child that only serves has no exit signal: a `waitpid(-1)` elsewhere in this process does not reap it. (A wait
/// with `__WALL` or `__WCLONE` does, and in qemu-user, whose `clone` supports only `SIGCHLD`, any wait does.) Once the
/// child has executed a program it is an ordinary child, because `execve` sets its exit signal to `SIGCHLD`: a
/// `waitpid(-1)` may reap it first. Then [`wait`](Self::wait) fails with `ECHILD`, and the pid can be reused.
///
/// Signals and waits use a pidfd, which never refers to another process. Without a pidfd (before Linux 5.2) they use
/// the pid: a signal is sent only if the child exists just before, and a drop kills it only while no ordinary wait can
/// have freed its pid. An executed program is then neither killed nor waited for.
///
/// # A child that may not be signalled
///
/// Once it has executed a set-user-ID program or changed its user, signals may fail with `EPERM`. A drop then does not
/// block: the child continues to run, and is reaped only if it has ended already.
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

    /// Returns the child's pid, which is not reused until the child is reaped.
    #[inline]
    pub fn process(&self) -> Process {
        self.process
    }

    /// Returns the child's pidfd, readable in a poll once the child has ended. `None` before Linux 5.2.
    #[inline]
    pub fn pidfd(&self) -> Option<&OwnedFd> {
        self.pidfd.as_ref()
    }

    /// Sends a signal to the child.
    ///
    /// System calls: `pidfd_send_signal`; without a pidfd `waitid`, `kill`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: it was reaped. `EINVAL`: there is no such signal. `EPERM`: it has executed a set-user-ID program, or
    /// changed its user.
    #[inline]
    pub fn signal(&self, signal: u32) -> Result<(), Errno> {
        if self.status.is_some() {
            return Err(Errno::ESRCH);
        }
        match &self.pidfd {
            // SAFETY: it is ours, and so is the child.
            Some(pidfd) => unsafe { near::pidfd_send_signal(&Local, pidfd.near(), signal) },
            None => {
                self.wait_with(WALL | WNOHANG | WNOWAIT).map_err(|_| Errno::ESRCH)?;
                // SAFETY: it is our child and existed just before, as a process or as a zombie.
                unsafe { near::kill(&Local, self.process, signal) }
            }
        }
    }

    /// Interrupts the call that the child is executing: if that call is blocked, it fails with `EINTR`.
    ///
    /// A call that has not blocked yet is not interrupted: repeat this until the call has returned. The signal is
    /// `SIGURG`, which is ignored by default if the child has executed a program meanwhile.
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

    /// Kills the child, without waiting for its end.
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

    /// Blocks until the child ends, and reaps it.
    ///
    /// System calls: `waitid`; `ppoll`, or `pselect6` where that is refused, if the pidfd was made nonblocking;
    /// `pidfd_send_signal` before Linux 5.4.
    ///
    /// # Errors
    ///
    /// `ECHILD`: it was reaped elsewhere in this process, or by the kernel because `SIGCHLD` is ignored. If the pidfd
    /// was made nonblocking, `EINVAL` and others: `ppoll` and `pselect6` are refused, as for
    /// [`EventFd::wait`](crate::EventFd::wait).
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

    /// Returns the exit status if the child has ended, and reaps it; `None` if it has not ended.
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
            self.status = self.wait_with(WALL | options)?;
        }
        Ok(self.status)
    }

    #[inline]
    fn wait_with(&self, options: u32) -> Result<Option<ExitStatus>, Errno> {
        wait_exit(self.pidfd.as_ref().map(OwnedFd::near), self.process, options)
    }

    /// Blocks until the child has ended, by `ppoll`: with a nonblocking pidfd `waitid` fails with `EAGAIN`.
    #[cold]
    #[inline]
    fn poll(&self) -> Result<(), Errno> {
        self.pidfd.as_ref().map_or(Ok(()), |pidfd| ready::sleep(pidfd, None).map(drop))
    }
}

impl Drop for Child {
    #[inline]
    fn drop(&mut self) {
        if self.status.is_some() {
            return;
        }
        // Without a pidfd the pid may be reused as soon as an ordinary wait can reap the child.
        let may_kill = self.pidfd.is_some() || sends_sigchld(None, self.process, 0) == Some(false);
        if may_kill && self.kill().is_ok() {
            // Ignored: a drop cannot report an error. It does not block for long, as the child was killed.
            let _ignored = self.wait();
        } else {
            // Without blocking, as a child that was not killed may never end.
            let _ignored = self.try_wait();
        }
    }
}

/// Waits for the end of a child as [`wait_end`] does, by pidfd if there is one.
#[inline]
fn wait_exit(pidfd: Option<FileDescriptor>, process: Process, options: u32) -> Result<Option<ExitStatus>, Errno> {
    let by_pid = || wait_end(WaitId::Pid, process.0, options);
    let Some(pidfd) = pidfd else { return by_pid() };
    match wait_end(WaitId::PidFd, pidfd.0, options) {
        // Before Linux 5.4. The pid is not reused until the child is reaped.
        // SAFETY: the pidfd is open, and signal 0 is none.
        Err(Errno::EINVAL) => match unsafe { near::pidfd_send_signal(&Local, pidfd, 0) } {
            Err(Errno::ESRCH) => Err(Errno::ECHILD),
            _ => by_pid(),
        },
        ended => ended,
    }
}

/// Returns whether the exit signal of a child is `SIGCHLD`. For a child that was forked without one, this means that it
/// has executed a program: `execve` sets the exit signal to `SIGCHLD` once it can no longer fail. `None` if the child
/// was reaped.
///
/// # Source
///
/// `de_thread` in `fs/exec.c`; `eligible_child` in `kernel/exit.c`.
#[inline]
pub(super) fn sends_sigchld(pidfd: Option<FileDescriptor>, process: Process, options: u32) -> Option<bool> {
    let probe = |more| wait_exit(pidfd, process, WNOHANG | WNOWAIT | options | more);
    match probe(0) {
        Ok(_) => Some(true),
        Err(Errno::ECHILD) => probe(WALL).is_ok().then_some(false),
        Err(_) => None,
    }
}

//! A child process.

use crate::raw::{self, Kind};
use core::fmt;
use core::ops::{Deref, DerefMut};
use rsyscall::near::Process;
use rsyscall::sys::pidfd::PidFd;
use rsyscall::sys::signal::{Signal, SignalTask, Target};
use rsyscall::sys::wait::{Change, Changes, Children, ExitStatus, WaitTask};
use rsyscall::{Current, Errno};

/// A child of this process. Dropping it neither kills nor reaps it; [`kill_on_drop`](Self::kill_on_drop) does.
///
/// A loop that reaps all children, as in an init, waits with [`Changes::PEEK`] first, does what needs the child's pid,
/// and then reaps it.
#[derive(Debug)]
pub struct Child {
    process: Process,
    pidfd: Option<PidFd>,
}

impl Child {
    pub(crate) const fn new(process: Process, pidfd: Option<PidFd>) -> Self {
        Self { process, pidfd }
    }

    /// Returns the child's pid, which is not reused until the child is reaped.
    #[inline]
    pub const fn process(&self) -> Process {
        self.process
    }

    /// Returns the child's pidfd, readable in a poll once the child has ended. `None` before Linux 5.2, and where a
    /// policy or an emulator refuses it.
    #[inline]
    pub const fn pidfd(&self) -> Option<&PidFd> {
        self.pidfd.as_ref()
    }

    /// Sends a signal to the child. Without a pidfd the signal is sent by pid, after a check that the child was not
    /// reaped.
    ///
    /// System calls: `pidfd_send_signal`; without a pidfd `waitid`, `kill`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: the child was reaped. `EPERM`: it has changed its user.
    pub fn send_signal(&self, signal: Signal) -> Result<(), Errno> {
        self.send(false, signal)
    }

    /// Sends a signal to the process group that the child leads, if it was started with
    /// [`Step::NewGroup`](crate::Step::NewGroup) or [`Step::NewSession`](crate::Step::NewSession). It never reaches
    /// another group that reuses the ID.
    ///
    /// From Linux 6.9 on it works after the child was reaped, too. Before Linux 6.9 it then fails with `ESRCH`, because
    /// the ID may be reused, and no other thread may reap children while this function runs.
    ///
    /// System calls: `pidfd_send_signal`; before Linux 6.9 also `waitid`, `kill`.
    ///
    /// # Errors
    ///
    /// `ESRCH`: the group is empty, or its ID may have been reused. `EPERM`: no permission for any of its processes.
    pub fn send_signal_to_group(&self, signal: Signal) -> Result<(), Errno> {
        self.send(true, signal)
    }

    /// Sends by the pidfd, or by pid while the child is not reaped.
    fn send(&self, to_group: bool, signal: Signal) -> Result<(), Errno> {
        let mut found = Err(Errno::EINVAL);
        if let Some(pidfd) = &self.pidfd {
            match raw::pidfd_send_signal(pidfd.near(), signal.raw(), to_group) {
                // Linux 5.2 has no such call; before 6.9 it has no flag for a group.
                Err(Errno::ENOSYS | Errno::EINVAL) => {}
                sent => return sent,
            }
            found = raw::find_child(Kind::PidFd, pidfd.as_raw_fd());
        }
        // `P_PIDFD` needs Linux 5.4.
        if found == Err(Errno::EINVAL) {
            found = raw::find_child(Kind::Process, self.process.0);
        }
        match found {
            Ok(()) if to_group => Current.send_signal(Target::Group(self.process), signal),
            Ok(()) => Current.send_signal(Target::Process(self.process), signal),
            Err(Errno::ECHILD) => Err(Errno::ESRCH),
            Err(error) => Err(error),
        }
    }

    /// Returns the child's exit status without reaping it, or `None` if it has not ended. It never blocks.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// `ECHILD`: it was reaped.
    pub fn peek(&self) -> Result<Option<ExitStatus>, Errno> {
        self.look(Changes::ENDED | Changes::PEEK)
    }

    /// Reaps the child and returns its exit status, or `None` if it has not ended. It never blocks.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// `ECHILD`: it was reaped.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Errno> {
        self.look(Changes::ENDED)
    }

    fn look(&self, changes: Changes) -> Result<Option<ExitStatus>, Errno> {
        let waited = Current.try_wait(Children::Process(self.process), changes)?;
        Ok(waited.and_then(|waited| match waited.change {
            Change::Ended(status) => Some(status),
            Change::Stopped(_) | Change::Continued => None,
        }))
    }

    /// Blocks until the child ends, and reaps it. Signal handlers do not end the wait.
    ///
    /// System calls: `waitid`.
    ///
    /// # Errors
    ///
    /// `ECHILD`: it was reaped.
    pub fn wait(&mut self) -> Result<ExitStatus, Errno> {
        match Current.wait(Children::Process(self.process), Changes::ENDED)?.change {
            Change::Ended(status) => Ok(status),
            Change::Stopped(_) | Change::Continued => Err(Errno::EIO),
        }
    }

    /// Converts it into a child that is killed and reaped on drop.
    pub fn kill_on_drop(self) -> KillOnDrop {
        KillOnDrop(self)
    }
}

/// A child that is killed and reaped on drop.
#[must_use = "dropping it kills the child"]
pub struct KillOnDrop(Child);

impl Deref for KillOnDrop {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for KillOnDrop {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if self.0.send_signal(Signal::KILL).is_ok() {
            // Ignored: it may have been reaped elsewhere.
            let _ignored = self.0.wait();
        }
    }
}

impl fmt::Debug for KillOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KillOnDrop").field(&self.0.process).finish()
    }
}

//! Targets of signals.

use crate::Errno;
use crate::near::Process;

/// The target of [`SignalTask::send_signal`](super::SignalTask::send_signal).
///
/// # Source
///
/// [kill(2)](https://man7.org/linux/man-pages/man2/kill.2.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The process with this pid.
    Process(Process),
    /// The process group with this ID.
    Group(Process),
    /// All processes of the pid namespace to which the sender may send signals, except process 1 and the sender itself.
    /// For an unprivileged sender these are the processes of its user; for process 1 of a container, all processes of
    /// the container.
    All,
}

impl Target {
    /// Returns the first argument of `kill`. Its special values, 0, −1 and below, are not reachable by a pid.
    #[inline]
    pub(super) fn argument(self) -> Result<Process, Errno> {
        match self {
            Self::Process(process) if process.0 > 0 => Ok(process),
            Self::Group(Process(group)) if group > 1 => Ok(Process(group.wrapping_neg())),
            Self::All => Ok(Process(-1)),
            _ => Err(Errno::EINVAL),
        }
    }
}

//! What a signal is sent to.

use crate::Errno;
use crate::near::Process;

/// What [`SignalTask::send_signal`](super::SignalTask::send_signal) sends a signal to.
///
/// # Source
///
/// [kill(2)](https://man7.org/linux/man-pages/man2/kill.2.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The process of this pid.
    Process(Process),
    /// The processes of the group of this number.
    Group(Process),
    /// Every process of the pid namespace that the sender may signal, except process 1 and the sender itself. For
    /// anything but process 1 of a container that is every process of its user.
    Everyone,
}

impl Target {
    /// The first argument of `kill`. Its special numbers, 0, −1 and below, are reached only by the names above.
    #[inline]
    pub(super) fn argument(self) -> Result<Process, Errno> {
        match self {
            Self::Process(process) if process.0 > 0 => Ok(process),
            Self::Group(Process(group)) if group > 1 => Ok(Process(group.wrapping_neg())),
            Self::Everyone => Ok(Process(-1)),
            _ => Err(Errno::EINVAL),
        }
    }
}

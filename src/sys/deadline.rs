//! When a wait has to end, kept across signal handlers and lost races.

use crate::Errno;
use crate::near::{self, Timespec};
use crate::sysif::{SyscallError, SyscallInterface};
use core::time::Duration;

/// A moment on `CLOCK_MONOTONIC` of some process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Timespec);

impl Deadline {
    /// The moment that is this far from now; one beyond the end of all time is that end.
    #[inline]
    pub(crate) fn after<S: SyscallInterface>(sysif: &S, timeout: Duration) -> Result<Self, S::Error> {
        near::clock_monotonic(sysif).map(|now| Self(now.saturating_add(timeout.into())))
    }

    /// The moment itself.
    #[inline]
    pub(crate) fn moment(self) -> Timespec {
        self.0
    }

    /// What is left until then, or `None` if it is over.
    #[inline]
    pub(crate) fn left<S: SyscallInterface>(self, sysif: &S) -> Result<Option<Timespec>, S::Error> {
        near::clock_monotonic(sysif).map(|now| self.0.checked_sub(now))
    }
}

/// Waits for at most `timeout` with a call that is told the time left and answers how many are ready: repeated when a signal
/// handler ran, or when the call could not wait for all of the time at once. 0 is the end of the time.
#[inline]
pub(crate) fn wait_until_ready<S: SyscallInterface>(
    sysif: &S,
    timeout: Duration,
    mut wait: impl FnMut(Timespec) -> Result<usize, S::Error>,
) -> Result<usize, S::Error> {
    // Without a timeout there is nothing to keep, and the clock is not asked.
    let deadline = if timeout.is_zero() { None } else { Some(Deadline::after(sysif, timeout)?) };
    let mut left = Timespec::from(timeout);
    loop {
        let interrupted = match wait(left) {
            Ok(0) => false,
            Err(error) if error.errno() == Some(Errno::EINTR) => true,
            result => return result,
        };
        let more = match deadline {
            Some(deadline) => deadline.left(sysif)?,
            None => None,
        };
        match more {
            Some(more) => left = more,
            // After a signal handler there is one more look, however late it is: what became ready meanwhile is found.
            None if interrupted => left = Timespec::ZERO,
            None => return Ok(0),
        }
    }
}

//! When a wait has to end, kept across signal handlers and lost races.

use crate::near::{self, Timespec};
use crate::sysif::SyscallInterface;
use core::time::Duration;

/// A moment on `CLOCK_MONOTONIC` of some process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Timespec);

impl Deadline {
    /// The moment that is this far from now; one beyond the end of all time is that end.
    pub(crate) fn after<S: SyscallInterface>(sysif: &S, timeout: Duration) -> Result<Self, S::Error> {
        near::clock_monotonic(sysif).map(|now| Self(now.saturating_add(timeout.into())))
    }

    /// What is left until then, or `None` if it is over.
    pub(crate) fn left<S: SyscallInterface>(self, sysif: &S) -> Result<Option<Timespec>, S::Error> {
        near::clock_monotonic(sysif).map(|now| self.0.checked_sub(now))
    }
}

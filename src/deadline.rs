//! For several calls with a common time limit: deadlines on `CLOCK_MONOTONIC`, and the time that remains until then.
//!
//! ```
//! use core::time::Duration;
//! use rsyscall::Notifier;
//! use rsyscall::deadline::Deadline;
//! use rsyscall::sysif::Local;
//!
//! let (first, second) = (Notifier::new()?, Notifier::new()?);
//! let deadline = Deadline::after(&Local, Duration::from_millis(1))?;
//! assert!(!first.wait_until(deadline)?);
//! assert!(!second.wait_until(deadline)?); // returns at once
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! A wait with a timeout may have to be repeated, after a signal handler or if another reader is faster. Its
//! [`Deadline`] stays the same.

use crate::Errno;
use crate::near::{self, Timespec};
use crate::sysif::{SyscallError, SyscallInterface};
use core::time::Duration;

/// A point in time on `CLOCK_MONOTONIC`.
///
/// Methods such as `wait_until` take it; several calls can share one.
///
/// ```
/// use core::mem::MaybeUninit;
/// use core::time::Duration;
/// use rsyscall::deadline::Deadline;
/// use rsyscall::sys::epoll::Epoll;
/// use rsyscall::sysif::Local;
///
/// let epoll = Epoll::new()?;
/// let mut memory = [MaybeUninit::uninit(); 8];
/// let deadline = Deadline::after(&Local, Duration::from_millis(1))?;
/// assert!(epoll.wait_until(&mut memory, deadline)?.is_empty());
/// assert_eq!(deadline.remaining(&Local)?, None);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Source
///
/// [clock_gettime(2)](https://man7.org/linux/man-pages/man2/clock_gettime.2.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(Timespec);

impl Deadline {
    /// A deadline that has passed: a wait until then does not block.
    pub const PAST: Self = Self(Timespec::ZERO);

    /// Returns the deadline that is `timeout` from now, saturating at the maximum of `CLOCK_MONOTONIC`.
    ///
    /// System calls: `clock_gettime`.
    ///
    /// # Errors
    ///
    /// `EPERM` or others: a seccomp policy. [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    pub fn after<S: SyscallInterface>(sysif: &S, timeout: Duration) -> Result<Self, S::Error> {
        near::clock_monotonic(sysif).map(|now| Self(now.saturating_add(timeout.into())))
    }

    /// Returns the deadline at this time of `CLOCK_MONOTONIC`.
    ///
    /// ```
    /// use rsyscall::deadline::Deadline;
    /// use rsyscall::{near, sysif::Local};
    ///
    /// let now = near::clock_monotonic(&Local)?;
    /// assert_eq!(Deadline::at(now).remaining(&Local)?, None);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline]
    pub const fn at(time: Timespec) -> Self {
        Self(time)
    }

    /// Returns the time on `CLOCK_MONOTONIC`.
    #[inline]
    pub const fn time(self) -> Timespec {
        self.0
    }

    /// Returns the time that remains, or `None` if the deadline has passed.
    ///
    /// System calls: `clock_gettime`.
    ///
    /// # Errors
    ///
    /// `EPERM` or others: a seccomp policy. [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    pub fn remaining<S: SyscallInterface>(self, sysif: &S) -> Result<Option<Timespec>, S::Error> {
        near::clock_monotonic(sysif).map(|now| self.0.checked_sub(now))
    }

    /// Returns the deadline that is earlier by this many microseconds.
    #[inline]
    pub(crate) fn earlier(self, micros: u32) -> Self {
        let nanoseconds = i64::from(micros % 1_000_000).wrapping_mul(1000);
        let by = Timespec { seconds: i64::from(micros / 1_000_000), nanoseconds };
        Self(self.0.checked_sub(by).unwrap_or(Timespec::ZERO))
    }
}

/// The result of one attempt of a wait.
///
/// It is not nested in a `Result`: with a single tag the compiler keeps it in registers.
pub(crate) enum Step<R, E> {
    /// The wait succeeded.
    Ready(R),
    /// The kernel waited for all of the remaining time.
    Expired,
    /// There was no result, and time may remain: another reader was faster, or the call cannot wait that long.
    Again,
    /// A signal handler ran, which may have made something ready: another attempt is required even without remaining
    /// time.
    Interrupted,
    /// The wait failed.
    Failed(E),
}

impl<R, E: SyscallError> Step<R, E> {
    /// Converts the error of an attempt: `EINTR` is no failure.
    #[inline(always)]
    pub(crate) fn failed(error: E) -> Self {
        if error.errno() == Some(Errno::EINTR) { Self::Interrupted } else { Self::Failed(error) }
    }
}

/// Waits for at most `timeout` by repeated attempts, which get the remaining time. Returns `None` on timeout.
///
/// The clock is not read for a timeout of zero, nor after the last attempt. An interrupted attempt is repeated even
/// without remaining time, so that an event of the signal handler is found however late it is.
#[inline(always)]
pub(crate) fn keep<S: SyscallInterface, R>(
    sysif: &S,
    timeout: Duration,
    attempt: impl FnMut(Timespec) -> Step<R, S::Error>,
) -> Result<Option<R>, S::Error> {
    let deadline = if timeout.is_zero() { Deadline::PAST } else { Deadline::after(sysif, timeout)? };
    keep_on(sysif, deadline, timeout.into(), attempt)
}

/// Waits as [`keep`] does, until a deadline.
#[inline(always)]
pub(crate) fn keep_until<S: SyscallInterface, R>(
    sysif: &S,
    deadline: Deadline,
    attempt: impl FnMut(Timespec) -> Step<R, S::Error>,
) -> Result<Option<R>, S::Error> {
    let left = deadline.remaining(sysif)?.unwrap_or(Timespec::ZERO);
    keep_on(sysif, deadline, left, attempt)
}

/// Waits as [`keep`] does, with a given deadline, until which `left` remains.
#[inline(always)]
pub(crate) fn keep_on<S: SyscallInterface, R>(
    sysif: &S,
    deadline: Deadline,
    mut left: Timespec,
    mut attempt: impl FnMut(Timespec) -> Step<R, S::Error>,
) -> Result<Option<R>, S::Error> {
    loop {
        match attempt(left) {
            Step::Ready(result) => return Ok(Some(result)),
            Step::Expired => return Ok(None),
            Step::Failed(error) => return Err(error),
            Step::Interrupted if left == Timespec::ZERO => {}
            Step::Interrupted => left = deadline.remaining(sysif)?.unwrap_or(Timespec::ZERO),
            Step::Again => match deadline.remaining(sysif)? {
                Some(more) => left = more,
                None => return Ok(None),
            },
        }
    }
}

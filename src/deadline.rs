//! One way to wait: moments, and the time that is left until then.
//!
//! A wait with a timeout is interrupted by signal handlers and lost to other readers. What stays the same across all of
//! that is the moment at which it has to end: a [`Deadline`].

use crate::Errno;
use crate::near::{self, Timespec};
use crate::sysif::{SyscallError, SyscallInterface};
use core::time::Duration;

/// A moment on `CLOCK_MONOTONIC`.
///
/// It limits several calls together: each waits until the same moment, however long the others took.
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
    /// A moment that has passed: a wait until then only checks what is ready.
    pub const PAST: Self = Self(Timespec::ZERO);

    /// The moment that is `timeout` from now, or the last one that `CLOCK_MONOTONIC` can have.
    ///
    /// System calls: `clock_gettime`.
    ///
    /// # Errors
    ///
    /// None from a kernel without a seccomp policy; what the interface adds.
    #[inline]
    pub fn after<S: SyscallInterface>(sysif: &S, timeout: Duration) -> Result<Self, S::Error> {
        near::clock_monotonic(sysif).map(|now| Self(now.saturating_add(timeout.into())))
    }

    /// The moment at which `CLOCK_MONOTONIC` shows `time`.
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

    /// Returns what `CLOCK_MONOTONIC` shows at that moment.
    #[inline]
    pub const fn time(self) -> Timespec {
        self.0
    }

    /// Returns the time that is left until then, or `None` if there is none.
    ///
    /// System calls: `clock_gettime`.
    ///
    /// # Errors
    ///
    /// None from a kernel without a seccomp policy; what the interface adds.
    #[inline]
    pub fn remaining<S: SyscallInterface>(self, sysif: &S) -> Result<Option<Timespec>, S::Error> {
        near::clock_monotonic(sysif).map(|now| self.0.checked_sub(now))
    }
}

/// How one attempt of a wait ended.
///
/// Not a `Result` of it: with one tag for all of this the compiler keeps it in registers.
pub(crate) enum Step<R, E> {
    /// What was waited for is there.
    Ready(R),
    /// The kernel itself waited for all of the time that was left.
    Expired,
    /// There was nothing, and perhaps time is left: another reader was faster, or the call could not wait for all of
    /// it.
    Again,
    /// A signal handler ran, and what it made ready has yet to be looked for.
    Interrupted,
    /// The wait itself has failed.
    Failed(E),
}

impl<R, E: SyscallError> Step<R, E> {
    /// An attempt whose call has failed: `EINTR` is no failure.
    #[inline(always)]
    pub(crate) fn failed(error: E) -> Self {
        if error.errno() == Some(Errno::EINTR) { Self::Interrupted } else { Self::Failed(error) }
    }
}

/// Waits for at most `timeout` with a call that is told the time left, and is repeated while it says so. `None`: the
/// timeout expired.
///
/// The clock is read only between two attempts: not for a timeout of zero, and not after the last attempt. One that was
/// interrupted is repeated even with no time left: what became ready in the signal handler is found however late it is.
#[inline(always)]
pub(crate) fn keep<S: SyscallInterface, R>(
    sysif: &S,
    timeout: Duration,
    attempt: impl FnMut(Timespec) -> Step<R, S::Error>,
) -> Result<Option<R>, S::Error> {
    let deadline = if timeout.is_zero() { Deadline::PAST } else { Deadline::after(sysif, timeout)? };
    keep_on(sysif, deadline, timeout.into(), attempt)
}

/// As [`keep`], until a moment.
#[inline(always)]
pub(crate) fn keep_until<S: SyscallInterface, R>(
    sysif: &S,
    deadline: Deadline,
    attempt: impl FnMut(Timespec) -> Step<R, S::Error>,
) -> Result<Option<R>, S::Error> {
    let left = deadline.remaining(sysif)?.unwrap_or(Timespec::ZERO);
    keep_on(sysif, deadline, left, attempt)
}

/// As [`keep`], of which the beginning is done: `left` is left until the deadline.
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

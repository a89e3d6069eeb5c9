//! How a system call can fail: the kernel refused it, it was never made, or that is not known.

use crate::Errno;
use core::fmt;

/// The error of an interface: an ordinary error that can be compared with an [`Errno`] and made from one.
///
/// ```
/// use rsyscall::sysif::{Error, SyscallError};
/// use rsyscall::{Current, Errno, EventfdFlags, EventfdTask};
///
/// assert_eq!(Errno::EINTR.errno(), Some(Errno::EINTR));
/// assert_eq!(Error::Hangup.errno(), None);
///
/// /// Code that is generic over its task uses `==` and `?` as any other code does.
/// fn is_empty<T: EventfdTask>(task: T) -> Result<bool, Box<dyn core::error::Error>> {
///     let bell = task.eventfd(0, EventfdFlags::NONBLOCK)?;
///     match bell.read() {
///         Err(error) if error == Errno::EAGAIN => Ok(true),
///         read => Ok(read? == 0),
///     }
/// }
/// assert!(is_empty(Current).unwrap());
/// ```
pub trait SyscallError: core::error::Error + From<Errno> + PartialEq<Errno> + 'static {
    /// Returns the kernel's error, if the kernel refused the call.
    fn errno(&self) -> Option<Errno>;

    /// Returns whether the call was certainly never made, although the kernel did not refuse it.
    #[inline(always)]
    fn is_not_sent(&self) -> bool {
        false
    }
}

impl SyscallError for Errno {
    #[inline(always)]
    fn errno(&self) -> Option<Errno> {
        Some(*self)
    }
}

/// The error of an interface that can itself fail: three outcomes that are never mixed up.
///
/// [`NotSent`](Self::NotSent) and [`Hangup`](Self::Hangup) are permanent: the interface carries nothing from then on.
///
/// ```
/// use rsyscall::Errno;
/// use rsyscall::sysif::Error;
///
/// assert_eq!(Error::from(Errno::EBADF), Error::Os(Errno::EBADF));
/// assert_eq!(Error::Os(Errno::EBADF).to_string(), "Bad file descriptor (EBADF)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "SyscallSendError", alias = "SyscallHangup")]
pub enum Error {
    /// The kernel refused the call.
    Os(Errno),
    /// The call was certainly never executed.
    NotSent,
    /// The call may have been executed: its result will never be known.
    Hangup,
}

impl From<Errno> for Error {
    #[inline]
    fn from(errno: Errno) -> Self {
        Self::Os(errno)
    }
}

/// Equal if the kernel refused the call with this error.
impl PartialEq<Errno> for Error {
    #[inline]
    fn eq(&self, errno: &Errno) -> bool {
        self.errno() == Some(*errno)
    }
}

impl SyscallError for Error {
    #[inline]
    fn errno(&self) -> Option<Errno> {
        match self {
            Self::Os(errno) => Some(*errno),
            Self::NotSent | Self::Hangup => None,
        }
    }

    #[inline]
    fn is_not_sent(&self) -> bool {
        matches!(self, Self::NotSent)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Os(errno) => errno.fmt(f),
            Self::NotSent => f.write_str("the system call was not sent and never executed"),
            Self::Hangup => f.write_str("the connection ended: whether the system call was executed is not known"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Os(errno) => Some(errno),
            Self::NotSent | Self::Hangup => None,
        }
    }
}

/// An error, and the value that the failed call was to consume: [`into_inner`](Self::into_inner) gives it back.
///
/// It is displayed, compared and has a [`source`](core::error::Error::source) as its [`error`](Self::error).
///
/// ```
/// use rsyscall::{EventFd, EventfdFlags, EventfdTask, remote};
///
/// let forked = remote::fork([])?;
/// let bell = EventFd::new(3, EventfdFlags::empty())?;
/// // The child's table is not this process's.
/// let error = bell.move_to(&forked.task).unwrap_err();
/// assert_eq!(error.to_string(), "the file descriptor is not in the task's table");
/// let bell = error.into_inner();
/// assert_eq!(bell.read()?, 3);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Clone, Copy)]
pub struct ErrorWith<T, E> {
    inner: T,
    error: E,
}

impl<T, E> ErrorWith<T, E> {
    /// Pairs an error with the value to give back.
    #[inline]
    pub(crate) const fn new(inner: T, error: E) -> Self {
        Self { inner, error }
    }

    /// Returns the value as it was before the call.
    #[inline]
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Returns why the call failed.
    #[inline]
    pub const fn error(&self) -> &E {
        &self.error
    }

    /// Returns why the call failed, and drops the value.
    #[inline]
    pub fn into_error(self) -> E {
        self.error
    }

    /// Returns the value and why the call failed.
    #[inline]
    pub fn into_parts(self) -> (T, E) {
        (self.inner, self.error)
    }

    /// The same error, with another value to give back.
    #[inline]
    pub(crate) fn map<U>(self, map: impl FnOnce(T) -> U) -> ErrorWith<U, E> {
        ErrorWith { inner: map(self.inner), error: self.error }
    }
}

impl<T, E: fmt::Debug> fmt::Debug for ErrorWith<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorWith").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T, E: fmt::Display> fmt::Display for ErrorWith<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T, E: core::error::Error + 'static> core::error::Error for ErrorWith<T, E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Equal if the error is.
impl<T, E: PartialEq<Errno>> PartialEq<Errno> for ErrorWith<T, E> {
    fn eq(&self, errno: &Errno) -> bool {
        self.error == *errno
    }
}

impl<T> From<ErrorWith<T, Self>> for Error {
    fn from(error: ErrorWith<T, Self>) -> Self {
        error.error
    }
}

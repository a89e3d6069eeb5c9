//! Errors of system calls: the kernel refused the call, the call was not made, or the outcome is unknown.

use crate::Errno;
use core::fmt;

/// An error of an interface: it implements [`Error`](core::error::Error), compares with an [`Errno`], and is created
/// from one.
///
/// ```
/// use rsyscall::sysif::{Error, SyscallError};
/// use rsyscall::{Current, Errno, EventfdFlags, EventfdTask};
///
/// assert_eq!(Errno::EINTR.errno(), Some(Errno::EINTR));
/// assert_eq!(Error::Hangup.errno(), None);
///
/// /// Generic code uses `==` and `?` as any other code does.
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
    /// Returns the errno if the kernel refused the call.
    fn errno(&self) -> Option<Errno>;

    /// Returns whether the call is known not to have been made, for a reason other than a refusal by the kernel.
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

/// The error of an interface that can fail by itself. It distinguishes three outcomes of a call.
///
/// [`NotSent`](Self::NotSent) and [`Hangup`](Self::Hangup) are permanent: each later call of the interface fails too.
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
    /// The call was not executed and will not be.
    NotSent,
    /// The call may have been executed; its result is lost.
    Hangup,
}

impl From<Errno> for Error {
    #[inline]
    fn from(errno: Errno) -> Self {
        Self::Os(errno)
    }
}

/// Returns whether the kernel refused the call with this errno.
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

/// An error with the value that the failed call would have consumed; [`into_inner`](Self::into_inner) returns the
/// value.
///
/// `Display`, comparison and [`source`](core::error::Error::source) are those of the [`error`](Self::error).
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
    /// Creates an error with the value to return.
    #[inline]
    pub(crate) const fn new(inner: T, error: E) -> Self {
        Self { inner, error }
    }

    /// Returns the value as it was before the call.
    #[inline]
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Returns the error of the call.
    #[inline]
    pub const fn error(&self) -> &E {
        &self.error
    }

    /// Returns the error of the call, and drops the value.
    #[inline]
    pub fn into_error(self) -> E {
        self.error
    }

    /// Returns the value and the error of the call.
    #[inline]
    pub fn into_parts(self) -> (T, E) {
        (self.inner, self.error)
    }

    /// Returns the same error with another value.
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

/// Returns whether the error equals this errno.
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

//! How a system call can fail: the kernel refused it, it was never made, or nobody knows.

use crate::Errno;
use core::fmt;

/// What the typed layer must know of an interface's error.
///
/// ```
/// use rsyscall::Errno;
/// use rsyscall::sysif::{Error, SyscallError};
///
/// assert_eq!(Errno::EINTR.errno(), Some(Errno::EINTR));
/// assert_eq!(Error::Hangup.errno(), None);
/// ```
pub trait SyscallError: From<Errno> + fmt::Debug {
    /// The kernel's error, if the kernel refused the call.
    fn errno(&self) -> Option<Errno>;

    /// Whether the call was certainly never made, although the kernel did not refuse it: nobody was there to make it.
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
    /// The call may have been executed: its answer will never come.
    Hangup,
}

impl From<Errno> for Error {
    #[inline]
    fn from(errno: Errno) -> Self {
        Self::Os(errno)
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

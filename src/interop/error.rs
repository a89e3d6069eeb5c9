//! Errors, so that `?` works in a function that returns `io::Result`.

use super::std::io;
use crate::Errno;
use crate::sysif::Error;

impl From<Errno> for io::Error {
    /// The same number: [`io::Error::raw_os_error`] gives it back.
    ///
    /// ```
    /// use rsyscall::Errno;
    /// use std::io;
    ///
    /// assert_eq!(io::Error::from(Errno::EAGAIN).kind(), io::ErrorKind::WouldBlock);
    /// assert_eq!(Errno::try_from(io::Error::from(Errno::EAGAIN)).unwrap(), Errno::EAGAIN);
    /// ```
    #[inline]
    fn from(errno: Errno) -> Self {
        Self::from_raw_os_error(errno.raw())
    }
}

impl TryFrom<io::Error> for Errno {
    type Error = io::Error;

    /// The kernel's error, if it was one; whatever else it was comes back as it is.
    #[inline]
    fn try_from(error: io::Error) -> Result<Self, io::Error> {
        error.raw_os_error().and_then(Self::from_raw).ok_or(error)
    }
}

impl From<Error> for io::Error {
    /// What the kernel refused keeps its number. [`NotSent`](Error::NotSent) is [`io::ErrorKind::NotConnected`], and
    /// [`Hangup`](Error::Hangup) is [`io::ErrorKind::ConnectionAborted`].
    #[inline]
    fn from(error: Error) -> Self {
        match error {
            Error::Os(errno) => errno.into(),
            Error::NotSent => io::ErrorKind::NotConnected.into(),
            Error::Hangup => io::ErrorKind::ConnectionAborted.into(),
        }
    }
}

//! Conversions of errors, so that `?` works in a function that returns `io::Result`.

use super::std::io;
use crate::Errno;
use crate::fd::{Doubtful, ReplaceError};
use crate::remote::{ServeError, SubmitError};
use crate::sysif::{Error, ErrorWith};
use crate::task::FdTableMismatch;

impl From<Errno> for io::Error {
    /// Converts it into an error with the same number, which [`io::Error::raw_os_error`] returns.
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

    /// Returns the errno if there is one, and otherwise the error unchanged.
    #[inline]
    fn try_from(error: io::Error) -> Result<Self, io::Error> {
        error.raw_os_error().and_then(Self::from_raw).ok_or(error)
    }
}

impl From<Error> for io::Error {
    /// Converts an [`Os`](Error::Os) error into one with the same number, [`NotSent`](Error::NotSent) into
    /// [`io::ErrorKind::NotConnected`], and [`Hangup`](Error::Hangup) into [`io::ErrorKind::ConnectionAborted`].
    #[inline]
    fn from(error: Error) -> Self {
        match error {
            Error::Os(errno) => errno.into(),
            Error::NotSent => io::ErrorKind::NotConnected.into(),
            Error::Hangup => io::ErrorKind::ConnectionAborted.into(),
        }
    }
}

impl<T, E> From<ErrorWith<T, E>> for io::Error
where
    Self: From<E>,
{
    /// Converts the error, and drops the value.
    #[inline]
    fn from(error: ErrorWith<T, E>) -> Self {
        error.into_error().into()
    }
}

impl From<FdTableMismatch> for io::Error {
    /// Converts it into [`io::ErrorKind::InvalidInput`], with the mismatch as the inner error.
    #[inline]
    fn from(mismatch: FdTableMismatch) -> Self {
        Self::new(io::ErrorKind::InvalidInput, mismatch)
    }
}

impl From<Doubtful> for io::Error {
    /// Converts it into [`io::ErrorKind::Other`], with the [`Doubtful`] as the inner error.
    #[inline]
    fn from(doubtful: Doubtful) -> Self {
        Self::other(doubtful)
    }
}

impl<E> From<ReplaceError<E>> for io::Error
where
    Self: From<E>,
{
    /// Converts the error of the call, or the mismatch, as its own type is converted.
    #[inline]
    fn from(error: ReplaceError<E>) -> Self {
        match error {
            ReplaceError::FdTableMismatch(mismatch) => mismatch.into(),
            ReplaceError::Call(error) => error.into(),
        }
    }
}

impl From<SubmitError> for io::Error {
    /// Converts [`Full`](SubmitError::Full) into [`io::ErrorKind::WouldBlock`] and [`Foreign`](SubmitError::Foreign)
    /// into [`io::ErrorKind::InvalidInput`], each with the [`SubmitError`] as the inner error;
    /// [`Call`](SubmitError::Call) is converted as its error is.
    #[inline]
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Call(error) => error.into(),
            SubmitError::Full => Self::new(io::ErrorKind::WouldBlock, error),
            SubmitError::Foreign => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}

impl From<ServeError> for io::Error {
    /// Converts [`Truncated`](ServeError::Truncated) into [`io::ErrorKind::UnexpectedEof`],
    /// [`Vanished`](ServeError::Vanished) into [`io::ErrorKind::BrokenPipe`] and [`OutOfStep`](ServeError::OutOfStep)
    /// into [`io::ErrorKind::InvalidData`], each with the [`ServeError`] as the inner error; the others into the error
    /// of their errno.
    #[inline]
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Os(errno) | ServeError::Wait(errno) => errno.into(),
            ServeError::OutOfStep => Self::new(io::ErrorKind::InvalidData, error),
            ServeError::Truncated => Self::new(io::ErrorKind::UnexpectedEof, error),
            ServeError::Vanished => Self::new(io::ErrorKind::BrokenPipe, error),
        }
    }
}

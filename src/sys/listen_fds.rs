//! For services: file descriptors that a service manager such as systemd passes by `LISTEN_FDS`.
//!
//! ```
//! use rsyscall::sys::listen_fds::ListenFds;
//! use rsyscall::{Errno, EventFd};
//!
//! // In a program with `start!` they are a parameter of `main`.
//! fn run(listen: Result<ListenFds<'static>, Errno>) -> Result<(), Errno> {
//!     for (name, fd) in listen? {
//!         if name == b"bell" {
//!             EventFd::from(fd).write(1)?;
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The file descriptors are 3 and those after it, as many as `LISTEN_FDS` says, if `LISTEN_PID` is this process.
//! `LISTEN_FDNAMES` has their names, separated by colons.

use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor};
use crate::sysif::Local;

/// The first file descriptor that is passed: `SD_LISTEN_FDS_START`.
const FIRST: i32 = 3;

/// An iterator over the file descriptors that were passed, with their names, in order. Dropping it closes those that it
/// has not returned.
///
/// The name is `unknown` if there is none in the environment.
///
/// # Source
///
/// [sd_listen_fds(3)](https://man7.org/linux/man-pages/man3/sd_listen_fds.3.html).
#[derive(Debug)]
#[must_use = "dropped, it closes all of them"]
#[doc(alias = "sd_listen_fds")]
pub struct ListenFds<'a> {
    next: i32,
    end: i32,
    names: Option<&'a [u8]>,
}

impl<'a> ListenFds<'a> {
    /// Takes ownership of the file descriptors that the environment names: none if the variables are unset or name
    /// another process. `execve` then closes all of them.
    ///
    /// `var` returns the value of the environment variable with this name, or `None` if it is unset.
    ///
    /// System calls: `getpid`, `fcntl(F_GETFD)`, `fcntl(F_SETFD)`.
    ///
    /// ```
    /// use rsyscall::sys::listen_fds::ListenFds;
    ///
    /// // SAFETY: this environment names no file descriptors.
    /// let mut listen = unsafe { ListenFds::take(|_name| None) }?;
    /// assert!(listen.next().is_none());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EINVAL`: a variable is not a number. `EBADF`: fewer are open. `EBUSY`: one of them was not open when the
    /// program began, or has an owner already: it has `FD_CLOEXEC`. After an error it owns none.
    ///
    /// # Safety
    ///
    /// Among the file descriptors that the environment names, nothing in the process owns one without `FD_CLOEXEC` (an
    /// inherited one). This holds at the beginning of a program.
    #[inline]
    pub unsafe fn take(mut var: impl FnMut(&str) -> Option<&'a [u8]>) -> Result<Self, Errno> {
        let none = Self { next: FIRST, end: FIRST, names: None };
        let (Some(pid), Some(count)) = (var("LISTEN_PID"), var("LISTEN_FDS")) else { return Ok(none) };
        if number(pid)? != near::getpid(&Local)?.0 {
            return Ok(none);
        }
        let end = FIRST.checked_add(number(count)?).ok_or(Errno::EINVAL)?;
        for fd in FIRST..end {
            // SAFETY: it only reads a flag.
            if unsafe { near::is_cloexec(&Local, FileDescriptor(fd)) }? {
                return Err(Errno::EBUSY);
            }
        }
        let taken = Self { next: FIRST, end, names: var("LISTEN_FDNAMES") };
        for fd in FIRST..end {
            // SAFETY: open, and owned by `taken` from now on.
            unsafe { near::set_cloexec(&Local, FileDescriptor(fd), true) }?;
        }
        Ok(taken)
    }
}

/// Parses a number in decimal digits.
#[inline]
fn number(text: &[u8]) -> Result<i32, Errno> {
    let digits = text.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(text).ok().filter(|_| digits);
    text.and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL)
}

impl<'a> Iterator for ListenFds<'a> {
    type Item = (&'a [u8], OwnedFd);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let mut parts = self.names.unwrap_or_default().splitn(2, |&byte| byte == b':');
        let name = parts.next().filter(|_| self.names.is_some()).unwrap_or(b"unknown");
        self.names = parts.next();
        // SAFETY: owned by this value, and returned only once, as `next` is incremented.
        let fd = unsafe { OwnedFd::from_raw_fd(self.next) };
        self.next = self.next.saturating_add(1);
        Some((name, fd))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.end.saturating_sub(self.next)).unwrap_or(0);
        (left, Some(left))
    }
}

impl ExactSizeIterator for ListenFds<'_> {}
impl core::iter::FusedIterator for ListenFds<'_> {}

impl Drop for ListenFds<'_> {
    #[inline]
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

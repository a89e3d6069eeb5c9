//! `io::Read` and `io::Write` for an eventfd.
//!
//! The bytes are passed to the kernel unchanged, and the kernel checks them.
//!
//! The traits are implemented for `&EventFd` and not for `EventFd`: otherwise `read()` or `write(1)` on a `&mut
//! EventFd` would resolve to the trait method as soon as the trait is in scope, and a program would no longer compile
//! when another crate in its tree enables `std`.

use super::std::io::{self, Read, Write};
use crate::EventFd;
use crate::near;
use crate::task::FileDescriptorTask;
use core::mem::MaybeUninit;

impl<T: FileDescriptorTask> Read for &EventFd<T>
where
    io::Error: From<T::Error>,
{
    /// Reads the counter as [`EventFd::read`] does, into the first eight bytes of `buffer` in native byte order. It
    /// makes exactly one system call, and always returns 8.
    ///
    /// The stream has no end: `read_to_end` on a blocking eventfd never returns. A call of a method named `read`
    /// resolves to [`EventFd::read`]. This method is for code that is generic over readers, for `read_exact`, or for a
    /// path.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    /// use std::io::{ErrorKind, Read};
    ///
    /// let bell = EventFd::new(3, EventfdFlags::NONBLOCK)?;
    /// let mut count = [0; 8];
    /// (&bell).read_exact(&mut count)?;
    /// assert_eq!(u64::from_ne_bytes(count), 3);
    /// assert_eq!((&bell).read_exact(&mut count).unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EINVAL` ([`io::ErrorKind::InvalidInput`]): `buffer` is shorter than eight
    /// bytes. `EAGAIN` ([`io::ErrorKind::WouldBlock`]) and `EINTR` ([`io::ErrorKind::Interrupted`]) as for
    /// [`EventFd::read`].
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let fd = self.as_owned_fd();
        let buffer: *mut [u8] = buffer;
        // SAFETY: the same memory for the same borrow. The call writes only initialised bytes, so bytes that were
        // initialised remain so.
        let buffer = unsafe { &mut *(buffer as *mut [MaybeUninit<u8>]) };
        // SAFETY: owned, so open, for as long as the borrow lasts.
        Ok(unsafe { near::read(fd.sysif(), fd.near(), buffer) }?.len())
    }
}

impl<T: FileDescriptorTask> Write for &EventFd<T>
where
    io::Error: From<T::Error>,
{
    /// Adds the integer in the eight bytes of `buffer`, in native byte order, as [`EventFd::write`] does. It makes
    /// exactly one system call, and returns 8.
    ///
    /// A call of a method named `write` resolves to [`EventFd::write`]. This method is for code that is generic over
    /// writers, for `write_all`, or for a path.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    /// use std::io::{ErrorKind, Write};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// (&bell).write_all(&3_u64.to_ne_bytes())?;
    /// assert_eq!(bell.read()?, 3);
    /// assert_eq!((&bell).write_all(&[1; 7]).unwrap_err().kind(), ErrorKind::InvalidInput);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EINVAL` ([`io::ErrorKind::InvalidInput`]): `buffer` is not eight bytes
    /// long, or it holds `u64::MAX`. Linux before 6.9 uses the first eight bytes of a longer buffer and returns 8.
    /// `EAGAIN` ([`io::ErrorKind::WouldBlock`]) and `EINTR` ([`io::ErrorKind::Interrupted`]) as for [`EventFd::write`].
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let fd = self.as_owned_fd();
        // SAFETY: owned, so open, for as long as the borrow lasts.
        Ok(unsafe { near::write(fd.sysif(), fd.near(), buffer) }?)
    }

    /// Does nothing: a write takes effect at once.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

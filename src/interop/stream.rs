//! An eventfd as a stream of bytes, for code that wants `io::Read` or `io::Write`.
//!
//! The bytes go to the kernel and come from it as they are; it decides what it takes.
//!
//! For `&EventFd` and not for `EventFd`: otherwise a `read()` or `write(1)` on a `&mut EventFd` would mean the stream's
//! as soon as the trait is in scope, and a program would cease to compile because another one in its tree asks for
//! `std`.

use super::std::io::{self, Read, Write};
use crate::EventFd;
use crate::near;
use crate::task::FileDescriptorTask;
use core::mem::MaybeUninit;

impl<T: FileDescriptorTask> Read for &EventFd<T>
where
    io::Error: From<T::Error>,
{
    /// Takes the count as [`EventFd::read`] does, and puts its eight bytes, in native order, at the beginning of
    /// `buffer`. Exactly one system call; the result is always 8.
    ///
    /// There is no end of the stream: `read_to_end` never comes back from a blocking descriptor. A call of a method
    /// named `read` finds [`EventFd::read`] first; this one is for code that is generic over readers, `read_exact`, or
    /// a path.
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
    /// Nothing is taken. `EINVAL` ([`io::ErrorKind::InvalidInput`]): `buffer` has fewer than eight bytes, none
    /// included. `EAGAIN` ([`io::ErrorKind::WouldBlock`]) and `EINTR` ([`io::ErrorKind::Interrupted`]) as
    /// [`EventFd::read`] has them.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let fd = self.as_owned_fd();
        let buffer: *mut [u8] = buffer;
        // SAFETY: the same memory for the same borrow. The call writes only initialised bytes, so that what was
        // initialised stays so.
        let buffer = unsafe { &mut *(buffer as *mut [MaybeUninit<u8>]) };
        // SAFETY: owned, so open, for as long as the borrow lasts.
        Ok(unsafe { near::read(fd.sysif(), fd.near(), buffer) }?.len())
    }
}

impl<T: FileDescriptorTask> Write for &EventFd<T>
where
    io::Error: From<T::Error>,
{
    /// Adds the eight bytes of `buffer`, a number in native order, as [`EventFd::write`] does. Exactly one system call;
    /// the result is 8.
    ///
    /// A call of a method named `write` finds [`EventFd::write`] first; this one is for code that is generic over
    /// writers, `write_all`, or a path.
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
    /// Nothing is added. `EINVAL` ([`io::ErrorKind::InvalidInput`]): `buffer` has another length than eight bytes, none
    /// included, or they are those of `u64::MAX`. Linux before 6.9 takes the first eight bytes of a longer buffer and
    /// returns 8. `EAGAIN` ([`io::ErrorKind::WouldBlock`]) and `EINTR` ([`io::ErrorKind::Interrupted`]) as
    /// [`EventFd::write`] has them.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let fd = self.as_owned_fd();
        // SAFETY: owned, so open, for as long as the borrow lasts.
        Ok(unsafe { near::write(fd.sysif(), fd.near(), buffer) }?)
    }

    /// Nothing to do: a written count is there at once.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Methods that an eventfd shares with any file descriptor: duplicates, flags, conversions, close.

use super::EventFd;
use crate::fd::{Inheritable, OwnedFd};
use crate::near::FileDescriptor;
use crate::sys::kind::kind;
use crate::task::FileDescriptorTask;
use core::fmt;

impl<T: FileDescriptorTask> EventFd<T> {
    /// Duplicates the file descriptor: the new one refers to the same counter, and `execve` closes it. The count and
    /// `O_NONBLOCK` are shared.
    ///
    /// System calls: `fcntl(F_DUPFD_CLOEXEC)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.try_clone()?.write(4)?;
    /// assert_eq!(bell.read()?, 4);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EMFILE`: the per-process limit of file descriptors is reached.
    #[inline]
    #[doc(alias = "dup", alias = "F_DUPFD_CLOEXEC", alias = "fcntl_dupfd_cloexec")]
    pub fn try_clone(&self) -> Result<Self, T::Error> {
        self.fd.try_clone().map(|fd| Self { fd })
    }

    /// Returns whether [`read`](Self::read) and [`write`](Self::write) fail with `EAGAIN` instead of blocking
    /// (`O_NONBLOCK`).
    ///
    /// System calls: `fcntl(F_GETFL)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
    /// assert!(bell.is_nonblocking()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::is_nonblocking`].
    #[inline]
    pub fn is_nonblocking(&self) -> Result<bool, T::Error> {
        self.fd.is_nonblocking()
    }

    /// Sets whether [`read`](Self::read) and [`write`](Self::write) fail with `EAGAIN` instead of blocking
    /// (`O_NONBLOCK`), for each file descriptor of this counter, also in other processes.
    ///
    /// System calls: `ioctl(FIONBIO)`.
    ///
    /// ```
    /// use rsyscall::{Errno, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.set_nonblocking(true)?;
    /// assert_eq!(bell.read(), Err(Errno::EAGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::set_nonblocking`].
    #[inline]
    #[doc(alias = "O_NONBLOCK", alias = "ioctl_fionbio")]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<(), T::Error> {
        self.fd.set_nonblocking(nonblocking)
    }

    /// Returns whether `execve` closes this file descriptor.
    ///
    /// System calls: `fcntl(F_GETFD)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert!(bell.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::is_cloexec`].
    #[inline]
    pub fn is_cloexec(&self) -> Result<bool, T::Error> {
        self.fd.is_cloexec()
    }

    /// Sets whether `execve` closes this file descriptor. It does so for each new one.
    ///
    /// System calls: `fcntl(F_SETFD)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.set_cloexec(false)?;
    /// assert!(!bell.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::set_cloexec`].
    #[inline]
    #[doc(alias = "FD_CLOEXEC", alias = "enable_cloexec", alias = "disable_cloexec")]
    pub fn set_cloexec(&self, cloexec: bool) -> Result<(), T::Error> {
        self.fd.set_cloexec(cloexec)
    }

    /// Keeps this file descriptor open across `execve` for as long as the guard lives.
    ///
    /// System calls: `fcntl(F_SETFD)`, now and when the guard ends.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let guard = bell.inheritable()?;
    /// assert!(guard.as_raw_fd() >= 0); // passed to an executed program
    /// drop(guard);
    /// assert!(bell.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::inheritable`].
    #[inline]
    #[doc(alias = "as_argument")]
    pub fn inheritable(&mut self) -> Result<Inheritable<'_, T>, T::Error> {
        self.fd.inheritable()
    }
}

kind! {
    EventFd,
    kind: "an eventfd",
    uses: "rsyscall::{EventFd, EventfdFlags}",
    new: "EventFd::new(0, EventfdFlags::empty())?",
    wrong: "the calls of another kind fail with its errors, or with `EIO` if they transfer another number of bytes.",
    end: "It does not wake a reader that is blocked on this file descriptor or on a duplicate."
}

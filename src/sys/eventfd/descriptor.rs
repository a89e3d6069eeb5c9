//! What an eventfd shares with every descriptor: duplicates, flags, its number, its end.

use super::EventFd;
use crate::fd::{Inheritable, OwnedFd};
use crate::near::FileDescriptor;
use crate::task::FileDescriptorTask;

impl<T: FileDescriptorTask> EventFd<T> {
    /// Another descriptor for the same counter, closed by `execve`. The count and `O_NONBLOCK` are shared.
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
    /// `EMFILE`: the process's descriptors are used up.
    #[inline]
    #[doc(alias = "dup", alias = "F_DUPFD_CLOEXEC", alias = "fcntl_dupfd_cloexec")]
    pub fn try_clone(&self) -> Result<Self, T::Error> {
        self.fd.try_clone().map(|fd| Self { fd })
    }

    /// Whether [`read`](Self::read) and [`write`](Self::write) answer `EAGAIN` instead of sleeping.
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

    /// Says whether [`read`](Self::read) and [`write`](Self::write) answer `EAGAIN` instead of sleeping, for every
    /// descriptor of this counter, in other processes too.
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

    /// Whether `execve` closes this descriptor.
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

    /// Says whether `execve` closes this descriptor; a new one always is.
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

    /// Lets `execve` keep this descriptor for as long as the guard lives, and puts it back afterwards.
    ///
    /// System calls: `fcntl(F_SETFD)`, now and when the guard ends.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let guard = bell.inheritable()?;
    /// assert!(guard.as_raw_fd() >= 0); // what an executed program is told
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

    /// Closes it, and says what the kernel answered; dropping it does the same and says nothing. It does not wake a
    /// reader that sleeps on another descriptor of the counter, or on this one.
    ///
    /// System calls: `close`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.close()?;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None from the kernel for an eventfd. What the interface adds.
    #[inline(always)]
    pub fn close(self) -> Result<(), T::Error> {
        self.fd.close()
    }

    /// Returns the file descriptor, still owned by this value.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.near().0, bell.as_raw_fd());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn near(&self) -> FileDescriptor {
        self.fd.near()
    }

    /// Returns the file descriptor, still owned by this value, as std and C have it.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert!(bell.as_raw_fd() >= 0);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn as_raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// Gives the file descriptor away: nothing closes it any more.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let raw = bell.into_raw_fd();
    /// // SAFETY: it was given away a line above.
    /// let bell = unsafe { EventFd::from_raw_fd(raw) };
    /// # let _ = bell;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    #[must_use = "no other value has this file descriptor: unused, it stays open for ever"]
    pub fn into_raw_fd(self) -> i32 {
        self.fd.into_raw_fd()
    }

    /// Returns the descriptor without its kind.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.as_owned_fd().as_raw_fd(), bell.as_raw_fd());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn as_owned_fd(&self) -> &OwnedFd<T> {
        &self.fd
    }

    /// Gives the descriptor away, without its kind.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(2, EventfdFlags::empty())?.into_owned_fd();
    /// assert_eq!(EventFd::from(owned).read()?, 2);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn into_owned_fd(self) -> OwnedFd<T> {
        self.fd
    }

    /// Returns the task through which it is used.
    ///
    /// ```
    /// use rsyscall::{Current, EventFd, EventfdFlags};
    ///
    /// assert_eq!(EventFd::new(0, EventfdFlags::empty())?.task(), Current);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn task(&self) -> T {
        self.fd.task()
    }

    /// Takes over a file descriptor of the task's table that is an eventfd.
    ///
    /// ```
    /// use rsyscall::sysif::Local;
    /// use rsyscall::{Current, EventFd, EventfdFlags, near};
    ///
    /// let fd = near::eventfd(&Local, 5, EventfdFlags::CLOEXEC)?;
    /// // SAFETY: made a line above, and owned by nothing else.
    /// let bell = unsafe { EventFd::adopt(Current, fd) };
    /// assert_eq!(bell.read()?, 5);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`OwnedFd::adopt`].
    #[inline(always)]
    #[must_use = "dropped, it closes the file descriptor at once"]
    pub unsafe fn adopt(task: T, fd: FileDescriptor) -> Self {
        // SAFETY: the caller's promise is the one that is asked for.
        Self { fd: unsafe { OwnedFd::adopt(task, fd) } }
    }
}

impl EventFd {
    /// Takes over a file descriptor of this process that is an eventfd.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let raw = EventFd::new(3, EventfdFlags::empty())?.into_raw_fd();
    /// // SAFETY: it was given away a line above.
    /// let bell = unsafe { EventFd::from_raw_fd(raw) };
    /// assert_eq!(bell.read()?, 3);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Safety
    ///
    /// It is open, and this value is from now on the only one that closes it. That it is an eventfd is not a
    /// matter of safety: another kind answers with its own errors, or `EIO` where it moves another number of bytes.
    #[inline(always)]
    #[must_use = "dropped, it closes the file descriptor at once"]
    pub unsafe fn from_raw_fd(fd: i32) -> Self {
        // SAFETY: the caller's promise is the one that is asked for.
        Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } }
    }
}

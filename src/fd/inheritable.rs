//! File descriptors that `execve` keeps open, for as long as a guard lives.

use super::OwnedFd;
use crate::near::FileDescriptor;
use crate::task::FileDescriptorTask;
use core::mem::ManuallyDrop;

/// A guard that keeps the file descriptor open across `execve`. Created by [`OwnedFd::inheritable`].
///
/// It borrows the owned file descriptor exclusively, so that two guards cannot undo each other. `FD_CLOEXEC` is a flag
/// of the file descriptor, which all threads of the process share: a program that another thread executes meanwhile
/// inherits it too. A child created by `fork` has a copy of the table, so a guard in the child has no effect in the
/// parent.
///
/// ```
/// use rsyscall::{EventFd, EventfdFlags};
///
/// let mut bell = EventFd::new(0, EventfdFlags::empty())?;
/// let guard = bell.inheritable()?;
/// let argument = guard.as_raw_fd().to_string(); // passed to the executed program
/// # let _ = argument;
/// guard.restore()?;
/// assert!(bell.is_cloexec()?);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug)]
#[must_use = "dropped, it sets FD_CLOEXEC again at once"]
pub struct Inheritable<'a, T: FileDescriptorTask>(&'a OwnedFd<T>);

impl<'a, T: FileDescriptorTask> Inheritable<'a, T> {
    #[inline]
    pub(super) fn new(fd: &'a mut OwnedFd<T>) -> Result<Self, T::Error> {
        fd.set_cloexec(false)?;
        Ok(Self(fd))
    }

    /// Returns the file descriptor that the executed program will have.
    #[inline]
    pub fn near(&self) -> FileDescriptor {
        self.0.near()
    }

    /// Returns the file descriptor that the executed program will have, as an integer.
    #[inline]
    pub fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Sets `FD_CLOEXEC` again and returns the kernel's result, which dropping the guard ignores.
    ///
    /// System calls: `fcntl(F_SETFD)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.inheritable()?.restore()?;
    /// assert!(bell.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    pub fn restore(self) -> Result<(), T::Error> {
        ManuallyDrop::new(self).0.set_cloexec(true)
    }
}

impl<T: FileDescriptorTask> Drop for Inheritable<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Ignored: it can fail only if the file descriptor is no longer open or the interface has ended, and then there
        // is nothing left to inherit.
        let _ignored = self.0.set_cloexec(true);
    }
}

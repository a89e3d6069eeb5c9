//! Letting `execve` keep a file descriptor, for a while.

use super::OwnedFd;
use crate::near::FileDescriptor;
use crate::task::FileDescriptorTask;
use core::mem::ManuallyDrop;

/// A guard: `execve` keeps the file descriptor for as long as it lives. Created by [`OwnedFd::inheritable`].
///
/// It borrows the owned file descriptor exclusively, so that two guards cannot undo each other. The flag belongs to the
/// file descriptor, which all threads of the process share: whatever they execute meanwhile inherits it. In a child
/// made by `fork` the table is a copy, and a guard taken there changes nothing here.
///
/// ```
/// use rsyscall::{EventFd, EventfdFlags};
///
/// let mut bell = EventFd::new(0, EventfdFlags::empty())?;
/// let guard = bell.inheritable()?;
/// let argument = guard.as_raw_fd().to_string(); // what the executed program is told
/// # let _ = argument;
/// guard.restore()?;
/// assert!(bell.is_cloexec()?);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug)]
#[must_use = "dropped, it takes the descriptor back from the next execve at once"]
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

    /// Returns the file descriptor that the executed program will have, as std and C have it.
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
    /// What the interface adds.
    #[inline]
    pub fn restore(self) -> Result<(), T::Error> {
        ManuallyDrop::new(self).0.set_cloexec(true)
    }
}

impl<T: FileDescriptorTask> Drop for Inheritable<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Ignored: it can fail only where the file descriptor is no longer open or the interface no longer carries
        // anything, and then there is nothing left to inherit.
        let _ignored = self.0.set_cloexec(true);
    }
}

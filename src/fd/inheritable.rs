//! WithUnclosed a descriptor through `execve`, on purpose and for a while.

use super::OwnedFd;
use crate::near::FileDescriptor;
use crate::task::FileDescriptorTask;
use core::mem::ManuallyDrop;

/// A descriptor that `execve` keeps for as long as this guard lives. Made by [`OwnedFd::inheritable`].
///
/// It borrows the descriptor exclusively, so that two guards cannot undo each other. The flag belongs to the number,
/// which every thread of the process shares: whatever is executed meanwhile inherits it. In a child made by `fork` the
/// table is a copy, so a guard taken there is seen by nobody else.
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

    /// The number, which the executed program will have.
    #[inline]
    pub fn near(&self) -> FileDescriptor {
        self.0.near()
    }

    /// The number, which the executed program will have, as std and C have it.
    #[inline]
    pub fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Puts `CLOEXEC` back, and says what the kernel answered; dropping the guard does the same and says nothing.
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
        // Ignored: it can fail only where the number is no longer open or the interface no longer carries anything, and
        // then there is nothing left to inherit.
        let _ignored = self.0.set_cloexec(true);
    }
}

//! Handles that move between tasks of one table, or are lent to another task.

use super::OwnedFd;
use crate::Errno;
use crate::near;
use crate::sysif::ErrorWith;
use crate::task::{FdTableMismatch, FileDescriptorTask};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;

/// A handle that is lent to another task of the same table, which can use it but not close it. Created by
/// [`OwnedFd::for_task`] and [`EventFd::for_task`](crate::EventFd::for_task).
pub struct Lent<'a, F> {
    handle: ManuallyDrop<F>,
    owner: PhantomData<&'a ()>,
}

impl<F> Lent<'_, F> {
    /// Creates a handle that does not close the file descriptor: its owner, which the lifetime borrows, does.
    pub(crate) fn new(handle: F) -> Self {
        Self { handle: ManuallyDrop::new(handle), owner: PhantomData }
    }
}

impl<F> Deref for Lent<'_, F> {
    type Target = F;

    #[inline]
    fn deref(&self) -> &F {
        &self.handle
    }
}

impl<F: fmt::Debug> fmt::Debug for Lent<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// The error of [`OwnedFd::move_to`] and [`Token::attach`](super::Token::attach) for a task of another table.
/// [`into_inner`](ErrorWith::into_inner) returns the handle.
pub type MoveError<H> = ErrorWith<H, FdTableMismatch>;

/// The error of [`OwnedFd::dup3`] and [`OwnedFd::dup2`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplaceError<E> {
    /// The file descriptors are in different tables. No call was made.
    FdTableMismatch(FdTableMismatch),
    /// The call failed. The target is unchanged.
    Call(E),
}

impl<E> From<FdTableMismatch> for ReplaceError<E> {
    fn from(mismatch: FdTableMismatch) -> Self {
        Self::FdTableMismatch(mismatch)
    }
}

impl<E: fmt::Display> fmt::Display for ReplaceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FdTableMismatch(mismatch) => mismatch.fmt(f),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for ReplaceError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::FdTableMismatch(mismatch) => Some(mismatch),
            Self::Call(error) => Some(error),
        }
    }
}

/// Returns whether the kernel refused the call with this errno.
impl<E: PartialEq<Errno>> PartialEq<Errno> for ReplaceError<E> {
    fn eq(&self, errno: &Errno) -> bool {
        match self {
            Self::FdTableMismatch(mismatch) => mismatch == errno,
            Self::Call(error) => error == errno,
        }
    }
}

impl<T: FileDescriptorTask> OwnedFd<T> {
    /// Lends the file descriptor to another task of the same table. This handle still owns it.
    ///
    /// System calls: none.
    ///
    /// ```
    /// use rsyscall::{Current, EventFd, EventfdFlags, remote};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.for_task(Current).unwrap().as_raw_fd(), bell.as_raw_fd());
    ///
    /// // The child has a table of its own.
    /// let forked = remote::fork([])?;
    /// assert!(bell.for_task(&forked.task).is_err());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FdTableMismatch`]: the task has another table.
    pub fn for_task<U: FileDescriptorTask>(&self, task: U) -> Result<Lent<'_, OwnedFd<U>>, FdTableMismatch> {
        FdTableMismatch::check(task.fd_table(), self.task().fd_table())?;
        // SAFETY: open in that table; what is lent does not close it, and does not outlive the borrow.
        Ok(Lent::new(unsafe { OwnedFd::adopt(task, self.near()) }))
    }

    /// Moves the file descriptor to another task of the same table, which then uses and closes it.
    ///
    /// System calls: none.
    ///
    /// # Errors
    ///
    /// [`FdTableMismatch`]: the task has another table, or a call that failed may still be executed on the file
    /// descriptor ([`SyscallInterface::may_still_execute`]). The error returns the handle.
    ///
    /// [`SyscallInterface::may_still_execute`]: crate::sysif::SyscallInterface::may_still_execute
    #[doc(alias = "move")]
    pub fn move_to<U: FileDescriptorTask>(self, task: U) -> Result<OwnedFd<U>, MoveError<Self>> {
        match FdTableMismatch::check(task.fd_table(), self.table()) {
            // SAFETY: open in that table, and this value, the only owner, releases it.
            Ok(()) => Ok(unsafe { OwnedFd::adopt(task, near::FileDescriptor(self.into_raw_fd())) }),
            Err(mismatch) => Err(MoveError::new(self, mismatch)),
        }
    }

    /// Makes `target` refer to the same open file description as this file descriptor, and atomically closes what it
    /// referred to. `cloexec` says whether `execve` closes it.
    ///
    /// System calls: `dup3`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(4, EventfdFlags::empty())?.into_owned_fd();
    /// let mut other = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// bell.dup3(&mut other, true).unwrap();
    /// assert_eq!(EventFd::from(other).read()?, 4);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The target is unchanged. [`FdTableMismatch`]: it is in another table. `EBUSY`: another thread is opening the
    /// same file descriptor. `EINTR`: a signal handler ran.
    ///
    /// # Source
    ///
    /// [dup3(2)](https://man7.org/linux/man-pages/man2/dup.2.html).
    pub fn dup3<U: FileDescriptorTask>(
        &self,
        target: &mut OwnedFd<U>,
        cloexec: bool,
    ) -> Result<(), ReplaceError<T::Error>> {
        FdTableMismatch::check(self.task().fd_table(), target.task().fd_table())?;
        // SAFETY: both are owned, so open, in one table, and the target is borrowed exclusively. They differ: a file
        // descriptor has one owner.
        unsafe { near::dup3(self.sysif(), self.near(), target.near(), cloexec) }.map_err(ReplaceError::Call)
    }

    /// Makes `target` refer to the same open file description as this file descriptor, and keeps it open across
    /// `execve`. This prepares file descriptors 0, 1 and 2 for a program.
    ///
    /// System calls: `dup3` without flags.
    ///
    /// # Errors
    ///
    /// Those of [`dup3`](Self::dup3).
    pub fn dup2<U: FileDescriptorTask>(&self, target: &mut OwnedFd<U>) -> Result<(), ReplaceError<T::Error>> {
        self.dup3(target, false)
    }
}

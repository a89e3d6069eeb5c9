//! A descriptor that another value owns.

use super::OwnedFd;
use super::number::Number;
use crate::near::{self, FileDescriptor};
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::marker::PhantomData;
use static_assertions::{assert_eq_size, assert_impl_all};

/// A descriptor that something else owns and keeps open for `'fd`: std's `BorrowedFd`, for any task and without std.
///
/// With it what another crate owns can be waited for. For the current process it is four bytes, and so is an `Option`
/// of it.
///
/// ```
/// use rsyscall::fd::BorrowedFd;
/// use rsyscall::near::FileDescriptor;
/// use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
/// use rsyscall::{Current, EventFd};
///
/// // SAFETY: standard output is open, and this program does not close it.
/// let output = unsafe { BorrowedFd::borrow_raw(Current, FileDescriptor(1)) };
/// let mut memory = [PollFd::UNUSED; 1];
/// let mut set = PollSet::new(Current, &mut memory);
/// set.add(&output, PollEvents::OUT)?;
/// assert_eq!(set.wait()?, 1);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Clone, Copy)]
pub struct BorrowedFd<'fd, T: FileDescriptorTask = Current> {
    number: Number,
    task: T,
    owner: PhantomData<&'fd ()>,
}

assert_eq_size!(BorrowedFd<'_>, Option<BorrowedFd<'_>>, i32);
assert_impl_all!(BorrowedFd<'_>: Send, Sync, Copy);

impl<T: FileDescriptorTask> BorrowedFd<'_, T> {
    /// Names a file descriptor of the task's table.
    ///
    /// # Safety
    ///
    /// It is open in that table (and so not negative), stays open for the lifetime, and its owner allows all that is
    /// safe with a borrowed descriptor: waiting for it, duplicating it.
    #[inline(always)]
    pub const unsafe fn borrow_raw(task: T, fd: FileDescriptor) -> Self {
        // SAFETY: an open file descriptor is not negative.
        let number = unsafe { Number::new(fd) };
        Self { number, task, owner: PhantomData }
    }

    /// Returns the file descriptor.
    #[inline(always)]
    pub fn near(&self) -> FileDescriptor {
        self.number.get()
    }

    /// Returns the file descriptor, as std and C have it.
    #[inline(always)]
    pub fn as_raw_fd(&self) -> i32 {
        self.near().0
    }

    /// Returns the task through which it is used.
    #[inline(always)]
    pub fn task(&self) -> T {
        self.task
    }

    /// Makes another descriptor for the same open file description, closed by `execve`.
    ///
    /// System calls: `fcntl(F_DUPFD_CLOEXEC)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(2, EventfdFlags::empty())?.into_owned_fd();
    /// let again = owned.as_borrowed_fd().try_clone_to_owned()?;
    /// drop(owned);
    /// assert_eq!(EventFd::from(again).read()?, 2);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EMFILE`: the process's descriptors are used up. What the interface adds.
    ///
    /// # Source
    ///
    /// [F_DUPFD_CLOEXEC(2const)](https://man7.org/linux/man-pages/man2/F_DUPFD_CLOEXEC.2const.html).
    #[inline]
    pub fn try_clone_to_owned(&self) -> Result<OwnedFd<T>, T::Error> {
        // SAFETY: open for as long as the lifetime lasts.
        let fd = unsafe { near::dup_cloexec(self.task.sysif(), self.near()) }?;
        // SAFETY: the kernel just made it for us.
        Ok(unsafe { OwnedFd::adopt(self.task, fd) })
    }
}

impl<T: FileDescriptorTask> OwnedFd<T> {
    /// Returns the descriptor, borrowed.
    #[inline(always)]
    pub fn as_borrowed_fd(&self) -> BorrowedFd<'_, T> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { BorrowedFd::borrow_raw(self.task(), self.near()) }
    }
}

impl<T: FileDescriptorTask> fmt::Debug for BorrowedFd<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BorrowedFd").field(&self.as_raw_fd()).finish()
    }
}

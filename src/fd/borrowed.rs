//! A file descriptor that another value owns.

use super::OwnedFd;
use super::number::Number;
use crate::near::{self, FileDescriptor};
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::marker::PhantomData;
use static_assertions::{assert_eq_size, assert_impl_all};

/// A file descriptor that another value owns and keeps open for `'fd`, as `BorrowedFd` of std, but for any task and
/// without std.
///
/// File descriptors of other crates can so be polled. For the current process it is four bytes in size, and so is an
/// `Option` of it.
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
    /// Creates a borrowed file descriptor of the task's table.
    ///
    /// # Safety
    ///
    /// It is open in that table (and so not negative), stays open for the lifetime, and its owner allows what is safe
    /// with a borrowed file descriptor: polling and duplicating it.
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

    /// Returns the file descriptor as an integer, as std and C use it.
    #[inline(always)]
    pub fn as_raw_fd(&self) -> i32 {
        self.near().0
    }

    /// Returns the task through which the file descriptor is used.
    #[inline(always)]
    pub fn task(&self) -> T {
        self.task
    }

    /// Duplicates the file descriptor: the new one refers to the same open file description, and `execve` closes it.
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
    /// `EMFILE`: the per-process limit of file descriptors is reached. [Errors of the
    /// interface](crate::sysif#errors-of-the-interface).
    ///
    /// # Source
    ///
    /// [F_DUPFD_CLOEXEC(2const)](https://man7.org/linux/man-pages/man2/F_DUPFD_CLOEXEC.2const.html).
    #[inline]
    pub fn try_clone_to_owned(&self) -> Result<OwnedFd<T>, T::Error> {
        // SAFETY: open for as long as the lifetime lasts.
        let fd = unsafe { near::dup_cloexec(self.task.sysif(), self.near()) }?;
        // SAFETY: the kernel just created it for us.
        Ok(unsafe { OwnedFd::adopt(self.task, fd) })
    }
}

impl<T: FileDescriptorTask> OwnedFd<T> {
    /// Borrows the file descriptor.
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

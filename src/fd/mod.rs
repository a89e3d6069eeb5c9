//! For file descriptors of any kind: ownership, duplication, flags, and inheritance.
//!
//! A handle is a file descriptor with its task. Dropping it closes the file descriptor through that task. It is used
//! only through tasks of the same table, and each file descriptor has one owner.
//!
//! ```
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
//! let duplicate = owned.try_clone()?; // the same open file description
//! drop(owned); // closed here
//! assert!(duplicate.is_cloexec()?);
//! # Ok::<(), rsyscall::Errno>(())
//! ```

mod across;
mod borrowed;
mod inheritable;
mod number;
mod token;
mod unclosed;

pub use across::{Lent, MoveError, ReplaceError};
pub use borrowed::BorrowedFd;
pub use inheritable::Inheritable;
pub use token::Token;
pub use unclosed::{Doubtful, Unclosed, UnclosedList, WithUnclosed};

use crate::far::FdTable;
use crate::near::{self, FileDescriptor};
use crate::sysif::{SyscallError, SyscallInterface};
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::mem::ManuallyDrop;
use number::Number;
use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};

/// An owned file descriptor, which is closed when it is dropped.
///
/// For the current process it is four bytes in size, and so is an `Option` of it.
///
/// ```
/// use rsyscall::{EventFd, EventfdFlags};
///
/// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
/// let again = owned.try_clone()?;
/// assert_ne!(owned.as_raw_fd(), again.as_raw_fd());
/// owned.close()?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[doc(alias = "BaseFileDescriptor", alias = "FileDescriptor")]
pub struct OwnedFd<T: FileDescriptorTask = Current> {
    number: Number,
    task: T,
}

assert_eq_size!(OwnedFd, Option<OwnedFd>, i32);
assert_impl_all!(OwnedFd: Send, Sync);
assert_not_impl_any!(OwnedFd: Copy, Clone);

impl OwnedFd {
    /// Takes ownership of a file descriptor of this process.
    ///
    /// ```
    /// use rsyscall::fd::OwnedFd;
    /// use std::os::fd::IntoRawFd;
    ///
    /// let raw = std::fs::File::open("/dev/null")?.into_raw_fd();
    /// // SAFETY: released a line above.
    /// let owned = unsafe { OwnedFd::from_raw_fd(raw) };
    /// owned.close()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Safety
    ///
    /// It is open, and from now on only this value closes it.
    #[inline(always)]
    #[must_use = "dropped, it closes the file descriptor at once"]
    pub unsafe fn from_raw_fd(fd: i32) -> Self {
        // SAFETY: the same contract.
        unsafe { Self::adopt(Current, FileDescriptor(fd)) }
    }
}

impl<T: FileDescriptorTask> OwnedFd<T> {
    /// Takes ownership of a file descriptor of the task's table.
    ///
    /// ```
    /// use rsyscall::fd::OwnedFd;
    /// use rsyscall::sysif::Local;
    /// use rsyscall::{Current, EventfdFlags, near};
    ///
    /// let fd = near::eventfd(&Local, 0, EventfdFlags::CLOEXEC)?;
    /// // SAFETY: created a line above, and used by nothing else.
    /// let owned = unsafe { OwnedFd::adopt(Current, fd) };
    /// assert_eq!(owned.near(), fd);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Safety
    ///
    /// It is open in the task's table (and so not negative), and from now on only this value closes it.
    #[inline(always)]
    #[must_use = "dropped, it closes the file descriptor at once"]
    #[doc(alias = "make_fd_handle")]
    pub unsafe fn adopt(task: T, fd: FileDescriptor) -> Self {
        // SAFETY: an open file descriptor is not negative.
        let number = unsafe { Number::new(fd) };
        Self { number, task }
    }

    /// Returns the file descriptor. This value still owns it.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// assert!(owned.near().0 >= 0);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn near(&self) -> FileDescriptor {
        self.number.get()
    }

    /// Returns the file descriptor as an integer, as std and C use it. This value still owns it.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// let shown = std::fs::read_link(format!("/proc/self/fd/{}", owned.as_raw_fd())).unwrap();
    /// assert_eq!(shown.to_str(), Some("anon_inode:[eventfd]"));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    #[doc(alias = "fileno")]
    pub fn as_raw_fd(&self) -> i32 {
        self.near().0
    }

    /// Consumes the value and returns the file descriptor, which is not closed: the caller owns it.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags, fd::OwnedFd};
    ///
    /// let raw = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd().into_raw_fd();
    /// // SAFETY: released a line above.
    /// let owned = unsafe { OwnedFd::from_raw_fd(raw) };
    /// # let _ = owned;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    #[must_use = "unused, the file descriptor stays open"]
    pub fn into_raw_fd(self) -> i32 {
        ManuallyDrop::new(self).as_raw_fd()
    }

    /// Returns the task through which the file descriptor is used.
    ///
    /// ```
    /// use rsyscall::{Current, EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// assert_eq!(owned.task(), Current);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn task(&self) -> T {
        self.task
    }

    #[inline(always)]
    pub(crate) fn sysif(&self) -> &T::Interface {
        self.task.sysif()
    }

    /// Closes the file descriptor and returns the kernel's result, which a drop ignores.
    ///
    /// The file descriptor is closed even if the call fails, so a failed close must not be repeated.
    ///
    /// System calls: `close`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// owned.close()?;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For a kind with delayed writes, such as a file on NFS, the error of a write (`EIO`, `ENOSPC`, `EDQUOT`):
    /// [close(2)](https://man7.org/linux/man-pages/man2/close.2.html). None for an eventfd. [Errors of the
    /// interface](crate::sysif#errors-of-the-interface).
    #[inline(always)]
    pub fn close(self) -> Result<(), T::Error> {
        let this = ManuallyDrop::new(self);
        // SAFETY: this value owned the file descriptor, and is consumed.
        unsafe { this.close_once() }
    }

    /// # Safety
    ///
    /// This value is not used afterwards.
    #[inline(always)]
    unsafe fn close_once(&self) -> Result<(), T::Error> {
        // SAFETY: this value owns the file descriptor, and the caller does not use it afterwards.
        let closed = unsafe { near::close(self.sysif(), self.near()) };
        if let Err(error) = &closed {
            // Never taken if the interface's only error is an `Errno`: then nothing of this is compiled.
            if error.errno().is_none() {
                // SAFETY: owned until this close.
                unsafe { self.task.unclosed(self.near(), is_doubtful(self.sysif(), error)) };
            }
        }
        closed
    }

    /// Returns the table in which other tasks may use and close the file descriptor: none, for as long as a failed call
    /// may still be executed on it. If another task closed it, that call could reach a reused file descriptor.
    #[inline(always)]
    fn table(&self) -> FdTable {
        if self.sysif().may_still_execute() { FdTable::new() } else { self.task.fd_table() }
    }

    /// Duplicates the file descriptor: the new one refers to the same open file description, and `execve` closes it.
    ///
    /// System calls: `fcntl(F_DUPFD_CLOEXEC)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// let again = owned.try_clone()?;
    /// assert!(again.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EMFILE`: the per-process limit of file descriptors is reached.
    ///
    /// # Source
    ///
    /// [F_DUPFD_CLOEXEC(2const)](https://man7.org/linux/man-pages/man2/F_DUPFD_CLOEXEC.2const.html).
    #[inline]
    #[doc(alias = "dup")]
    pub fn try_clone(&self) -> Result<Self, T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        let fd = unsafe { near::dup_cloexec(self.sysif(), self.near()) }?;
        // SAFETY: the kernel just created it for us.
        Ok(unsafe { Self::adopt(self.task, fd) })
    }

    /// Returns whether calls that would block fail with `EAGAIN` instead (`O_NONBLOCK`).
    ///
    /// System calls: `fcntl(F_GETFL)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::NONBLOCK)?.into_owned_fd();
    /// assert!(owned.is_nonblocking()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    pub fn is_nonblocking(&self) -> Result<bool, T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::is_nonblocking(self.sysif(), self.near()) }
    }

    /// Sets whether calls that would block fail with `EAGAIN` instead (`O_NONBLOCK`).
    ///
    /// The flag belongs to the open file description: it changes for each duplicate, also in other processes. It
    /// applies to later calls, not to a call that is already blocked. Other flags keep their values, even if they
    /// change at the same time.
    ///
    /// System calls: `ioctl(FIONBIO)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// let again = owned.try_clone()?;
    /// owned.set_nonblocking(true)?;
    /// assert!(again.is_nonblocking()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    #[doc(alias = "O_NONBLOCK", alias = "fcntl")]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<(), T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::set_nonblocking(self.sysif(), self.near(), nonblocking) }
    }

    /// Returns whether `execve` closes this file descriptor.
    ///
    /// System calls: `fcntl(F_GETFD)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// assert!(owned.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    pub fn is_cloexec(&self) -> Result<bool, T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::is_cloexec(self.sysif(), self.near()) }
    }

    /// Sets whether `execve` closes this file descriptor.
    ///
    /// It does so for each new file descriptor. To keep one open for a single `execve`, use
    /// [`inheritable`](Self::inheritable).
    ///
    /// System calls: `fcntl(F_SETFD)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// owned.set_cloexec(false)?;
    /// assert!(!owned.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    #[doc(alias = "FD_CLOEXEC", alias = "enable_cloexec", alias = "disable_cloexec")]
    pub fn set_cloexec(&self, cloexec: bool) -> Result<(), T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::set_cloexec(self.sysif(), self.near(), cloexec) }
    }

    /// Keeps this file descriptor open across `execve` for as long as the guard lives.
    ///
    /// System calls: `fcntl(F_SETFD)`, now and when the guard ends.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let mut owned = EventFd::new(0, EventfdFlags::empty())?.into_owned_fd();
    /// let guard = owned.inheritable()?;
    /// assert!(guard.as_raw_fd() >= 0); // passed to an executed program
    /// drop(guard);
    /// assert!(owned.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    #[doc(alias = "as_argument")]
    pub fn inheritable(&mut self) -> Result<Inheritable<'_, T>, T::Error> {
        Inheritable::new(self)
    }
}

/// Returns whether a close that the interface did not carry out may still be made, or another call on the file
/// descriptor.
#[inline(always)]
fn is_doubtful<S: SyscallInterface>(sysif: &S, error: &S::Error) -> bool {
    !error.is_not_sent() || sysif.may_still_execute()
}

impl<T: FileDescriptorTask> Drop for OwnedFd<T> {
    #[inline(always)]
    fn drop(&mut self) {
        // Ignored: the file descriptor is closed in any case, and `close` returns the result.
        // SAFETY: this value owns the file descriptor, and nothing uses it after its drop.
        let _ignored = unsafe { self.close_once() };
    }
}

impl<T: FileDescriptorTask> fmt::Debug for OwnedFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnedFd").field(&self.as_raw_fd()).finish()
    }
}

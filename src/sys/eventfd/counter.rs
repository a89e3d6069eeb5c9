//! Creating an eventfd, reading and writing its counter: one system call each.

use super::{EventFd, EventfdFlags, EventfdTask, assume_count};
use crate::Errno;
use crate::near;
use crate::task::{Current, FileDescriptorTask};
use core::mem::MaybeUninit;

impl EventFd {
    /// Creates an eventfd in the current process with an initial count of `initval`. [`EventfdFlags::CLOEXEC`] is
    /// always added.
    ///
    /// System calls: `eventfd2`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let semaphore = EventFd::new(2, EventfdFlags::SEMAPHORE)?;
    /// assert_eq!(semaphore.read()?, 1);
    /// assert_eq!(semaphore.read()?, 1);
    /// assert_eq!(semaphore.try_read()?, None);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`EventfdTask::eventfd`].
    #[inline(always)]
    #[doc(alias = "eventfd", alias = "eventfd2")]
    #[doc(alias = "from_value", alias = "from_flags", alias = "from_value_and_flags")]
    pub fn new(initval: u32, flags: EventfdFlags) -> Result<Self, Errno> {
        Current.eventfd(initval, flags)
    }
}

impl<T: FileDescriptorTask> EventFd<T> {
    /// Returns the count and resets it to 0; in semaphore mode returns 1 and decrements it. It makes exactly one system
    /// call.
    ///
    /// If the count is 0 it blocks, or fails with `EAGAIN` if the open file description is nonblocking.
    /// [`try_read`](Self::try_read) does not block in either mode; [`wait`](Self::wait) blocks in both.
    ///
    /// System calls: `read`.
    ///
    /// ```
    /// use rsyscall::{Errno, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(3, EventfdFlags::NONBLOCK)?;
    /// assert_eq!(bell.read(), Ok(3));
    /// assert_eq!(bell.read(), Err(Errno::EAGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EAGAIN`: the count is 0 and the open file description is nonblocking.
    /// `EINTR`: a signal handler without `SA_RESTART` ran while it was blocked. `EIO`: the file descriptor is not an
    /// eventfd, and the read returned a length other than 8.
    ///
    /// # Source
    ///
    /// [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html).
    #[inline(always)]
    #[doc(alias = "eventfd_read", alias = "consume")]
    pub fn read(&self) -> Result<u64, T::Error> {
        let mut count = [MaybeUninit::uninit(); 8];
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::read_exact(self.fd.sysif(), self.fd.near(), &mut count) }?;
        // SAFETY: all eight bytes were written.
        Ok(unsafe { assume_count(count) })
    }

    /// Adds `value` to the count. It makes exactly one system call.
    ///
    /// If the sum would be above `u64::MAX` − 1 it blocks until `value` can be added, or fails with `EAGAIN` if the
    /// open file description is nonblocking. A `value` of 0 is valid: it wakes an edge-triggered epoll if the count is
    /// above 0.
    ///
    /// System calls: `write`.
    ///
    /// ```
    /// use rsyscall::{Errno, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
    /// bell.write(u64::MAX - 1)?;
    /// assert_eq!(bell.write(1), Err(Errno::EAGAIN));
    /// assert_eq!(bell.write(u64::MAX), Err(Errno::EINVAL));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EAGAIN`: the sum is too large and the open file description is
    /// nonblocking. `EINVAL`: `value` is `u64::MAX`. `EINTR`: a signal handler without `SA_RESTART` ran while it was
    /// blocked. `EIO`: the file descriptor is not an eventfd, and the write returned a length other than 8.
    ///
    /// # Source
    ///
    /// [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html).
    #[inline(always)]
    #[doc(alias = "eventfd_write", alias = "notify", alias = "arm")]
    pub fn write(&self, value: u64) -> Result<(), T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::write_exact(self.fd.sysif(), self.fd.near(), &value.to_ne_bytes()) }
    }
}

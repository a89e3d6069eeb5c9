//! `#include <sys/eventfd.h>`: a counter in the kernel that wakes its waiters.
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::EVENTFD`](crate::nr::used_by::EVENTFD).

pub use crate::near::EventfdFlags;

use crate::Errno;
use crate::fd::OwnedFd;
use crate::near;
use crate::task::{Current, FileDescriptorTask};
use core::mem::MaybeUninit;
use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};

/// Makes eventfds. Every task does.
///
/// ```
/// use rsyscall::{Current, EventfdFlags, EventfdTask};
///
/// /// Works in any process that a task drives.
/// fn rung<T: EventfdTask>(task: T) -> Result<u64, T::Error> {
///     let bell = task.eventfd(0, EventfdFlags::empty())?;
///     bell.write(1)?;
///     bell.read()
/// }
/// assert_eq!(rung(Current), Ok(1));
/// ```
pub trait EventfdTask: FileDescriptorTask {
    /// Makes an eventfd in the task's table whose counter starts at `initval`. [`EventfdFlags::CLOEXEC`] is always
    /// added.
    ///
    /// System calls: `eventfd2`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: a flag that the kernel does not know. `EMFILE`, `ENFILE`: the process's or the system's descriptors
    /// are used up. `ENOMEM`. `ENOSYS`: Linux before 2.6.27, or without eventfd. `EPERM` or others: a seccomp policy.
    ///
    /// # Source
    ///
    /// [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html).
    fn eventfd(self, initval: u32, flags: EventfdFlags) -> Result<EventFd<Self>, Self::Error>;
}

impl<T: FileDescriptorTask> EventfdTask for T {
    #[inline(always)]
    fn eventfd(self, initval: u32, flags: EventfdFlags) -> Result<EventFd<T>, T::Error> {
        let fd = near::eventfd(self.sysif(), initval, flags.union(EventfdFlags::CLOEXEC))?;
        // SAFETY: the kernel just made it for us, and nothing can fail between.
        Ok(EventFd { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// A counter in the kernel, 0..=`u64::MAX` − 1, shared by all that have a descriptor for it.
///
/// Writing adds, reading takes the whole count and leaves 0, or takes 1 from a semaphore. Where there is nothing to
/// take, or no room to add, the caller sleeps, or fails with `EAGAIN` if the open description is nonblocking. It is
/// readable in a poll while the count is above 0, and writable while 1 more fits.
///
/// A write happens before the read that takes it: what a thread did before [`write`](Self::write) is seen after that
/// [`read`](Self::read).
///
/// The value owns its descriptor, and closes it when it goes away. For the current process it is four bytes, and so is
/// an `Option` of it.
///
/// ```
/// use rsyscall::{EventFd, EventfdFlags};
/// use std::{sync::Arc, thread};
///
/// let done = Arc::new(EventFd::new(0, EventfdFlags::empty())?);
/// let worker = thread::spawn({
///     let done = Arc::clone(&done);
///     move || done.write(1)
/// });
/// assert_eq!(done.wait()?, 1);
/// # worker.join().unwrap()?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Source
///
/// [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html); `fs/eventfd.c`.
#[doc(alias = "EventFileDescriptor", alias = "EventConsumer", alias = "EventNotifier")]
pub struct EventFd<T: FileDescriptorTask = Current> {
    fd: OwnedFd<T>,
}

assert_eq_size!(EventFd, Option<EventFd>, i32);
assert_impl_all!(EventFd: Send, Sync);
assert_not_impl_any!(EventFd: Copy, Clone);

impl EventFd {
    /// Makes an eventfd in the current process whose counter starts at `initval`. [`EventfdFlags::CLOEXEC`] is always
    /// added.
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
    /// Takes the count: all of it, which leaves 0, or 1 from a semaphore. Exactly one system call.
    ///
    /// If the count is 0 it sleeps, or fails with `EAGAIN` on a nonblocking description. [`try_read`](Self::try_read)
    /// never sleeps, [`wait`](Self::wait) always does.
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
    /// Nothing is taken. `EAGAIN`: the count is 0 and the description nonblocking. `EINTR`: a signal handler without
    /// `SA_RESTART` ran while it slept. `EIO`: the descriptor is not an eventfd and gave another length.
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

    /// Adds `value` to the count. Exactly one system call.
    ///
    /// If the sum would be above `u64::MAX` − 1 it sleeps until all of `value` fits, or fails with `EAGAIN` on a
    /// nonblocking description. Adding 0 is legal; it wakes an edge-triggered poll if the count is above 0.
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
    /// Nothing is added. `EAGAIN`: it does not fit and the description is nonblocking. `EINVAL`: `value` is `u64::MAX`.
    /// `EINTR`: a signal handler without `SA_RESTART` ran while it slept. `EIO`: the descriptor is not an eventfd and
    /// took another length.
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

/// The count out of the bytes that a read has written.
///
/// # Safety
///
/// All of them are initialised.
#[inline(always)]
unsafe fn assume_count(bytes: [MaybeUninit<u8>; 8]) -> u64 {
    // SAFETY: initialised by the caller's promise, and any eight bytes are a count in native order.
    unsafe { core::mem::transmute::<[MaybeUninit<u8>; 8], u64>(bytes) }
}

// In the order of a reader's page: what waits, what the descriptor does, what concerns several tasks.
mod wait;

mod descriptor;

mod across;

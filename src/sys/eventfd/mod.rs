//! `#include <sys/eventfd.h>`: a counter in the kernel that wakes whoever waits for it.
//!
//! Uses [`fd`](crate::fd), [`task`](crate::task) and [`near`].

mod across;
mod descriptor;
mod wait;

pub use crate::near::EventfdFlags;

use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor};
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
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

/// A counter in the kernel, 0..=`u64::MAX` − 1, shared by everyone who has a descriptor for it.
///
/// Writing adds, reading takes the whole count and leaves 0, or takes 1 from a semaphore. Where there is nothing to
/// take, or no room to add, the caller sleeps, or is told `EAGAIN` if the open description is nonblocking. It is
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

    /// Takes over a number of this process that is an eventfd.
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
    /// The number is open, and this value is from now on the only one that closes it. That it is an eventfd is not a
    /// matter of safety: another kind answers with its own errors, or `EIO` where it moves another number of bytes.
    #[inline(always)]
    #[must_use = "dropped, it closes the number at once"]
    pub unsafe fn from_raw_fd(fd: i32) -> Self {
        // SAFETY: handed on as it came.
        Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } }
    }
}

impl<T: FileDescriptorTask> EventFd<T> {
    /// Takes over a number of the task's table that is an eventfd.
    ///
    /// ```
    /// use rsyscall::sysif::Local;
    /// use rsyscall::{Current, EventFd, EventfdFlags, near};
    ///
    /// let fd = near::eventfd(&Local, 5, EventfdFlags::CLOEXEC)?;
    /// // SAFETY: made a line above, and known to nobody else.
    /// let bell = unsafe { EventFd::adopt(Current, fd) };
    /// assert_eq!(bell.read()?, 5);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`OwnedFd::adopt`].
    #[inline(always)]
    #[must_use = "dropped, it closes the number at once"]
    pub unsafe fn adopt(task: T, fd: FileDescriptor) -> Self {
        // SAFETY: handed on as it came.
        Self { fd: unsafe { OwnedFd::adopt(task, fd) } }
    }

    /// Takes the count: all of it, which leaves 0, or 1 from a semaphore. Exactly one system call.
    ///
    /// If the count is 0 it sleeps, or is `EAGAIN` on a nonblocking description. [`try_read`](Self::try_read) never
    /// sleeps, [`wait`](Self::wait) always does.
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
    /// If the sum would be above `u64::MAX` − 1 it sleeps until all of `value` fits, or is `EAGAIN` on a nonblocking
    /// description. Adding 0 is legal; it wakes an edge-triggered poll if the count is above 0.
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

impl<T: FileDescriptorTask> From<OwnedFd<T>> for EventFd<T> {
    /// Says that a descriptor is an eventfd. If it is not, its calls answer errors.
    #[inline]
    #[doc(alias = "from_owned_fd")]
    fn from(fd: OwnedFd<T>) -> Self {
        Self { fd }
    }
}

impl<T: FileDescriptorTask> From<EventFd<T>> for OwnedFd<T> {
    #[inline]
    fn from(eventfd: EventFd<T>) -> Self {
        eventfd.fd
    }
}

impl<T: FileDescriptorTask> fmt::Debug for EventFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventFd").field(&self.as_raw_fd()).finish()
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

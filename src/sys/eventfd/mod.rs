//! `#include <sys/eventfd.h>`: a counter in the kernel, with which threads and processes wake each other and event
//! loops.
//!
//! ```
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! let done = EventFd::new(0, EventfdFlags::empty())?;
//! std::thread::scope(|scope| {
//!     scope.spawn(|| done.write(1));
//!     assert_eq!(done.read()?, 1); // blocks until the write
//!     Ok::<(), rsyscall::Errno>(())
//! })?;
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::EVENTFD`](crate::nr::used_by::EVENTFD).

pub use crate::near::EventfdFlags;

use crate::fd::OwnedFd;
use crate::near;
use crate::task::{Current, FileDescriptorTask};
use core::mem::MaybeUninit;
use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};

/// Creates eventfds. It is implemented for all tasks.
///
/// ```
/// use rsyscall::{Current, EventfdFlags, EventfdTask};
///
/// /// Works in the process of any task.
/// fn woken<T: EventfdTask>(task: T) -> Result<u64, T::Error> {
///     let bell = task.eventfd(0, EventfdFlags::empty())?;
///     bell.write(1)?;
///     bell.read()
/// }
/// assert_eq!(woken(Current), Ok(1));
/// ```
pub trait EventfdTask: FileDescriptorTask {
    /// Creates an eventfd in the task's table with an initial count of `initval`. [`EventfdFlags::CLOEXEC`] is always
    /// added.
    ///
    /// System calls: `eventfd2`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: a flag that the kernel does not know. `EMFILE`, `ENFILE`: the per-process or system-wide limit of file
    /// descriptors is reached. `ENOMEM`. `ENOSYS`: Linux before 2.6.27, or without eventfd. `EPERM` or others: a
    /// seccomp policy.
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
        // SAFETY: the kernel just created it for us, and nothing can fail in between.
        Ok(EventFd { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// A counter in the kernel, 0..=`u64::MAX` − 1, which all its file descriptors share.
///
/// [`write`](Self::write) adds to the counter. [`read`](Self::read) returns the count and resets it to 0; in semaphore
/// mode it returns 1 and decrements the counter. If the count is 0, or the sum would be too large, the call blocks, or
/// fails with `EAGAIN` if the open file description is nonblocking. In a poll it is readable while the count is above
/// 0, and writable while at least 1 can be added.
///
/// A write happens before the read that returns its value: memory operations before the [`write`](Self::write) are
/// visible after the [`read`](Self::read).
///
/// The value owns its file descriptor, and closes it when it is dropped. For the current process the value is four
/// bytes in size, and so is an `Option` of it.
///
/// The error type is that of the task: an [`Errno`](crate::Errno) for the current process. In another process a call
/// can also fail with an [error of the interface](crate::sysif#errors-of-the-interface).
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

/// Converts the bytes that a read has written.
///
/// # Safety
///
/// All of them are initialised.
#[inline(always)]
unsafe fn assume_count(bytes: [MaybeUninit<u8>; 8]) -> u64 {
    // SAFETY: the caller guarantees that they are initialised, and any eight bytes are a count in native byte order.
    unsafe { core::mem::transmute::<[MaybeUninit<u8>; 8], u64>(bytes) }
}

// In the order of the documentation, where the methods of these modules precede those of this file.
mod counter;

mod wait;

mod descriptor;

mod across;

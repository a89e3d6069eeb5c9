//! `#include <sys/eventfd.h>`: a counter in the kernel that wakes whoever waits for it.
//!
//! Uses [`fd`](crate::fd), [`task`](crate::task) and [`near`].

mod across;
mod wait;

pub use crate::near::EventfdFlags;

use crate::Errno;
use crate::fd::{Inheritable, OwnedFd};
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
    /// Makes an eventfd in the task's table whose counter starts at `initval`. [`EventfdFlags::CLOEXEC`] is always added.
    ///
    /// System calls: `eventfd2`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: a flag that the kernel does not know. `EMFILE`, `ENFILE`: the process's or the system's descriptors are
    /// used up. `ENOMEM`. `ENOSYS`: Linux before 2.6.27, or without eventfd. `EPERM` or others: a seccomp policy.
    ///
    /// Source: [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html).
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
/// Writing adds, reading takes the whole count and leaves 0, or takes 1 from a semaphore. Where there is nothing to take, or
/// no room to add, the caller sleeps, or is told `EAGAIN` if the open description is nonblocking. It is readable in a poll
/// while the count is above 0, and writable while 1 more fits.
///
/// A write happens before the read that takes it: what a thread did before [`write`](Self::write) is seen after that
/// [`read`](Self::read).
///
/// The value owns its descriptor, and closes it when it goes away. For the current process it is four bytes, and so is an
/// `Option` of it.
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
/// Source: [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html); `fs/eventfd.c`.
#[doc(alias = "EventFileDescriptor", alias = "EventConsumer", alias = "EventNotifier")]
pub struct EventFd<T: FileDescriptorTask = Current> {
    fd: OwnedFd<T>,
}

assert_eq_size!(EventFd, Option<EventFd>, i32);
assert_impl_all!(EventFd: Send, Sync);
assert_not_impl_any!(EventFd: Copy, Clone);

impl EventFd {
    /// Makes an eventfd in the current process whose counter starts at `initval`. [`EventfdFlags::CLOEXEC`] is always added.
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
    /// The number is open, and this value is from now on the only one that closes it. That it is an eventfd is not a matter
    /// of safety: another kind answers with its own errors, or `EIO` where it moves another number of bytes.
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
    /// If the count is 0 it sleeps, or is `EAGAIN` on a nonblocking description. [`try_read`](Self::try_read) never sleeps,
    /// [`wait`](Self::wait) always does.
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
    /// Source: [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html).
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
    /// `EINTR`: a signal handler without `SA_RESTART` ran while it slept. `EIO`: the descriptor is not an eventfd and took
    /// another length.
    ///
    /// Source: [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html).
    #[inline(always)]
    #[doc(alias = "eventfd_write", alias = "notify", alias = "arm")]
    pub fn write(&self, value: u64) -> Result<(), T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::write_exact(self.fd.sysif(), self.fd.near(), &value.to_ne_bytes()) }
    }

    /// Another descriptor for the same counter, closed by `execve`. The count and `O_NONBLOCK` are shared.
    ///
    /// System calls: `fcntl(F_DUPFD_CLOEXEC)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.try_clone()?.write(4)?;
    /// assert_eq!(bell.read()?, 4);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EMFILE`: the process's descriptors are used up.
    #[inline]
    #[doc(alias = "dup", alias = "F_DUPFD_CLOEXEC", alias = "fcntl_dupfd_cloexec")]
    pub fn try_clone(&self) -> Result<Self, T::Error> {
        self.fd.try_clone().map(|fd| Self { fd })
    }

    /// Whether [`read`](Self::read) and [`write`](Self::write) answer `EAGAIN` instead of sleeping.
    ///
    /// System calls: `fcntl(F_GETFL)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
    /// assert!(bell.is_nonblocking()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::is_nonblocking`].
    #[inline]
    pub fn is_nonblocking(&self) -> Result<bool, T::Error> {
        self.fd.is_nonblocking()
    }

    /// Says whether [`read`](Self::read) and [`write`](Self::write) answer `EAGAIN` instead of sleeping, for every
    /// descriptor of this counter, in other processes too.
    ///
    /// System calls: `ioctl(FIONBIO)`.
    ///
    /// ```
    /// use rsyscall::{Errno, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.set_nonblocking(true)?;
    /// assert_eq!(bell.read(), Err(Errno::EAGAIN));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::set_nonblocking`].
    #[inline]
    #[doc(alias = "O_NONBLOCK", alias = "ioctl_fionbio")]
    pub fn set_nonblocking(&self, nonblocking: bool) -> Result<(), T::Error> {
        self.fd.set_nonblocking(nonblocking)
    }

    /// Whether `execve` closes this descriptor.
    ///
    /// System calls: `fcntl(F_GETFD)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert!(bell.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::is_cloexec`].
    #[inline]
    pub fn is_cloexec(&self) -> Result<bool, T::Error> {
        self.fd.is_cloexec()
    }

    /// Says whether `execve` closes this descriptor; a new one always is.
    ///
    /// System calls: `fcntl(F_SETFD)`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.set_cloexec(false)?;
    /// assert!(!bell.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::set_cloexec`].
    #[inline]
    #[doc(alias = "FD_CLOEXEC", alias = "enable_cloexec", alias = "disable_cloexec")]
    pub fn set_cloexec(&self, cloexec: bool) -> Result<(), T::Error> {
        self.fd.set_cloexec(cloexec)
    }

    /// Lets `execve` keep this descriptor for as long as the guard lives, and puts it back afterwards.
    ///
    /// System calls: `fcntl(F_SETFD)`, now and when the guard ends.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let guard = bell.inheritable()?;
    /// assert!(guard.as_raw_fd() >= 0); // what an executed program is told
    /// drop(guard);
    /// assert!(bell.is_cloexec()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::inheritable`].
    #[inline]
    #[doc(alias = "as_argument")]
    pub fn inheritable(&mut self) -> Result<Inheritable<'_, T>, T::Error> {
        self.fd.inheritable()
    }

    /// Closes it, and says what the kernel answered; dropping it does the same and says nothing. It does not wake a reader
    /// that sleeps on another descriptor of the counter, or on this one.
    ///
    /// System calls: `close`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.close()?;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None from the kernel for an eventfd. What the interface adds.
    #[inline(always)]
    pub fn close(self) -> Result<(), T::Error> {
        self.fd.close()
    }

    /// The number, still owned by this value.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.near().0, bell.as_raw_fd());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn near(&self) -> FileDescriptor {
        self.fd.near()
    }

    /// The number, still owned by this value, as std and C have it.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert!(bell.as_raw_fd() >= 0);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn as_raw_fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// The number, from now on owned by the caller: nothing closes it any more.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let raw = bell.into_raw_fd();
    /// // SAFETY: it was given away a line above.
    /// let bell = unsafe { EventFd::from_raw_fd(raw) };
    /// # let _ = bell;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    #[must_use = "nobody else knows this number: unused, it stays open for ever"]
    pub fn into_raw_fd(self) -> i32 {
        self.fd.into_raw_fd()
    }

    /// The descriptor without its kind.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.as_owned_fd().as_raw_fd(), bell.as_raw_fd());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn as_owned_fd(&self) -> &OwnedFd<T> {
        &self.fd
    }

    /// The descriptor without its kind, given away.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let owned = EventFd::new(2, EventfdFlags::empty())?.into_owned_fd();
    /// assert_eq!(EventFd::from(owned).read()?, 2);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn into_owned_fd(self) -> OwnedFd<T> {
        self.fd
    }

    /// The task through which it is used.
    ///
    /// ```
    /// use rsyscall::{Current, EventFd, EventfdFlags};
    ///
    /// assert_eq!(EventFd::new(0, EventfdFlags::empty())?.task(), Current);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn task(&self) -> T {
        self.fd.task()
    }
}

impl<T: FileDescriptorTask> AsRef<OwnedFd<T>> for EventFd<T> {
    #[inline(always)]
    fn as_ref(&self) -> &OwnedFd<T> {
        &self.fd
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

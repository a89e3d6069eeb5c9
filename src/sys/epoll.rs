//! `#include <sys/epoll.h>`: for event loops with many file descriptors; the cost of a wait depends only on those that
//! are ready.
//!
//! ```
//! use core::mem::MaybeUninit;
//! use rsyscall::sys::epoll::{Epoll, EpollEvents};
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! let bell = EventFd::new(1, EventfdFlags::empty())?;
//! let epoll = Epoll::new()?;
//! epoll.add(&bell, EpollEvents::IN, 7)?;
//! let mut memory = [MaybeUninit::uninit(); 8];
//! for event in epoll.wait(&mut memory)? {
//!     assert_eq!(event.data(), 7);
//! }
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::EPOLL`](crate::nr::used_by::EPOLL).

pub use crate::near::{EpollEvent, EpollEvents, SignalSet};

use crate::Errno;
use crate::deadline::{Deadline, Step, keep, keep_until};
use crate::fd::OwnedFd;
use crate::near::{self, EpollFlags, EpollOp, FileDescriptor, Timespec};
use crate::sys::kind::kind;
use crate::sys::pollable::{PollTask, Pollable, PolledFd};
use crate::sysif::SyscallError;
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::slice_from_raw_parts;
use core::time::Duration;
use static_assertions::{assert_eq_size, assert_impl_all};

/// Creates epoll instances. It is implemented for all tasks.
pub trait EpollTask: FileDescriptorTask {
    /// Creates an epoll instance in the task's table, which `execve` closes.
    ///
    /// System calls: `epoll_create1`.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`: the per-process or system-wide limit of file descriptors is reached. `ENOMEM`. `ENOSYS`,
    /// `EPERM` or others: a kernel without epoll, a seccomp policy.
    ///
    /// # Source
    ///
    /// [epoll_create(2)](https://man7.org/linux/man-pages/man2/epoll_create.2.html).
    fn epoll(self) -> Result<Epoll<Self>, Self::Error>;
}

impl<T: FileDescriptorTask> EpollTask for T {
    #[inline(always)]
    fn epoll(self) -> Result<Epoll<T>, T::Error> {
        let fd = near::epoll_create1(self.sysif(), EpollFlags::CLOEXEC)?;
        // SAFETY: the kernel just created it for us, and nothing can fail in between.
        Ok(Epoll { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// An epoll instance: a set of file descriptors in the kernel, which reports those that are ready.
///
/// A file descriptor is added once, with 64 bits of user data that each of its events has. Events are written to memory
/// of the caller: as many as fit, and the others in the next wait.
///
/// ```
/// use core::mem::MaybeUninit;
/// use rsyscall::sys::epoll::{Epoll, EpollEvents};
/// use rsyscall::{EventFd, EventfdFlags};
///
/// let door = EventFd::new(0, EventfdFlags::empty())?;
/// let phone = EventFd::new(0, EventfdFlags::empty())?;
/// let epoll = Epoll::new()?;
/// epoll.add(&door, EpollEvents::IN, 1)?;
/// epoll.add(&phone, EpollEvents::IN, 2)?;
///
/// phone.write(1)?;
/// let mut memory = [MaybeUninit::uninit(); 8];
/// let events = epoll.wait(&mut memory)?;
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].data(), 2);
/// assert_eq!(events[0].events(), EpollEvents::IN);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Lifetime of a registration
///
/// A registration belongs to the open file description *and* the file descriptor with which it was added. It lasts
/// until it is deleted or the last file descriptor of the open file description is closed, in any process. A closed
/// file descriptor that has a duplicate ([`try_clone`](OwnedFd::try_clone), `fork`, `SCM_RIGHTS`) therefore continues
/// to be reported, and cannot be deleted any more, as the deletion needs the file descriptor. [`delete`](Self::delete)
/// a file descriptor that may have a duplicate before closing it. Such an event is not unsound: it only has the 64 bits
/// of user data.
///
/// # Source
///
/// [epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html).
pub struct Epoll<T: FileDescriptorTask = Current> {
    fd: OwnedFd<T>,
}

assert_eq_size!(Epoll, Option<Epoll>, i32);
assert_impl_all!(Epoll: Send, Sync);

impl Epoll {
    /// Creates an epoll instance in the current process, which `execve` closes.
    ///
    /// System calls: `epoll_create1`.
    ///
    /// # Errors
    ///
    /// Those of [`EpollTask::epoll`].
    #[inline(always)]
    #[doc(alias = "epoll_create", alias = "epoll_create1")]
    pub fn new() -> Result<Self, Errno> {
        Current.epoll()
    }
}

impl<T: FileDescriptorTask> Epoll<T> {
    /// Adds a file descriptor. If it is ready already, the next wait reports it.
    ///
    /// System calls: `epoll_ctl`.
    ///
    /// # Errors
    ///
    /// `EEXIST`: it was added already. `EPERM`: its kind does not support epoll (a regular file). `EINVAL`: it is this
    /// epoll, or `EXCLUSIVE` with an event that excludes it. `ELOOP`: a cycle of epolls, or too deep a nesting.
    /// `ENOSPC`: `/proc/sys/fs/epoll/max_user_watches`. `ENOMEM`. `EBADF`, without a call: it belongs to another table.
    ///
    /// # Source
    ///
    /// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html).
    #[inline]
    #[doc(alias = "epoll_ctl", alias = "EPOLL_CTL_ADD")]
    pub fn add<F: Pollable<T> + ?Sized>(&self, fd: &F, events: EpollEvents, data: u64) -> Result<(), T::Error>
    where
        T: PollTask,
    {
        self.ctl(EpollOp::Add, fd.lend(), EpollEvent::new(events, data))
    }

    /// Changes the events and the user data of a file descriptor. If it is ready, the next wait reports it,
    /// edge-triggered or not.
    ///
    /// System calls: `epoll_ctl`.
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use core::time::Duration;
    /// use rsyscall::sys::epoll::{Epoll, EpollEvents};
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(1, EventfdFlags::empty())?;
    /// let epoll = Epoll::new()?;
    /// let mut memory = [MaybeUninit::uninit(); 1];
    /// let once = EpollEvents::IN | EpollEvents::ONESHOT;
    ///
    /// epoll.add(&bell, once, 0)?;
    /// assert_eq!(epoll.wait(&mut memory)?.len(), 1);
    /// assert_eq!(epoll.wait_timeout(&mut memory, Duration::ZERO)?.len(), 0);
    /// epoll.modify(&bell, once, 0)?;
    /// assert_eq!(epoll.wait(&mut memory)?.len(), 1);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `ENOENT`: it was not added. `EINVAL`: `EXCLUSIVE` now or when it was added. `EBADF`, without a call: it belongs
    /// to another table.
    ///
    /// # Source
    ///
    /// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html).
    #[inline]
    #[doc(alias = "EPOLL_CTL_MOD")]
    pub fn modify<F: Pollable<T> + ?Sized>(&self, fd: &F, events: EpollEvents, data: u64) -> Result<(), T::Error>
    where
        T: PollTask,
    {
        self.ctl(EpollOp::Modify, fd.lend(), EpollEvent::new(events, data))
    }

    /// Removes a file descriptor.
    ///
    /// System calls: `epoll_ctl`.
    ///
    /// # Errors
    ///
    /// `ENOENT`: it was not added. `EBADF`, without a call: it belongs to another table.
    ///
    /// # Source
    ///
    /// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html).
    #[inline]
    #[doc(alias = "EPOLL_CTL_DEL")]
    pub fn delete<F: Pollable<T> + ?Sized>(&self, fd: &F) -> Result<(), T::Error>
    where
        T: PollTask,
    {
        self.ctl(EpollOp::Delete, fd.lend(), EpollEvent::new(EpollEvents::empty(), 0))
    }

    /// Blocks until there is an event or the timeout expires; `None` waits without limit. Returns the events, in
    /// `memory`, or none on timeout.
    ///
    /// It makes exactly one system call.
    ///
    /// The kernel counts milliseconds here: the timeout is rounded up to whole milliseconds, and limited to `i32::MAX`
    /// of them (24 days). With a `mask`, the thread has this signal mask during the call, replaced and restored
    /// atomically with the wait.
    ///
    /// System calls: `epoll_pwait`.
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use core::time::Duration;
    /// use rsyscall::sys::epoll::{Epoll, SignalSet};
    ///
    /// let epoll = Epoll::new()?;
    /// let mut memory = [MaybeUninit::uninit(); 8];
    /// assert!(epoll.pwait(&mut memory, Some(Duration::ZERO), Some(SignalSet::ALL))?.is_empty());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EINTR`: a signal handler ran; `SA_RESTART` makes no difference. `EINVAL`: the memory is empty. [Errors of the
    /// interface](crate::sysif#errors-of-the-interface).
    ///
    /// # Source
    ///
    /// [epoll_wait(2)](https://man7.org/linux/man-pages/man2/epoll_wait.2.html).
    #[inline]
    #[doc(alias = "epoll_pwait")]
    pub fn pwait<'memory>(
        &self,
        memory: &'memory mut [MaybeUninit<EpollEvent>],
        timeout: Option<Duration>,
        mask: Option<SignalSet>,
    ) -> Result<&'memory [EpollEvent], T::Error> {
        let count = self.count(memory, timeout.map(Timespec::from), mask)?;
        // SAFETY: the call has written `count` events.
        Ok(unsafe { assume_events(memory, count) })
    }

    /// Blocks until there is an event. Returns the events, in `memory`: at least one.
    ///
    /// Signal handlers do not end the wait.
    ///
    /// System calls: `epoll_pwait`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the memory is empty. [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    #[doc(alias = "epoll_wait")]
    pub fn wait<'memory>(
        &self,
        memory: &'memory mut [MaybeUninit<EpollEvent>],
    ) -> Result<&'memory [EpollEvent], T::Error> {
        let count = loop {
            match self.count(memory, None, None) {
                Ok(count) => break count,
                Err(error) if error.errno() == Some(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        };
        // SAFETY: the call has written `count` events.
        Ok(unsafe { assume_events(memory, count) })
    }

    /// Blocks until there is an event or the timeout expires. Returns the events, in `memory`, or none on timeout.
    ///
    /// The timeout is measured on `CLOCK_MONOTONIC`, across signal handlers. File descriptors that are ready are
    /// reported even with a zero timeout. The kernel counts milliseconds here: a timeout can be up to one millisecond
    /// late, and is never early.
    ///
    /// System calls: `epoll_pwait`; unless the timeout is zero also `clock_gettime`.
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use core::time::Duration;
    /// use rsyscall::sys::epoll::{Epoll, EpollEvents};
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let epoll = Epoll::new()?;
    /// epoll.add(&bell, EpollEvents::IN, 0)?;
    /// let mut memory = [MaybeUninit::uninit(); 8];
    /// assert!(epoll.wait_timeout(&mut memory, Duration::from_millis(1))?.is_empty());
    /// bell.write(1)?;
    /// assert_eq!(epoll.wait_timeout(&mut memory, Duration::ZERO)?.len(), 1);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EINVAL`: the memory is empty. [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    pub fn wait_timeout<'memory>(
        &self,
        memory: &'memory mut [MaybeUninit<EpollEvent>],
        timeout: Duration,
    ) -> Result<&'memory [EpollEvent], T::Error> {
        let count = keep(self.fd.sysif(), timeout, |left| self.attempt(memory, left))?.unwrap_or(0);
        // SAFETY: the call has written `count` events.
        Ok(unsafe { assume_events(memory, count) })
    }

    /// Blocks as [`wait_timeout`](Self::wait_timeout) does, until a deadline.
    ///
    /// System calls: `clock_gettime`, `epoll_pwait`.
    ///
    /// ```
    /// use core::mem::MaybeUninit;
    /// use core::time::Duration;
    /// use rsyscall::deadline::Deadline;
    /// use rsyscall::sys::epoll::Epoll;
    /// use rsyscall::sysif::Local;
    ///
    /// let epoll = Epoll::new()?;
    /// let mut memory = [MaybeUninit::uninit(); 8];
    /// let deadline = Deadline::after(&Local, Duration::from_millis(2))?;
    /// while !epoll.wait_until(&mut memory, deadline)?.is_empty() {
    ///     // handle the events; those after the deadline remain for the next wait
    /// }
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`wait_timeout`](Self::wait_timeout).
    #[inline]
    pub fn wait_until<'memory>(
        &self,
        memory: &'memory mut [MaybeUninit<EpollEvent>],
        deadline: Deadline,
    ) -> Result<&'memory [EpollEvent], T::Error> {
        let count = keep_until(self.fd.sysif(), deadline, |left| self.attempt(memory, left))?.unwrap_or(0);
        // SAFETY: the call has written `count` events.
        Ok(unsafe { assume_events(memory, count) })
    }

    #[inline]
    fn attempt(&self, memory: &mut [MaybeUninit<EpollEvent>], left: Timespec) -> Step<usize, T::Error> {
        match self.count(memory, Some(left), None) {
            // The maximum of one call may be less than what is left.
            Ok(0) if left > LONGEST => Step::Again,
            Ok(0) => Step::Expired,
            Ok(count) => Step::Ready(count),
            Err(error) => Step::failed(error),
        }
    }

    #[inline]
    fn count(
        &self,
        memory: &mut [MaybeUninit<EpollEvent>],
        timeout: Option<Timespec>,
        mask: Option<SignalSet>,
    ) -> Result<usize, T::Error> {
        let timeout = timeout.map_or(-1, milliseconds);
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::epoll_pwait(self.fd.sysif(), self.fd.near(), memory, timeout, mask) }.map(|events| events.len())
    }

    #[inline]
    pub(crate) fn ctl(&self, op: EpollOp, polled: PolledFd<'_>, event: EpollEvent) -> Result<(), T::Error> {
        if polled.table != self.fd.task().fd_table() {
            return Err(Errno::EBADF.into());
        }
        // SAFETY: both are open for as long as the borrows last, and belong to the same table.
        unsafe { near::epoll_ctl(self.fd.sysif(), self.fd.near(), op, polled.fd, event) }
    }
}

kind! {
    Epoll,
    kind: "an epoll instance",
    uses: "rsyscall::sys::epoll::Epoll",
    new: "Epoll::new()?",
    wrong: "every call of another kind fails with `EINVAL`.",
    end: "The file descriptors that were added stay open."
}

/// `i32::MAX` milliseconds, rounded down to seconds.
const LONGEST: Timespec = Timespec { seconds: i32::MAX as i64 / 1000, nanoseconds: 0 };

/// Rounds a time up to milliseconds, at most `i32::MAX`.
#[inline]
fn milliseconds(time: Timespec) -> i32 {
    // At most 1000: `nanoseconds` is less than a second.
    let parts = i32::try_from(time.nanoseconds.saturating_add(999_999).wrapping_div(1_000_000)).unwrap_or(0);
    i32::try_from(time.seconds).unwrap_or(i32::MAX).saturating_mul(1000).saturating_add(parts)
}

/// Returns the events that a call has written.
///
/// # Safety
///
/// The memory has at least `count` elements, and the first `count` are initialised.
#[inline(always)]
unsafe fn assume_events(memory: &[MaybeUninit<EpollEvent>], count: usize) -> &[EpollEvent] {
    let events = slice_from_raw_parts(memory.as_ptr().cast::<EpollEvent>(), count);
    // SAFETY: the caller guarantees that they are initialised; the same memory for the same borrow.
    unsafe { &*events }
}

//! `#include <sys/epoll.h>`: waiting for many descriptors, at the price of those that are ready.
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

/// Makes epoll descriptors. Every task does.
pub trait EpollTask: FileDescriptorTask {
    /// Makes an epoll descriptor in the task's table, closed by `execve`.
    ///
    /// System calls: `epoll_create1`.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`: the process's or the system's descriptors are used up. `ENOMEM`. `ENOSYS`, `EPERM` or
    /// others: a kernel without epoll, a seccomp policy.
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
        // SAFETY: the kernel just made it for us, and nothing can fail between.
        Ok(Epoll { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// A set of descriptors, kept by the kernel, that reports which of them are ready.
///
/// A descriptor is added once, with 64 bits that are the caller's own, and each report of it carries those bits. Memory
/// for reports is the caller's: as many as fit are given at once, the others at the next wait.
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
/// # What a registration belongs to
///
/// It belongs to the open file description *and* the file descriptor under which it was added, and lasts until it is
/// deleted or the description's last descriptor is closed, in whatever process that is. So a closed descriptor of which
/// there is a duplicate ([`try_clone`](OwnedFd::try_clone), `fork`, `SCM_RIGHTS`) goes on reporting, and can no longer
/// be deleted, because it has no number any more. [`delete`](Self::delete) before closing whatever may have a
/// duplicate. No such report is unsound: it carries 64 bits and nothing that is trusted.
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
    /// Makes an epoll descriptor in the current process, closed by `execve`.
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
    /// Watches a descriptor from now on. If it is ready already, that is the first report.
    ///
    /// System calls: `epoll_ctl`.
    ///
    /// # Errors
    ///
    /// `EEXIST`: it is watched already. `EPERM`: its kind cannot be watched (a plain file). `EINVAL`: it is this epoll,
    /// or `EXCLUSIVE` with something it does not go with. `ELOOP`: epolls that watch each other in a circle, or too
    /// deep. `ENOSPC`: `/proc/sys/fs/epoll/max_user_watches`. `ENOMEM`. `EBADF`, and no call is made: it is of another
    /// table.
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

    /// Watches a descriptor for something else, with other bits. If it is ready, edge-triggered or not, that is
    /// reported.
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
    /// `ENOENT`: it is not watched. `EINVAL`: `EXCLUSIVE` now or when it was added. `EBADF`, and no call is made: it is
    /// of another table.
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

    /// Watches a descriptor no more.
    ///
    /// System calls: `epoll_ctl`.
    ///
    /// # Errors
    ///
    /// `ENOENT`: it is not watched. `EBADF`, and no call is made: it is of another table.
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

    /// Waits until something is reported or the timeout expires; without one, for ever. Returns the reports, in the
    /// memory that was given: none if the timeout has expired. Exactly one system call.
    ///
    /// The kernel counts milliseconds here: a part of one is waited for as a whole one, and what is longer than
    /// `i32::MAX` of them (24 days) is that long. With a `mask` the thread's signal mask is that one for as long as the
    /// call lasts.
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
    /// `EINTR`: a signal handler ran; `SA_RESTART` makes no difference. `EINVAL`: the memory is empty. What the
    /// interface adds.
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
        // SAFETY: the call has written as many.
        Ok(unsafe { assume_events(memory, count) })
    }

    /// Waits until something is reported, however many signal handlers run. Returns the reports, in the memory that was
    /// given: at least one.
    ///
    /// System calls: `epoll_pwait`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the memory is empty. What the interface adds.
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
        // SAFETY: the call has written as many.
        Ok(unsafe { assume_events(memory, count) })
    }

    /// Waits until something is reported or the timeout expires, which is kept on `CLOCK_MONOTONIC` across signal
    /// handlers. Returns the reports, in the memory that was given: none if the timeout has expired. What is ready is
    /// reported whatever the timeout, zero included. The kernel counts milliseconds here: it can be up to one late, and
    /// is never early.
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
    /// `EINVAL`: the memory is empty. What the interface adds.
    #[inline]
    pub fn wait_timeout<'memory>(
        &self,
        memory: &'memory mut [MaybeUninit<EpollEvent>],
        timeout: Duration,
    ) -> Result<&'memory [EpollEvent], T::Error> {
        let count = keep(self.fd.sysif(), timeout, |left| self.attempt(memory, left))?.unwrap_or(0);
        // SAFETY: the call has written as many.
        Ok(unsafe { assume_events(memory, count) })
    }

    /// As [`wait_timeout`](Self::wait_timeout), until a moment.
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
    ///     // here: do the work; what comes after the deadline is left for another time
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
        // SAFETY: the call has written as many.
        Ok(unsafe { assume_events(memory, count) })
    }

    #[inline]
    fn attempt(&self, memory: &mut [MaybeUninit<EpollEvent>], left: Timespec) -> Step<usize, T::Error> {
        match self.count(memory, Some(left), None) {
            // The longest that the call can wait at once may be less than what is left.
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
        // SAFETY: both are open for as long as the borrows last, and of the same table.
        unsafe { near::epoll_ctl(self.fd.sysif(), self.fd.near(), op, polled.fd, event) }
    }
}

kind! {
    Epoll,
    kind: "an epoll",
    uses: "rsyscall::sys::epoll::Epoll",
    new: "Epoll::new()?",
    wrong: "every call of another kind fails with `EINVAL`.",
    end: "The descriptors that it watches stay open."
}

/// `i32::MAX` milliseconds, with the part of a second left out.
const LONGEST: Timespec = Timespec { seconds: i32::MAX as i64 / 1000, nanoseconds: 0 };

/// The whole milliseconds that hold this time, at most `i32::MAX`.
#[inline]
fn milliseconds(time: Timespec) -> i32 {
    // Not above 1000: the second part is never above a second.
    let parts = i32::try_from(time.nanoseconds.saturating_add(999_999).wrapping_div(1_000_000)).unwrap_or(0);
    i32::try_from(time.seconds).unwrap_or(i32::MAX).saturating_mul(1000).saturating_add(parts)
}

/// The events that a call has written.
///
/// # Safety
///
/// The first `count` are initialised, and there are as many.
#[inline(always)]
unsafe fn assume_events(memory: &[MaybeUninit<EpollEvent>], count: usize) -> &[EpollEvent] {
    let events = slice_from_raw_parts(memory.as_ptr().cast::<EpollEvent>(), count);
    // SAFETY: initialised by the caller's promise; the same memory for the same borrow.
    unsafe { &*events }
}

//! `#include <poll.h>`: waits until one of several file descriptors is ready. It suits a few, or many that are waited
//! for once.
//!
//! ```
//! use core::time::Duration;
//! use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
//! use rsyscall::{Current, EventFd, EventfdFlags};
//!
//! let bell = EventFd::new(1, EventfdFlags::empty())?;
//! let mut memory = [PollFd::UNUSED; 1];
//! let mut set = PollSet::new(Current, &mut memory);
//! set.add(&bell, PollEvents::IN)?;
//! assert_eq!(set.wait_timeout(Duration::from_secs(1))?, 1);
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::POLL`](crate::nr::used_by::POLL).

pub use crate::near::{PollFd, SignalSet};

use crate::Errno;
use crate::deadline::{Deadline, Step, keep, keep_until};
use crate::near::{self, Timespec, flags};
use crate::sys::pollable::{PollTask, Pollable, PolledFd};
use crate::sysif::SyscallError;
use crate::task::FileDescriptorTask;
use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

flags! {
    /// Events to wait for, and events that occurred.
    ///
    /// ```
    /// use rsyscall::sys::poll::PollEvents;
    ///
    /// assert_eq!((PollEvents::IN | PollEvents::OUT).bits(), 5);
    /// ```
    ///
    /// # Source
    ///
    /// [poll(2)](https://man7.org/linux/man-pages/man2/poll.2.html); `include/uapi/asm-generic/poll.h`.
    pub struct PollEvents: i16 {
        /// Data can be read. An eventfd: its count is above 0.
        #[doc(alias = "POLLIN")]
        const IN = PollFd::IN;
        /// Urgent data can be read, or there is another exceptional condition.
        #[doc(alias = "POLLPRI")]
        const PRI = PollFd::PRI;
        /// Data can be written. An eventfd: at least 1 can be added.
        #[doc(alias = "POLLOUT")]
        const OUT = PollFd::OUT;
        /// An error condition, always reported.
        #[doc(alias = "POLLERR")]
        const ERR = PollFd::ERR;
        /// The peer has closed its end, always reported.
        #[doc(alias = "POLLHUP")]
        const HUP = PollFd::HUP;
        /// The file descriptor is not open, always reported. It does not occur in a `PollSet`, which borrows its file
        /// descriptors.
        #[doc(alias = "POLLNVAL")]
        const NVAL = PollFd::NVAL;
        /// The peer has closed its end or shut down writing.
        #[doc(alias = "POLLRDHUP")]
        const RDHUP = PollFd::RDHUP;
    }
}

/// A set of file descriptors to poll, in memory of the caller: one [`PollFd`] each.
///
/// It borrows the file descriptors, so they stay open while they are polled. All of them belong to one task's table.
///
/// Each wait passes the whole set to the kernel, which suits a few file descriptors, or many that are waited for once.
/// [`Epoll`](super::epoll::Epoll) suits many that are waited for often.
///
/// ```
/// use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
/// use rsyscall::{Current, EventFd, EventfdFlags};
///
/// let door = EventFd::new(0, EventfdFlags::empty())?;
/// let phone = EventFd::new(0, EventfdFlags::empty())?;
///
/// let mut memory = [PollFd::UNUSED; 2];
/// let mut set = PollSet::new(Current, &mut memory);
/// let at_door = set.add(&door, PollEvents::IN)?;
/// let at_phone = set.add(&phone, PollEvents::IN)?;
///
/// phone.write(1)?;
/// assert_eq!(set.wait()?, 1);
/// assert_eq!(set.revents(at_phone), PollEvents::IN);
/// assert_eq!(set.revents(at_door), PollEvents::empty());
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Source
///
/// [poll(2)](https://man7.org/linux/man-pages/man2/poll.2.html).
pub struct PollSet<'fd, 'memory, T: FileDescriptorTask> {
    memory: &'memory mut [PollFd],
    len: usize,
    task: T,
    borrowed: PhantomData<PolledFd<'fd>>,
}

impl<'fd, 'memory, T: FileDescriptorTask> PollSet<'fd, 'memory, T> {
    /// Creates an empty set with room for `memory.len()` file descriptors. The contents of the memory do not matter.
    #[inline]
    pub fn new(task: T, memory: &'memory mut [PollFd]) -> Self {
        Self { memory, len: 0, task, borrowed: PhantomData }
    }

    /// Adds a file descriptor, and returns its index in the set: 0, 1, 2 and so on.
    ///
    /// ```
    /// use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
    /// use rsyscall::{Current, Errno, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let mut memory = [PollFd::UNUSED; 1];
    /// let mut set = PollSet::new(Current, &mut memory);
    /// assert_eq!(set.add(&bell, PollEvents::IN), Ok(0));
    /// assert_eq!(set.add(&bell, PollEvents::OUT), Err(Errno::ENOSPC));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// A file descriptor cannot be closed while it is in a set:
    ///
    /// ```compile_fail,E0505
    /// use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
    /// use rsyscall::{Current, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let mut memory = [PollFd::UNUSED; 1];
    /// let mut set = PollSet::new(Current, &mut memory);
    /// set.add(&bell, PollEvents::IN)?;
    /// drop(bell);
    /// set.wait()?;
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No call is made. `ENOSPC`: the memory is full. `EBADF`: the file descriptor belongs to another table than the
    /// set's task.
    #[inline]
    pub fn add<F: Pollable<T> + ?Sized>(&mut self, fd: &'fd F, events: PollEvents) -> Result<usize, T::Error>
    where
        T: PollTask,
    {
        let polled: PolledFd<'fd> = fd.lend();
        if polled.table != self.task.fd_table() {
            return Err(Errno::EBADF.into());
        }
        let index = self.len;
        let Some(entry) = self.memory.get_mut(index) else {
            return Err(Errno::ENOSPC.into());
        };
        *entry = PollFd { fd: polled.fd, events: events.bits(), revents: 0 };
        // It is less than the length of the memory.
        self.len = index.wrapping_add(1);
        Ok(index)
    }

    /// Sets the events to wait for, of the file descriptor at this index.
    ///
    /// `ERR`, `HUP` and `NVAL` are always reported. An index that does not exist is ignored.
    #[inline]
    pub fn modify(&mut self, index: usize, events: PollEvents) {
        if let Some(entry) = self.entries_mut().get_mut(index) {
            entry.events = events.bits();
        }
    }

    /// Returns the events of the file descriptor at this index in the last wait, or none for an index that does not
    /// exist. After a wait that failed they are unspecified.
    #[inline]
    pub fn revents(&self, index: usize) -> PollEvents {
        self.memory
            .get(..self.len)
            .and_then(|entries| entries.get(index))
            .map_or(PollEvents::empty(), |entry| PollEvents::from_bits_retain(entry.revents))
    }

    /// Returns the number of file descriptors in the set.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the set is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Blocks until a file descriptor is ready or the timeout expires; `None` waits without limit. Returns the number
    /// of file descriptors that are ready, 0 on timeout.
    ///
    /// It makes exactly one system call.
    ///
    /// With a `mask`, the thread has this signal mask during the call. The kernel replaces and restores the mask
    /// atomically with the wait.
    ///
    /// System calls: `ppoll`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rsyscall::Current;
    /// use rsyscall::sys::poll::{PollSet, SignalSet};
    ///
    /// // A sleep that no signal interrupts.
    /// let slept = PollSet::new(Current, &mut []).ppoll(Some(Duration::from_millis(1)), Some(SignalSet::ALL));
    /// assert_eq!(slept, Ok(0));
    /// ```
    ///
    /// # Errors
    ///
    /// `EINTR`: a signal handler ran; `SA_RESTART` makes no difference. `EINVAL`: more file descriptors than
    /// `RLIMIT_NOFILE`. `ENOMEM`. [Errors of the interface](crate::sysif#errors-of-the-interface).
    ///
    /// # Source
    ///
    /// [ppoll(2)](https://man7.org/linux/man-pages/man2/ppoll.2.html).
    #[inline]
    pub fn ppoll(&mut self, timeout: Option<Duration>, mask: Option<SignalSet>) -> Result<usize, T::Error> {
        let task = self.task;
        near::ppoll(task.sysif(), self.entries_mut(), timeout.map(Timespec::from), mask)
    }

    /// Blocks until a file descriptor is ready. Returns the number of file descriptors that are ready.
    ///
    /// Signal handlers do not end the wait.
    ///
    /// System calls: `ppoll`.
    ///
    /// # Errors
    ///
    /// Those of [`ppoll`](Self::ppoll), except `EINTR`.
    #[inline]
    pub fn wait(&mut self) -> Result<usize, T::Error> {
        loop {
            match self.ppoll(None, None) {
                Err(error) if error.errno() == Some(Errno::EINTR) => {}
                result => return result,
            }
        }
    }

    /// Blocks until a file descriptor is ready or the timeout expires. Returns the number of file descriptors that are
    /// ready, 0 on timeout.
    ///
    /// The timeout is measured on `CLOCK_MONOTONIC`, across signal handlers. A file descriptor that is ready is found
    /// even with a zero timeout.
    ///
    /// System calls: `ppoll`; unless the timeout is zero also `clock_gettime`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
    /// use rsyscall::{Current, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let mut memory = [PollFd::UNUSED; 1];
    /// let mut set = PollSet::new(Current, &mut memory);
    /// set.add(&bell, PollEvents::IN)?;
    /// assert_eq!(set.wait_timeout(Duration::from_millis(1))?, 0);
    /// bell.write(1)?;
    /// assert_eq!(set.wait_timeout(Duration::ZERO)?, 1);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`ppoll`](Self::ppoll), except `EINTR`.
    #[inline]
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<usize, T::Error> {
        let task = self.task;
        Ok(keep(task.sysif(), timeout, |left| self.attempt(left))?.unwrap_or(0))
    }

    /// Blocks as [`wait_timeout`](Self::wait_timeout) does, until a deadline.
    ///
    /// System calls: `clock_gettime`, `ppoll`.
    ///
    /// # Errors
    ///
    /// Those of [`ppoll`](Self::ppoll), except `EINTR`.
    #[inline]
    pub fn wait_until(&mut self, deadline: Deadline) -> Result<usize, T::Error> {
        let task = self.task;
        Ok(keep_until(task.sysif(), deadline, |left| self.attempt(left))?.unwrap_or(0))
    }

    #[inline]
    fn attempt(&mut self, left: Timespec) -> Step<usize, T::Error> {
        let task = self.task;
        match near::ppoll(task.sysif(), self.entries_mut(), Some(left), None) {
            Ok(0) => Step::Expired,
            Ok(ready) => Step::Ready(ready),
            Err(error) => Step::failed(error),
        }
    }

    #[inline]
    fn entries_mut(&mut self) -> &mut [PollFd] {
        // Never longer than the memory; if it were, an empty poll would be better than a panic.
        self.memory.get_mut(..self.len).unwrap_or_default()
    }
}

impl<T: FileDescriptorTask> fmt::Debug for PollSet<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.memory.iter().take(self.len)).finish()
    }
}

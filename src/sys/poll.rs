//! `#include <poll.h>`: waiting for a few descriptors at once.
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
    /// What is asked of a descriptor, and what was found.
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
        /// There is something to read. An eventfd: its count is above 0.
        #[doc(alias = "POLLIN")]
        const IN = PollFd::IN;
        /// There is something exceptional to read.
        #[doc(alias = "POLLPRI")]
        const PRI = PollFd::PRI;
        /// There is room to write. An eventfd: 1 more fits.
        #[doc(alias = "POLLOUT")]
        const OUT = PollFd::OUT;
        /// An error condition, always reported.
        #[doc(alias = "POLLERR")]
        const ERR = PollFd::ERR;
        /// The other end is gone, always reported.
        #[doc(alias = "POLLHUP")]
        const HUP = PollFd::HUP;
        /// The number is not open, always reported. A set's own descriptors are.
        #[doc(alias = "POLLNVAL")]
        const NVAL = PollFd::NVAL;
        /// The other end will write no more.
        #[doc(alias = "POLLRDHUP")]
        const RDHUP = PollFd::RDHUP;
    }
}

/// Descriptors to wait for, in memory that the caller supplies: one [`PollFd`] each.
///
/// It borrows them, so they stay open for as long as they are polled, and all are of one task's table.
///
/// Every wait hands the kernel the whole set: right for a few descriptors, or for many that are waited for once.
/// [`Epoll`](super::epoll::Epoll) is for many that are waited for often.
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
    /// An empty set that has room for as many descriptors as `memory` is long. What the memory holds does not matter.
    #[inline]
    pub fn new(task: T, memory: &'memory mut [PollFd]) -> Self {
        Self { memory, len: 0, task, borrowed: PhantomData }
    }

    /// Adds a descriptor, and returns its place in the set: 0, 1, 2 and so on.
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
    /// A descriptor cannot be closed while a set has it:
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
    /// No call is made. `ENOSPC`: the memory is full. `EBADF`: the descriptor is of another table than the set's task.
    #[inline]
    pub fn add<F: Pollable<T> + ?Sized>(&mut self, fd: &'fd F, events: PollEvents) -> Result<usize, T::Error>
    where
        T: PollTask,
    {
        let polled: PolledFd<'fd> = fd.lend();
        if polled.table != self.task.fd_table() {
            return Err(Errno::EBADF.into());
        }
        let place = self.len;
        let Some(entry) = self.memory.get_mut(place) else {
            return Err(Errno::ENOSPC.into());
        };
        *entry = PollFd { fd: polled.fd, events: events.bits(), revents: 0 };
        // It is below the memory's length.
        self.len = place.wrapping_add(1);
        Ok(place)
    }

    /// Asks for other events of the descriptor at this place; errors are reported even if none are asked for. A place
    /// that does not exist is ignored.
    #[inline]
    pub fn modify(&mut self, place: usize, events: PollEvents) {
        if let Some(entry) = self.entries_mut().get_mut(place) {
            entry.events = events.bits();
        }
    }

    /// Returns what the last wait found of the descriptor at this place: nothing, if there is no such place. After a
    /// wait that failed it is not known.
    #[inline]
    pub fn revents(&self, place: usize) -> PollEvents {
        self.memory
            .get(..self.len)
            .and_then(|entries| entries.get(place))
            .map_or(PollEvents::empty(), |entry| PollEvents::from_bits_retain(entry.revents))
    }

    /// Returns how many descriptors there are in the set.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Waits until a descriptor is ready or the timeout expires; without one, for ever. Returns how many are ready, 0
    /// on timeout. Exactly one system call.
    ///
    /// With a `mask` the thread's signal mask is that one for as long as the call lasts.
    ///
    /// System calls: `ppoll`.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rsyscall::Current;
    /// use rsyscall::sys::poll::{PollSet, SignalSet};
    ///
    /// // Nothing but a sleep that no signal disturbs.
    /// let slept = PollSet::new(Current, &mut []).ppoll(Some(Duration::from_millis(1)), Some(SignalSet::ALL));
    /// assert_eq!(slept, Ok(0));
    /// ```
    ///
    /// # Errors
    ///
    /// `EINTR`: a signal handler ran; `SA_RESTART` makes no difference. `EINVAL`: more descriptors than
    /// `RLIMIT_NOFILE`. `ENOMEM`. What the interface adds.
    ///
    /// # Source
    ///
    /// [ppoll(2)](https://man7.org/linux/man-pages/man2/ppoll.2.html).
    #[inline]
    pub fn ppoll(&mut self, timeout: Option<Duration>, mask: Option<SignalSet>) -> Result<usize, T::Error> {
        let task = self.task;
        near::ppoll(task.sysif(), self.entries_mut(), timeout.map(Timespec::from), mask)
    }

    /// Waits until a descriptor is ready, however many signal handlers run. Returns how many are.
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

    /// Waits until a descriptor is ready or the timeout expires, which is kept on `CLOCK_MONOTONIC` across signal
    /// handlers. Returns how many are ready, 0 on timeout. A descriptor that is ready is found whatever the timeout,
    /// zero included.
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

    /// As [`wait_timeout`](Self::wait_timeout), until a moment.
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
        // Never longer than the memory; if it were, polling nothing would be better than a panic.
        self.memory.get_mut(..self.len).unwrap_or_default()
    }
}

impl<T: FileDescriptorTask> fmt::Debug for PollSet<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.memory.iter().take(self.len)).finish()
    }
}

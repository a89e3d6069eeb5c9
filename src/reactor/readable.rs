//! The future that waits for one file descriptor, and the items read from it.

use super::{Reactor, WaitSlot};
use crate::near::EpollOp;
use crate::sys::epoll::{EpollEvent, EpollEvents};
use crate::sys::pidfd::PidFd;
use crate::sys::pollable::{Pollable, PolledFd};
use crate::sys::signalfd::{SignalFd, SignalInfo};
use crate::sys::wait::ExitStatus;
use crate::{Errno, EventFd};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// A file descriptor from which items are read one by one, for [`Reactor::next`].
///
/// ```
/// use rsyscall::reactor::Source;
/// use rsyscall::{EventFd, EventfdFlags};
///
/// let bell = EventFd::new(3, EventfdFlags::empty())?;
/// assert_eq!(bell.try_next()?, Some(3));
/// assert_eq!(bell.try_next()?, None);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
pub trait Source: Pollable {
    /// The type of the items.
    type Item;

    /// Takes an item if there is one, without blocking.
    ///
    /// # Errors
    ///
    /// Those of the read. `EINTR` is not returned: the result is `None` then.
    fn try_next(&self) -> Result<Option<Self::Item>, Errno>;
}

/// The count, as [`EventFd::try_read`] takes it.
impl Source for EventFd {
    type Item = u64;

    #[inline]
    fn try_next(&self) -> Result<Option<u64>, Errno> {
        self.try_read()
    }
}

/// A signal, as [`SignalFd::try_read`] takes it.
impl Source for SignalFd {
    type Item = SignalInfo;

    #[inline]
    fn try_next(&self) -> Result<Option<SignalInfo>, Errno> {
        match self.try_read() {
            Err(Errno::EINTR) => Ok(None),
            result => result,
        }
    }
}

/// The exit status of the child, as [`PidFd::peek`] returns it: the child is not reaped.
impl Source for PidFd {
    type Item = ExitStatus;

    #[inline]
    fn try_next(&self) -> Result<Option<ExitStatus>, Errno> {
        self.peek()
    }
}

/// A future that waits until a file descriptor is readable. Created by [`Reactor::readable`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Readable<'a> {
    pub(super) reactor: &'a Reactor<'a>,
    pub(super) fd: PolledFd<'a>,
    /// The slot, once the future was polled.
    pub(super) slot: Option<&'a WaitSlot>,
}

impl Readable<'_> {
    #[inline]
    fn start(&mut self, waker: &Waker) -> Result<(), Errno> {
        let free = (0_u32..).zip(self.reactor.slots).find(|(_, slot)| slot.is_free());
        let Some((index, slot)) = free else { return Err(Errno::ENOSPC) };
        // Not the data of the notifier: a slice of more than `u32::MAX` slots would fill the address space, so an index
        // is lower.
        let data = u64::from(slot.generation()) << 32 | u64::from(index);
        // `ONESHOT`: an event is not repeated until its future sees it.
        let once = EpollEvent::new(EpollEvents::IN | EpollEvents::ONESHOT, data);
        self.reactor.epoll.ctl(EpollOp::Add, self.fd, once)?;
        // Before the waker is cloned, which is foreign code and may panic.
        self.slot = Some(slot);
        slot.occupy(waker);
        Ok(())
    }

    #[inline]
    fn end(&mut self) -> Result<(), Errno> {
        match self.slot.take() {
            Some(slot) => {
                let deleted =
                    self.reactor.epoll.ctl(EpollOp::Delete, self.fd, EpollEvent::new(EpollEvents::empty(), 0));
                // Last: it drops the waker, which is foreign code and may panic.
                slot.release();
                deleted
            }
            None => Ok(()),
        }
    }
}

impl Future for Readable<'_> {
    type Output = Result<(), Errno>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.slot {
            None => match self.start(context.waker()) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
            Some(slot) if slot.is_ready() => Poll::Ready(self.end()),
            Some(slot) => {
                slot.replace_waker(context.waker());
                Poll::Pending
            }
        }
    }
}

impl Drop for Readable<'_> {
    #[inline]
    fn drop(&mut self) {
        // Ignored: it fails only for a file descriptor that is not in the interest list any more.
        let _ignored = self.end();
    }
}

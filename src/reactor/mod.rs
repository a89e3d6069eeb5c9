//! For async code that waits for file descriptors: a reactor and an executor for one thread, with `core::future` only.
//!
//! ```
//! use rsyscall::notify::StaticNotifier;
//! use rsyscall::reactor::{Reactor, WaitSlot};
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! static WAKE: StaticNotifier = StaticNotifier::new();
//!
//! let slots = [const { WaitSlot::new() }; 4];
//! let reactor = Reactor::new(&WAKE, &slots)?;
//! let bell = EventFd::new(0, EventfdFlags::empty())?;
//! bell.write(5)?;
//! assert_eq!(reactor.block_on(reactor.next(&bell))?, Ok(5));
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::REACTOR`](crate::nr::used_by::REACTOR).

mod readable;
mod slot;

pub use readable::{Readable, Source};
pub use slot::WaitSlot;

use crate::Errno;
use crate::deadline::Deadline;
use crate::notify::{Notifier, State, StaticNotifier};
use crate::sys::epoll::{Epoll, EpollEvent, EpollEvents};
use crate::sys::pollable::Pollable;
use core::cell::Cell;
use core::future::Future;
use core::mem::MaybeUninit;
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;

/// The data of the notifier's events. No slot's event has it, as there are fewer slots.
const NOTIFIER: u64 = u64::MAX;

/// How many events one wait returns at most; the rest are returned by the next one.
const AT_ONCE: usize = 32;

/// Wakes futures whose file descriptors are readable.
///
/// A reactor and its futures belong to one thread. The futures can be polled by any executor; the reactor's own is
/// [`block_on`](Self::block_on).
///
/// The caller provides the memory: one [`WaitSlot`] for each future that waits at the same time.
///
/// ```
/// use rsyscall::notify::StaticNotifier;
/// use rsyscall::reactor::{Reactor, WaitSlot};
/// use rsyscall::{EventFd, EventfdFlags};
///
/// static WAKE: StaticNotifier = StaticNotifier::new();
///
/// let slots = [const { WaitSlot::new() }; 4];
/// let reactor = Reactor::new(&WAKE, &slots)?;
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| bell.write(5));
///     let count = reactor.block_on(async { reactor.next(&bell).await })?;
///     assert_eq!(count, Ok(5));
///     Ok::<(), rsyscall::Errno>(())
/// })?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # More than one executor
///
/// All wakers of a reactor notify its one notifier. A future may itself call [`block_on`](Self::block_on) or
/// [`run_once`](Self::run_once) of the reactor that drives it: the outer `block_on` then polls again, so notifications
/// that the inner call takes are not lost. Custom executors that share a reactor must poll all of their futures when
/// `run_once` returns `true` to any of them.
#[derive(Debug)]
pub struct Reactor<'slots> {
    epoll: Epoll,
    slots: &'slots [WaitSlot],
    waiter: Notifier<&'static State>,
    notifier: &'static StaticNotifier,
    /// Whether futures may be ready whose wakers were not called, because another waker panicked. 0, or a value that
    /// distinguishes the call that is waking from calls that its wakers make.
    unwoken: Cell<usize>,
    /// How many notifications were taken.
    taken: Cell<u32>,
    /// Whether there is an executor other than `block_on`.
    shared: Cell<bool>,
}

impl<'slots> Reactor<'slots> {
    /// Creates a reactor that sleeps on this notifier, with these slots for its futures.
    ///
    /// A notification that is pending is taken by the first wait.
    ///
    /// System calls: `eventfd2` (if the notifier is used for the first time), `fcntl(F_DUPFD_CLOEXEC)`,
    /// `epoll_create1`, `epoll_ctl`.
    ///
    /// # Errors
    ///
    /// `EBUSY`: the notifier has a reactor already. `EMFILE`, `ENFILE`, `ENOMEM`, as
    /// [`EventFd::new`](crate::EventFd::new) and [`Epoll::new`].
    #[inline]
    pub fn new(notifier: &'static StaticNotifier, slots: &'slots [WaitSlot]) -> Result<Self, Errno> {
        let epoll = Epoll::new()?;
        let waiter = notifier.take()?;
        // From here on a drop of the reactor releases the notifier.
        let reactor = Self {
            epoll,
            slots,
            waiter,
            notifier,
            unwoken: Cell::new(0),
            taken: Cell::new(0),
            shared: Cell::new(false),
        };
        reactor.epoll.add(&reactor.waiter, EpollEvents::IN, NOTIFIER)?;
        Ok(reactor)
    }

    /// Returns a future that waits until a file descriptor is readable.
    ///
    /// At most one future at a time can wait for a file descriptor; another one needs a duplicate
    /// ([`try_clone`](crate::fd::OwnedFd::try_clone)). Dropping the future cancels the wait.
    ///
    /// System calls: `epoll_ctl`, when it is first polled and when it ends.
    ///
    /// # Errors
    ///
    /// The future fails with `ENOSPC`: no slot is free. `EEXIST`: another future waits for the file descriptor. Others
    /// as [`Epoll::add`].
    #[inline]
    pub fn readable<'a, F: Pollable + ?Sized>(&'a self, fd: &'a F) -> Readable<'a> {
        Readable { reactor: self, fd: fd.lend(), slot: None }
    }

    /// Waits until a file descriptor has an item, and takes it. Other futures run meanwhile, even if the file
    /// descriptor is in blocking mode.
    ///
    /// An [`EventFd`](crate::EventFd) yields its count, a [`SignalFd`](crate::sys::signalfd::SignalFd) a signal, a
    /// [`PidFd`](crate::sys::pidfd::PidFd) the exit status of its child, without reaping it.
    ///
    /// System calls: those of [`Source::try_next`] and [`readable`](Self::readable).
    ///
    /// # Errors
    ///
    /// Those of [`Source::try_next`] and of [`readable`](Self::readable).
    #[inline]
    pub async fn next<F: Source + ?Sized>(&self, source: &F) -> Result<F::Item, Errno> {
        loop {
            if let Some(item) = source.try_next()? {
                return Ok(item);
            }
            // An item that arrived since is reported at once. If another reader takes it, this continues to wait.
            self.readable(source).await?;
        }
    }

    /// Runs a future to completion, and sleeps while it is pending.
    ///
    /// System calls: `epoll_pwait`, and those of the future.
    ///
    /// # Errors
    ///
    /// Those of [`run_once`](Self::run_once); the future is dropped then.
    #[inline]
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Errno> {
        let mut future = pin!(future);
        let waker = self.notifier.waker()?;
        let mut context = Context::from_waker(&waker);
        let _outer = Outer { reactor: self, taken: self.taken.get() };
        loop {
            let taken = self.taken.get();
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            // The poll itself, or a waker that is called meanwhile, may have taken a notification for this future.
            while self.taken.get() == taken && !self.wait_and_wake(None)? {}
        }
    }

    /// Waits for file descriptors or the notifier, for at most `timeout` (`None`: without limit), and wakes the futures
    /// whose file descriptors are ready. Returns whether the notifier was notified, by one of these wakers or by
    /// another thread.
    ///
    /// It is for custom executors, which poll their futures when it returns `true`.
    ///
    /// System calls: `epoll_pwait`; if woken from elsewhere those of [`EventFd::try_read`](crate::EventFd::try_read);
    /// with a timeout above zero also `clock_gettime`.
    ///
    /// # Errors
    ///
    /// Those of [`Epoll::wait_timeout`] and [`EventFd::try_read`](crate::EventFd::try_read), which do not fail for a
    /// reactor's own file descriptors. No event is lost: the futures are woken before an error is returned, and a
    /// notification stays pending.
    ///
    /// # Panics
    ///
    /// Panics if a waker panics. The remaining futures are woken by the next call.
    #[inline]
    pub fn run_once(&self, timeout: Option<Duration>) -> Result<bool, Errno> {
        self.shared.set(true);
        self.wait_and_wake(timeout.map(Limit::Timeout))
    }

    /// Waits as [`run_once`](Self::run_once) does, until a deadline.
    ///
    /// System calls: those of [`run_once`](Self::run_once).
    ///
    /// # Errors
    ///
    /// Those of [`run_once`](Self::run_once).
    #[inline]
    pub fn run_once_until(&self, deadline: Deadline) -> Result<bool, Errno> {
        self.shared.set(true);
        self.wait_and_wake(Some(Limit::Until(deadline)))
    }

    #[inline]
    fn wait_and_wake(&self, limit: Option<Limit>) -> Result<bool, Errno> {
        self.wake_remaining();
        let mut memory = [const { MaybeUninit::<EpollEvent>::uninit() }; AT_ONCE];
        let limit = match self.waiter.arm() {
            true => limit,
            // A notification is pending: do not block.
            false => Some(Limit::Timeout(Duration::ZERO)),
        };
        let waited = match limit {
            None => self.epoll.wait(&mut memory),
            Some(Limit::Timeout(timeout)) => self.epoll.wait_timeout(&mut memory, timeout),
            Some(Limit::Until(deadline)) => self.epoll.wait_until(&mut memory, deadline),
        };
        let events = waited.unwrap_or_default();
        // Before the wakers below are called, so that they do not write the eventfd.
        let disarmed = self.waiter.stand_down(events.iter().any(|event| event.data() == NOTIFIER));
        // All events are recorded before the first waker is called: a waker is foreign code, and may panic.
        for event in events {
            let (generation, index) = parts(event.data());
            if let Some(slot) = self.slots.get(index) {
                slot.make_ready(generation);
            }
        }
        self.wake(events.iter().filter_map(|event| self.slots.get(parts(event.data()).1)));
        waited.and(disarmed)?;
        // Last, so that the notification stays pending if an error was returned before.
        let notified = self.waiter.try_wait();
        self.taken.set(self.taken.get().wrapping_add(notified.into()));
        Ok(notified)
    }

    /// Wakes the futures that were not woken because another waker panicked.
    #[inline]
    fn wake_remaining(&self) {
        while self.unwoken.get() != 0 {
            self.wake(self.slots.iter());
        }
    }

    /// Wakes the futures of these slots that are ready.
    #[inline]
    fn wake<'a>(&self, mut slots: impl Iterator<Item = &'a WaitSlot>) {
        // Calls that run at the same time have different addresses.
        let this = core::ptr::from_ref(&slots).addr();
        self.unwoken.set(this);
        slots.by_ref().for_each(WaitSlot::wake);
        // A waker may itself have called the reactor and caught a panic there: the slots of that call are not done.
        if self.unwoken.get() == this {
            self.unwoken.set(0);
        }
    }
}

/// The limit of a wait.
#[derive(Clone, Copy)]
enum Limit {
    Timeout(Duration),
    Until(Deadline),
}

/// Restores, at the end of a [`Reactor::block_on`], the notifications that it took, for an outer executor.
struct Outer<'a> {
    reactor: &'a Reactor<'a>,
    /// How many were taken before it.
    taken: u32,
}

impl Drop for Outer<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.reactor.shared.get() && self.reactor.taken.get() != self.taken {
            // It does not fail: no waiter sleeps, so it makes no system call.
            let _ignored = self.reactor.waiter.notify();
        }
    }
}

impl Drop for Reactor<'_> {
    #[inline]
    fn drop(&mut self) {
        self.notifier.give_back();
    }
}

/// Splits the data of an event: the generation is the upper half, the index of the slot the lower half.
#[inline]
fn parts(data: u64) -> (u32, usize) {
    let [a, b, c, d, e, f, g, h] = data.to_le_bytes();
    // No truncation: `usize` has at least 32 bits.
    (u32::from_le_bytes([e, f, g, h]), u32::from_le_bytes([a, b, c, d]) as usize)
}

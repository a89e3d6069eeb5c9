//! Futures that wait for file descriptors, and the loop that drives them: `core::future` and nothing else.
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

/// Whose report it is: none of a slot is this one, as there are not so many slots.
const NOTIFIER: u64 = u64::MAX;

/// How many reports are fetched at once; the others come with the next call.
const AT_ONCE: usize = 32;

/// Wakes futures whose file descriptors are readable. It belongs to one thread, as do its futures; their wakers may be
/// any executor's. Its own executor is [`block_on`](Self::block_on).
///
/// The memory is the caller's: one [`WaitSlot`] for each future that waits at the same time.
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
/// A notification is one bit, whichever waker left it. A future may itself call [`block_on`](Self::block_on) or
/// [`run_once`](Self::run_once) of the reactor that drives it: what they take while it is polled is not lost to the
/// outer `block_on`, which polls again. Executors of one's own that take turns on one reactor poll all of their futures
/// when `run_once` returns `true` to any of them.
#[derive(Debug)]
pub struct Reactor<'slots> {
    epoll: Epoll,
    slots: &'slots [WaitSlot],
    waiter: Notifier<&'static State>,
    notifier: &'static StaticNotifier,
    /// Whether futures are ready whose wakers were not called, because that of another one panicked.
    unwoken: Cell<bool>,
    /// How many notifications were taken.
    taken: Cell<u32>,
    /// Whether there is an executor that is not `block_on`.
    shared: Cell<bool>,
}

impl<'slots> Reactor<'slots> {
    /// A reactor that sleeps on this notifier and has these slots.
    ///
    /// A notification that is pending, because no reactor before has taken it, is taken by the first call here.
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
        // From here on the notifier is given back when this is dropped.
        let reactor = Self {
            epoll,
            slots,
            waiter,
            notifier,
            unwoken: Cell::new(false),
            taken: Cell::new(0),
            shared: Cell::new(false),
        };
        reactor.epoll.add(&reactor.waiter, EpollEvents::IN, NOTIFIER)?;
        Ok(reactor)
    }

    /// Waits until a file descriptor is readable.
    ///
    /// A file descriptor can be waited for by one future at a time; for another, there is
    /// [`try_clone`](crate::fd::OwnedFd::try_clone). Dropping the future ends the wait.
    ///
    /// System calls: `epoll_ctl`, when it is first polled and when it ends.
    ///
    /// # Errors
    ///
    /// The future's output: `ENOSPC`: no slot is free. `EEXIST`: another future waits for it. Others as [`Epoll::add`].
    #[inline]
    pub fn readable<'a, F: Pollable + ?Sized>(&'a self, fd: &'a F) -> Readable<'a> {
        Readable { reactor: self, fd: fd.lend(), slot: None }
    }

    /// Takes the next item from a descriptor, waiting until there is one; other futures run meanwhile, whether the
    /// descriptor is blocking or not.
    ///
    /// An [`EventFd`](crate::EventFd) gives its count, a [`SignalFd`](crate::sys::signalfd::SignalFd) a signal, a
    /// [`PidFd`](crate::sys::pidfd::PidFd) how its child has ended, which is not reaped.
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
            // What has come in between is reported at once. If another reader is faster, this goes on waiting.
            self.readable(source).await?;
        }
    }

    /// Runs a future to its end, and sleeps whenever it has nothing to do.
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
            // While it was polled, it may itself have taken a notification that was left for it.
            if self.taken.get() == taken {
                while !self.turn(None)? {}
            }
        }
    }

    /// Waits for file descriptors, or for the notifier, for at most `timeout` (`None`: for ever), and wakes the futures
    /// whose descriptors are ready: whether the notifier was notified, by one of these wakers or from elsewhere.
    ///
    /// For an executor of one's own that polls when this is `true`.
    ///
    /// System calls: `epoll_pwait`; if woken from elsewhere those of [`EventFd::try_read`](crate::EventFd::try_read);
    /// with a timeout above zero also `clock_gettime`.
    ///
    /// # Errors
    ///
    /// What [`Epoll::wait_timeout`] and [`EventFd::try_read`](crate::EventFd::try_read) give: none for a reactor's own
    /// descriptors. No report is lost: the futures are woken first, and a notification stays pending.
    ///
    /// # Panics
    ///
    /// Only where a waker does. The futures that were to be woken after that one are woken by the next call.
    #[inline]
    pub fn run_once(&self, timeout: Option<Duration>) -> Result<bool, Errno> {
        self.shared.set(true);
        self.turn(timeout.map(Limit::Timeout))
    }

    /// As [`run_once`](Self::run_once), until a moment.
    ///
    /// System calls: those of [`run_once`](Self::run_once).
    ///
    /// # Errors
    ///
    /// Those of [`run_once`](Self::run_once).
    #[inline]
    pub fn run_once_until(&self, deadline: Deadline) -> Result<bool, Errno> {
        self.shared.set(true);
        self.turn(Some(Limit::Until(deadline)))
    }

    #[inline]
    fn turn(&self, limit: Option<Limit>) -> Result<bool, Errno> {
        self.wake_left_over();
        let mut memory = [const { MaybeUninit::<EpollEvent>::uninit() }; AT_ONCE];
        let limit = match self.waiter.arm() {
            true => limit,
            // There is something to do already: only look.
            false => Some(Limit::Timeout(Duration::ZERO)),
        };
        let waited = match limit {
            None => self.epoll.wait(&mut memory),
            Some(Limit::Timeout(timeout)) => self.epoll.wait_timeout(&mut memory, timeout),
            Some(Limit::Until(deadline)) => self.epoll.wait_until(&mut memory, deadline),
        };
        let events = waited.unwrap_or_default();
        // Awake: from here on a waker makes no system call. Before the wakers below are called, or they would write the
        // bell.
        let stood_down = self.waiter.stand_down(events.iter().any(|event| event.data() == NOTIFIER));
        // All reports are noted before the first waker is called: it is another crate's code, and may panic.
        for event in events {
            let (generation, place) = parts(event.data());
            if let Some(slot) = self.slots.get(place) {
                slot.make_ready(generation);
            }
        }
        self.unwoken.set(true);
        for event in events {
            if let Some(slot) = self.slots.get(parts(event.data()).1) {
                slot.wake();
            }
        }
        self.unwoken.set(false);
        waited.and(stood_down)?;
        // Last: whatever went wrong before, the notification is still there.
        let notified = self.waiter.try_wait();
        self.taken.set(self.taken.get().wrapping_add(notified.into()));
        Ok(notified)
    }

    /// Wakes the futures that were not woken because a waker before theirs panicked.
    #[inline]
    fn wake_left_over(&self) {
        if self.unwoken.get() {
            for slot in self.slots {
                slot.wake();
            }
            self.unwoken.set(false);
        }
    }
}

/// How long a call may wait.
#[derive(Clone, Copy)]
enum Limit {
    Timeout(Duration),
    Until(Deadline),
}

/// What a [`Reactor::block_on`] owes to an executor whose future has called it: the notifications that it took.
struct Outer<'a> {
    reactor: &'a Reactor<'a>,
    /// How many were taken before.
    taken: u32,
}

impl Drop for Outer<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.reactor.shared.get() && self.reactor.taken.get() != self.taken {
            // Never an error: no waiter sleeps, so there is no call.
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

/// A report's 64 bits: the generation above, the place below.
#[inline]
fn parts(data: u64) -> (u32, usize) {
    let [a, b, c, d, e, f, g, h] = data.to_le_bytes();
    // Widening: a usize has 64 bits here.
    (u32::from_le_bytes([e, f, g, h]), u32::from_le_bytes([a, b, c, d]) as usize)
}

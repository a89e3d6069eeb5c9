//! Futures that wait for descriptors, and the loop that drives them: `core::future` and nothing else.
//!
//! Uses [`sys::epoll`](crate::sys::epoll) and this folder.

use super::{Notifier, State, StaticNotifier};
use crate::near::EpollOp;
use crate::sys::epoll::{Epoll, EpollEvent, EpollEvents};
use crate::sys::pollable::{Pollable, PolledFd};
use crate::{Errno, EventFd};
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::mem::MaybeUninit;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use core::time::Duration;

/// A place for one future that waits for a descriptor.
#[derive(Default)]
pub struct WaitSlot {
    /// Who waits, if the place is taken.
    taken: Cell<bool>,
    ready: Cell<bool>,
    waker: Cell<Option<Waker>>,
    /// How often the place was given away: a report for somebody who has left is told from one for his successor.
    turn: Cell<u32>,
}

impl WaitSlot {
    /// A free place.
    #[inline]
    pub const fn new() -> Self {
        Self { taken: Cell::new(false), ready: Cell::new(false), waker: Cell::new(None), turn: Cell::new(0) }
    }
}

impl fmt::Debug for WaitSlot {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSlot")
            .field("taken", &self.taken.get())
            .field("ready", &self.ready.get())
            .finish_non_exhaustive()
    }
}

/// Whose report it is: none of a slot is this one, as there are not so many slots.
const NOTIFIER: u64 = u64::MAX;

/// How many reports are fetched at once; the others come with the next turn.
const AT_ONCE: usize = 32;

/// Wakes futures whose descriptors are readable. It belongs to one thread, as do its futures; their wakers may be any
/// executor's. Its own executor is [`block_on`](Self::block_on).
///
/// The memory is the caller's: one [`WaitSlot`] for each future that waits at the same time.
///
/// ```
/// use rsyscall::notify::{Reactor, WaitSlot, StaticNotifier};
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
///     let count = reactor.block_on(async { reactor.read_async(&bell).await })?;
///     assert_eq!(count, Ok(5));
///     Ok::<(), rsyscall::Errno>(())
/// })?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug)]
pub struct Reactor<'slots> {
    epoll: Epoll,
    slots: &'slots [WaitSlot],
    notifier: Notifier<&'static State>,
    home: &'static StaticNotifier,
}

impl<'slots> Reactor<'slots> {
    /// A reactor that sleeps on this notifier and has these places.
    ///
    /// System calls: `eventfd2` (if the notifier is used for the first time), `fcntl(F_DUPFD_CLOEXEC)`, `epoll_create1`,
    /// `epoll_ctl`.
    ///
    /// # Errors
    ///
    /// `EBUSY`: the notifier has a reactor already. `EMFILE`, `ENFILE`, `ENOMEM`, as [`EventFd::new`] and [`Epoll::new`].
    #[inline]
    pub fn new(home: &'static StaticNotifier, slots: &'slots [WaitSlot]) -> Result<Self, Errno> {
        let epoll = Epoll::new()?;
        let notifier = home.take()?;
        // From here on the notifier is given back when this is dropped.
        let reactor = Self { epoll, slots, notifier, home };
        reactor.epoll.add(&reactor.notifier, EpollEvents::IN, NOTIFIER)?;
        Ok(reactor)
    }

    /// Waits until a descriptor is readable.
    ///
    /// A descriptor can be waited for by one future at a time; for another, there is [`try_clone`](crate::fd::OwnedFd::try_clone).
    /// Dropping the future ends the wait.
    ///
    /// System calls: `epoll_ctl`, when it is first polled and when it ends.
    ///
    /// # Errors
    ///
    /// The future's output: `ENOSPC`: no slot is free. `EEXIST`: another future waits for it. Others as [`Epoll::add`].
    #[inline]
    pub fn readable<'a, F: Pollable + ?Sized>(&'a self, fd: &'a F) -> Readable<'a> {
        Readable { reactor: self, fd: fd.lend(), place: None }
    }

    /// Takes an eventfd's count as [`EventFd::read`] does, waiting for as long as it is 0; other futures run meanwhile,
    /// whether the description is blocking or not.
    ///
    /// System calls: those of [`EventFd::try_read`] and [`readable`](Self::readable).
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::try_read`] and of [`readable`](Self::readable).
    #[inline]
    pub async fn read_async(&self, eventfd: &EventFd) -> Result<u64, Errno> {
        loop {
            if let Some(count) = eventfd.try_read()? {
                return Ok(count);
            }
            // If it was written in between, it is reported at once. If another reader is quicker, we come back here.
            self.readable(eventfd).await?;
        }
    }

    /// Runs a future to its end, and sleeps whenever it has nothing to do.
    ///
    /// System calls: `epoll_pwait`, and those of the future.
    ///
    /// # Errors
    ///
    /// Those of [`turn`](Self::run_once); the future is dropped then.
    #[inline]
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Errno> {
        let mut future = pin!(future);
        let waker = self.home.waker()?;
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            while !self.run_once(None)? {}
        }
    }

    /// Waits for descriptors, or for the notifier, for at most `timeout` (`None`: for ever), and wakes the futures whose
    /// descriptors are ready: whether the notifier was notified, by one of these wakers or from elsewhere.
    ///
    /// For an executor of one's own that polls when this is `true`.
    ///
    /// System calls: `epoll_pwait`; if woken from elsewhere those of [`EventFd::try_read`].
    ///
    /// # Errors
    ///
    /// What [`Epoll::wait_timeout`] and [`EventFd::try_read`] give: none for a reactor's own descriptors.
    #[inline]
    pub fn run_once(&self, timeout: Option<Duration>) -> Result<bool, Errno> {
        let mut memory = [const { MaybeUninit::<EpollEvent>::uninit() }; AT_ONCE];
        let events = match (self.notifier.arm(), timeout) {
            // There is something to do already: only look.
            (false, _) => self.epoll.wait_timeout(&mut memory, Duration::ZERO)?,
            (true, None) => self.epoll.wait(&mut memory)?,
            (true, Some(timeout)) => self.epoll.wait_timeout(&mut memory, timeout)?,
        };
        // Awake: from here on a waker makes no system call. Before the wakers below are called, or they would ring.
        let rung = events.iter().any(|event| event.data() == NOTIFIER);
        let notified = if rung { self.notifier.acknowledge()? } else { self.notifier.disarm() };
        for event in events {
            self.report(event.data());
        }
        Ok(self.notifier.try_wait() || notified)
    }

    /// Wakes who has this place, if it is still the one whose report it is.
    #[inline]
    fn report(&self, data: u64) {
        let (turn, place) = parts(data);
        let Some(slot) = self.slots.get(place) else { return };
        if slot.taken.get() && slot.turn.get() == turn {
            slot.ready.set(true);
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Drop for Reactor<'_> {
    #[inline]
    fn drop(&mut self) {
        self.home.give_back();
    }
}

/// A report's 64 bits: the turn above, the place below.
#[inline]
fn parts(data: u64) -> (u32, usize) {
    let [a, b, c, d, e, f, g, h] = data.to_le_bytes();
    // Widening: a usize has 64 bits here.
    (u32::from_le_bytes([e, f, g, h]), u32::from_le_bytes([a, b, c, d]) as usize)
}

/// A wait for a descriptor. Made by [`Reactor::readable`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Readable<'a> {
    reactor: &'a Reactor<'a>,
    fd: PolledFd<'a>,
    /// The slot, once there is one.
    place: Option<&'a WaitSlot>,
}

impl Readable<'_> {
    #[inline]
    fn start(&mut self, waker: &Waker) -> Result<(), Errno> {
        let free = (0_u32..).zip(self.reactor.slots).find(|(_, slot)| !slot.taken.get());
        let Some((place, slot)) = free else { return Err(Errno::ENOSPC) };
        // Not the notifier's number: the place of a slot is below `u32::MAX`, or its bytes would fill memory.
        let data = u64::from(slot.turn.get()) << 32 | u64::from(place);
        // Once: a report for somebody who takes his time is not repeated.
        let once = EpollEvent::new(EpollEvents::IN | EpollEvents::ONESHOT, data);
        self.reactor.epoll.ctl(EpollOp::Add, self.fd, once)?;
        slot.taken.set(true);
        slot.ready.set(false);
        slot.waker.set(Some(waker.clone()));
        self.place = Some(slot);
        Ok(())
    }

    #[inline]
    fn end(&mut self) -> Result<(), Errno> {
        match self.place.take() {
            Some(slot) => {
                slot.waker.set(None);
                slot.turn.set(slot.turn.get().wrapping_add(1));
                slot.taken.set(false);
                self.reactor.epoll.ctl(EpollOp::Delete, self.fd, EpollEvent::new(EpollEvents::empty(), 0))
            }
            None => Ok(()),
        }
    }
}

impl Future for Readable<'_> {
    type Output = Result<(), Errno>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.place {
            None => match self.start(context.waker()) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
            Some(slot) if slot.ready.get() => Poll::Ready(self.end()),
            Some(slot) => {
                slot.waker.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl Drop for Readable<'_> {
    #[inline]
    fn drop(&mut self) {
        // Ignored: only a descriptor that is not watched any more cannot be deleted.
        let _ignored = self.end();
    }
}

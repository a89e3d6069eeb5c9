//! Waking one sleeper cheaply.
//!
//! An eventfd write is a system call, even if the reader is awake, or was already told. A [`Notifier`] puts one word of
//! memory in front of the eventfd, and makes a call only for a sleeper: one that sleeps on the word itself is woken there,
//! and the eventfd is written for one that waits for descriptors.
//!
//! Uses [`sys`](crate::sys).

mod reactor;
mod spin;
mod state;
mod waker;
/// What the state is made of: the model checker of the tests has others.
mod sync {
    pub(super) use core::sync::atomic::{AtomicU32, Ordering};
}

pub use reactor::{Reactor, Readable, WaitSlot};
pub use spin::Spin;
pub use state::State;
pub use waker::StaticNotifier;

use crate::Errno;
use crate::deadline::Deadline;
use crate::near::{self, Address};
use crate::sys::eventfd::{EventFd, EventfdFlags};
use crate::sys::pollable::PolledFd;
use crate::sys::pollable::sealed::Own;
use crate::sysif::Local;
use crate::task::Current;
use core::borrow::Borrow;
use core::time::Duration;
use spin::Spinner;
use state::{ASLEEP, Sleeper};
use static_assertions::{assert_eq_align, assert_eq_size, assert_impl_all};
use sync::AtomicU32;

assert_eq_size!(State, u32);
assert_eq_align!(State, u32);
assert_impl_all!(Notifier: Send, Sync);

impl State {
    /// Nothing notified, nobody asleep: the same as four zero bytes.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Where it is: what is slept on.
    #[inline(always)]
    fn address(&self) -> Address {
        Address(self.0.as_ptr().expose_provenance())
    }

    /// Ends the sleep that a notification has found.
    #[inline]
    fn rouse(&self, sleeper: Sleeper, ring: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        match sleeper {
            Sleeper::Polls => ring(),
            Sleeper::Sleeps => near::futex_wake(&Local, self.address()),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// Many say "there is work", one sleeps until there is.
///
/// [`notify`](Self::notify) while a notification is pending, or while the sleeper is awake, is one atomic operation and no
/// system call. Notifications are not counted: any number of them before the sleeper looks are one. What a notifier did
/// before is visible to the sleeper after. None is lost: the argument is in `src/notify/state.rs`.
///
/// One thread at a time waits (or has it in its event loop); any number notify. A second one that waits at the same time may
/// sleep through a notification that the first has taken.
///
/// ```
/// use rsyscall::Notifier;
/// use std::sync::Mutex;
///
/// let (queue, notifier) = (Mutex::new(Vec::new()), Notifier::new()?);
/// std::thread::scope(|scope| {
///     for worker in 0..4 {
///         let (queue, notifier) = (&queue, &notifier);
///         scope.spawn(move || {
///             queue.lock().unwrap().push(worker);
///             notifier.notify()
///         });
///     }
///     let mut seen = 0;
///     while seen < 4 {
///         notifier.wait()?;
///         seen += queue.lock().unwrap().drain(..).count();
///     }
///     Ok::<(), rsyscall::Errno>(())
/// })?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # In an event loop
///
/// The [descriptor](Self::bell) can be waited for by anything that waits for descriptors. It becomes readable only for a
/// sleeper that has said that it sleeps: [`arm`](Self::arm) before the wait, and after it [`acknowledge`](Self::acknowledge)
/// if it was readable, [`disarm`](Self::disarm) if something else was. Both kinds of trigger will do.
///
/// ```
/// use core::mem::MaybeUninit;
/// use core::time::Duration;
/// use rsyscall::Notifier;
/// use rsyscall::sys::epoll::{Epoll, EpollEvents};
///
/// let notifier = Notifier::new()?;
/// let epoll = Epoll::new()?;
/// epoll.add(&notifier, EpollEvents::IN, 0)?;
/// let mut memory = [MaybeUninit::uninit(); 16];
///
/// std::thread::scope(|scope| {
///     scope.spawn(|| notifier.notify());
///     loop {
///         // Pending already: no sleep, only a look at the other descriptors.
///         let events = match notifier.arm() {
///             true => epoll.wait(&mut memory)?,
///             false => epoll.wait_timeout(&mut memory, Duration::ZERO)?,
///         };
///         let rung = events.iter().any(|event| event.data() == 0);
///         if if rung { notifier.acknowledge()? } else { notifier.disarm() } {
///             break; // here: do all the work that there is
///         }
///     }
///     Ok::<(), rsyscall::Errno>(())
/// })?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// A loop that cannot be asked to do something before it sleeps is armed once at the beginning, and by each turn at its end:
/// `acknowledge`, then do all the work, then while `arm` is false `try_wait` and do all the work.
///
/// # Between processes
///
/// The [`State`] stands in memory that they share, and each has a descriptor of the same eventfd (inherited, or sent):
/// [`from_parts`](Self::from_parts). A process that is killed in the middle of [`notify`](Self::notify), after the one
/// instruction and before the other, has notified a sleeper that it did not wake, and nobody else will. Where that is to be
/// outlived, the sleeper uses [`wait_timeout`](Self::wait_timeout), which finds such a notification when the time is over.
///
/// ```
/// use rsyscall::notify::{Notifier, State};
/// use rsyscall::{EventFd, EventfdFlags};
///
/// let shared = State::new(); // in a shared page: `unsafe { &*page.cast::<State>() }`, all zero at the beginning
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// let here = Notifier::from_parts(&shared, bell.try_clone()?);
/// let there = Notifier::from_parts(&shared, bell);
/// there.notify()?;
/// here.wait()?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug)]
#[doc(alias = "Waker", alias = "EventNotifier")]
pub struct Notifier<S = State> {
    state: S,
    bell: EventFd,
    spinner: Spinner,
}

impl Notifier {
    /// Nothing notified yet, and nobody asleep. It does not spin.
    ///
    /// System calls: `eventfd2`.
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::new`].
    #[inline]
    pub fn new() -> Result<Self, Errno> {
        EventFd::new(0, EventfdFlags::empty()).map(|bell| Self::from_parts(State::new(), bell))
    }
}

impl<S: Borrow<State>> Notifier<S> {
    /// One of a state and its bell, an eventfd that nobody else writes or reads.
    ///
    /// All that share the state must share the bell's counter too, or it is rung where nobody polls. Nothing of this
    /// is a matter of safety.
    #[inline]
    pub const fn from_parts(state: S, bell: EventFd) -> Self {
        Self { state, bell, spinner: Spinner::new(Spin::NEVER) }
    }

    /// The same, but whoever waits through this value looks for a while before it sleeps.
    #[inline]
    #[must_use = "the notifier itself is not changed"]
    pub fn with_spin(self, spin: Spin) -> Self {
        Self { spinner: Spinner::new(spin), ..self }
    }

    #[inline(always)]
    fn state(&self) -> &State {
        self.state.borrow()
    }

    /// Says that there is work. If a notification is pending, or nobody sleeps, it is one atomic operation.
    ///
    /// It never sleeps and takes no lock: a signal handler may call it.
    ///
    /// System calls: if somebody sleeps and this is the first to say so, `futex` (in [`wait`](Self::wait)) or `write` (for the
    /// descriptor); otherwise none.
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::write`]; a bell that nobody else writes gives none.
    #[inline(always)]
    #[doc(alias = "wake")]
    pub fn notify(&self) -> Result<(), Errno> {
        match self.state().notify() {
            None => Ok(()),
            Some(sleeper) => self.rouse(sleeper),
        }
    }

    #[cold]
    fn rouse(&self, sleeper: Sleeper) -> Result<(), Errno> {
        self.state().rouse(sleeper, || match self.bell.write(1) {
            // So full that it rings already.
            Err(Errno::EAGAIN) => Ok(()),
            result => result,
        })
    }

    /// Takes the notification, if one is pending: whether one was. One load, and if one is pending one atomic operation.
    ///
    /// System calls: none.
    ///
    /// ```
    /// let notifier = rsyscall::Notifier::new()?;
    /// assert!(!notifier.try_wait());
    /// notifier.notify()?;
    /// notifier.notify()?;
    /// assert!(notifier.try_wait());
    /// assert!(!notifier.try_wait());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline(always)]
    pub fn try_wait(&self) -> bool {
        self.state().take()
    }

    /// Takes the notification, sleeping until there is one, however many signal handlers run. Before it sleeps it may look
    /// for a while: [`Spin`].
    ///
    /// System calls: if it has to sleep, `futex`.
    ///
    /// # Errors
    ///
    /// `ENOSYS`: a kernel without `CONFIG_FUTEX`; the [bell](Self::bell) works there too. Nothing is taken then.
    #[inline]
    pub fn wait(&self) -> Result<(), Errno> {
        if self.take_or_spin() {
            return Ok(());
        }
        self.sleep(None).map(drop)
    }

    /// Takes the notification, sleeping for at most `timeout` until there is one: whether there was. Kept on
    /// `CLOCK_MONOTONIC` across signal handlers. One that is pending is taken whatever the timeout, zero included.
    ///
    /// System calls: if it has to sleep, `clock_gettime` and `futex`.
    ///
    /// ```
    /// use core::time::Duration;
    ///
    /// let notifier = rsyscall::Notifier::new()?;
    /// assert!(!notifier.wait_timeout(Duration::from_millis(1))?);
    /// notifier.notify()?;
    /// assert!(notifier.wait_timeout(Duration::ZERO)?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait); nothing is taken then.
    #[inline]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Errno> {
        if self.take_or_spin() {
            return Ok(true);
        }
        if timeout.is_zero() {
            return Ok(false);
        }
        self.sleep(Some(Deadline::after(&Local, timeout)?))
    }

    /// As [`wait_timeout`](Self::wait_timeout), until a moment.
    ///
    /// System calls: if it has to sleep, `futex`.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait); nothing is taken then.
    #[inline]
    pub fn wait_until(&self, deadline: Deadline) -> Result<bool, Errno> {
        if self.take_or_spin() {
            return Ok(true);
        }
        self.sleep(Some(deadline))
    }

    /// Sleeps on the word until a notification is taken, or until the deadline: whether one was taken.
    #[inline]
    fn sleep(&self, deadline: Option<Deadline>) -> Result<bool, Errno> {
        let (state, moment) = (self.state(), deadline.map(Deadline::time));
        state.sleep(|| match near::futex_wait(&Local, state.address(), ASLEEP, moment) {
            Err(Errno::ETIMEDOUT) => Ok(false),
            // Woken, or too late to sleep, or a signal handler ran: the state tells.
            Ok(()) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(true),
            Err(error) => Err(error),
        })
    }

    #[inline(always)]
    fn take_or_spin(&self) -> bool {
        self.state().take() || self.spinner.spin(|| self.state().is_pending()) && self.state().take()
    }

    /// Says that the descriptor is going to be waited for: from now on the first notification makes it readable. `false` if
    /// one is pending: it would not, so there is [`try_wait`](Self::try_wait) to call, and nothing to wait for.
    ///
    /// System calls: none.
    ///
    /// ```
    /// let notifier = rsyscall::Notifier::new()?;
    /// assert!(notifier.arm());
    /// notifier.notify()?;
    /// assert_eq!(notifier.bell().read(), Ok(1));
    /// assert!(!notifier.arm());
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline]
    #[must_use = "when it is false, waiting for the descriptor would be for ever"]
    pub fn arm(&self) -> bool {
        self.state().arm()
    }

    /// Says that the wait is over: notifications make no system call from now on. Takes the notification, if one is pending:
    /// whether one was.
    ///
    /// System calls: none.
    ///
    /// ```
    /// let notifier = rsyscall::Notifier::new()?;
    /// assert!(notifier.arm());
    /// assert!(!notifier.disarm());
    /// notifier.notify()?;
    /// assert_eq!(notifier.bell().try_read(), Ok(None));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[inline]
    pub fn disarm(&self) -> bool {
        self.state().disarm()
    }

    /// Says that the wait is over and the descriptor was readable: empties it, and takes the notification, if one is pending.
    /// Whether one was: the bell may have been rung late, for one that is already taken.
    ///
    /// System calls: those of [`EventFd::try_read`].
    ///
    /// ```
    /// let notifier = rsyscall::Notifier::new()?;
    /// assert!(notifier.arm());
    /// notifier.notify()?;
    /// assert!(notifier.acknowledge()?);
    /// assert!(!notifier.acknowledge()?);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::try_read`]; nothing is taken then.
    #[inline]
    pub fn acknowledge(&self) -> Result<bool, Errno> {
        self.bell.try_read()?;
        Ok(self.disarm())
    }

    /// The eventfd behind it: to be waited for, handed to an event loop, or duplicated for another process. Whoever reads or
    /// writes it otherwise ends a sleep for nothing, or prolongs it.
    #[inline(always)]
    pub fn bell(&self) -> &EventFd {
        &self.bell
    }

    /// The eventfd's number, still owned by this value, as std and C have it.
    #[inline(always)]
    pub fn as_raw_fd(&self) -> i32 {
        self.bell.as_raw_fd()
    }
}

impl<S: Borrow<State>> Own<Current> for Notifier<S> {
    #[inline(always)]
    fn number(&self) -> PolledFd<'_> {
        self.bell.number()
    }
}

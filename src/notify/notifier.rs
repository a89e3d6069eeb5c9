//! The notifier: a state, its bell, and a waiter that may spin before it sleeps.

use super::spin::{Spin, Spinner};
use super::state::State;
use super::word::Scope;
use crate::Errno;
use crate::deadline::Deadline;
use crate::sys::eventfd::{EventFd, EventfdFlags};
use crate::sys::pollable::PolledFd;
use crate::sys::pollable::sealed::Own;
use crate::sysif::Local;
use crate::task::Current;
use core::borrow::Borrow;
use core::time::Duration;
use static_assertions::{assert_eq_align, assert_eq_size, assert_impl_all};

/// Says that there is work, and sleeps until there is.
///
/// [`notify`](Self::notify) while a notification is pending, or while the waiter is awake, is one atomic operation and
/// no system call. Notifications are not counted: any number of them before one is taken are one. What a notifier did
/// before is visible to the waiter that takes it. None is lost: the argument is in `src/notify/state.rs`.
///
/// Any number of threads notify, and any number [`wait`](Self::wait): each notification is taken by one of them, and
/// the others sleep on. One at a time has it in its [event loop](#in-an-event-loop): a second one may not be woken.
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
///
/// # In an event loop
///
/// The [descriptor](Self::bell) can be waited for by anything that waits for descriptors. It becomes readable only for
/// a waiter that has said that it sleeps: [`arm`](Self::arm) before the wait, and after it
/// [`acknowledge`](Self::acknowledge) if it was readable, [`disarm`](Self::disarm) if something else was. Both kinds of
/// trigger will do.
///
/// A loop that cannot be asked to do something before it sleeps is armed once at the beginning, and by each turn at its
/// end: `acknowledge`, then do all the work, then while `arm` is false `try_wait` and do all the work.
///
/// # Between processes
///
/// The [`State`] stands in memory that they share, and each has a descriptor of the same eventfd (inherited, or sent):
/// [`from_parts`](Self::from_parts). A process that is killed in the middle of [`notify`](Self::notify), after the one
/// instruction and before the other, has notified a waiter that it did not wake, and nothing else will. Where that is
/// to be outlived, the waiter uses [`wait_timeout`](Self::wait_timeout), which finds such a notification when the
/// timeout expires.
///
/// # After a fork
///
/// A notifier made by [`new`](Self::new) is for the threads of one process: a child made by `fork` has a copy of the
/// state, and another descriptor of the same eventfd. What the child notifies it only tells itself: a parent that
/// sleeps in a wait is not woken, and one that polls the descriptor may wake, and finds nothing. To wake the parent the
/// state must stand in shared memory, as above.
#[derive(Debug)]
#[doc(alias = "Waker", alias = "EventNotifier")]
pub struct Notifier<S = State> {
    state: S,
    bell: EventFd,
    spinner: Spinner,
    scope: Scope,
}

assert_eq_size!(State, u32);
assert_eq_align!(State, u32);
assert_impl_all!(Notifier: Send, Sync);

impl Notifier {
    /// Makes a notifier for the threads of this process; nothing is notified yet. It does not spin.
    ///
    /// System calls: `eventfd2`.
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::new`].
    #[inline]
    pub fn new() -> Result<Self, Errno> {
        let bell = EventFd::new(0, EventfdFlags::empty())?;
        Ok(Self { scope: Scope::Private, ..Self::from_parts(State::new(), bell) })
    }
}

impl<S: Borrow<State>> Notifier<S> {
    /// Makes a notifier of a state, which may be shared with other processes, and of its bell, an eventfd that is not
    /// written or read otherwise.
    ///
    /// All that share the state must share the bell's counter too, or the wrong one is written. Nothing of this is a
    /// matter of safety.
    #[inline]
    pub const fn from_parts(state: S, bell: EventFd) -> Self {
        Self { state, bell, spinner: Spinner::new(Spin::NEVER), scope: Scope::Shared }
    }

    /// The same notifier, but a wait through this value may spin before it sleeps.
    #[inline]
    #[must_use = "the notifier itself is not changed"]
    pub fn with_spin(self, spin: Spin) -> Self {
        Self { spinner: Spinner::new(spin), ..self }
    }

    #[inline(always)]
    fn state(&self) -> &State {
        self.state.borrow()
    }

    /// Says that there is work. If a notification is pending, or no waiter sleeps, it is one atomic operation.
    ///
    /// It never sleeps and takes no lock: a signal handler may call it.
    ///
    /// System calls: if a waiter sleeps and this is the first to say so, `futex` (in [`wait`](Self::wait)) or `write`
    /// (for the descriptor); otherwise none.
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::write`]; a bell that is not written otherwise gives none. The notification is left in any
    /// case.
    #[inline(always)]
    #[doc(alias = "wake")]
    pub fn notify(&self) -> Result<(), Errno> {
        match self.state().notify() {
            None => Ok(()),
            Some(marks) => self.wake(marks),
        }
    }

    #[cold]
    fn wake(&self, marks: u32) -> Result<(), Errno> {
        self.state().wake(marks, self.scope, || ring(self.bell.write(1)))
    }

    /// Takes the notification, if one is pending: whether one was. One load, and if one is pending one atomic
    /// operation.
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

    /// Takes the notification, sleeping until there is one, however many signal handlers run. Before it sleeps it may
    /// spin: [`Spin`].
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
        self.state().sleep(None, self.scope).map(drop)
    }

    /// Takes the notification, sleeping for at most `timeout` until there is one: whether there was. The timeout is
    /// kept on `CLOCK_MONOTONIC` across signal handlers. A pending notification is taken whatever the timeout, zero
    /// included.
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
        self.state().sleep(Some(Deadline::after(&Local, timeout)?), self.scope)
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
        self.state().sleep(Some(deadline), self.scope)
    }

    #[inline(always)]
    fn take_or_spin(&self) -> bool {
        self.state().take() || self.spinner.spin(|| self.state().is_pending()) && self.state().take()
    }

    /// Says that the descriptor is going to be waited for: from now on the first notification makes it readable.
    /// `false` if one is pending: it would not, so there is [`try_wait`](Self::try_wait) to call, and nothing to wait
    /// for.
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

    /// Says that the wait for the descriptor is over: for it notifications make no system call from now on. Takes the
    /// notification, if one is pending: whether one was.
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

    /// Says that the wait is over and the descriptor was readable: empties it, and takes the notification, if one is
    /// pending. Whether one was: the bell may have been written late, for one that is already taken.
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

    /// Says that the wait for the descriptor is over, `rung` if it was readable; a pending notification stays pending.
    #[inline]
    pub(crate) fn stand_down(&self, rung: bool) -> Result<(), Errno> {
        let read = if rung { self.bell.try_read().map(drop) } else { Ok(()) };
        self.state().stand_down();
        read
    }

    /// Returns the eventfd behind it: to be waited for, handed to an event loop, or duplicated for another process. To
    /// read or write it otherwise makes a wakeup spurious, or loses one.
    #[inline(always)]
    pub fn bell(&self) -> &EventFd {
        &self.bell
    }

    /// Returns the eventfd's file descriptor, still owned by this value, as std and C have it.
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

/// What writing the bell came to: one that is so full that nothing more fits is readable already.
#[inline]
pub(super) fn ring(written: Result<(), Errno>) -> Result<(), Errno> {
    match written {
        Err(Errno::EAGAIN) => Ok(()),
        result => result,
    }
}

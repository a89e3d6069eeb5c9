//! The notifier: a state, an eventfd, and a waiter that may spin before it sleeps.

use super::spin::{Spin, Spinner};
use super::state::State;
use super::word::Scope;
use crate::Errno;
use crate::deadline::Deadline;
use crate::near::{self, Timespec};
use crate::sys::eventfd::{EventFd, EventfdFlags};
use crate::sys::pollable::PolledFd;
use crate::sys::pollable::sealed::Own;
use crate::sysif::Local;
use crate::task::Current;
use core::borrow::Borrow;
use core::time::Duration;
use static_assertions::{assert_eq_align, assert_eq_size, assert_impl_all};

/// Notifies a waiter that there is work, and blocks the waiter until there is.
///
/// [`notify`](Self::notify) while a notification is pending, or while the waiter is awake, is one atomic operation and
/// no system call. Notifications are not counted: several notifications before one is taken count as one. Memory
/// operations before a `notify` happen before the return of the wait that takes it. No notification is lost;
/// `src/notify/state.rs` has the proof.
///
/// Any number of threads may notify, and any number may [`wait`](Self::wait): each notification is taken by one of
/// them, and the others continue to wait. At most one thread at a time may poll it in an [event
/// loop](#in-an-event-loop): a second one may not be woken.
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
/// In an [event loop](#in-an-event-loop), along with other file descriptors:
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
///         // `false`: a notification is pending, so check the other descriptors without blocking.
///         let events = match notifier.arm() {
///             true => epoll.wait(&mut memory)?,
///             false => epoll.wait_timeout(&mut memory, Duration::ZERO)?,
///         };
///         let readable = events.iter().any(|event| event.data() == 0);
///         if if readable { notifier.acknowledge()? } else { notifier.disarm() } {
///             break; // here: do all the work that there is
///         }
///     }
///     Ok::<(), rsyscall::Errno>(())
/// })?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// [Between processes](#between-processes), with a state in shared memory:
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
/// The [eventfd](Self::bell) can be polled along with other file descriptors. It becomes readable only for a waiter
/// that has called [`arm`](Self::arm): call it before the wait, and after the wait [`acknowledge`](Self::acknowledge)
/// if the eventfd was readable, or [`disarm`](Self::disarm) if it was not. Level-triggered and edge-triggered polls
/// both work.
///
/// In an event loop without a hook before the wait, call `arm` once at the beginning. In the callback call
/// `acknowledge` and do all the work; then, while `arm` returns `false`, call `try_wait` and do all the work again.
///
/// # Between processes
///
/// [`from_parts`](Self::from_parts) makes a notifier from a [`State`] in shared memory and a file descriptor of the
/// same eventfd (inherited or sent) in each process. A process that is killed inside [`notify`](Self::notify), between
/// the atomic operation and the system call, leaves a notification without waking the waiter, and later notifications
/// do not wake it either. A waiter that has to survive that uses [`wait_timeout`](Self::wait_timeout), which takes such
/// a notification when the timeout expires.
///
/// # After a fork
///
/// A notifier made by [`new`](Self::new) is for the threads of one process: a child made by `fork` has a copy of the
/// state, and another file descriptor of the same eventfd. A `notify` in the child reaches only the child: a parent
/// that sleeps in a wait is not woken, and one that polls the eventfd may see a spurious wakeup. To wake the parent the
/// state must be in shared memory, as above.
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
    /// Creates a notifier for the threads of this process, without a pending notification. It does not spin.
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
    /// Creates a notifier from a state, which may be shared with other processes, and its bell, an eventfd that is not
    /// written or read otherwise.
    ///
    /// All notifiers with the same state must have the same eventfd, or the wrong one is written. A mistake here is no
    /// memory unsafety.
    #[inline]
    pub const fn from_parts(state: S, bell: EventFd) -> Self {
        Self { state, bell, spinner: Spinner::new(Spin::NEVER), scope: Scope::Shared }
    }

    /// Sets how long a waiter spins before it sleeps, in waits through this value.
    ///
    /// A spin ends with the timeout of its wait, which includes it. A wait calls `clock_gettime` if it spins for more
    /// than about a microsecond; so do every sixteenth of the waits that may not spin yet, and each
    /// [`wait_until`](Self::wait_until) that may spin.
    #[inline]
    #[must_use = "the notifier itself is not changed"]
    pub fn with_spin(self, spin: Spin) -> Self {
        Self { spinner: Spinner::new(spin), ..self }
    }

    #[inline(always)]
    fn state(&self) -> &State {
        self.state.borrow()
    }

    /// Leaves a notification, and wakes the waiters that sleep. If a notification is pending, or no waiter sleeps, it
    /// is one atomic operation.
    ///
    /// It never blocks and takes no lock, so a signal handler may call it.
    ///
    /// System calls: if a waiter sleeps and no notification is pending, `futex` (for [`wait`](Self::wait)) or `write`
    /// (for the eventfd); otherwise none.
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::write`]; none for an eventfd that is not written otherwise. The notification is left in any
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
        self.state().wake(marks, self.scope, || ignore_full(self.bell.write(1)))
    }

    /// Takes the notification if one is pending, and returns whether one was. It is one load, and if one is pending one
    /// atomic operation.
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

    /// Blocks until there is a notification, and takes it.
    ///
    /// Signal handlers do not end the wait. The waiter may spin before it sleeps: see [`with_spin`](Self::with_spin).
    ///
    /// System calls: if it has to sleep, `futex`.
    ///
    /// # Errors
    ///
    /// `ENOSYS`: a kernel without `CONFIG_FUTEX`; the [bell](Self::bell) works there too. No notification is taken.
    #[inline]
    pub fn wait(&self) -> Result<(), Errno> {
        if self.take_or_spin(|| Ok(u32::MAX))?.is_none() {
            return Ok(());
        }
        self.state().sleep(None, self.scope).map(drop)
    }

    /// Blocks until there is a notification or `timeout` expires. Returns whether a notification was taken.
    ///
    /// The timeout is measured on `CLOCK_MONOTONIC`, across signal handlers. A pending notification is taken even with
    /// a zero timeout.
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
        let Some(spent) = self.take_or_spin(|| Ok(Timespec::from(timeout).capped_micros()))? else { return Ok(true) };
        if timeout.is_zero() {
            return Ok(false);
        }
        self.state().sleep(Some(Deadline::after(&Local, timeout)?.earlier(spent)), self.scope)
    }

    /// Blocks as [`wait_timeout`](Self::wait_timeout) does, until a deadline.
    ///
    /// System calls: if it has to sleep, `futex`.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait); nothing is taken then.
    #[inline]
    pub fn wait_until(&self, deadline: Deadline) -> Result<bool, Errno> {
        let left = || Ok(deadline.remaining(&Local)?.map_or(0, Timespec::capped_micros));
        if self.take_or_spin(left)?.is_none() {
            return Ok(true);
        }
        self.state().sleep(Some(deadline), self.scope)
    }

    /// Returns `None` if a notification was taken; otherwise the microseconds that were spent spinning, at most about
    /// `limit`, which is called only if a spin is possible.
    #[inline(always)]
    fn take_or_spin(&self, limit: impl FnOnce() -> Result<u32, Errno>) -> Result<Option<u32>, Errno> {
        if self.state().take() {
            return Ok(None);
        }
        if !self.spinner.is_enabled() {
            return Ok(Some(0));
        }
        let clock = || near::clock_monotonic(&Local).ok().map(Timespec::wrapping_micros);
        match self.spinner.spin(limit()?, || self.state().is_pending(), clock) {
            Ok(()) if self.state().take() => Ok(None),
            // Another waiter was faster.
            Ok(()) => Ok(Some(0)),
            Err(spent) => Ok(Some(spent)),
        }
    }

    /// Prepares for a poll of the eventfd: the next notification makes it readable. Returns `false` if a notification
    /// is pending.
    ///
    /// The eventfd does not become readable then, so do not block in the poll, but take the notification with
    /// [`try_wait`](Self::try_wait) or [`disarm`](Self::disarm).
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
    #[must_use = "when it is false, a poll of the eventfd would never return"]
    pub fn arm(&self) -> bool {
        self.state().arm()
    }

    /// Ends the preparation by [`arm`](Self::arm): notifications no longer write the eventfd. Takes the notification if
    /// one is pending, and returns whether one was.
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

    /// Ends the preparation by [`arm`](Self::arm) after a poll that found the eventfd readable: reads it, takes the
    /// notification if one is pending, and returns whether one was.
    ///
    /// It may return `false` after a spurious wakeup: the eventfd may be written late, for a notification that is taken
    /// already.
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

    /// Ends the preparation by [`arm`](Self::arm), and reads the eventfd if it was `readable`; a pending notification
    /// stays pending.
    #[inline]
    pub(crate) fn stand_down(&self, readable: bool) -> Result<(), Errno> {
        let read = if readable { self.bell.try_read().map(drop) } else { Ok(()) };
        self.state().stand_down();
        read
    }

    /// Returns the eventfd, to be polled, passed to an event loop, or duplicated for another process. Reading or
    /// writing it otherwise causes spurious or lost wakeups.
    #[inline(always)]
    pub fn bell(&self) -> &EventFd {
        &self.bell
    }

    /// Returns the eventfd's file descriptor as an integer, as std and C use it. This value still owns it.
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

/// Maps the result of a write to the eventfd: at the maximum of the counter it is readable already, so `EAGAIN` is no
/// error.
#[inline]
pub(super) fn ignore_full(written: Result<(), Errno>) -> Result<(), Errno> {
    match written {
        Err(Errno::EAGAIN) => Ok(()),
        result => result,
    }
}

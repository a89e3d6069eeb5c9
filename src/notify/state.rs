//! The state in front of the eventfd, and the proof that no wakeup is lost.
//!
//! It uses nothing but `super::word`, which a model checker replaces.
//!
//! The state is `EMPTY`, or `NOTIFIED`, or a set of these marks of waiters:
//!
//! * `ARMED`: a waiter polls the bell.
//! * `ASLEEP`: a waiter sleeps on this very word (a futex). `CROWDED`: perhaps more than one.
//!
//! A notification is *pending* if and only if the state is `NOTIFIED`. The bell (the eventfd) and the futex only end a
//! sleep.
//!
//! | from \ by | a notifier: `notify` | a waiter: `take` | `arm` | `prepare_sleep` | `disarm` | `leave` |
//! |---|---|---|---|---|---|---|
//! | `EMPTY` | `NOTIFIED` | – | + `ARMED` | + `ASLEEP` | – | – |
//! | `NOTIFIED` | `NOTIFIED` | `EMPTY`, taken | – | – | `EMPTY`, taken | `EMPTY`, taken |
//! | `ARMED` | `NOTIFIED`, and it writes the bell | – | – | + `ASLEEP` | − `ARMED` | – |
//! | `ASLEEP` | `NOTIFIED`, and it wakes all sleepers | – | + `ARMED` | + `CROWDED` | – | − `ASLEEP` |
//! | `ASLEEP`, `CROWDED` | `NOTIFIED`, and it wakes all sleepers | – | + `ARMED` | – | – | – |
//!
//! **Nothing is lost.** Every transition is a read-modify-write of one word, so all of them have one order. Take any
//! `notify`. It leaves `NOTIFIED`, and only a waiter's `take`, `disarm` and `leave` change that, each by returning
//! "taken". So a waiter has taken it (together with all before it since the last), or it is pending. While it is
//! pending every sleep of a waiter ends. For the waiter that polls: it polls only after an `arm` that left `ARMED`,
//! which only `notify` and its own `disarm` remove; if the `notify` came before that step, the step found `NOTIFIED`
//! and failed; if it came after, then the first `notify` after the step found `ARMED`, and writes the bell, which stays
//! readable until the waiter reads it. For those that sleep: each is *covered*, as follows.
//!
//! **A sleeper is covered** while the state has a mark that a `notify` wakes all sleepers for, or while a notifier that
//! has removed such a mark has yet to make its call. A waiter sleeps only after a `prepare_sleep` that left a mark, and
//! if that changed since, the kernel does not let it fall asleep. Then the mark is removed by a `notify`, which owes a
//! call that wakes it; or by `leave`, which removes only an `ASLEEP` without `CROWDED`. Suppose that Z leaves, because
//! its timeout expires, and removes an `ASLEEP` that covers another sleeper X. Z left a mark of its own, before X's or
//! after. If that mark had stayed, X or Z would have found the other's mark and set `CROWDED`. So a `notify` has
//! removed it. The call which that `notify` owes was not made while Z slept, or it would have woken Z: the kernel
//! returns `ETIMEDOUT` only to a sleeper that was not woken. So the call is yet to be made, and wakes X, which checks
//! the state and leaves a mark again before it sleeps. A sleep that ends in another way (a signal handler, an error)
//! removes no mark.
//!
//! **Two waiters that poll** are not covered: when one of them has read the bell, it is not readable for the other.
//!
//! **Order of memory.** What a notifier did before its `notify` is visible to the waiter that takes it: `notify` is a
//! release, `take` an acquire, and notifications in between continue the release sequence because they are
//! read-modify-writes too. For the same reason a `notify` that finds `NOTIFIED` has to be a read-modify-write and not a
//! load: the load could be performed before the notifier's own earlier stores are visible, and the waiter could take
//! the notification and miss those stores.
//!
//! **A wakeup may be spurious.** A waiter whose timeout expires can take the notification before its notifier writes or
//! wakes, which then ends a later sleep. Of several sleepers one takes the notification, and the others are woken too.
//! So a waiter relies on the state only: it checks the state, and sleeps again.

use super::word::{Deadline, Errno, Scope, Slept, Word};

// Zero, so that a fresh page of shared memory is a valid state.
const EMPTY: u32 = 0;
const NOTIFIED: u32 = 1;
const ARMED: u32 = 2;
const ASLEEP: u32 = 4;
const CROWDED: u32 = 8;

/// The shared state of notifiers and waiters: one word, for which zero is a valid initial value.
///
/// It belongs to one eventfd. In shared memory, each process creates its own [`Notifier`](super::Notifier) from a
/// reference to it and its own file descriptor of the eventfd.
#[derive(Debug)]
#[repr(transparent)]
pub struct State(Word);

impl State {
    /// Creates a state without notification and without waiter: four zero bytes.
    #[inline]
    pub const fn new() -> Self {
        Self(Word::new())
    }

    /// Leaves a notification. Returns the marks of the waiters to wake, if there are any.
    #[inline(always)]
    pub(super) fn notify(&self) -> Option<u32> {
        match self.0.swap_release(NOTIFIED) {
            // One comparison while no waiter sleeps.
            EMPTY | NOTIFIED => None,
            marks => Some(marks),
        }
    }

    /// Wakes the waiters that have left these marks; `write_bell` writes the bell.
    #[inline]
    pub(super) fn wake(
        &self,
        marks: u32,
        scope: Scope,
        write_bell: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let woken = if marks & ASLEEP != 0 { self.0.wake(scope) } else { Ok(()) };
        if marks & ARMED != 0 {
            write_bell()?;
        }
        woken
    }

    /// Returns whether a notification is pending, without taking it.
    #[inline(always)]
    pub(super) fn is_pending(&self) -> bool {
        self.0.load() == NOTIFIED
    }

    /// Takes the notification if one is pending, and returns whether one was.
    #[inline(always)]
    pub(super) fn take(&self) -> bool {
        // The load keeps the cache line shared when no notification is pending.
        self.is_pending() && self.0.replace_acquire(NOTIFIED, EMPTY).is_ok()
    }

    /// Marks the waiter as polling the bell: the next notifier writes it. Returns `false` if a notification is pending:
    /// the waiter must not sleep then.
    #[inline(always)]
    pub(super) fn arm(&self) -> bool {
        self.transition(EMPTY, |marks| marks | ARMED).is_some()
    }

    /// Removes the mark of a waiter that polls the bell. Returns `false` if a notification is pending, which stays
    /// pending.
    #[inline(always)]
    pub(super) fn stand_down(&self) -> bool {
        self.transition(ARMED, |marks| marks & !ARMED).is_some()
    }

    /// Removes the mark of a waiter that polls the bell, and takes the notification if one is pending.
    #[inline]
    pub(super) fn disarm(&self) -> bool {
        !self.stand_down() && self.take()
    }

    /// Marks the waiter as sleeping on the word: the next notifier wakes it. Returns the new value of the word, or
    /// `None` if a notification is pending.
    #[inline(always)]
    fn prepare_sleep(&self) -> Option<u32> {
        self.transition(EMPTY, |marks| if marks & ASLEEP == 0 { marks | ASLEEP } else { marks | CROWDED })
    }

    /// Removes the mark of a sleeper whose timeout has expired. Takes the notification if one is pending.
    #[inline]
    fn leave(&self) -> bool {
        let left = self.transition(ASLEEP, |marks| if marks & CROWDED == 0 { marks & !ASLEEP } else { marks });
        left.is_none() && self.take()
    }

    /// Changes the marks, which are probably `likely`, and returns the new ones. `None` if a notification is pending.
    #[inline(always)]
    fn transition(&self, likely: u32, to: impl Fn(u32) -> u32) -> Option<u32> {
        let mut from = likely;
        loop {
            let marks = to(from);
            match self.0.replace(from, marks) {
                Ok(_) => return Some(marks),
                Err(NOTIFIED) => return None,
                Err(now) => from = now,
            }
        }
    }

    /// Sleeps until a notification is taken or the deadline has passed, and returns whether one was taken.
    #[inline(always)]
    pub(super) fn sleep(&self, deadline: Option<Deadline>, scope: Scope) -> Result<bool, Errno> {
        loop {
            if let Some(marks) = self.prepare_sleep() {
                match self.0.sleep(marks, deadline, scope) {
                    Ok(Slept::Awake) => {}
                    Ok(Slept::TimedOut) => return Ok(self.leave()),
                    // A pending notification takes precedence over the error, which the next wait reports again.
                    Err(error) => return if self.take() { Ok(true) } else { Err(error) },
                }
            }
            if self.take() {
                return Ok(true);
            }
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

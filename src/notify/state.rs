//! The state in front of the bell, and why no wake-up is lost.
//!
//! Uses nothing but `super::word`, so that a model checker can put its own in its place.
//!
//! The state is `EMPTY`, or `NOTIFIED`, or a set of these marks of waiters:
//!
//! * `ARMED`: a waiter polls the bell.
//! * `ASLEEP`: a waiter sleeps on this very word (a futex). `CROWDED`: perhaps more than one.
//!
//! A notification is *pending* if and only if the state is `NOTIFIED`. Bell and futex only end a sleep.
//!
//! | from \ by | a notifier: `notify` | a waiter: `take` | `arm` | `prepare_sleep` | `disarm` | `leave` |
//! |---|---|---|---|---|---|---|
//! | `EMPTY` | `NOTIFIED` | – | + `ARMED` | + `ASLEEP` | – | – |
//! | `NOTIFIED` | `NOTIFIED` | `EMPTY`, taken | – | – | `EMPTY`, taken | `EMPTY`, taken |
//! | `ARMED` | `NOTIFIED`, and it writes the bell | – | – | + `ASLEEP` | − `ARMED` | – |
//! | `ASLEEP` | `NOTIFIED`, and it wakes all sleepers | – | + `ARMED` | + `CROWDED` | – | − `ASLEEP` |
//! | `ASLEEP`, `CROWDED` | `NOTIFIED`, and it wakes all sleepers | – | + `ARMED` | – | – | – |
//!
//! **Nothing is lost.** Every transition is a read-modify-write of one word, so all of them stand in one order. Take
//! any `notify`. What it leaves is `NOTIFIED`, and only a waiter's `take`, `disarm` and `leave` make something else of
//! that, each by saying "taken". So a waiter either takes it (this one, and all before it since the last), or has yet
//! to. While it is pending no waiter is asleep for good. For the one that polls: it polls only after an `arm` that left
//! `ARMED`, which only `notify` and its own `disarm` remove; if the `notify` came before that step, the step found
//! `NOTIFIED` and failed; if it came after, then the first `notify` after the step found `ARMED`, and writes the bell,
//! which stays readable until the waiter reads it. For those that sleep: each is *covered*, as follows.
//!
//! **A sleeper is covered** while the state has a mark that a `notify` wakes all sleepers for, or while a notifier that
//! has removed such a mark has yet to make its call. A waiter sleeps only after a `prepare_sleep` that left a mark, and
//! if that changed since, the kernel does not let it fall asleep. Then the mark is removed by a `notify`, which owes a
//! call that wakes it; or by `leave`, which removes only an `ASLEEP` without `CROWDED`. Say Z leaves, because its time
//! is over, and removes an `ASLEEP` that covers another sleeper X. Z had left a mark of its own, before X's or after.
//! Had that stayed, X or Z would have found the other's mark and made it `CROWDED`. So a `notify` has removed it. The
//! call which that one owes was not made while Z slept, or Z would have been woken: the kernel says that the time is
//! over only to a sleeper that nothing has woken. So it has yet to be made, and wakes X, which looks, and says again
//! that it sleeps. A sleep that ended in another way (a signal handler, an error) removes no mark.
//!
//! **Two that poll** are not covered: the bell that one of them has read is not readable to the other.
//!
//! **Nothing is seen too late.** What a notifier did before its `notify` is visible to the waiter that takes it:
//! `notify` is a release, `take` an acquire, and notifications in between continue the release sequence because they
//! are read-modify-writes too. For the same reason a notification that finds `NOTIFIED` has to be a read-modify-write
//! and not a mere load: the load could be answered before the notifier's own earlier stores are visible, when the
//! waiter has already taken the notification and looked for them too early.
//!
//! **A wakeup may be spurious.** A waiter whose timeout expires can take the notification before its notifier has got
//! as far as writing or waking, which then ends some later sleep. Of several sleepers one takes the notification, and
//! the others have been woken too. So a waiter believes the state and nothing else: it looks, and sleeps on.

use super::word::{Deadline, Errno, Scope, Slept, Word};

// Zero, so that a page of shared memory begins as a valid state.
const EMPTY: u32 = 0;
const NOTIFIED: u32 = 1;
const ARMED: u32 = 2;
const ASLEEP: u32 = 4;
const CROWDED: u32 = 8;

/// What notifiers and waiters share: one word, which is valid when it is zero.
///
/// It belongs to one bell. In memory that several processes share, each makes its own [`Notifier`](super::Notifier) of
/// a reference to it and its own descriptor of the bell.
#[derive(Debug)]
#[repr(transparent)]
pub struct State(Word);

impl State {
    /// Nothing notified, and no waiter: the same as four zero bytes.
    #[inline]
    pub const fn new() -> Self {
        Self(Word::new())
    }

    /// Leaves a notification. Returns the marks of the waiters that are to be woken now, if there are any.
    #[inline(always)]
    pub(super) fn notify(&self) -> Option<u32> {
        match self.0.swap_release(NOTIFIED) {
            // One comparison while no waiter sleeps.
            EMPTY | NOTIFIED => None,
            marks => Some(marks),
        }
    }

    /// Ends the sleeps of the waiters that have left these marks; `ring` writes the bell.
    #[inline]
    pub(super) fn wake(&self, marks: u32, scope: Scope, ring: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        let woken = if marks & ASLEEP != 0 { self.0.wake(scope) } else { Ok(()) };
        if marks & ARMED != 0 {
            ring()?;
        }
        woken
    }

    /// Whether a notification is pending, without taking it.
    #[inline(always)]
    pub(super) fn is_pending(&self) -> bool {
        self.0.load() == NOTIFIED
    }

    /// Takes the notification, if one is pending.
    #[inline(always)]
    pub(super) fn take(&self) -> bool {
        // The load spares the cache line when there is nothing.
        self.is_pending() && self.0.replace_acquire(NOTIFIED, EMPTY).is_ok()
    }

    /// Says that the waiter polls the bell: the next notifier writes it. Unless a notification is pending: then it is
    /// `false`, and the waiter must not sleep.
    #[inline(always)]
    pub(super) fn arm(&self) -> bool {
        self.transition(EMPTY, |marks| marks | ARMED).is_some()
    }

    /// Says that the waiter polls the bell no more. A pending notification stays pending: then it is `false`.
    #[inline(always)]
    pub(super) fn stand_down(&self) -> bool {
        self.transition(ARMED, |marks| marks & !ARMED).is_some()
    }

    /// Says that the waiter polls the bell no more, and takes the notification, if one is pending.
    #[inline]
    pub(super) fn disarm(&self) -> bool {
        !self.stand_down() && self.take()
    }

    /// Says that the waiter sleeps on the word: the next notifier wakes it. Returns what the word says then. Unless a
    /// notification is pending, as above.
    #[inline(always)]
    fn prepare_sleep(&self) -> Option<u32> {
        self.transition(EMPTY, |marks| if marks & ASLEEP == 0 { marks | ASLEEP } else { marks | CROWDED })
    }

    /// Says that the waiter, whose timeout has expired asleep, sleeps no more. Takes the notification, if one is
    /// pending.
    #[inline]
    fn leave(&self) -> bool {
        let left = self.transition(ASLEEP, |marks| if marks & CROWDED == 0 { marks & !ASLEEP } else { marks });
        left.is_none() && self.take()
    }

    /// From any marks, likely these, to others, which are returned. `None` if a notification is pending.
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

    /// Sleeps until a notification is taken, or until the deadline: whether one was taken.
    #[inline(always)]
    pub(super) fn sleep(&self, deadline: Option<Deadline>, scope: Scope) -> Result<bool, Errno> {
        loop {
            if let Some(marks) = self.prepare_sleep() {
                match self.0.sleep(marks, deadline, scope) {
                    Ok(Slept::Awake) => {}
                    Ok(Slept::TimedOut) => return Ok(self.leave()),
                    // What is pending is more important than what went wrong, which the next wait reports.
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

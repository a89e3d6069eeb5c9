//! The state in front of the bell, and why no wake-up is lost.
//!
//! Uses nothing but the atomics of `super::sync`, so that a model checker can put its own in their place.
//!
//! Three states. A notification is *pending* if and only if the state is `NOTIFIED`; the bell only ends a sleep.
//!
//! | from \ by | a notifier: `notify` | the sleeper: `take` | `arm` | `disarm` |
//! |---|---|---|---|---|
//! | `EMPTY` | `NOTIFIED` | – | `SLEEPING` | – |
//! | `NOTIFIED` | `NOTIFIED` | `EMPTY`, taken | – | `EMPTY`, taken |
//! | `SLEEPING` | `NOTIFIED`, and it rings the bell | – | – | `EMPTY` |
//!
//! **Nothing is lost.** Every transition is a read-modify-write of one word, so all of them stand in one order. Take any
//! `notify`. What it leaves is `NOTIFIED`, and only the sleeper's `take` and `disarm` make something else of that, both by
//! saying "taken". So the sleeper either takes it (this one, and all before it since the last), or has yet to. While it has
//! yet to, it cannot be asleep for good: it sleeps only after an `arm` that left `SLEEPING`. If the `notify` came before that
//! `arm`, the `arm` found `NOTIFIED` and did not arm. If it came after, then the first `notify` after the `arm` found
//! `SLEEPING` and rings the bell *after* the state says `NOTIFIED`; so the sleeper wakes, and finds it.
//!
//! **Nothing is seen too late.** What a notifier did before its `notify` is visible to whoever takes it: `notify` is a
//! release, `take` an acquire, and notifications in between continue the release sequence because they are
//! read-modify-writes too. That is also why a notification that finds `NOTIFIED` has to be a read-modify-write and not a
//! mere load: the load could be answered before the notifier's own earlier stores are visible, when the sleeper has already
//! taken the notification and looked for them in vain.
//!
//! **The bell may be rung for nothing.** A sleeper that gives up by the clock can take the notification before its notifier
//! has got as far as ringing; the ring then comes later and ends some later sleep. That is why the sleeper believes the state
//! and not the bell: it looks, and sleeps on, still armed.

use super::sync::{AtomicU32, Ordering};

// Zero, so that a page of shared memory begins as a valid state.
const EMPTY: u32 = 0;
const NOTIFIED: u32 = 1;
const SLEEPING: u32 = 2;

/// What many notifiers and one sleeper share: one word, which is valid when it is zero.
///
/// It belongs to one bell. In memory that several processes share, each makes its own [`Notifier`](super::Notifier) of a
/// reference to it and its own descriptor of the bell.
#[derive(Debug)]
#[repr(transparent)]
pub struct State(pub(super) AtomicU32);

impl State {
    /// Leaves a notification. Whether the sleeper may be asleep, so that the bell must be rung now.
    #[inline(always)]
    pub(super) fn notify(&self) -> bool {
        self.0.swap(NOTIFIED, Ordering::Release) == SLEEPING
    }

    /// Whether a notification is pending, without taking it.
    #[inline(always)]
    pub(super) fn is_pending(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NOTIFIED
    }

    /// Takes the notification, if one is pending.
    #[inline(always)]
    pub(super) fn take(&self) -> bool {
        // The load spares the cache line when there is nothing.
        self.is_pending() && self.0.compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Says that the sleeper goes to sleep: the next notifier rings. Unless a notification is pending: then it is false, and
    /// the sleeper must not sleep.
    #[inline(always)]
    pub(super) fn arm(&self) -> bool {
        // Relaxed: nothing is handed over here. Being armed already is being armed.
        self.0.compare_exchange(EMPTY, SLEEPING, Ordering::Relaxed, Ordering::Relaxed) != Err(NOTIFIED)
    }

    /// Says that the sleeper does not sleep any more, and takes the notification, if one is pending.
    #[inline]
    pub(super) fn disarm(&self) -> bool {
        match self.0.compare_exchange(SLEEPING, EMPTY, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) | Err(EMPTY) => false,
            Err(_) => self.take(),
        }
    }

    /// Sleeps until a notification is taken, or until `sleep` says that the time is over: whether one was taken.
    ///
    /// `sleep` returns `true` when the bell was rung, which then is silent again.
    #[inline(always)]
    pub(super) fn sleep<E>(&self, mut sleep: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
        loop {
            if self.arm() {
                match sleep() {
                    Ok(true) => {}
                    Ok(false) => return Ok(self.disarm()),
                    // What is pending is more important than what went wrong, which will be told the next time.
                    Err(error) => return if self.disarm() { Ok(true) } else { Err(error) },
                }
            }
            if self.take() {
                return Ok(true);
            }
        }
    }
}

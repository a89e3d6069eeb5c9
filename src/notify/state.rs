//! The state in front of the bell, and why no wake-up is lost.
//!
//! Uses nothing but the atomics of `super::sync`, so that a model checker can put its own in their place.
//!
//! Four states. A notification is *pending* if and only if the state is `NOTIFIED`. The other three say what the sleeper does:
//! nothing of the kind, polling the bell, or sleeping on this very word (a futex). Bell and futex only end a sleep.
//!
//! | from \ by | a notifier: `notify` | the sleeper: `take` | `arm` | `lie_down` | `disarm` |
//! |---|---|---|---|---|---|
//! | `EMPTY` | `NOTIFIED` | – | `ARMED` | `ASLEEP` | – |
//! | `NOTIFIED` | `NOTIFIED` | `EMPTY`, taken | – | – | `EMPTY`, taken |
//! | `ARMED` | `NOTIFIED`, and it rings the bell | – | – | `ASLEEP` | `EMPTY` |
//! | `ASLEEP` | `NOTIFIED`, and it wakes the futex | – | `ARMED` | – | `EMPTY` |
//!
//! **Nothing is lost.** Every transition is a read-modify-write of one word, so all of them stand in one order. Take any
//! `notify`. What it leaves is `NOTIFIED`, and only the sleeper's `take` and `disarm` make something else of that, both by
//! saying "taken". So the sleeper either takes it (this one, and all before it since the last), or has yet to. While it has
//! yet to, it cannot be asleep for good: it polls only after an `arm` that left `ARMED`, and sleeps only after a `lie_down`
//! that left `ASLEEP`. If the `notify` came before that step, the step found `NOTIFIED` and failed. If it came after, then the
//! first `notify` after the step found what the step left, and ends the sleep *after* the state says `NOTIFIED`: it writes
//! the bell, which stays readable until the sleeper empties it; or it wakes the futex, on which the kernel lets nobody fall
//! asleep who comes with `ASLEEP` and finds another value. So the sleeper wakes, or does not fall asleep, and finds it.
//!
//! **Nothing is seen too late.** What a notifier did before its `notify` is visible to whoever takes it: `notify` is a
//! release, `take` an acquire, and notifications in between continue the release sequence because they are
//! read-modify-writes too. That is also why a notification that finds `NOTIFIED` has to be a read-modify-write and not a
//! mere load: the load could be answered before the notifier's own earlier stores are visible, when the sleeper has already
//! taken the notification and looked for them in vain.
//!
//! **A sleep may end for nothing.** A sleeper that gives up by the clock can take the notification before its notifier has got
//! as far as ringing or waking, which then ends some later sleep. That is why the sleeper believes the state and nothing else:
//! it looks, and sleeps on.

use super::sync::{AtomicU32, Ordering};

// Zero, so that a page of shared memory begins as a valid state.
const EMPTY: u32 = 0;
const NOTIFIED: u32 = 1;
const ARMED: u32 = 2;
/// What the state is while somebody sleeps on it.
pub(super) const ASLEEP: u32 = 3;

/// Who has to be told of a notification.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sleeper {
    /// Somebody who polls the bell.
    Polls,
    /// Somebody who sleeps on the word.
    Sleeps,
}

/// What many notifiers and one sleeper share: one word, which is valid when it is zero.
///
/// It belongs to one bell. In memory that several processes share, each makes its own [`Notifier`](super::Notifier) of a
/// reference to it and its own descriptor of the bell.
#[derive(Debug)]
#[repr(transparent)]
pub struct State(pub(super) AtomicU32);

impl State {
    /// Leaves a notification. Whoever may be asleep has to be told now.
    #[inline(always)]
    pub(super) fn notify(&self) -> Option<Sleeper> {
        // One comparison while nobody sleeps.
        match self.0.swap(NOTIFIED, Ordering::Release) {
            EMPTY | NOTIFIED => None,
            ASLEEP => Some(Sleeper::Sleeps),
            _ => Some(Sleeper::Polls),
        }
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

    /// Says that the sleeper polls the bell: the next notifier rings. Unless a notification is pending: then it is false, and
    /// the sleeper must not sleep.
    #[inline(always)]
    pub(super) fn arm(&self) -> bool {
        self.turn(EMPTY, ARMED)
    }

    /// Says that the sleeper sleeps on the word: the next notifier wakes it. Unless a notification is pending, as above.
    #[inline(always)]
    fn lie_down(&self) -> bool {
        self.turn(EMPTY, ASLEEP)
    }

    /// Says that the sleeper does not sleep any more, and takes the notification, if one is pending.
    #[inline]
    pub(super) fn disarm(&self) -> bool {
        !self.turn(ARMED, EMPTY) && self.take()
    }

    /// From any state, likely `from`, to another: unless a notification is pending, then it is false.
    #[inline(always)]
    fn turn(&self, mut from: u32, to: u32) -> bool {
        // Relaxed: nothing is handed over here.
        while let Err(now) = self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed) {
            if now == NOTIFIED {
                return false;
            }
            from = now;
        }
        true
    }

    /// Sleeps until a notification is taken, or until `sleep` says that the time is over: whether one was taken.
    ///
    /// `sleep` sleeps for as long as the state is [`ASLEEP`], or less, and is `false` when the time is over.
    #[inline(always)]
    pub(super) fn sleep<E>(&self, mut sleep: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
        loop {
            if self.lie_down() {
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

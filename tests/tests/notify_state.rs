//! Compares the notifier's state with the table of its documentation, step by step, and from thread to thread. The very
//! file of the crate with core's atomic, and a futex that wakes at once: none of it makes a system call.

#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/notify/state.rs"]
mod state;

/// What the state is made of, here.
#[allow(dead_code, reason = "the crate uses more of it than this")]
mod word {
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Scope {
        Private,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Slept {
        Awake,
        TimedOut,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Errno;

    /// Over at once.
    #[derive(Debug, Clone, Copy)]
    pub(super) struct Deadline;

    #[derive(Debug)]
    pub(super) struct Word(AtomicU32);

    impl Word {
        pub(super) const fn new() -> Self {
            Self(AtomicU32::new(0))
        }
        pub(super) fn load(&self) -> u32 {
            self.0.load(Ordering::Relaxed)
        }
        pub(super) fn swap_release(&self, value: u32) -> u32 {
            self.0.swap(value, Ordering::Release)
        }
        pub(super) fn replace_acquire(&self, from: u32, to: u32) -> Result<u32, u32> {
            self.0.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed)
        }
        pub(super) fn replace(&self, from: u32, to: u32) -> Result<u32, u32> {
            self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
        }
        pub(super) fn sleep(&self, expected: u32, deadline: Option<Deadline>, _: Scope) -> Result<Slept, Errno> {
            std::thread::yield_now();
            let over = deadline.is_some() && self.load() == expected;
            Ok(if over { Slept::TimedOut } else { Slept::Awake })
        }
        pub(super) fn wake(&self, _: Scope) -> Result<(), Errno> {
            Ok(())
        }
    }
}

use state::State;
use std::cell::{Cell, UnsafeCell};
use word::{Deadline, Scope};

#[derive(Debug, Clone, Copy)]
enum Step {
    Notify,
    Take,
    Arm,
    StandDown,
    Disarm,
    SleepBriefly,
}

/// Each step in an order that has no order, always the same one.
fn steps(count: usize) -> impl Iterator<Item = Step> {
    use Step::{Arm, Disarm, Notify, SleepBriefly, StandDown, Take};
    let mut random = 0x9e37_79b9_u32;
    (0..count).map(move |_| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        [Notify, Take, Arm, StandDown, Disarm, SleepBriefly][random as usize % 6]
    })
}

#[test]
fn each_step_matches_the_table() {
    let state = State::new();
    let (mut pending, mut armed) = (false, false);
    for step in steps(if cfg!(miri) { 500 } else { 50_000 }) {
        match step {
            Step::Notify => {
                let rung = Cell::new(false);
                if let Some(marks) = state.notify() {
                    let ring = || {
                        rung.set(true);
                        Ok(())
                    };
                    assert_eq!(state.wake(marks, Scope::Private, ring), Ok(()));
                }
                // Written for a waiter that polls, and for no other.
                assert_eq!(rung.get(), armed);
                (pending, armed) = (true, false);
            }
            Step::Take => assert_eq!(state.take(), std::mem::take(&mut pending)),
            Step::Arm => {
                assert_eq!(state.arm(), !pending);
                armed |= !pending;
            }
            Step::StandDown => {
                assert_eq!(state.stand_down(), !pending);
                armed = false;
            }
            Step::Disarm => {
                assert_eq!(state.disarm(), std::mem::take(&mut pending));
                armed = false;
            }
            Step::SleepBriefly => {
                let taken = state.sleep(Some(Deadline), Scope::Private);
                assert_eq!(taken, Ok(std::mem::take(&mut pending)));
            }
        }
        assert_eq!(state.is_pending(), pending);
    }
}

/// Memory that only the state's order protects.
struct Handed(UnsafeCell<usize>);

// SAFETY: one thread writes it before each `notify`, and the other reads it after it has taken that.
unsafe impl Sync for Handed {}

#[test]
fn memory_written_before_a_notification_is_visible_to_the_waiter_that_takes_it() {
    let rounds = if cfg!(miri) { 3 } else { 2000 };
    let (there, back, memory) = (State::new(), State::new(), Handed(UnsafeCell::new(0)));
    let memory = &memory;
    let tell = |state: &State| {
        if let Some(marks) = state.notify() {
            state.wake(marks, Scope::Private, || Ok(())).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..rounds {
                assert_eq!(there.sleep(None, Scope::Private), Ok(true));
                // SAFETY: the other thread waits for `back`.
                assert_eq!(unsafe { *memory.0.get() }, round);
                tell(&back);
            }
        });
        for round in 0..rounds {
            // SAFETY: the other thread waits for `there`.
            unsafe { *memory.0.get() = round };
            tell(&there);
            assert_eq!(back.sleep(None, Scope::Private), Ok(true));
        }
    });
}

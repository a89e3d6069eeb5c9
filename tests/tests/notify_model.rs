//! The notifier's state, of which no wake-up may be lost, in every order that the memory model allows (loom).
//!
//! It is the very file of the crate, with another `word`: loom's atomic in the place of core's, and a futex and a bell
//! made of loom's mutex. As in the kernel, the eventfd is a counter behind a lock; and the futex compares the word and
//! puts the sleeper into a queue behind a lock that whoever wakes takes too. A lost wake-up is a thread that sleeps for
//! ever, which loom reports.
#![cfg(target_arch = "x86_64")]

#[allow(dead_code, reason = "the crate uses more of it than a model does")]
#[path = "../../src/notify/state.rs"]
mod state;

/// What the state is made of, here.
mod word {
    use loom::sync::atomic::{AtomicU32, Ordering};
    use loom::sync::{Condvar, Mutex};
    use std::sync::OnceLock;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Scope {
        Private,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Slept {
        Awake,
        TimedOut,
    }

    /// No system call is made here; a sleep that fails is one that was asked to.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Errno;

    /// When a sleep ends that nothing ends before.
    #[derive(Debug, Clone, Copy)]
    pub(super) enum Deadline {
        /// As soon as it has begun: the shortest timeout, which loses the most races.
        Soon,
        /// It cannot even begin.
        Fails,
    }

    #[derive(Debug)]
    struct Parts {
        value: AtomicU32,
        /// Who sleeps, and how many have slept.
        queue: Mutex<(Vec<usize>, usize)>,
        woken: Condvar,
    }

    /// Made when it is first used: before the threads begin.
    #[derive(Debug)]
    pub(super) struct Word(OnceLock<Parts>);

    impl Word {
        pub(super) const fn new() -> Self {
            Self(OnceLock::new())
        }

        fn parts(&self) -> &Parts {
            self.0.get_or_init(|| Parts {
                value: AtomicU32::new(0),
                queue: Mutex::new((Vec::new(), 0)),
                woken: Condvar::new(),
            })
        }

        pub(super) fn load(&self) -> u32 {
            self.parts().value.load(Ordering::Relaxed)
        }

        pub(super) fn swap_release(&self, value: u32) -> u32 {
            self.parts().value.swap(value, Ordering::Release)
        }

        pub(super) fn replace_acquire(&self, from: u32, to: u32) -> Result<u32, u32> {
            self.parts().value.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed)
        }

        pub(super) fn replace(&self, from: u32, to: u32) -> Result<u32, u32> {
            self.parts().value.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
        }

        pub(super) fn sleep(&self, expected: u32, deadline: Option<Deadline>, _: Scope) -> Result<Slept, Errno> {
            if matches!(deadline, Some(Deadline::Fails)) {
                return Err(Errno);
            }
            let parts = self.parts();
            let mut queue = parts.queue.lock().unwrap();
            if self.load() != expected {
                return Ok(Slept::Awake);
            }
            let me = queue.1;
            queue.1 += 1;
            queue.0.push(me);
            if deadline.is_some() {
                drop(queue);
                loom::thread::yield_now();
                queue = parts.queue.lock().unwrap();
                let Some(place) = queue.0.iter().position(|&sleeper| sleeper == me) else {
                    return Ok(Slept::Awake);
                };
                queue.0.remove(place);
                return Ok(Slept::TimedOut);
            }
            while queue.0.contains(&me) {
                queue = parts.woken.wait(queue).unwrap();
            }
            Ok(Slept::Awake)
        }

        pub(super) fn wake(&self, _: Scope) -> Result<(), Errno> {
            self.parts().queue.lock().unwrap().0.clear();
            self.parts().woken.notify_all();
            Ok(())
        }
    }
}

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use state::State;
use std::sync::Arc;
use word::{Deadline, Errno, Scope::Private};

/// Every order with at most three preemptions, or as many as `LOOM_MAX_PREEMPTIONS` says: all orders of three threads
/// take minutes.
fn explore(body: impl Fn() + Sync + Send + 'static) {
    explore_with(3, body);
}

fn explore_with(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(body);
}

struct Model<const N: usize> {
    state: State,
    count: Mutex<u64>,
    written: Condvar,
    /// What the notifiers do before they notify: relaxed, so that only the notifier can make it visible.
    work: [AtomicBool; N],
}

impl<const N: usize> Model<N> {
    fn new() -> Arc<Self> {
        let state = State::new();
        assert!(!state.is_pending());
        Arc::new(Self {
            state,
            count: Mutex::new(0),
            written: Condvar::new(),
            work: std::array::from_fn(|_| AtomicBool::new(false)),
        })
    }

    /// The eventfd's read that never sleeps.
    fn try_read(&self) -> bool {
        std::mem::take(&mut *self.count.lock().unwrap()) != 0
    }

    /// What a poll waits for: it leaves the count as it is.
    fn poll(&self) {
        let mut count = self.count.lock().unwrap();
        while *count == 0 {
            count = self.written.wait(count).unwrap();
        }
    }

    fn write(&self) -> Result<(), Errno> {
        *self.count.lock().unwrap() += 1;
        self.written.notify_all();
        Ok(())
    }

    fn notify(&self) {
        if let Some(marks) = self.state.notify() {
            self.state.wake(marks, Private, || self.write()).unwrap();
        }
    }

    fn wait(&self) {
        if !self.state.take() {
            assert_eq!(self.state.sleep(None, Private), Ok(true));
        }
    }

    fn wait_timeout(&self) -> bool {
        self.state.take() || self.state.sleep(Some(Deadline::Soon), Private).unwrap()
    }

    /// Waits, and looks only after a wait. Each wait takes a notification, of which there are no more than pieces of
    /// work.
    fn wait_until_done(&self, mut taken: usize) {
        loop {
            self.wait();
            taken += 1;
            assert!(taken <= N, "a wait ended without a notification");
            if self.done() {
                return;
            }
        }
    }

    fn done(&self) -> bool {
        self.work.iter().all(|work| work.load(Relaxed))
    }

    /// One thread for each piece of work, which does it and says so.
    fn notifiers(self: &Arc<Self>) -> Vec<thread::JoinHandle<()>> {
        (0..N)
            .map(|i| {
                let model = Arc::clone(self);
                thread::spawn(move || {
                    model.work[i].store(true, Relaxed);
                    model.notify();
                })
            })
            .collect()
    }

    fn end(self: Arc<Self>, notifiers: Vec<thread::JoinHandle<()>>) {
        for notifier in notifiers {
            notifier.join().unwrap();
        }
    }
}

#[test]
fn a_sleeper_sees_all_the_work_of_one_notifier_that_notifies_twice() {
    explore(|| {
        let model = Model::<2>::new();
        let notifier = thread::spawn({
            let model = Arc::clone(&model);
            move || {
                for work in &model.work {
                    work.store(true, Relaxed);
                    model.notify();
                }
            }
        });
        model.wait_until_done(0);
        notifier.join().unwrap();
    });
}

#[test]
fn a_sleeper_sees_all_the_work_of_two_notifiers() {
    explore(|| {
        let model = Model::<2>::new();
        let notifiers = model.notifiers();
        model.wait_until_done(0);
        model.end(notifiers);
    });
}

#[test]
fn a_sleeper_that_gives_up_by_the_clock_and_comes_back_sees_all_the_work() {
    explore(|| {
        let model = Model::<2>::new();
        let notifiers = model.notifiers();
        // Only a wait that says so has taken something: after another there is no reason to look.
        let taken = [model.wait_timeout(), model.wait_timeout()].into_iter().filter(|&taken| taken).count();
        if taken == 0 || !model.done() {
            model.wait_until_done(taken);
        }
        model.end(notifiers);
    });
}

#[test]
fn an_event_loop_that_arms_before_each_poll_sees_all_the_work() {
    explore(|| {
        let model = Model::<2>::new();
        let notifiers = model.notifiers();
        while !model.done() {
            if model.state.arm() {
                model.poll();
                model.try_read();
            }
            // What is taken here need not be what rang: it may have been rung for one that was taken already.
            model.state.disarm();
        }
        model.end(notifiers);
    });
}

#[test]
fn an_event_loop_that_arms_at_the_end_of_each_turn_sees_all_the_work() {
    explore(|| {
        let model = Model::<2>::new();
        assert!(model.state.arm());
        let notifiers = model.notifiers();
        while !model.done() {
            model.poll();
            model.try_read();
            model.state.disarm();
            while !model.state.arm() {
                model.state.take();
            }
        }
        model.end(notifiers);
    });
}

#[test]
fn a_wait_of_another_kind_after_an_arm_sees_all_the_work() {
    explore(|| {
        let model = Model::<2>::new();
        let notifiers = model.notifiers();
        let _either = model.state.arm();
        let taken = usize::from(model.state.take());
        if taken == 0 || !model.done() {
            model.wait_until_done(taken);
        }
        model.end(notifiers);
    });
}

#[test]
fn a_waiter_in_the_place_of_one_that_was_killed_asleep_sees_all_the_work() {
    explore(|| {
        let model = Model::<1>::new();
        // As a process leaves it that is killed in its sleep.
        assert_eq!(model.state.sleep(Some(Deadline::Fails), Private), Err(Errno));
        let notifiers = model.notifiers();
        if model.state.arm() {
            model.poll();
        }
        assert!(model.state.disarm());
        assert!(model.done());
        model.end(notifiers);
    });
}

#[test]
fn a_sleep_that_fails_takes_nothing_that_is_pending_away() {
    explore(|| {
        let model = Model::<1>::new();
        let notifiers = model.notifiers();
        if model.state.sleep(Some(Deadline::Fails), Private) == Err(Errno) {
            // It slept on nothing: the notification is still to come, or to be taken.
            model.wait();
        }
        assert!(model.done());
        model.end(notifiers);
    });
}

/// How one of two waits.
#[derive(Clone, Copy)]
enum Way {
    Sleeps,
    /// Gives up as soon as it sleeps, and then sleeps without a limit.
    GivesUp,
    /// Is refused, and then sleeps without a limit.
    Fails,
    /// In an event loop, until it has taken a notification.
    Polls,
    /// In an event loop that has other things to do, and then sleeps without a limit.
    PollsOther,
}

impl Way {
    fn wait(self, model: &Model<0>) {
        let deadline = match self {
            Self::Sleeps => return model.wait(),
            Self::PollsOther => {
                let _either = model.state.arm();
                if !model.state.disarm() {
                    model.wait();
                }
                return;
            }
            Self::GivesUp => Deadline::Soon,
            Self::Fails => Deadline::Fails,
            Self::Polls => loop {
                if model.state.arm() {
                    model.poll();
                    model.try_read();
                }
                if model.state.disarm() {
                    return;
                }
            },
        };
        if !model.state.take() && model.state.sleep(Some(deadline), Private) != Ok(true) {
            model.wait();
        }
    }
}

/// Two waiters, and a notification for each; the second is left by the waiter that has taken the first.
fn two_waiters(ways: [Way; 2]) {
    explore_with(2, move || {
        let model = Model::<0>::new();
        let taken = Arc::new(AtomicUsize::new(0));
        let waiters = ways.map(|way| {
            let (model, taken) = (Arc::clone(&model), Arc::clone(&taken));
            thread::spawn(move || {
                way.wait(&model);
                // For the other one, which may be asleep, or may have given up its first sleep, or may not have begun.
                if taken.fetch_add(1, Relaxed) == 0 {
                    model.notify();
                }
            })
        });
        model.notify();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert!(!model.state.is_pending(), "more was taken than left");
    });
}

#[test]
fn two_that_sleep_without_a_limit_both_wake() {
    two_waiters([Way::Sleeps, Way::Sleeps]);
}

#[test]
fn one_that_sleeps_without_a_limit_is_not_forgotten_when_another_gives_up() {
    two_waiters([Way::Sleeps, Way::GivesUp]);
}

#[test]
fn two_that_give_up_and_come_back_both_wake() {
    two_waiters([Way::GivesUp, Way::GivesUp]);
}

#[test]
fn one_that_sleeps_is_not_forgotten_when_another_cannot_sleep() {
    two_waiters([Way::Sleeps, Way::Fails]);
}

#[test]
fn one_that_sleeps_is_not_forgotten_when_another_polls() {
    two_waiters([Way::Sleeps, Way::Polls]);
}

#[test]
fn one_that_gives_up_is_not_forgotten_when_another_polls() {
    two_waiters([Way::GivesUp, Way::Polls]);
}

#[test]
fn one_that_sleeps_is_not_forgotten_when_another_ends_its_poll() {
    two_waiters([Way::Sleeps, Way::PollsOther]);
}

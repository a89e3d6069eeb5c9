//! The notifier's state, of which no wake-up may be lost, in every order that the memory model allows (loom).
//!
//! It is the very file of the crate, with loom's atomics in the place of core's, and a bell and a futex made of loom's mutex:
//! as the kernel's eventfd is a counter behind a lock, and its futex looks at the word and falls asleep behind a lock that
//! whoever wakes takes too. A lost wake-up is a thread that sleeps for ever, which loom reports.
#![cfg(target_arch = "x86_64")]

#[allow(dead_code, reason = "the crate uses more of it than a model does")]
#[path = "../../src/notify/state.rs"]
mod state;
mod sync {
    pub use loom::sync::atomic::{AtomicU32, Ordering};
}

use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use state::{ASLEEP, Sleeper, State};
use std::convert::Infallible;
use std::sync::Arc;

/// Every order with at most three preemptions, or as many as `LOOM_MAX_PREEMPTIONS` says: all orders of three threads take
/// minutes.
fn explore(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(body);
}

struct Model<const N: usize> {
    state: State,
    count: Mutex<u64>,
    written: Condvar,
    futex: Mutex<()>,
    woken: Condvar,
    /// What the notifiers do before they notify: relaxed, so that only the notifier can make it visible.
    work: [AtomicBool; N],
}

impl<const N: usize> Model<N> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: State(sync::AtomicU32::new(0)),
            count: Mutex::new(0),
            written: Condvar::new(),
            futex: Mutex::new(()),
            woken: Condvar::new(),
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

    fn write(&self) {
        *self.count.lock().unwrap() += 1;
        self.written.notify_all();
    }

    /// Sleeps, if the word is still what it was: whether it was.
    fn futex_wait(&self, sleep: bool) -> bool {
        let guard = self.futex.lock().unwrap();
        if self.state.0.load(Relaxed) != ASLEEP {
            return false;
        }
        if sleep {
            drop(self.woken.wait(guard).unwrap());
        }
        true
    }

    fn futex_wake(&self) {
        drop(self.futex.lock().unwrap());
        self.woken.notify_all();
    }

    fn notify(&self) {
        match self.state.notify() {
            None => {}
            Some(Sleeper::Polls) => self.write(),
            Some(Sleeper::Sleeps) => self.futex_wake(),
        }
    }

    fn wait(&self) {
        if !self.state.take() {
            let sleep = || {
                self.futex_wait(true);
                Ok::<_, Infallible>(true)
            };
            assert_eq!(self.state.sleep(sleep), Ok(true));
        }
    }

    /// The time is over as soon as it would have to sleep: the shortest timeout, which loses the most races.
    fn wait_timeout(&self) -> bool {
        self.state.take() || self.state.sleep(|| Ok::<_, Infallible>(!self.futex_wait(false))).unwrap()
    }

    /// Waits, and looks only after a wait. Each wait takes a notification, of which there are no more than pieces of work.
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
fn a_sleeper_in_the_place_of_one_that_was_killed_asleep_sees_all_the_work() {
    explore(|| {
        let model = Model::<1>::new();
        // As a process leaves it that is killed in its sleep.
        model.state.0.store(ASLEEP, Relaxed);
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
        if model.state.sleep(|| Err(())) == Err(()) {
            // It slept on nothing: the notification is still to come, or to be taken.
            model.wait();
        }
        assert!(model.done());
        model.end(notifiers);
    });
}

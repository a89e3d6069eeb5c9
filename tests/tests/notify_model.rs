//! The notifier's state, which must not lose a wakeup in any order that the memory model allows (loom).
//!
//! It is the crate's own file, with another `word`: loom's atomic in place of core's, and a futex and an eventfd made
//! of loom's mutex. As in the kernel, the eventfd is a counter behind a lock; and the futex compares the word and
//! queues the waiter under a lock that a wake takes too. A lost wakeup is a thread that sleeps for ever, which loom
//! reports.
#![cfg(target_arch = "x86_64")]

#[allow(dead_code, reason = "the crate uses more of it than a model does")]
#[path = "../../src/notify/state.rs"]
mod state;

/// The operations that the state is built on.
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

    /// Stands for the error of a system call: a sleep fails only where a test requests it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) struct Errno;

    /// When a sleep ends without a wake.
    #[derive(Debug, Clone, Copy)]
    pub(super) enum Deadline {
        /// As soon as it has begun: the shortest timeout, which loses the most races.
        Soon,
        /// It fails to begin.
        Fails,
    }

    #[derive(Debug)]
    struct Parts {
        value: AtomicU32,
        /// The sleeping waiters, and how many have slept.
        queue: Mutex<(Vec<usize>, usize)>,
        woken: Condvar,
    }

    /// Created at its first use: before the threads begin.
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

/// Every order with at most three preemptions, or with `LOOM_MAX_PREEMPTIONS`: all orders of three threads take
/// minutes.
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
    /// The work before each notification: relaxed, so that only the notifier can make it visible.
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

    /// The read of the eventfd that never sleeps.
    fn try_read(&self) -> bool {
        std::mem::take(&mut *self.count.lock().unwrap()) != 0
    }

    /// The condition of a poll: it leaves the count unchanged.
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

    /// Waits, and reads the work only after a wait. Each wait takes a notification, of which there are no more than
    /// pieces of work.
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

    /// One thread for each piece of work, which does it and notifies.
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
fn a_waiter_sees_all_the_work_of_one_thread_that_notifies_twice() {
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
fn a_waiter_sees_all_the_work_of_two_threads() {
    explore(|| {
        let model = Model::<2>::new();
        let notifiers = model.notifiers();
        model.wait_until_done(0);
        model.end(notifiers);
    });
}

#[test]
fn a_waiter_that_times_out_and_waits_again_sees_all_the_work() {
    explore(|| {
        let model = Model::<2>::new();
        let notifiers = model.notifiers();
        // Only a wait that returns true has taken a notification: after another there is no reason to read the work.
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
            // The notification taken here need not be the one that wrote the eventfd: that one may have been taken
            // already.
            model.state.disarm();
        }
        model.end(notifiers);
    });
}

#[test]
fn an_event_loop_that_arms_after_each_iteration_sees_all_the_work() {
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
fn a_wait_of_another_kind_after_arming_sees_all_the_work() {
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
fn the_successor_of_a_waiter_killed_asleep_sees_all_the_work() {
    explore(|| {
        let model = Model::<1>::new();
        // The state that a process killed in its sleep leaves.
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
fn a_failed_sleep_takes_no_pending_notification() {
    explore(|| {
        let model = Model::<1>::new();
        let notifiers = model.notifiers();
        if model.state.sleep(Some(Deadline::Fails), Private) == Err(Errno) {
            // The sleep failed: the notification is still to come, or to be taken.
            model.wait();
        }
        assert!(model.done());
        model.end(notifiers);
    });
}

/// The way in which one of two waits.
#[derive(Clone, Copy)]
enum Way {
    Sleeps,
    /// Times out as soon as it sleeps, and then sleeps without a timeout.
    GivesUp,
    /// Fails to sleep, and then sleeps without a timeout.
    Fails,
    /// In an event loop, until it has taken a notification.
    Polls,
    /// In an event loop that ends its poll for another reason, and then sleeps without a timeout.
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

/// Two waiters, and a notification for each; the second is sent by the waiter that has taken the first.
fn two_waiters(ways: [Way; 2]) {
    explore_with(2, move || {
        let model = Model::<0>::new();
        let taken = Arc::new(AtomicUsize::new(0));
        let waiters = ways.map(|way| {
            let (model, taken) = (Arc::clone(&model), Arc::clone(&taken));
            thread::spawn(move || {
                way.wait(&model);
                // For the other waiter, which may be asleep, may have timed out of its first sleep, or may not have
                // begun.
                if taken.fetch_add(1, Relaxed) == 0 {
                    model.notify();
                }
            })
        });
        model.notify();
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert!(!model.state.is_pending(), "more notifications were taken than sent");
    });
}

#[test]
fn two_waiters_without_timeout_both_wake() {
    two_waiters([Way::Sleeps, Way::Sleeps]);
}

#[test]
fn a_waiter_without_timeout_wakes_when_another_times_out() {
    two_waiters([Way::Sleeps, Way::GivesUp]);
}

#[test]
fn two_waiters_that_time_out_and_wait_again_both_wake() {
    two_waiters([Way::GivesUp, Way::GivesUp]);
}

#[test]
fn a_waiter_wakes_when_another_cannot_sleep() {
    two_waiters([Way::Sleeps, Way::Fails]);
}

#[test]
fn a_waiter_wakes_when_another_polls() {
    two_waiters([Way::Sleeps, Way::Polls]);
}

#[test]
fn a_waiter_that_times_out_wakes_when_another_polls() {
    two_waiters([Way::GivesUp, Way::Polls]);
}

#[test]
fn a_waiter_wakes_when_another_ends_its_poll() {
    two_waiters([Way::Sleeps, Way::PollsOther]);
}

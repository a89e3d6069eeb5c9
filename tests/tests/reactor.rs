//! The futures and the reactor, with real descriptors and wakers from other threads.

use rsyscall::notify::StaticNotifier;
use rsyscall::reactor::{Reactor, Readable, WaitSlot};
use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
use rsyscall::{Current, Errno, EventFd, EventfdFlags};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// A notifier of this test's own.
macro_rules! notifier {
    () => {{
        static NOTIFIER: StaticNotifier = StaticNotifier::new();
        &NOTIFIER
    }};
}

fn four() -> [WaitSlot; 4] {
    [const { WaitSlot::new() }; 4]
}

fn eventfd(initval: u32) -> EventFd {
    EventFd::new(initval, EventfdFlags::empty()).unwrap()
}

/// Awaits all of them at the same time.
async fn all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    poll_fn(move |context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_some() {
                continue;
            }
            if let Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) {
            Poll::Ready(outputs.iter_mut().map(|output| output.take().unwrap()).collect())
        } else {
            Poll::Pending
        }
    })
    .await
}

#[test]
fn each_future_gets_the_count_of_its_own_eventfd() {
    let slots = four();
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let bells: Vec<_> = (0..4).map(|_| eventfd(0)).collect();
    thread::scope(|scope| {
        for (bell, count) in bells.iter().zip(1..) {
            scope.spawn(move || bell.write(count).unwrap());
        }
        let futures = bells.iter().map(|bell| reactor.next(bell)).collect();
        assert_eq!(reactor.block_on(all(futures)).unwrap(), [Ok(1), Ok(2), Ok(3), Ok(4)]);
    });
}

#[test]
fn two_tasks_that_take_turns_on_one_thread_complete() {
    let slots = four();
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let (ping, pong) = (eventfd(0), eventfd(0));
    let player = |mine, other, serves| {
        let reactor = &reactor;
        async move {
            let (mine, other): (&EventFd, &EventFd) = (mine, other);
            if serves {
                other.write(1).unwrap();
            }
            for _ in 0..1000 {
                assert_eq!(reactor.next(mine).await, Ok(1));
                other.write(1).unwrap();
            }
        }
    };
    reactor.block_on(all(vec![player(&ping, &pong, true), player(&pong, &ping, false)])).unwrap();
}

#[test]
fn one_more_future_than_slots_fails_with_enospc_and_the_others_continue() {
    let slots = [const { WaitSlot::new() }; 1];
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let bells = [eventfd(0), eventfd(0)];
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(5));
            bells[0].write(7).unwrap();
        });
        let futures = bells.iter().map(|bell| reactor.next(bell)).collect();
        assert_eq!(reactor.block_on(all(futures)).unwrap(), [Ok(7), Err(Errno::ENOSPC)]);
    });
    // The slot is free again.
    bells[1].write(1).unwrap();
    assert_eq!(reactor.block_on(reactor.readable(&bells[1])), Ok(Ok(())));
}

#[test]
fn a_descriptor_of_another_future_fails_with_eexist_and_its_duplicate_does_not() {
    let slots = four();
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let bell = eventfd(0);
    let duplicate = bell.try_clone().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut first = pin!(reactor.readable(&bell));
    assert_eq!(first.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(pin!(reactor.readable(&bell)).poll(&mut context), Poll::Ready(Err(Errno::EEXIST)));
    assert_eq!(pin!(reactor.readable(&duplicate)).poll(&mut context), Poll::Pending);
    bell.write(1).unwrap();
    assert_eq!(reactor.block_on(first), Ok(Ok(())));
}

#[test]
fn a_dropped_future_ends_its_wait_and_its_late_event_wakes_no_future() {
    let slots = [const { WaitSlot::new() }; 1];
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let (bell, other) = (eventfd(0), eventfd(0));
    let mut context = Context::from_waker(Waker::noop());
    {
        let mut readable = pin!(reactor.readable(&bell));
        assert_eq!(readable.as_mut().poll(&mut context), Poll::Pending);
    }
    bell.write(1).unwrap();
    // The only slot is free again, and its next future is not woken by the descriptor of the dropped one.
    let mut readable = pin!(reactor.readable(&other));
    assert_eq!(readable.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(reactor.run_once(Some(Duration::from_millis(1))), Ok(false));
    assert_eq!(readable.as_mut().poll(&mut context), Poll::Pending);
    other.write(1).unwrap();
    assert_eq!(reactor.run_once(None), Ok(false), "a waker that is not the notifier's does not notify");
    assert_eq!(readable.as_mut().poll(&mut context), Poll::Ready(Ok(())));
}

#[test]
fn a_leaked_future_does_no_harm() {
    let slots = [const { WaitSlot::new() }; 2];
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let bell = eventfd(0);
    let duplicate = bell.try_clone().unwrap();
    let mut leaked = Box::pin(reactor.readable(&bell));
    assert_eq!(leaked.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
    std::mem::forget(leaked);
    drop(bell);
    duplicate.write(3).unwrap();
    assert_eq!(reactor.block_on(reactor.next(&duplicate)), Ok(Ok(3)));
}

#[test]
fn a_waker_from_another_thread_wakes_the_loop_and_none_is_lost() {
    let slots = four();
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let rounds = 10_000;
    let done = AtomicU64::new(0);
    let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
    thread::scope(|scope| {
        scope.spawn(|| {
            for waker in receiver {
                done.fetch_add(1, Ordering::Relaxed);
                waker.wake();
            }
        });
        for round in 1..=rounds {
            let mut sent = false;
            reactor
                .block_on(poll_fn(|context| {
                    if !std::mem::replace(&mut sent, true) {
                        sender.send(context.waker().clone()).unwrap();
                    }
                    if done.load(Ordering::Relaxed) == round { Poll::Ready(()) } else { Poll::Pending }
                }))
                .unwrap();
        }
        drop(sender);
    });
}

#[test]
fn a_waker_outlives_its_reactor() {
    static NOTIFIER: StaticNotifier = StaticNotifier::new();
    let waker = {
        let reactor = Reactor::new(&NOTIFIER, &[]).unwrap();
        let mut kept = None;
        reactor
            .block_on(poll_fn(|context| {
                kept = Some(context.waker().clone());
                Poll::Ready(())
            }))
            .unwrap();
        kept.unwrap()
    };
    waker.wake();
    let woken = AtomicBool::new(false);
    let reactor = Reactor::new(&NOTIFIER, &[]).unwrap();
    let _pending = reactor.run_once(Some(Duration::ZERO));
    thread::scope(|scope| {
        let waker = NOTIFIER.waker().unwrap();
        let woken = &woken;
        scope.spawn(move || {
            woken.store(true, Ordering::Relaxed);
            waker.wake();
        });
        while !woken.load(Ordering::Relaxed) {
            reactor.run_once(None).unwrap();
        }
    });
}

#[test]
fn a_notifier_has_one_reactor_at_a_time() {
    let notifier = notifier!();
    let first = Reactor::new(notifier, &[]).unwrap();
    assert_eq!(Reactor::new(notifier, &[]).map(drop), Err(Errno::EBUSY));
    drop(first);
    assert!(Reactor::new(notifier, &[]).is_ok());
}

#[test]
fn threads_that_create_the_first_waker_together_create_one_eventfd() {
    let notifier = notifier!();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| notifier.waker().unwrap().wake());
        }
    });
    let reactor = Reactor::new(notifier, &[]).unwrap();
    assert_eq!(reactor.run_once(Some(Duration::ZERO)), Ok(true));
}

#[test]
fn next_does_not_block_a_blocking_eventfd_that_another_reader_empties() {
    let slots = four();
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let bell = eventfd(0);
    let mut context = Context::from_waker(Waker::noop());
    let mut future: Pin<Box<dyn Future<Output = _>>> = Box::pin(reactor.next(&bell));
    assert!(future.as_mut().poll(&mut context).is_pending());
    bell.write(1).unwrap();
    reactor.run_once(None).unwrap();
    assert_eq!(bell.read(), Ok(1));
    assert!(future.as_mut().poll(&mut context).is_pending(), "the count is 0");
    bell.write(2).unwrap();
    assert_eq!(reactor.block_on(future), Ok(Ok(2)));
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(Current, &mut memory);
    set.add(&bell, PollEvents::IN).unwrap();
    assert_eq!(set.wait_timeout(Duration::ZERO), Ok(0));
}

#[test]
fn a_written_notifier_is_drained_for_the_next_iteration() {
    const TIME: Duration = Duration::from_millis(20);
    let notifier = notifier!();
    let reactor = Reactor::new(notifier, &[]).unwrap();
    let waker = notifier.waker().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(TIME);
            waker.wake_by_ref();
        });
        assert_eq!(reactor.run_once(None), Ok(true));
    });
    let start = Instant::now();
    assert_eq!(reactor.run_once(Some(TIME)), Ok(false));
    assert!(start.elapsed() >= TIME, "it did not sleep");
}

thread_local! {
    /// What the next wakeup does.
    static THEN: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
    static SUCCESSOR: Cell<Option<Pin<Box<Readable<'static>>>>> = const { Cell::new(None) };
}

struct Then;

impl Wake for Then {
    fn wake(self: Arc<Self>) {
        if let Some(then) = THEN.take() {
            then();
        }
    }
}

#[test]
fn an_event_for_a_dropped_future_does_not_wake_its_successor() {
    fn leak<T>(value: T) -> &'static T {
        Box::leak(Box::new(value))
    }
    let reactor = leak(Reactor::new(notifier!(), leak([const { WaitSlot::new() }; 2])).unwrap());
    let [first, second, third] = [(); 3].map(|()| leak(eventfd(0)));
    let (then, nothing) = (Waker::from(Arc::new(Then)), Waker::noop());
    let mut one = Box::pin(reactor.readable(first));
    let mut other = Box::pin(reactor.readable(second));
    assert!(one.as_mut().poll(&mut Context::from_waker(&then)).is_pending());
    assert!(other.as_mut().poll(&mut Context::from_waker(nothing)).is_pending());
    // Both are reported at once. The first one's waker drops the second, and another future takes its slot.
    THEN.set(Some(Box::new(move || {
        drop(other);
        let mut successor = Box::pin(reactor.readable(third));
        assert!(successor.as_mut().poll(&mut Context::from_waker(nothing)).is_pending());
        SUCCESSOR.set(Some(successor));
    })));
    first.write(1).unwrap();
    second.write(1).unwrap();
    reactor.run_once(Some(Duration::ZERO)).unwrap();
    let mut successor = SUCCESSOR.take().expect("the first was woken first");
    assert!(successor.as_mut().poll(&mut Context::from_waker(nothing)).is_pending(), "its own eventfd is not readable");
    third.write(1).unwrap();
    reactor.run_once(Some(Duration::ZERO)).unwrap();
    assert_eq!(successor.as_mut().poll(&mut Context::from_waker(nothing)), Poll::Ready(Ok(())));
    assert_eq!(one.as_mut().poll(&mut Context::from_waker(&then)), Poll::Ready(Ok(())));
}

/// Runs it on a thread of its own, with a timeout.
fn in_time<R: Send + 'static>(body: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || sender.send(body()).unwrap());
    match receiver.recv_timeout(Duration::from_secs(20)) {
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("it did not end"),
        result => {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result.unwrap()
        }
    }
}

#[test]
fn a_notification_that_no_reactor_has_taken_is_taken_by_the_next() {
    in_time(|| {
        let notifier = notifier!();
        let reactor = Reactor::new(notifier, &[]).unwrap();
        assert_eq!(reactor.run_once(Some(Duration::ZERO)), Ok(false));
        notifier.waker().unwrap().wake();
        drop(reactor);
        let reactor = Reactor::new(notifier, &[]).unwrap();
        assert_eq!(reactor.run_once(None), Ok(true));
        assert_eq!(reactor.run_once(Some(Duration::ZERO)), Ok(false));
    });
}

/// Wakes the outer future from another thread while `inner` waits for the eventfd that this thread writes afterwards,
/// so that the inner executor takes the notification.
fn takes_the_notification_of_the_outer(reactor: &Reactor<'_>, outer: &Waker, mut inner: impl FnMut(&EventFd)) {
    let bell = eventfd(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            outer.wake_by_ref();
            thread::sleep(Duration::from_millis(10));
            bell.write(1).unwrap();
        });
        inner(&bell);
    });
    let _ = reactor;
}

#[test]
fn a_nested_block_on_does_not_lose_the_notification_of_the_outer_one() {
    in_time(|| {
        let slots = four();
        let reactor = Reactor::new(notifier!(), &slots).unwrap();
        for by_run_once in [false, true] {
            let mut polls = 0;
            let outer = poll_fn(|context| {
                polls += 1;
                if polls > 1 {
                    return Poll::Ready(());
                }
                takes_the_notification_of_the_outer(&reactor, context.waker(), |bell| {
                    if by_run_once {
                        while !reactor.run_once(None).unwrap() {}
                    } else {
                        assert_eq!(reactor.block_on(reactor.next(bell)), Ok(Ok(1)));
                    }
                });
                Poll::Pending
            });
            reactor.block_on(outer).unwrap();
            assert_eq!(polls, 2);
        }
    });
}

#[test]
fn a_block_on_within_another_executor_does_not_lose_its_notification() {
    in_time(|| {
        let slots = four();
        let notifier = notifier!();
        let reactor = Reactor::new(notifier, &slots).unwrap();
        assert_eq!(reactor.run_once(Some(Duration::ZERO)), Ok(false));
        takes_the_notification_of_the_outer(&reactor, &notifier.waker().unwrap(), |bell| {
            assert_eq!(reactor.block_on(reactor.next(bell)), Ok(Ok(1)));
        });
        assert_eq!(reactor.run_once(None), Ok(true));
    });
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics");
    }
}

struct Counts(AtomicU64);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_panicking_waker_loses_no_event_and_no_notification() {
    let slots = four();
    let notifier = notifier!();
    let reactor = Reactor::new(notifier, &slots).unwrap();
    let (bells, counts) = ([eventfd(0), eventfd(0), eventfd(0)], Arc::new(Counts(AtomicU64::new(0))));
    let (panics, counting) = (Waker::from(Arc::new(Panics)), Waker::from(Arc::clone(&counts)));
    let wakers = [&counting, &panics, &counting];
    let mut futures: Vec<_> = bells.iter().map(|bell| Box::pin(reactor.readable(bell))).collect();
    for (future, waker) in futures.iter_mut().zip(wakers) {
        assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    for bell in &bells {
        bell.write(1).unwrap();
    }
    notifier.waker().unwrap().wake();
    let turn = || reactor.run_once(Some(Duration::ZERO));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(turn)).is_err());
    assert_eq!(turn(), Ok(true), "the notification");
    assert_eq!(counts.0.load(Ordering::Relaxed), 2);
    for future in &mut futures {
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&counting)), Poll::Ready(Ok(())));
    }
}

/// Lets these calls fail with `EPERM` in this thread from now on.
fn refuse(calls: &[usize]) {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let rules = calls.iter().map(|&nr| (nr as i64, vec![])).collect();
    let (allow, refuse) = (SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32));
    let filter = SeccompFilter::new(rules, allow, refuse, std::env::consts::ARCH.try_into().unwrap()).unwrap();
    seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
}

#[test]
fn a_failed_acknowledgement_loses_no_event_and_no_notification() {
    if rsyscall_suite::Environment::is_emulated(Current) {
        return rsyscall_tests::skip(
            "a_failed_acknowledgement_loses_no_event_and_no_notification",
            "seccomp filters have no effect under emulation",
        );
    }
    in_time(|| {
        use rsyscall::nr;
        let slots = four();
        let notifier = notifier!();
        let reactor = Reactor::new(notifier, &slots).unwrap();
        let bell = eventfd(0);
        let counts = Arc::new(Counts(AtomicU64::new(0)));
        let waker = Waker::from(Arc::clone(&counts));
        let mut future = Box::pin(reactor.readable(&bell));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        refuse(&[nr::PREADV2, nr::READ, nr::PPOLL, nr::PSELECT6]);
        // The notifier's eventfd is written for a sleeping reactor, and cannot be read: it stays readable.
        thread::scope(|scope| {
            let bell = &bell;
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(10));
                notifier.waker().unwrap().wake();
            });
            assert_eq!(reactor.run_once(None), Err(Errno::EPERM));
            scope.spawn(move || bell.write(1).unwrap());
        });
        assert_eq!(reactor.run_once(None), Err(Errno::EPERM));
        assert_eq!(counts.0.load(Ordering::Relaxed), 1, "its future was not woken");
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Ok(())));
        drop(future);
        drop(reactor);
        // The notification is still pending, for a thread that can read the eventfd.
        thread::spawn(move || {
            let reactor = Reactor::new(notifier, &[]).unwrap();
            assert_eq!(reactor.run_once(None), Ok(true));
        });
    });
}

#[test]
fn next_returns_signals_and_ended_children_and_does_not_reap() {
    use rsyscall::sys::pidfd::PidfdTask;
    use rsyscall::sys::signalfd::{SignalFd, SignalSet};
    use rsyscall::sys::wait::ExitStatus;
    in_time(|| {
        let slots = four();
        let reactor = Reactor::new(notifier!(), &slots).unwrap();
        // SAFETY: a signal that is blocked in this thread and sent only to it.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigaddset(&mut set, libc::SIGUSR2);
            assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()), 0);
        }
        let signals = SignalFd::new(SignalSet::EMPTY.with(libc::SIGUSR2 as u32)).unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pidfd = Current.pidfd_open(rsyscall::near::Process(child.id() as i32)).unwrap();
        let ended = reactor.block_on(reactor.next(&pidfd)).unwrap();
        assert_eq!(ended, Ok(ExitStatus::Exited(0)));
        assert!(child.wait().unwrap().success(), "it was reaped");
        // SAFETY: to the calling thread.
        unsafe { assert_eq!(libc::pthread_kill(libc::pthread_self(), libc::SIGUSR2), 0) };
        let signal = reactor.block_on(reactor.next(&signals)).unwrap().unwrap();
        assert_eq!(signal.signal().raw(), libc::SIGUSR2 as u32);
    });
}

/// A waker that does nothing, until its last clone is dropped: then it panics.
struct PanicsAtItsEnd;

impl Wake for PanicsAtItsEnd {
    fn wake(self: Arc<Self>) {
        drop(self);
    }
}

impl Drop for PanicsAtItsEnd {
    fn drop(&mut self) {
        panic!("a waker that is dropped");
    }
}

#[test]
fn a_waker_whose_drop_panics_ends_its_wait() {
    let slots = four();
    let reactor = Reactor::new(notifier!(), &slots).unwrap();
    let bell = eventfd(0);
    let panics = |work: &mut dyn FnMut()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err();
    for dropped in [true, false] {
        let mut readable = Some(Box::pin(reactor.readable(&bell)));
        {
            let mut waker = Some(Waker::from(Arc::new(PanicsAtItsEnd)));
            let mut context = Context::from_waker(waker.as_ref().unwrap());
            assert!(readable.as_mut().unwrap().as_mut().poll(&mut context).is_pending());
            // The slot has the last clone.
            drop(waker.take());
        }
        if dropped {
            assert!(panics(&mut || drop(readable.take())));
        } else {
            let mut context = Context::from_waker(Waker::noop());
            assert!(panics(&mut || assert!(readable.as_mut().unwrap().as_mut().poll(&mut context).is_pending())));
            // The new waker is in the slot, and is called.
            drop(readable);
        }
        // The slot and the descriptor are free again.
        for _ in 0..8 {
            let mut again = pin!(reactor.readable(&bell));
            assert!(again.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
    }
}

#[test]
fn three_nested_executors_lose_nothing_in_any_order() {
    in_time(|| {
        let slots = four();
        let reactor = Reactor::new(notifier!(), &slots).unwrap();
        for round in 0..200 {
            let bells = [eventfd(0), eventfd(0), eventfd(0)];
            thread::scope(|scope| {
                scope.spawn(|| {
                    for step in 0..3 {
                        bells[(round + step) % 3].write(1).unwrap();
                        if round % 5 == step {
                            thread::sleep(Duration::from_micros(100));
                        }
                    }
                });
                let mut outer = pin!(reactor.next(&bells[0]));
                let mut inner = pin!(reactor.next(&bells[1]));
                let mut begun = [false; 2];
                let counted = reactor.block_on(poll_fn(|context| {
                    if let Poll::Ready(count) = outer.as_mut().poll(context) {
                        return Poll::Ready(count);
                    }
                    if !std::mem::replace(&mut begun[0], true) {
                        let within = reactor.block_on(poll_fn(|context| {
                            if let Poll::Ready(count) = inner.as_mut().poll(context) {
                                return Poll::Ready(count);
                            }
                            if !std::mem::replace(&mut begun[1], true) {
                                assert_eq!(reactor.block_on(reactor.next(&bells[2])), Ok(Ok(1)));
                            }
                            if round % 2 == 0 {
                                reactor.run_once(Some(Duration::ZERO)).unwrap();
                            }
                            Poll::Pending
                        }));
                        assert_eq!(within, Ok(Ok(1)));
                    }
                    Poll::Pending
                }));
                assert_eq!(counted, Ok(Ok(1)));
            });
        }
    });
}

#[test]
fn two_reactors_may_use_the_same_slots() {
    let slots = four();
    let reactors = [Reactor::new(notifier!(), &slots).unwrap(), Reactor::new(notifier!(), &slots).unwrap()];
    let bells = [eventfd(0), eventfd(0)];
    for round in 0..20 {
        let mut waits: Vec<_> =
            reactors.iter().zip(&bells).map(|(reactor, bell)| Box::pin(reactor.readable(bell))).collect();
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.iter_mut().all(|wait| wait.as_mut().poll(&mut context).is_pending()));
        let (ready, other) = (round % 2, 1 - round % 2);
        bells[ready].write(1).unwrap();
        reactors[ready].run_once(Some(Duration::ZERO)).unwrap();
        reactors[other].run_once(Some(Duration::ZERO)).unwrap();
        assert_eq!(waits[ready].as_mut().poll(&mut context), Poll::Ready(Ok(())));
        assert!(waits[other].as_mut().poll(&mut context).is_pending());
        bells[ready].read().unwrap();
    }
}

/// A waker that does this when it is called, on the thread that made it.
fn does(work: impl FnOnce() + 'static) -> Waker {
    THEN.set(Some(Box::new(work)));
    Waker::from(Arc::new(Then))
}

#[test]
fn a_waker_that_calls_block_on_takes_no_notification_from_the_outer_one() {
    fn leak<T>(value: T) -> &'static T {
        Box::leak(Box::new(value))
    }
    in_time(|| {
        let slots = leak(four());
        let reactor: &'static Reactor<'static> = leak(Reactor::new(notifier!(), slots).unwrap());
        let (bell, inner) = (leak(eventfd(0)), leak(eventfd(1)));
        let mut polls = 0;
        let mut readable = Box::pin(reactor.readable(bell));
        reactor
            .block_on(poll_fn(|context| {
                polls += 1;
                if polls > 1 {
                    return Poll::Ready(());
                }
                // The waker of what this waits for is another one, which notifies the outer future and then runs the
                // reactor itself, which takes that notification.
                let outer = context.waker().clone();
                let nested = does(move || {
                    outer.wake();
                    let mut begun = false;
                    let twice = poll_fn(|_| match std::mem::replace(&mut begun, true) {
                        false => Poll::Pending,
                        true => Poll::Ready(()),
                    });
                    reactor.block_on(twice).unwrap();
                    assert_eq!(inner.try_read(), Ok(Some(1)));
                });
                assert!(readable.as_mut().poll(&mut Context::from_waker(&nested)).is_pending());
                bell.write(1).unwrap();
                Poll::Pending
            }))
            .unwrap();
        assert_eq!(polls, 2);
    });
}

#[test]
fn a_waker_that_runs_the_reactor_and_catches_a_panic_there_loses_no_report() {
    fn leak<T>(value: T) -> &'static T {
        Box::leak(Box::new(value))
    }
    // As a report like any other, or as one that was left over.
    for (notifier, left_over) in [(notifier!(), false), (notifier!(), true)] {
        let slots = leak(four());
        let reactor: &'static Reactor<'static> = leak(Reactor::new(notifier, slots).unwrap());
        let bells = leak([eventfd(0), eventfd(0), eventfd(0), eventfd(0)]);
        let [lost, first, second, panicking] = bells;
        let run = || reactor.run_once(Some(Duration::ZERO));
        let caught = move |run: &dyn Fn() -> Result<bool, Errno>| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err()
        };
        let counts = Arc::new(Counts(AtomicU64::new(0)));
        let (counting, panics) = (Waker::from(Arc::clone(&counts)), Waker::from(Arc::new(Panics)));
        let nested = does(move || {
            panicking.write(1).unwrap();
            lost.write(1).unwrap();
            assert!(caught(&run));
        });
        let wait = |bell: &'static EventFd, waker: &Waker| {
            let mut readable = Box::pin(reactor.readable(bell));
            assert!(readable.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
            readable
        };
        // The slot that is lost comes before all others, so that a search that continues with those does not find it.
        let waits = [
            wait(lost, &counting),
            wait(first, if left_over { &panics } else { &counting }),
            wait(second, &nested),
            wait(panicking, &panics),
        ];
        first.write(1).unwrap();
        second.write(1).unwrap();
        if left_over {
            assert!(caught(&run));
        }
        run().unwrap();
        run().unwrap();
        assert_eq!(counts.0.load(Ordering::Relaxed), if left_over { 1 } else { 2 });
        drop(waits);
    }
}

//! Notifies a waiter that is notified already.

use crate::{bound, median};
use rsyscall::{EventFd, EventfdFlags, Notifier};
use std::time::Instant;

const ROUNDS: usize = 101;

pub fn run() -> bool {
    let notifier = Notifier::new().unwrap();
    let eventfd = EventFd::new(0, EventfdFlags::NONBLOCK).unwrap();
    let poll = mio::Poll::new().unwrap();
    let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
    let poller = polling::Poller::new().unwrap();
    notifier.notify().unwrap();

    type Way<'a> = (&'a str, u32, Box<dyn FnMut() + 'a>, Vec<f64>);
    let mut ways: [Way; 4] = [
        ("Notifier::notify", 100_000, Box::new(|| notifier.notify().unwrap()), Vec::new()),
        ("EventFd::write", 2_000, Box::new(|| eventfd.write(1).unwrap()), Vec::new()),
        ("mio Waker::wake", 2_000, Box::new(|| waker.wake().unwrap()), Vec::new()),
        ("polling Poller::notify", 2_000, Box::new(|| poller.notify().unwrap()), Vec::new()),
    ];
    for _ in 0..ROUNDS {
        for (_, turns, way, times) in &mut ways {
            let start = Instant::now();
            for _ in 0..*turns {
                way();
            }
            times.push(start.elapsed().as_nanos() as f64 / f64::from(*turns));
        }
    }
    println!("redundant notification, ns (median of {ROUNDS} rounds)");
    let [ours, eventfd, mio, _polling] = ways.map(|(name, _, _, times)| {
        let time = median(times);
        println!("  {name:24} {time:8.2}");
        time
    });
    bound("at least 50 times cheaper than mio", mio / ours, mio / ours >= 50.0)
        & bound("at least 50 times cheaper than an eventfd write", eventfd / ours, eventfd / ours >= 50.0)
}

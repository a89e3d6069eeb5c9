//! Notifies a waiter that is notified already.

use crate::statistics::{bound, quartiles};
use rsyscall::{EventFd, EventfdFlags, Notifier};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

const ROUNDS: usize = 101;

pub fn run() -> bool {
    let notifier = Notifier::new().unwrap();
    let eventfd = EventFd::new(0, EventfdFlags::NONBLOCK).unwrap();
    let poll = mio::Poll::new().unwrap();
    let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
    let poller = polling::Poller::new().unwrap();
    let word = AtomicU32::new(1);
    notifier.notify().unwrap();

    type Way<'a> = (&'a str, u32, Box<dyn FnMut() + 'a>, Vec<f64>);
    let mut ways: [Way; 5] = [
        ("one atomic swap", 100_000, Box::new(|| _ = black_box(&word).swap(1, Ordering::Release)), Vec::new()),
        ("Notifier::notify", 100_000, Box::new(|| black_box(&notifier).notify().unwrap()), Vec::new()),
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
    println!("redundant notification, ns (median of {ROUNDS} rounds, quartiles; ratio to one atomic swap)");
    let swap = ways[0].3.clone();
    let ratios = ways.map(|(name, _, _, times)| {
        let [q1, middle, q3] = quartiles(&times);
        let [_, ratio, _] = quartiles(&times.iter().zip(&swap).map(|(time, swap)| time / swap).collect::<Vec<_>>());
        println!("  {name:24} {middle:8.2} ({q1:.2} – {q3:.2}) {ratio:8.2}");
        ratio
    });
    bound("of one locked read-modify-write", ratios[1], ratios[1] <= 1.3)
}

//! Times every case, all peers of an operation in turn, so that the load of the machine affects all alike.
//!
//! In each round every peer has one batch, in an order that changes from round to round. A peer's ratio is that of its
//! batch to the limit's in the same round. Medians and quartiles are over the rounds.

use crate::operations::{Case, OPERATIONS};
use statrs::statistics::{Data, OrderStatistics};
use std::time::Duration;

#[derive(Clone, Copy)]
pub struct Effort {
    rounds: usize,
    batch: Duration,
}

pub const FULL: Effort = Effort { rounds: 201, batch: Duration::from_millis(2) };
pub const QUICK: Effort = Effort { rounds: 25, batch: Duration::from_millis(1) };

pub fn run(effort: Effort) {
    println!("operation,peer,ns,ns_q1,ns_q3,ratio,ratio_q1,ratio_q3,rounds");
    let allowed = allowed_descriptors();
    for operation in OPERATIONS {
        if operation.descriptors > allowed {
            eprintln!("SKIPPED {}: {} descriptors, and {allowed} are allowed", operation.name, operation.descriptors);
            continue;
        }
        let cases = operation.cases;
        let n: Vec<_> = cases.iter().map(|case| enough(case, effort.batch)).collect();
        let mut times = vec![Vec::with_capacity(effort.rounds); cases.len()];
        for round in 0..effort.rounds {
            for index in order(cases.len(), round) {
                let n = n[index];
                times[index].push((cases[index].run)(n).as_nanos() as f64 / n as f64);
            }
        }
        for (case, peer) in cases.iter().zip(&times) {
            let ratios = peer.iter().zip(&times[0]).map(|(peer, limit)| peer / limit).collect();
            let [ns, q1, q3] = quartiles(peer.clone());
            let [ratio, ratio_q1, ratio_q3] = quartiles(ratios);
            let (name, peer, rounds) = (operation.name, case.peer, effort.rounds);
            println!("\"{name}\",{peer},{ns:.1},{q1:.1},{q3:.1},{ratio:.3},{ratio_q1:.3},{ratio_q3:.3},{rounds}");
        }
    }
}

/// How many fill the time, by doubling; the first ones also warm up.
fn enough(case: &Case, batch: Duration) -> u64 {
    let mut n = 1;
    loop {
        let time = (case.run)(n);
        if time * 2 >= batch {
            return ((n as f64 * batch.as_secs_f64() / time.as_secs_f64()) as u64).max(1);
        }
        n *= 2;
    }
}

/// Starts with another one each time, and reverses the order every second time.
fn order(len: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..len).map(|index| (index + round) % len).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// The median and the first and third quartile.
fn quartiles(samples: Vec<f64>) -> [f64; 3] {
    let mut data = Data::new(samples);
    [data.median(), data.lower_quartile(), data.upper_quartile()]
}

/// The limit, raised as far as allowed.
fn allowed_descriptors() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a structure that the first call writes and the second reads.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
    }
    limit.rlim_cur
}

//! What spinning costs where it cannot pay, and what it gains where it does: the ratio to a waiter that never spins.

use crate::latency::{APART, Place, ours_in, pin_to};
use crate::statistics::{bound, interval, median};
use rsyscall::notify::Spin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{hint, thread};

const ROUNDS: usize = 31;
/// Long enough that a pause after an unsuccessful spin is over several times.
const TRIPS: u32 = 20_000;
const TOGETHER: Place = [0, 0];

/// Runs with a thread of the same priority on the same processor, which never sleeps.
fn busy(work: impl FnOnce() -> f64) -> f64 {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            pin_to(TOGETHER[0]);
            while !done.load(Ordering::Relaxed) {
                hint::spin_loop();
            }
        });
        let time = work();
        done.store(true, Ordering::Relaxed);
        time
    })
}

/// Runs under `SCHED_FIFO`, which threads inherit. `None` if it is not permitted.
fn fifo(work: impl FnOnce() -> f64) -> Option<f64> {
    let set = |policy, sched_priority| {
        let parameter = libc::sched_param { sched_priority };
        // SAFETY: a structure that the call reads.
        unsafe { libc::sched_setscheduler(0, policy, &parameter) == 0 }
    };
    if !set(libc::SCHED_FIFO, 1) {
        return None;
    }
    let time = work();
    assert!(set(libc::SCHED_OTHER, 0));
    Some(time)
}

pub fn run() -> bool {
    type Way = (&'static str, u32, fn(Spin) -> Option<f64>);
    let two = thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    let ways: [Way; 4] = [
        ("one processor", 1, |spin| Some(ours_in(spin, TRIPS, TOGETHER))),
        ("one processor, busy", 1, |spin| Some(busy(|| ours_in(spin, TRIPS / 20, TOGETHER)))),
        ("one processor, SCHED_FIFO", 1, |spin| fifo(|| ours_in(spin, TRIPS, TOGETHER))),
        ("two processors", 2, |spin| Some(ours_in(spin, TRIPS / 20, APART))),
    ];
    println!("wakeup from thread to thread, ns (median of {ROUNDS} rounds, and ratio in the same round)");
    let mut held = true;
    for (name, processors, way) in ways {
        if processors > 1 && !two {
            println!("  {name}: SKIPPED: there is one");
            continue;
        }
        let round = |round: usize| {
            let on_first = (round % 2 == 1).then(|| way(Spin::BRIEFLY));
            let off = way(Spin::NEVER)?;
            Some((off, on_first.unwrap_or_else(|| way(Spin::BRIEFLY))?))
        };
        let Some(times) = (0..ROUNDS).map(round).collect::<Option<Vec<_>>>() else {
            println!("  {name}: SKIPPED: not permitted");
            continue;
        };
        let ratios: Vec<f64> = times.iter().map(|(off, on)| on / off).collect();
        let (off, on): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
        let (least, most) = interval(ratios.clone());
        let ratio = median(ratios);
        println!("  {name:26} off {:8.0}, on {:8.0}", median(off), median(on));
        println!("  {:26} ratio {ratio:.3} (95 %: {least:.3} to {most:.3})", "");
        held &= match processors {
            // Unsuccessful spins of 2 %, and a reading of the clock for one of sixteen sleeps.
            1 => bound("the least that spinning may cost", least, least <= 1.03),
            _ => bound("spinning, times better", 1.0 / ratio, 1.0 / ratio >= 3.0),
        };
    }
    held
}

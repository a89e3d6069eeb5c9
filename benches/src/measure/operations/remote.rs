//! Calls in another process, through a connection: `getpid`, beside a minimal client and server of the same format in
//! C, which are the limit here.
//!
//! Both ends are on one processor. Left to the scheduler they are on one or on two, which is five times slower, and the
//! comparison would measure that.

use super::{Case, timed};
use rsyscall::near;
use rsyscall::remote::{self, CallSlot};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

pub const DEPTH: usize = 50;

/// Calls that are not measured: by then the other process has started.
const WARM: u64 = 100;

pub const ONE: &[Case] = &[
    Case { peer: "C", run: |n| together(|| in_c(n, 1)) },
    Case { peer: crate::peers::rsyscall::NAME, run: |n| together(|| one(n)) },
];

pub const PIPELINED: &[Case] = &[
    Case { peer: "C", run: |n| together(|| in_c(n, DEPTH)) },
    Case { peer: crate::peers::rsyscall::NAME, run: |n| together(|| pipelined(n)) },
];

/// Runs on one processor, including the threads and processes created meanwhile.
fn together(work: impl FnOnce() -> Duration) -> Duration {
    // SAFETY: two sets of this thread's own, all zero at first, which is empty; the calls write and read just one each.
    let free = unsafe {
        let mut free: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of_val(&free), &raw mut free);
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        let first = (0..size_of_val(&free) * 8).find(|&processor| libc::CPU_ISSET(processor, &free));
        libc::CPU_SET(first.expect("this thread runs somewhere"), &mut one);
        libc::sched_setaffinity(0, size_of_val(&one), &raw const one);
        free
    };
    let time = work();
    // SAFETY: as above.
    unsafe { libc::sched_setaffinity(0, size_of_val(&free), &raw const free) };
    time
}

#[inline(never)]
fn one(n: u64) -> Duration {
    let forked = remote::fork([]).unwrap();
    let call = || near::getpid(forked.task.sysif()).map(drop);
    timed(WARM, call).unwrap();
    timed(n, call).unwrap()
}

#[inline(never)]
fn pipelined(n: u64) -> Duration {
    let forked = remote::fork([]).unwrap();
    let mut slots = [CallSlot::EMPTY; DEPTH];
    let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
    let rounds = n.div_ceil(DEPTH as u64);
    let mut round = || {
        for _ in 0..DEPTH {
            // SAFETY: no argument and no effect.
            unsafe { pipeline.submit(rsyscall::nr::GETPID, []) }.unwrap();
        }
        for _ in 0..DEPTH {
            pipeline.complete(&mut []).unwrap().result?;
        }
        Ok::<(), rsyscall::sysif::Error>(())
    };
    timed(WARM.div_ceil(DEPTH as u64), &mut round).unwrap();
    // As if there had been exactly n.
    timed(rounds, &mut round).unwrap().mul_f64(n as f64 / (rounds * DEPTH as u64) as f64)
}

fn in_c(n: u64, depth: usize) -> Duration {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let program = PROGRAM.get_or_init(compile);
    // It makes whole rounds, and a tenth as many before.
    let n_in_rounds = n.max(10 * WARM).next_multiple_of(depth as u64);
    let output = Command::new(program).args([n_in_rounds.to_string(), depth.to_string()]).output().unwrap();
    let ns: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    Duration::from_secs_f64(ns * n as f64 / 1e9)
}

fn compile() -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/measure/operations/remote.c");
    let program = std::env::current_exe().unwrap().with_file_name("remote-pair");
    let status = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).status();
    assert!(status.expect("a C compiler; ci/setup tools").success());
    program
}

//! Calls that another process makes, through a connection: `getpid`, beside a minimal client and server of the same format
//! in C, which are the limit here.

use super::{Case, timed};
use rsyscall::near;
use rsyscall::remote::{self, Slot};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

pub const DEPTH: usize = 50;

/// Calls that are not measured: the other process has begun by then.
const WARM: u64 = 100;

pub const ONE: &[Case] =
    &[Case { peer: "C", run: |n| in_c(n, 1) }, Case { peer: crate::peers::rsyscall::NAME, run: one }];

pub const PIPELINED: &[Case] =
    &[Case { peer: "C", run: |n| in_c(n, DEPTH) }, Case { peer: crate::peers::rsyscall::NAME, run: pipelined }];

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
    let mut slots = [Slot::EMPTY; DEPTH];
    let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
    let rounds = n.div_ceil(DEPTH as u64);
    let mut round = || {
        for _ in 0..DEPTH {
            // SAFETY: no argument and no effect.
            unsafe { pipeline.submit(sc::nr::GETPID, []) }.unwrap();
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
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/remote/src/pair.c");
    let program = std::env::current_exe().unwrap().with_file_name("remote-pair");
    let status = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).status();
    assert!(status.expect("a C compiler; ci/setup tools").success());
    program
}

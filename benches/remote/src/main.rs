//! What a system call through a connection costs, beside a minimal client and server of the same format in C.
//!
//! The two take turns, so that both see the same machine; the median of the turns is printed.

use rsyscall::remote::{self, Slot};
use rsyscall::{EventfdFlags, EventfdTask, near};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const TURNS: usize = 31;
const CALLS: usize = 10_000;
const DEPTH: usize = 50;

fn main() {
    let program = std::env::temp_dir().join(format!("remote-pair-{}", std::process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pair.c");
    let compiled = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).status();
    assert!(compiled.expect("a C compiler").success());
    let c = |depth: usize| -> f64 {
        let output = Command::new(&program).args([CALLS.to_string(), depth.to_string()]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };

    let mut figures: [Vec<f64>; 6] = Default::default();
    for _ in 0..TURNS {
        for (figure, value) in figures.iter_mut().zip([c(1), one(), c(DEPTH), many(), eventfd_one(), eventfd_many()]) {
            figure.push(value);
        }
    }
    let _ = std::fs::remove_file(&program);
    let names = [
        "getpid, one at a time, C",
        "getpid, one at a time, rsyscall",
        "getpid, 50 pipelined, C",
        "getpid, 50 pipelined, rsyscall",
        "eventfd write and read, rsyscall, for the two",
        "eventfd write and read, 50 pipelined, rsyscall, for the two",
    ];
    println!("microseconds per call, median (least) of {TURNS} turns of {CALLS} calls");
    for (name, mut figure) in names.into_iter().zip(figures) {
        figure.sort_by(f64::total_cmp);
        println!("{:8.2} ({:.2})  {name}", figure[TURNS / 2] / 1000.0, figure[0] / 1000.0);
    }
}

fn per_call(mut calls: impl FnMut(usize)) -> f64 {
    calls(CALLS / 10);
    let start = Instant::now();
    calls(CALLS);
    start.elapsed().as_nanos() as f64 / CALLS as f64
}

fn one() -> f64 {
    let forked = remote::fork([]).unwrap();
    per_call(|calls| {
        for _ in 0..calls {
            near::getpid(forked.task.sysif()).unwrap();
        }
    })
}

fn many() -> f64 {
    let forked = remote::fork([]).unwrap();
    let mut slots = [Slot::EMPTY; DEPTH];
    let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
    per_call(|calls| {
        for _ in 0..calls / DEPTH {
            for _ in 0..DEPTH {
                // SAFETY: no argument and no effect.
                unsafe { pipeline.submit(sc::nr::GETPID, []) }.unwrap();
            }
            for _ in 0..DEPTH {
                pipeline.complete(&mut []).unwrap().result.unwrap();
            }
        }
    })
}

fn eventfd_one() -> f64 {
    let forked = remote::fork([]).unwrap();
    let bell = forked.task.eventfd(0, EventfdFlags::empty()).unwrap();
    per_call(|calls| {
        for _ in 0..calls {
            bell.write(1).unwrap();
            bell.read().unwrap();
        }
    })
}

fn eventfd_many() -> f64 {
    let forked = remote::fork([]).unwrap();
    let bell = forked.task.eventfd(0, EventfdFlags::empty()).unwrap();
    let mut slots = [Slot::EMPTY; DEPTH];
    let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
    per_call(|calls| {
        for _ in 0..calls / (DEPTH / 2) {
            for _ in 0..DEPTH / 2 {
                pipeline.write(&bell, 1).unwrap();
                pipeline.read(&bell).unwrap();
            }
            for _ in 0..DEPTH {
                pipeline.complete(&mut []).unwrap().result.unwrap();
            }
        }
    })
}

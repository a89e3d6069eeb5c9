//! `cargo run --release --manifest-path benches/remote/Cargo.toml`: calls in another process, beside what the hardware
//! and the kernel need.
//!
//! Every way has a process of its own. In each round every way has one batch, in an order that changes from round to
//! round, so that a disturbance affects all. Ratios are those of the same round.

mod batches;
mod floor;
mod socket;
#[path = "../../notify/src/statistics.rs"]
mod statistics;
mod uring;
mod way;

use statistics::{bound, interval, median, quartiles};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use way::Way;

const ROUNDS: usize = 61;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] => {}
        ["getppid"] => return floor::getppid(),
        ["line", processor] => return floor::line(processor.parse().unwrap()),
        ["futex", processor] => return floor::futexes(processor.parse().unwrap()),
        ["nop"] => return uring::nop(),
        ["socket", ..] => return socket::run(&arguments[1..]),
        _ => panic!("usage: remote-bench"),
    }
    let two = thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    let mut held = table("one processor", 0);
    if two {
        held &= table("two processors", 1);
    } else {
        println!("two processors: SKIPPED: there is one");
    }
    println!("{}", if held { "all bounds hold" } else { "NOT all bounds hold" });
    std::process::exit(i32::from(!held));
}

const LINE: &str = "cache line, there and back";
const GETPPID: &str = "getppid";
const CALL: &str = "getpid there";
const BEFORE: &str = "getpid there, b12e7d8";
const DEADLINE: &str = "getpid there, deadline 100 ms";
const C: &str = "getpid there, C";
const C_DEADLINE: &str = "getpid there, C, SO_RCVTIMEO";
const EVENTFD: &str = "eventfd write+read there";
const EVENTFD_BEFORE: &str = "eventfd w+r there, b12e7d8";

/// All ways, with the server on the given processor and the client on the first.
fn ways(server: usize) -> Vec<Way> {
    let this = std::env::current_exe().unwrap();
    let before = this.with_file_name("remote-before");
    let pair = compile();
    let server_name = server.to_string();
    let or = |reason: &str, name: &str, way: Option<Way>| {
        if way.is_none() {
            println!("  {name}: SKIPPED: {reason}");
        }
        way
    };
    let run = |name, arguments: &[&str]| or("it does not run", name, Way::batches(name, &this, arguments));
    let old = |name, kind| {
        or("`ci/bench` builds it, from the history of git", name, Way::batches(name, &before, &[kind, &server_name]))
    };
    let c = |name, more: &[&str]| {
        or("there is no C compiler", name, pair.as_deref().and_then(|pair| Way::pair(name, pair, more)))
    };
    let uring = "nop by io_uring, no other process";
    [
        run(GETPPID, &["getppid"]),
        if server == 0 { None } else { run(LINE, &["line", &server_name]) },
        run("futex, there and back", &["futex", &server_name]),
        or("io_uring is not permitted", uring, Way::batches(uring, &this, &["nop"])),
        c(C, &[&server_name]),
        c(C_DEADLINE, &[&server_name, "900000"]),
        run(CALL, &["socket", "call", &server_name]),
        run(DEADLINE, &["socket", "deadline", &server_name]),
        old(BEFORE, "call"),
        run(EVENTFD, &["socket", "eventfd", &server_name]),
        old(EVENTFD_BEFORE, "eventfd"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn table(title: &str, server: usize) -> bool {
    // Inherited by the processes of the ways.
    batches::pin_to(0, 0);
    let floor = if server == 0 { GETPPID.to_string() } else { format!("{GETPPID} and {LINE} together") };
    println!("{title}, ns (median of {ROUNDS} rounds, quartiles; ratio to {floor})");
    let mut ways = ways(server);
    let count = ways.len();
    for round in 0..ROUNDS {
        for turn in 0..count {
            let turn = if round.is_multiple_of(2) { turn } else { count - turn };
            ways[(round / 2 + turn) % count].measure();
        }
    }
    let times = |name: &str| ways.iter().find(|way| way.name == name).map(|way| &way.times);
    let floor: Vec<f64> = match (times(GETPPID), times(LINE)) {
        (Some(call), Some(line)) => call.iter().zip(line).map(|(call, line)| call + line).collect(),
        (Some(call), None) => call.clone(),
        _ => panic!("getppid is always measured"),
    };
    for way in &ways {
        let [q1, middle, q3] = quartiles(&way.times);
        let ratio = median(ratios(&way.times, &floor));
        println!("  {:34} {middle:9.0} ({q1:.0} – {q3:.0}) {ratio:8.2}", way.name);
    }
    // A bound does not hold if the true median is beyond it with 95 % confidence.
    let compare = |what: &str, over: &str, under: &str, holds: fn(f64, f64) -> bool| {
        let (Some(over), Some(under)) = (times(over), times(under)) else { return true };
        let ratios = ratios(over, under);
        let (ratio, (least, most)) = (median(ratios.clone()), interval(ratios));
        println!("  {what}: {ratio:.3} (95 %: {least:.3} to {most:.3})");
        // Where the server has another processor, a wakeup of it takes longer than all else, and varies more.
        server != 0 || bound(what, ratio, holds(least, most))
    };
    // What the kernel needs for a timer.
    compare("in C: SO_RCVTIMEO, of none", C_DEADLINE, C, |_, _| true);
    compare("a deadline of 100 ms, of none", DEADLINE, CALL, |least, _| least <= 1.03)
        & compare("the minimal pair in C, of ours", C, CALL, |_, most| most >= 0.97)
        & compare("eventfd, times faster than b12e7d8", EVENTFD_BEFORE, EVENTFD, |_, most| most >= 1.7)
        & compare("getpid, times faster than b12e7d8", BEFORE, CALL, |_, most| most >= 0.97)
}

fn ratios(over: &[f64], under: &[f64]) -> Vec<f64> {
    over.iter().zip(under).map(|(over, under)| over / under).collect()
}

/// The minimal client and server in C, which `benches` measures too.
fn compile() -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/measure/operations/remote.c");
    let program = std::env::current_exe().ok()?.with_file_name("remote-pair-pinned");
    let status = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).status().ok()?;
    status.success().then_some(program)
}

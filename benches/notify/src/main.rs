//! `cargo run --release --manifest-path benches/notify/Cargo.toml`: all of it; or one of `redundant`, `latency`,
//! `spin`, `ready`.
//!
//! Times are medians of rounds that measure every way in turn, so that a disturbance affects all. `ready` counts
//! instructions under valgrind: N and 2N turns, and the difference.

mod latency;
mod ready;
mod redundant;
mod spin;
mod statistics;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let held = match arguments[..] {
        [] => redundant::run() & latency::run() & spin::run() & ready::run(),
        ["redundant"] => redundant::run(),
        ["latency"] => latency::run(),
        ["spin"] => spin::run(),
        ["ready"] => ready::run(),
        ["ready", way, turns] => return ready::turn(way, turns.parse().expect("a number of turns")),
        _ => panic!("usage: notify-bench [redundant|latency|spin|ready]"),
    };
    println!("{}", if held { "all bounds hold" } else { "NOT all bounds hold" });
    std::process::exit(i32::from(!held));
}

//! `cargo run --release --manifest-path benches/notify/Cargo.toml`: all of it; or one of `redundant`, `latency`,
//! `spin`, `ready`.
//!
//! Times are medians of rounds that measure every way in turn, so that a disturbance affects all. `ready` counts
//! instructions under valgrind: N and 2N turns, and the difference.

mod latency;
mod ready;
mod redundant;
mod spin;

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

/// The median.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The two values between which the true median lies, with 95 % confidence: those whose ranks a fair coin thrown for
/// each value seldom leaves (the sign test).
fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let away = 1.96 * count.sqrt() / 2.0;
    let rank = |rank: f64| values[(rank.max(0.0) as usize).min(values.len() - 1)];
    (rank((count / 2.0 - away).floor()), rank((count / 2.0 + away).ceil()))
}

/// Prints whether a bound holds.
fn bound(what: &str, ratio: f64, holds: bool) -> bool {
    println!("  {} {what}: {ratio:.2}", if holds { "holds:" } else { "DOES NOT HOLD:" });
    holds
}

//! Random bytes through the targets that need processes, for a few seconds: the same for the same seed, which a failure
//! prints. `RSYSCALL_SEED` sets it, `RSYSCALL_CASES` the number of cases.

use rsyscall_fuzz::{Target, client, serve};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn run(name: &str, target: Target) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    let first = number("RSYSCALL_SEED").unwrap_or(now);
    for case in 0..number("RSYSCALL_CASES").unwrap_or(200) {
        let seed = first.wrapping_add(case);
        let mut state = seed;
        let len = next(&mut state) % 200;
        let data: Vec<u8> = (0..len).map(|_| next(&mut state) as u8).collect();
        let (done, alive) = std::sync::mpsc::channel::<()>();
        let reason = format!("{name}: RSYSCALL_SEED={seed} RSYSCALL_CASES=1");
        let report = reason.clone();
        std::thread::spawn(move || {
            if alive.recv_timeout(Duration::from_secs(30)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{report}: timed out after 30 s");
                std::process::abort();
            }
        });
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&data))) {
            eprintln!("{reason}");
            resume_unwind(panic);
        }
        drop(done);
    }
}

#[test]
fn a_client_handles_any_response_of_a_server() {
    run("client", client);
}

#[test]
fn a_server_handles_any_request_of_a_client() {
    run("serve", serve);
}

//! For callgrind: every case with N and with 2N between two marks.
//!
//! The difference is the cost of N, without the setup before and the teardown after. Valgrind starts its count when
//! [`counted`] is entered and writes it down when it is left, so one run serves all.

use crate::operations::OPERATIONS;
use std::time::Duration;

/// Few, because each is executed by an emulator; the count is the same every time.
pub const N: u64 = 1000;

#[unsafe(no_mangle)]
#[inline(never)]
fn counted(run: fn(u64) -> Duration, n: u64) {
    std::hint::black_box(run(n));
}

/// Prints what is counted, in order: operation, peer, and how many.
pub fn run() {
    for operation in OPERATIONS.iter().filter(|operation| operation.exact) {
        for case in operation.cases {
            // Work that happens only the first time is not counted.
            (case.run)(1);
            for n in [N, 2 * N] {
                counted(case.run, n);
                println!("{}\t{}\t{n}", operation.name, case.peer);
            }
        }
    }
}

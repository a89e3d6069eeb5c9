//! A process of its own for one way: it reads a number of turns, and prints how long they took, in nanoseconds.

use std::io::{Write, stdin, stdout};
use std::time::Instant;

/// Executes a process, or this thread (0), on this processor, and those that it creates from now on.
pub fn pin_to(process: i32, processor: usize) {
    // SAFETY: all zero is an empty set, which the call reads.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(process, size_of_val(&set), &set)
    };
    assert_eq!(set, 0, "processor {processor}: {}", std::io::Error::last_os_error());
}

/// Serves batches until the end of the standard input.
pub fn serve(mut turn: impl FnMut()) {
    for line in stdin().lines() {
        let turns: u64 = line.unwrap().parse().unwrap();
        let start = Instant::now();
        for _ in 0..turns {
            turn();
        }
        println!("{}", start.elapsed().as_nanos());
        stdout().flush().unwrap();
    }
}

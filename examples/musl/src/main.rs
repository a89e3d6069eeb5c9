//! Threads that add to one counter, and a main thread that sleeps until they have: std for the threads, this crate for
//! the counter, and a static binary.

use rsyscall::{EventFd, EventfdFlags};
use std::io;
use std::thread;

fn main() -> io::Result<()> {
    let done = EventFd::new(0, EventfdFlags::empty())?;
    let sum = thread::scope(|scope| {
        for part in 1..=4 {
            let done = &done;
            scope.spawn(move || done.write(part).expect("room for 10"));
        }
        let mut sum = 0;
        while sum < 10 {
            sum += done.wait()?;
        }
        io::Result::Ok(sum)
    })?;
    println!("{sum}");
    Ok(())
}

//! Four workers and two permits: never more than two work at the same time.
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, reason = "lints of the library, not of programs")]

use rsyscall::{Errno, EventFd, EventfdFlags};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Errno> {
    let permits = EventFd::new(2, EventfdFlags::SEMAPHORE)?;
    let (working, most) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    permits.wait()?; // acquires one, or blocks until one is released
                    most.fetch_max(working.fetch_add(1, SeqCst) + 1, SeqCst);
                    thread::sleep(Duration::from_millis(10));
                    working.fetch_sub(1, SeqCst);
                    permits.write(1)
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic"))
    })?;
    let most = most.into_inner();
    assert!(most <= 2);
    println!("at most {most} at the same time, and {} permits released", count(&permits)?);
    Ok(())
}

fn count(permits: &EventFd) -> Result<u32, Errno> {
    let mut count = 0;
    while permits.try_read()?.is_some() {
        count += 1;
    }
    Ok(count)
}

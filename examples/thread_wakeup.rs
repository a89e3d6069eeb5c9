//! A queue and an eventfd: the consumer sleeps in the kernel while there is nothing to do, and one wakeup serves any
//! number of jobs.
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, reason = "lints of the library, not of programs")]

use rsyscall::{Errno, EventFd, EventfdFlags};
use std::sync::Mutex;
use std::thread;

fn main() -> Result<(), Errno> {
    const JOBS: usize = 1000;
    let queue = Mutex::new(Vec::new());
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    thread::scope(|scope| {
        let producer = scope.spawn(|| {
            for job in 0..JOBS {
                queue.lock().expect("no panic").push(job); // first the job, then the eventfd
                bell.write(1)?;
            }
            Ok(())
        });
        let (mut done, mut wakeups) = (0, 0);
        while done < JOBS {
            bell.wait()?;
            wakeups += 1;
            done += std::mem::take(&mut *queue.lock().expect("no panic")).len();
        }
        assert!(wakeups <= JOBS);
        println!("{done} jobs, with at most as many wakeups");
        producer.join().expect("no panic")
    })
}

//! A queue and a bell: the consumer sleeps in the kernel while there is nothing to do, and one wake-up serves for
//! however many jobs have come.
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, reason = "rules of the library: a program may stop")]

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
                queue.lock().expect("no panic").push(job); // first the job, then the bell
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
        println!("{done} jobs, with no more wake-ups than that");
        producer.join().expect("no panic")
    })
}

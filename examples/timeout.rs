//! Waits for a while, and goes on without: signal handlers that run meanwhile do not make it longer.

use rsyscall::{Errno, EventFd, EventfdFlags};
use std::time::Duration;

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    for round in ["nobody rings", "someone has rung"] {
        match bell.wait_timeout(Duration::from_millis(50))? {
            Some(count) => println!("{round}: {count}"),
            None => println!("{round}: the time is over"),
        }
        bell.write(1)?;
    }
    Ok(())
}

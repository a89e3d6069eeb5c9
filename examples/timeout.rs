//! Waits for a count with a timeout: once without a write, once after one.

use rsyscall::{Errno, EventFd, EventfdFlags};
use std::time::Duration;

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    for round in ["without a write", "after a write"] {
        match bell.wait_timeout(Duration::from_millis(50))? {
            Some(count) => println!("{round}: {count}"),
            None => println!("{round}: timed out"),
        }
        bell.write(1)?;
    }
    Ok(())
}

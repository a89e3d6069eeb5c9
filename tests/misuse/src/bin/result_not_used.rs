//! The result of a write must be used: it may have failed.
#![deny(unused_must_use)]

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    #[cfg(not(fixed))]
    bell.write(1); //~ error: unused
    #[cfg(fixed)]
    bell.write(1)?;
    Ok(())
}

//! The result of `into_raw_fd` must be used: the file descriptor would stay open until the process ends.
#![deny(unused_must_use)]

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    #[cfg(not(fixed))]
    bell.into_raw_fd(); //~ error: unused
    #[cfg(fixed)]
    bell.close()?;
    Ok(())
}

//! A write that may have failed is not passed over in silence.
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

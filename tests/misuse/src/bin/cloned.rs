//! `EventFd` is not `Clone`: duplicating is a system call that can fail.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    #[cfg(not(fixed))]
    let twin = bell.clone(); //~ error[E0599]
    #[cfg(fixed)]
    let twin = bell.try_clone()?;
    drop(twin);
    Ok(())
}

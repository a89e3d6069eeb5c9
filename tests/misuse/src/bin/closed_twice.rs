//! A descriptor has one owner, which closes it once.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    #[cfg(not(fixed))]
    let twin = bell;
    #[cfg(fixed)]
    let twin = bell.try_clone()?;
    drop(twin);
    drop(bell); //~ error[E0382]
    Ok(())
}

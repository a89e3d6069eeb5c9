//! A descriptor cannot be closed while a guard makes it inheritable.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    let guard = bell.inheritable()?;
    #[cfg(fixed)]
    guard.restore()?;
    bell.close()?; //~ error[E0505]
    #[cfg(not(fixed))]
    guard.restore()?;
    Ok(())
}

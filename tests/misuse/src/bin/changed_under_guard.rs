//! A flag that a guard has set cannot be changed while the guard lives.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    let guard = bell.inheritable()?;
    #[cfg(fixed)]
    guard.restore()?;
    bell.set_cloexec(true)?; //~ error[E0502]
    #[cfg(not(fixed))]
    guard.restore()?;
    Ok(())
}

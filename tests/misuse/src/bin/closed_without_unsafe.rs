//! To close a number that nobody owns is a promise.

use rsyscall::sysif::Local;
use rsyscall::{Errno, EventfdFlags, near};

fn main() -> Result<(), Errno> {
    let number = near::eventfd(&Local, 0, EventfdFlags::CLOEXEC)?;
    #[cfg(not(fixed))]
    near::close(&Local, number)?; //~ error[E0133]
    #[cfg(fixed)]
    // SAFETY: made above, and known to nobody else.
    unsafe {
        near::close(&Local, number)?
    };
    Ok(())
}

//! Closing a file descriptor without an owner requires a promise.

use rsyscall::sysif::Local;
use rsyscall::{Errno, EventfdFlags, near};

fn main() -> Result<(), Errno> {
    let fd = near::eventfd(&Local, 0, EventfdFlags::CLOEXEC)?;
    #[cfg(not(fixed))]
    near::close(&Local, fd)?; //~ error[E0133]
    #[cfg(fixed)]
    // SAFETY: created above, and not used elsewhere.
    unsafe {
        near::close(&Local, fd)?
    };
    Ok(())
}

//! A guard that makes a descriptor inheritable cannot outlive the descriptor.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    #[cfg(fixed)]
    let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    let guard = {
        #[cfg(not(fixed))]
        let mut bell = EventFd::new(0, EventfdFlags::empty())?;
        bell.inheritable()? //~ error[E0597]
    };
    guard.restore()
}

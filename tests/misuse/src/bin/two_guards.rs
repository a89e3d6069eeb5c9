//! Two guards of one flag would restore it in the wrong order.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let mut bell = EventFd::new(0, EventfdFlags::empty())?;
    let first = bell.inheritable()?;
    #[cfg(fixed)]
    first.restore()?;
    let second = bell.inheritable()?; //~ error[E0499]
    #[cfg(not(fixed))]
    first.restore()?;
    second.restore()
}

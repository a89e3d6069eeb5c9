//! To own a number that came from elsewhere is a promise.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let number = EventFd::new(0, EventfdFlags::empty())?.into_raw_fd();
    #[cfg(not(fixed))]
    let bell = EventFd::from_raw_fd(number); //~ error[E0133]
    #[cfg(fixed)]
    // SAFETY: given away two lines above.
    let bell = unsafe { EventFd::from_raw_fd(number) };
    bell.write(1)
}

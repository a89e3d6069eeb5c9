//! Owning a file descriptor that came from elsewhere requires a promise.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let fd = EventFd::new(0, EventfdFlags::empty())?.into_raw_fd();
    #[cfg(not(fixed))]
    let bell = EventFd::from_raw_fd(fd); //~ error[E0133]
    #[cfg(fixed)]
    // SAFETY: ownership was given up two lines above.
    let bell = unsafe { EventFd::from_raw_fd(fd) };
    bell.write(1)
}

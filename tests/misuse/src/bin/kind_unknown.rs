//! A descriptor of unknown kind has no count.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let fd = EventFd::new(1, EventfdFlags::empty())?.into_owned_fd();
    #[cfg(fixed)]
    let fd = EventFd::from(fd);
    fd.read()?; //~ error[E0599]
    Ok(())
}

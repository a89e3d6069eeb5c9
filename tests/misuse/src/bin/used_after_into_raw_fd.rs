//! A handle cannot be used after `into_raw_fd`.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    #[cfg(not(fixed))]
    let fd = bell.into_raw_fd();
    #[cfg(fixed)]
    let fd = bell.as_raw_fd();
    bell.write(1)?; //~ error[E0382]
    let _ = fd;
    Ok(())
}

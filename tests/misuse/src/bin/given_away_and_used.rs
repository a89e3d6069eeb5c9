//! A number that was given away is no longer ours to use.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    #[cfg(not(fixed))]
    let number = bell.into_raw_fd();
    #[cfg(fixed)]
    let number = bell.as_raw_fd();
    bell.write(1)?; //~ error[E0382]
    let _ = number;
    Ok(())
}

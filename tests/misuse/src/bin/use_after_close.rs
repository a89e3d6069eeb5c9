//! A closed descriptor cannot be used: its file descriptor may be reused.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    bell.write(1)?;
    #[cfg(not(fixed))]
    bell.close()?;
    bell.read()?; //~ error[E0382]
    #[cfg(fixed)]
    bell.close()?;
    Ok(())
}

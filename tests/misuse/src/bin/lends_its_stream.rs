//! A connection does not lend its stream: any code that could send on it could make any call in the other process.

use rsyscall::remote;
#[cfg(not(fixed))]
use std::os::fd::AsFd;

fn main() -> Result<(), rsyscall::Errno> {
    let forked = remote::fork([])?;
    let connection = forked.task.sysif();
    #[cfg(not(fixed))]
    let _stream = connection.as_fd().try_clone_to_owned(); //~ error[E0599]
    #[cfg(fixed)]
    assert!(connection.as_raw_fd() >= 0);
    Ok(())
}

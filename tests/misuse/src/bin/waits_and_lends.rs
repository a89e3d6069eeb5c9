//! A connection can be waited for, and is no `AsFd` all the same: what takes an `AsFd` could duplicate its stream.

use rsyscall::remote;
use rsyscall::sys::epoll::{Epoll, EpollEvents};

fn main() -> Result<(), rsyscall::Errno> {
    let forked = remote::fork([])?;
    let connection = forked.task.sysif();
    Epoll::new()?.add(connection, EpollEvents::IN, 0)?;
    #[cfg(not(fixed))]
    let _stream = std::os::fd::AsFd::as_fd(connection); //~ error[E0277]
    Ok(())
}

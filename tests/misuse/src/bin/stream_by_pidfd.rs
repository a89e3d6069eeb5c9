//! Duplicating a file descriptor of a process requires a promise that its owner allows it: with a duplicate of the
//! stream of a connection, which this process owns, any call could be made in the other process.

use rsyscall::near::{FileDescriptor, Process};
use rsyscall::sys::pidfd::PidfdTask;
use rsyscall::{Current, remote};

fn main() -> Result<(), rsyscall::Errno> {
    let forked = remote::fork_sharing_files()?;
    let me = Current.pidfd_open(Process(std::process::id() as i32))?;
    let stream = FileDescriptor(forked.task.sysif().as_raw_fd());
    #[cfg(not(fixed))]
    let _second = me.getfd(stream); //~ error[E0133]
    #[cfg(fixed)]
    // SAFETY: nothing is sent on it.
    let _second = unsafe { me.getfd(stream) };
    Ok(())
}

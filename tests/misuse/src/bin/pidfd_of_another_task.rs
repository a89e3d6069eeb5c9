//! A child is waited for by its parent, and its pidfd belongs to the parent's table.

use rsyscall::sys::pidfd::PidfdTask;
use rsyscall::sys::wait::{Changes, Children, WaitTask};
use rsyscall::{Current, near, remote};

fn main() {
    let forked = remote::fork([]).unwrap();
    let pidfd = Current.pidfd_open(near::Process(1)).unwrap();
    #[cfg(not(fixed))]
    let _ = (&forked.task).try_wait(Children::PidFd(&pidfd), Changes::ENDED); //~ error[E0308]
    #[cfg(fixed)]
    let _ = (forked, Current.try_wait(Children::PidFd(&pidfd), Changes::ENDED));
}

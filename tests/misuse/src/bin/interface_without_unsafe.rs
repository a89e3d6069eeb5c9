//! The typed layer relies on the results of an interface, so implementing one requires a promise.

use rsyscall::Errno;
use rsyscall::sysif::{Arg, SyscallInterface};

struct Nothing;

#[cfg(not(fixed))]
impl SyscallInterface for Nothing {
    //~^ error[E0200]
    type Error = Errno;
    unsafe fn syscall<const N: usize>(&self, _: usize, _: [Arg<'_>; N]) -> Result<usize, Errno> {
        Err(Errno::ENOSYS)
    }
}

#[cfg(fixed)]
// SAFETY: no call is ever reported as completed.
unsafe impl SyscallInterface for Nothing {
    type Error = Errno;
    unsafe fn syscall<const N: usize>(&self, _: usize, _: [Arg<'_>; N]) -> Result<usize, Errno> {
        Err(Errno::ENOSYS)
    }
}

fn main() {
    assert!(rsyscall::near::eventfd(&Nothing, 0, rsyscall::EventfdFlags::empty()).is_err());
}

//! No system call has more than six arguments.

use rsyscall::sysif::{Arg, Local, SyscallInterface};

#[cfg(not(fixed))]
const COUNT: usize = 7;
#[cfg(fixed)]
const COUNT: usize = 6;

fn main() {
    let args: [Arg<'_>; COUNT] = std::array::from_fn(|_| Arg::Word(0));
    // SAFETY: there is no system call of this number.
    let _refused = unsafe { Local.syscall(usize::MAX, args) }; //~ anywhere error[E0080]
}

//! A program without std for a musl target: the same as for any other.
#![cfg_attr(not(test), no_std, no_main)]

use rsyscall::sys::stdio::Stdio;
use rsyscall::{Errno, EventFd, EventfdFlags};

rsyscall::start!(main);

fn main(stdio: Stdio) -> Result<(), Errno> {
    let bell = EventFd::new(3, EventfdFlags::empty())?;
    bell.write(4)?;
    writeln!(stdio.output(), "{}", bell.read()?)
}

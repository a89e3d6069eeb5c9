//! Exits with the first file descriptor that it creates, which is 3 also if the program was started with 0, 1 and 2
//! closed.
#![cfg_attr(not(test), no_std, no_main)]
#![forbid(unsafe_code)]

use rsyscall::sys::stdio::Stdio;
use rsyscall::{Errno, EventFd, EventfdFlags};

rsyscall::start!(main);

fn main(stdio: Stdio) -> Result<i32, Errno> {
    let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
    // Eight bytes, the size that an eventfd accepts.
    writeln!(stdio.output(), "output.")?;
    writeln!(stdio.error(), "errors.")?;
    let read = stdio.input().read(&mut [0; 8])?;
    let rung = bell.read() != Err(Errno::EAGAIN);
    Ok(if read != 0 || rung { 100 } else { bell.as_raw_fd() })
}

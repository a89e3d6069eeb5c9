//! Makes each call of the start and the end of a program: takes `LISTEN_FDS`, and ends with an error.
#![cfg_attr(not(test), no_std, no_main)]
#![forbid(unsafe_code)]

use rsyscall::Errno;
use rsyscall::sys::listen_fds::ListenFds;
use rsyscall::sys::stdio::Stdio;

rsyscall::start!(main, panic message);

fn main(listen: Result<ListenFds<'static>, Errno>, _: Stdio) -> Result<i32, Errno> {
    let Ok(listen) = listen else { return Ok(2) };
    drop(listen);
    Err(Errno::ENODATA)
}

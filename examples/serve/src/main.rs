//! Serves system calls on a stream that it inherits: `serve FD [eventfd]`, where FD is the stream's file descriptor;
//! with `eventfd` it executes only those that an eventfd needs.
//!
//! Exit status: 0 at the end of the stream, 1 if it ended inside a request or its memory, 2 if the client disconnected
//! before a response, 3 if the stream does not work, 4 for other arguments.
#![cfg_attr(not(test), no_std, no_main)]

use rsyscall::fd::OwnedFd;
use rsyscall::remote::{Policy, ServeError, install_interrupt_handler, serve};
use rsyscall::start::Arguments;

rsyscall::start!(main);

fn main(arguments: Arguments) -> i32 {
    let fd = arguments.args().nth(1).and_then(|text| text.to_str().ok()?.parse::<u16>().ok());
    let policy = match arguments.args().nth(2).map(core::ffi::CStr::to_bytes) {
        None => Some(Policy::Everything),
        Some(b"eventfd") => Some(Policy::EVENTFD),
        Some(_) => None,
    };
    let (Some(fd), Some(policy), Ok(())) = (fd, policy, install_interrupt_handler()) else { return 4 };
    // SAFETY: the starter of this program declares it as the stream; nothing else here uses it.
    let stream = unsafe { OwnedFd::from_raw_fd(i32::from(fd)) };
    // SAFETY: the starter of this program is the client, and owns all that is here.
    match unsafe { serve(&stream, policy) } {
        Ok(()) => 0,
        Err(ServeError::Truncated | ServeError::OutOfStep) => 1,
        Err(ServeError::Vanished) => 2,
        Err(_) => 3,
    }
}

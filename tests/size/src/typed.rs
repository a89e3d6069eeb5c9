//! Creates an eventfd, writes, reads, verifies, closes, exits: with the typed layer.
#![no_std]
#![no_main]

use rsyscall::{Errno, EventFd, EventfdFlags};

rsyscall::start!(main);

fn main() -> i32 {
    i32::from(run() != Ok(7))
}

#[inline(always)]
fn run() -> Result<u64, Errno> {
    let eventfd = EventFd::new(0, EventfdFlags::empty())?;
    eventfd.write(7).and_then(|()| eventfd.read())
}

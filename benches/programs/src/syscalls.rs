//! Creates an eventfd, writes, reads, verifies, closes, exits: with `syscalls`, and the same checks.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use syscalls::{Errno, Sysno, syscall};

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let wrong = run() != Ok(7);
    loop {
        // SAFETY: ends the process.
        let _refused = unsafe { syscall!(Sysno::exit_group, usize::from(wrong)) };
    }
}

#[inline(always)]
fn run() -> Result<u64, Errno> {
    const CLOEXEC: usize = 0o2000000;
    // SAFETY: two words and no memory.
    let fd = unsafe { syscall!(Sysno::eventfd2, 0, CLOEXEC) }?;
    let count = write_read(fd);
    // SAFETY: created here.
    let _ignored = unsafe { syscall!(Sysno::close, fd) };
    count
}

#[inline(always)]
fn write_read(fd: usize) -> Result<u64, Errno> {
    let value = 7_u64;
    // SAFETY: an open descriptor and eight bytes.
    if unsafe { syscall!(Sysno::write, fd, &raw const value, 8) }? != 8 {
        return Err(Errno::EIO);
    }
    let mut count = MaybeUninit::<u64>::uninit();
    // SAFETY: an open descriptor and eight bytes.
    if unsafe { syscall!(Sysno::read, fd, count.as_mut_ptr(), 8) }? != 8 {
        return Err(Errno::EIO);
    }
    // SAFETY: eight bytes were read.
    Ok(unsafe { count.assume_init() })
}

#[path = "panic.rs"]
mod panic;

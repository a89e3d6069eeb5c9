//! Creates an eventfd, writes, reads, verifies, closes, exits: with `sc`, and the same checks.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;
use sc::syscall;

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    const CLOEXEC: usize = 0o2000000;
    let mut wrong = true;
    // SAFETY: each call is passed a descriptor created here and eight bytes of the stack.
    unsafe {
        let fd = syscall!(EVENTFD2, 0, CLOEXEC);
        if fd <= i32::MAX as usize {
            let value = 7_u64;
            if syscall!(WRITE, fd, &raw const value, 8) == 8 {
                let mut count = MaybeUninit::<u64>::uninit();
                if syscall!(READ, fd, count.as_mut_ptr(), 8) == 8 {
                    wrong = count.assume_init() != 7;
                }
            }
            syscall!(CLOSE, fd);
        }
    }
    loop {
        // SAFETY: ends the process.
        unsafe { syscall!(EXIT_GROUP, usize::from(wrong)) };
    }
}

#[path = "panic.rs"]
mod panic;

//! Creates an eventfd, writes, reads, verifies, closes, exits: with rustix, and the same checks. It reserves
//! `exit_group` for runtimes, so that one call is `asm!`.
#![no_std]
#![no_main]

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, write};

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let wrong = run() != Ok(7);
    loop {
        // SAFETY: ends the process.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            core::arch::asm!("syscall", in("rax") 231, in("rdi") usize::from(wrong), out("rcx") _, out("r11") _);
            #[cfg(target_arch = "aarch64")]
            core::arch::asm!("svc 0", in("x8") 94, in("x0") usize::from(wrong));
            #[cfg(target_arch = "riscv64")]
            core::arch::asm!("ecall", in("a7") 94, in("a0") usize::from(wrong));
        }
    }
}

#[inline(always)]
fn run() -> Result<u64, Errno> {
    let fd = eventfd(0, EventfdFlags::CLOEXEC)?;
    if write(&fd, &7_u64.to_ne_bytes())? != 8 {
        return Err(Errno::IO);
    }
    let mut count = [0; 8];
    if read(&fd, &mut count)? != 8 {
        return Err(Errno::IO);
    }
    Ok(u64::from_ne_bytes(count))
}

#[path = "panic.rs"]
mod panic;

#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

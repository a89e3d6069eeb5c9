//! Creates an eventfd, writes, reads, verifies, closes, exits: with bare `asm!`, and the same checks. It starts like
//! the other program, so that the two differ in nothing else.
#![no_std]
#![no_main]

use core::arch::asm;
use core::mem::MaybeUninit;

#[cfg(target_arch = "x86_64")]
macro_rules! call {
    ($nr:expr, $a:expr, $b:expr, $c:expr) => {{
        let ret: usize;
        asm!("syscall", inlateout("rax") $nr => ret, in("rdi") $a, in("rsi") $b, in("rdx") $c,
            lateout("rcx") _, lateout("r11") _, options(nostack, preserves_flags));
        ret
    }};
    ($nr:expr, $a:expr, $b:expr) => {{
        let ret: usize;
        asm!("syscall", inlateout("rax") $nr => ret, in("rdi") $a, in("rsi") $b,
            lateout("rcx") _, lateout("r11") _, options(nostack, preserves_flags));
        ret
    }};
    ($nr:expr, $a:expr) => {{
        let ret: usize;
        asm!("syscall", inlateout("rax") $nr => ret, in("rdi") $a,
            lateout("rcx") _, lateout("r11") _, options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "aarch64")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr)?)?) => {{
        let ret: usize;
        asm!("svc 0", in("x8") $nr, inlateout("x0") $a => ret, $(in("x1") $b, $(in("x2") $c,)?)?
            options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "riscv64")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr)?)?) => {{
        let ret: usize;
        asm!("ecall", in("a7") $nr, inlateout("a0") $a => ret, $(in("a1") $b, $(in("a2") $c,)?)?
            options(nostack));
        ret
    }};
}

#[cfg(target_arch = "x86_64")]
const NUMBERS: [usize; 5] = [290, 1, 0, 3, 231];
#[cfg(not(target_arch = "x86_64"))]
const NUMBERS: [usize; 5] = [19, 64, 63, 57, 94];

rsyscall::start!(main);

fn main() -> ! {
    let [eventfd2, write, read, close, exit_group] = NUMBERS;
    const CLOEXEC: usize = 0o2000000;
    let mut wrong = true;
    // SAFETY: each call is passed a descriptor created here and eight bytes of the stack.
    unsafe {
        let fd = call!(eventfd2, 0_usize, CLOEXEC);
        if fd <= i32::MAX as usize {
            let value = 7_u64;
            if call!(write, fd, &raw const value, 8_usize) == 8 {
                let mut count = MaybeUninit::<u64>::uninit();
                if call!(read, fd, count.as_mut_ptr(), 8_usize) == 8 {
                    wrong = count.assume_init() != 7;
                }
            }
            call!(close, fd);
        }
    }
    loop {
        // SAFETY: ends the process.
        unsafe { call!(exit_group, usize::from(wrong)) };
    }
}

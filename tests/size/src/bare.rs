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

#[cfg(target_arch = "loongarch64")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr)?)?) => {{
        let ret: usize;
        asm!("syscall 0", in("$a7") $nr, inlateout("$a0") $a => ret, $(in("$a1") $b, $(in("$a2") $c,)?)?
            lateout("$t0") _, lateout("$t1") _, lateout("$t2") _, lateout("$t3") _, lateout("$t4") _,
            lateout("$t5") _, lateout("$t6") _, lateout("$t7") _, lateout("$t8") _,
            options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "s390x")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr)?)?) => {{
        let ret: usize;
        asm!("svc 0", in("r1") $nr, inlateout("r2") $a => ret, $(in("r3") $b, $(in("r4") $c,)?)?
            options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "powerpc64")]
macro_rules! call {
    ($nr:expr, $a:expr, $b:expr, $c:expr) => {
        call!(@ $nr, $a, inlateout("r4") $b => _, inlateout("r5") $c => _)
    };
    ($nr:expr, $a:expr, $b:expr) => { call!(@ $nr, $a, inlateout("r4") $b => _, lateout("r5") _) };
    ($nr:expr, $a:expr) => { call!(@ $nr, $a, lateout("r4") _, lateout("r5") _) };
    (@ $nr:expr, $a:expr, $($more:tt)*) => {{
        let ret: usize;
        asm!("sc", "bns+ 2f", "neg 3, 3", "2:", inlateout("r0") $nr => _, inlateout("r3") $a => ret, $($more)*,
            lateout("r6") _, lateout("r7") _, lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _,
            lateout("r12") _, lateout("cr0") _, lateout("ctr") _, lateout("xer") _, options(nostack));
        ret
    }};
}

#[cfg(target_arch = "arm")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr)?)?) => {{
        let ret: usize;
        asm!("mov {kept}, r7", "mov r7, {nr}", "svc 0", "mov r7, {kept}", nr = in(reg) $nr, kept = out(reg) _,
            inlateout("r0") $a => ret, $(in("r1") $b, $(in("r2") $c,)?)? options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "x86")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr)?)?) => {{
        let ret: usize;
        asm!("int 0x80", inlateout("eax") $nr => ret, in("ebx") $a, $(in("ecx") $b, $(in("edx") $c,)?)?
            options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "x86_64")]
const NUMBERS: [usize; 5] = [290, 1, 0, 3, 231];
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "loongarch64"))]
const NUMBERS: [usize; 5] = [19, 64, 63, 57, 94];
#[cfg(target_arch = "s390x")]
const NUMBERS: [usize; 5] = [323, 4, 3, 6, 248];
#[cfg(target_arch = "powerpc64")]
const NUMBERS: [usize; 5] = [314, 4, 3, 6, 234];
#[cfg(target_arch = "arm")]
const NUMBERS: [usize; 5] = [356, 4, 3, 6, 248];
#[cfg(target_arch = "x86")]
const NUMBERS: [usize; 5] = [328, 4, 3, 6, 252];

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

//! x86_64.
//!
//! * instruction: `syscall`
//! * number in: rax
//! * arguments in: rdi, rsi, rdx, r10, r8, r9
//! * result in: rax
//! * destroyed besides: rcx (return address) and r11 (flags), all 64 bits of both
//! * flags: kept, `sysret` restores them from r11
//!
//! Source: System V ABI, AMD64 supplement, A.2.1; `arch/x86/entry/entry_64.S`.

use core::arch::asm;

macro_rules! call {
    // The fourth argument travels in r10, not rcx: the instruction itself overwrites rcx.
    ($nr:ident $(, $a0:ident $(, $a1:ident $(, $a2:ident $(, $a3:ident $(, $a4:ident $(, $a5:ident)?)?)?)?)?)?) => {{
        let ret;
        asm!(
            "syscall",
            inlateout("rax") $nr => ret,
            $(in("rdi") $a0, $(in("rsi") $a1, $(in("rdx") $a2, $(in("r10") $a3, $(in("r8") $a4, $(in("r9") $a5,)?)?)?)?)?)?
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags),
        );
        ret
    }};
}

/// Makes a system call with no argument.
///
/// # Safety
///
/// The call must be sound to make: what the kernel does in its course is as if done here.
#[inline(always)]
pub unsafe fn syscall0(nr: usize) -> usize {
    // SAFETY: the macro states the kernel's contract, the caller vouches for the call.
    unsafe { call!(nr) }
}

/// Makes a system call with one argument.
///
/// # Safety
///
/// As [`syscall0`]; a word that the kernel takes for an address must be one that the call may use as it will.
#[inline(always)]
pub unsafe fn syscall1(nr: usize, a0: usize) -> usize {
    // SAFETY: as in `syscall0`.
    unsafe { call!(nr, a0) }
}

/// Makes a system call with two arguments.
///
/// # Safety
///
/// As [`syscall0`]; a word that the kernel takes for an address must be one that the call may use as it will.
#[inline(always)]
pub unsafe fn syscall2(nr: usize, a0: usize, a1: usize) -> usize {
    // SAFETY: as in `syscall0`.
    unsafe { call!(nr, a0, a1) }
}

/// Makes a system call with three arguments.
///
/// # Safety
///
/// As [`syscall0`]; a word that the kernel takes for an address must be one that the call may use as it will.
#[inline(always)]
pub unsafe fn syscall3(nr: usize, a0: usize, a1: usize, a2: usize) -> usize {
    // SAFETY: as in `syscall0`.
    unsafe { call!(nr, a0, a1, a2) }
}

/// Makes a system call with four arguments.
///
/// # Safety
///
/// As [`syscall0`]; a word that the kernel takes for an address must be one that the call may use as it will.
#[inline(always)]
pub unsafe fn syscall4(nr: usize, a0: usize, a1: usize, a2: usize, a3: usize) -> usize {
    // SAFETY: as in `syscall0`.
    unsafe { call!(nr, a0, a1, a2, a3) }
}

/// Makes a system call with five arguments.
///
/// # Safety
///
/// As [`syscall0`]; a word that the kernel takes for an address must be one that the call may use as it will.
#[inline(always)]
pub unsafe fn syscall5(nr: usize, a0: usize, a1: usize, a2: usize, a3: usize, a4: usize) -> usize {
    // SAFETY: as in `syscall0`.
    unsafe { call!(nr, a0, a1, a2, a3, a4) }
}

/// Makes a system call with six arguments.
///
/// # Safety
///
/// As [`syscall0`]; a word that the kernel takes for an address must be one that the call may use as it will.
#[inline(always)]
pub unsafe fn syscall6(nr: usize, a0: usize, a1: usize, a2: usize, a3: usize, a4: usize, a5: usize) -> usize {
    // SAFETY: as in `syscall0`.
    unsafe { call!(nr, a0, a1, a2, a3, a4, a5) }
}

/// Where a signal handler returns to: the address of code that makes `rt_sigreturn`, as `sa_restorer` wants it.
///
/// The code has no name in the program and no prologue: the stack pointer must be at the frame that the kernel built.
///
/// Source: `arch/x86/kernel/signal_64.c`, which has no other way back.
#[inline(never)]
pub(crate) fn signal_return() -> usize {
    let address;
    // SAFETY: only takes the address of two instructions and jumps over them; the kernel jumps to them.
    unsafe {
        asm!(
            "lea {address}, [rip + 2f]",
            "jmp 3f",
            "2:",
            "mov eax, {rt_sigreturn}",
            "syscall",
            "3:",
            address = out(reg) address,
            rt_sigreturn = const 15,
            options(nostack, preserves_flags, nomem),
        );
    }
    address
}

//! x86_64.
//!
//! * instruction: `syscall`
//! * number in: rax
//! * arguments in: rdi, rsi, rdx, r10, r8, r9
//! * result in: rax
//! * also destroyed: rcx (return address) and r11 (flags), all 64 bits of both
//! * kept: rbx, rbp, r12–r15, the registers of the arguments, xmm0–xmm31 and what extends them
//! * flags: kept, `sysret` restores them from r11
//!
//! Source: System V ABI, AMD64 supplement, A.2.1; `arch/x86/entry/entry_64.S`.

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    ($ret:ident = $nr:ident $(, $register:tt $arg:ident)*; $($absent:tt)*) => {
        asm!(
            "syscall",
            inlateout("rax") $nr => $ret,
            $(in($register) $arg,)*
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags),
        )
    };
}

// The fourth argument is in r10, not rcx: the instruction itself overwrites rcx.
functions!(call "rdi" "rsi" "rdx" "r10" "r8" "r9");

/// The machine name of `uname`.
pub(crate) const MACHINE: &str = "x86_64";

/// The data of an `epoll_event`, which is packed: `EPOLL_PACKED` in `include/uapi/linux/eventpoll.h`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, packed(4))]
pub(crate) struct EpollData(pub(crate) u64);

/// `SA_RESTORER`: the kernel requires the address to which a signal handler returns,
/// `arch/x86/include/uapi/asm/signal.h`.
pub(crate) const HANDLER_FLAGS: usize = 0x0400_0000;

/// Returns the address of code that calls `rt_sigreturn`, for `sa_restorer`.
///
/// The code has no symbol and no prologue: the stack pointer must be at the frame that the kernel built.
///
/// # Source
///
/// `arch/x86/kernel/signal_64.c`, which has no other return path.
#[inline(never)]
pub(crate) fn signal_return() -> Restorer {
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

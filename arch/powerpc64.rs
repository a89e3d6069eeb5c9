//! powerpc64, little-endian.
//!
//! * instruction: `sc`
//! * number in: r0
//! * arguments in: r3, r4, r5, r6, r7, r8
//! * result in: r3; if cr0.SO is set it is an errno, negated here as on the other architectures
//! * also destroyed: r0, r4–r12, ctr, xer (zeroed), cr0
//! * kept: r2, r14–r31, lr, cr1–cr7, vs0–vs63
//! * flags: not kept, cr0 and xer
//!
//! Without the clobber of `ctr`, LLVM uses it as the counter of a loop around the call, and the loop never ends.
//! `scv 0` is not used: it destroys more, and exists only if AT_HWCAP2 has its bit.
//!
//! Source: `Documentation/arch/powerpc/syscall64-abi.rst`; `arch/powerpc/kernel/interrupt_64.S`.

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    // Without an argument r3 is an output only.
    ($ret:ident = $nr:ident; $result:tt $($absent:tt)*) => {
        call!(@asm $ret = $nr, [lateout($result)] [$(lateout($absent) _,)*])
    };
    ($ret:ident = $nr:ident, $result:tt $a0:ident $(, $register:tt $arg:ident)*; $($absent:tt)*) => {
        call!(@asm $ret = $nr, [inlateout($result) $a0 =>]
            [$(inlateout($register) $arg => _,)* $(lateout($absent) _,)*])
    };
    (@asm $ret:ident = $nr:ident, [$($result:tt)*] [$($operands:tt)*]) => {
        asm!( // Needs Rust 1.95: `asm!` is not stable on powerpc64 before.
            "sc",
            "bns+ 2f",
            "neg 3, 3",
            "2:",
            inlateout("r0") $nr => _,
            $($result)* $ret,
            $($operands)*
            lateout("r9") _, lateout("r10") _, lateout("r11") _, lateout("r12") _,
            lateout("cr0") _, lateout("ctr") _, lateout("xer") _,
            options(nostack),
        )
    };
}

functions!(call "r3" "r4" "r5" "r6" "r7" "r8");

/// The machine name of `uname`.
pub(crate) const MACHINE: &str = "ppc64le";
/// `TASK_SIZE_USER64` with 64 KiB pages, `arch/powerpc/include/asm/task_size_64.h`.
pub(crate) const END_OF_USER_SPACE: usize = 1 << 52;
/// `arch/powerpc/include/uapi/asm/fcntl.h`.
pub(crate) const O_DIRECT: u32 = 0o400000;
/// `arch/powerpc/include/uapi/asm/ioctls.h`: `_IOW('f', 126, int)` and `_IOR('f', 127, int)`.
pub(crate) const FIONBIO: u32 = 0x8004_667e;
pub(crate) const FIONREAD: u32 = 0x4004_667f;
/// `_IO('f', 1)` and `_IO('f', 2)`.
pub(crate) const FIOCLEX: u32 = 0x2000_6601;
pub(crate) const FIONCLEX: u32 = 0x2000_6602;

//! arm: A32 and Thumb-2, from armv5te on.
//!
//! * instruction: `svc 0`
//! * number in: r7
//! * arguments in: r0, r1, r2, r3, r4, r5
//! * result in: r0
//! * destroyed besides: nothing
//! * kept: all other registers, lr, d0–d31
//! * flags: kept, NZCV comes back with the program status register
//!
//! r7 is the frame pointer of Thumb code, where it cannot be named as an operand, and stable `cfg` does not see the
//! mode: so it is always kept in another register by two `mov`. It is right too where the compiler gives the number or
//! the copy r7 itself.
//!
//! Source: `arch/arm/kernel/entry-common.S`, `vector_swi`; AAPCS32.

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    ($nr:ident, $($operands:tt)*) => {
        asm!(
            "mov {kept}, r7",
            "mov r7, {nr}",
            "svc 0",
            "mov r7, {kept}",
            nr = in(reg) $nr,
            kept = out(reg) _,
            $($operands)*
            options(nostack, preserves_flags),
        )
    };
}

functions!(first_is_result "r0" "r1" "r2" "r3" "r4" "r5");

/// As `uname` has it on most.
pub(crate) const MACHINE: &str = "armv7l";
/// On a kernel of 64 bits, below the page of vectors, `arch/arm64/include/asm/processor.h`; one of 32 has less.
pub(crate) const END_OF_USER_SPACE: usize = 0xffff_0000;
/// `arch/arm/include/uapi/asm/fcntl.h`.
pub(crate) const O_DIRECT: u32 = 0o200000;

//! arm: A32 and Thumb-2, from armv5te on.
//!
//! * instruction: `svc 0`
//! * number in: r7
//! * arguments in: r0, r1, r2, r3, r4, r5
//! * result in: r0
//! * also destroyed: nothing
//! * kept: all other registers, lr, d0–d31
//! * flags: kept, NZCV is restored with the program status register
//!
//! r7 is the frame pointer in Thumb code, where it cannot be an operand, and stable `cfg` cannot detect Thumb.
//! Therefore two `mov` always save it in another register. This is correct even if the compiler allocates r7 for the
//! number or for the copy.
//!
//! Source: `arch/arm/kernel/entry-common.S`, `vector_swi`; AAPCS32.

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    ($nr:ident, $($operands:tt)*) => {
        asm!(
            "mov {saved}, r7",
            "mov r7, {nr}",
            "svc 0",
            "mov r7, {saved}",
            nr = in(reg) $nr,
            saved = out(reg) _,
            $($operands)*
            options(nostack, preserves_flags),
        )
    };
}

functions!(first_is_result "r0" "r1" "r2" "r3" "r4" "r5");

/// The machine name of `uname` on most systems.
pub(crate) const MACHINE: &str = "armv7l";
/// On a kernel of 64 bits, below the page of vectors, `arch/arm64/include/asm/processor.h`; one of 32 has less.
pub(crate) const END_OF_USER_SPACE: usize = 0xffff_0000;
/// `arch/arm/include/uapi/asm/fcntl.h`.
pub(crate) const O_DIRECT: u32 = 0o200000;

//! s390x.
//!
//! * instruction: `svc 0`
//! * number in: r1
//! * arguments in: r2, r3, r4, r5, r6, r7
//! * result in: r2
//! * also destroyed: nothing
//! * kept: r0, r3–r14, v0–v31
//! * flags: kept, the condition code is restored with the program status word
//!
//! Source: `arch/s390/kernel/entry.S`, `system_call`; s390x ELF ABI supplement.

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    ($nr:ident, $($operands:tt)*) => {
        asm!(
            "svc 0",
            in("r1") $nr,
            $($operands)*
            options(nostack, preserves_flags),
        )
    };
}

functions!(first_is_result "r2" "r3" "r4" "r5" "r6" "r7");

/// The machine name of `uname`.
pub(crate) const MACHINE: &str = "s390x";
/// `TASK_SIZE_MAX` with four-level page tables, `arch/s390/include/asm/processor.h`.
pub(crate) const END_OF_USER_SPACE: usize = 1 << 53;

/// `clone` takes the stack first, `CONFIG_CLONE_BACKWARDS2`.
pub(crate) const CLONE_STACK_FIRST: bool = true;
/// `mmap` takes one pointer to its six arguments, `struct s390_mmap_arg_struct` in `arch/s390/kernel/syscall.c`.
pub(crate) const MMAP_BY_POINTER: bool = true;

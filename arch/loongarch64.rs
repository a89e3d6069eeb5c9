//! loongarch64.
//!
//! * instruction: `syscall 0`
//! * number in: a7
//! * arguments in: a0, a1, a2, a3, a4, a5
//! * result in: a0
//! * also destroyed: t0–t8, which the kernel does not save
//! * kept: ra, fp, a1–a7, s0–s8, and all vector state, 256 bits each
//! * flags: none
//!
//! Source: `arch/loongarch/kernel/entry.S`, `handle_syscall`; LoongArch ELF psABI.

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    ($nr:ident, $($operands:tt)*) => {
        asm!(
            "syscall 0",
            in("$a7") $nr,
            $($operands)*
            lateout("$t0") _, lateout("$t1") _, lateout("$t2") _,
            lateout("$t3") _, lateout("$t4") _, lateout("$t5") _,
            lateout("$t6") _, lateout("$t7") _, lateout("$t8") _,
            options(nostack, preserves_flags),
        )
    };
}

functions!(first_is_result "$a0" "$a1" "$a2" "$a3" "$a4" "$a5");

/// The machine name of `uname`.
pub(crate) const MACHINE: &str = "loongarch64";

/// `struct sigaction` has no `sa_restorer`: `arch/loongarch/kernel/signal.c` returns through the vDSO.
pub(crate) type Restorer = ();
pub(crate) const NO_RESTORER: Restorer = ();
pub(crate) const fn signal_return() -> Restorer {}

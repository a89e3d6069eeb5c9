//! riscv64.
//!
//! * instruction: `ecall`
//! * number in: a7
//! * arguments in: a0, a1, a2, a3, a4, a5
//! * result in: a0
//! * also destroyed: all vector state, v0–v31 and vl, vtype, vstart, vcsr
//! * kept: ra, gp, tp, a1–a7, t0–t6, s0–s11, f0–f31
//! * flags: not kept; in Rust the vector configuration and its rounding and saturation bits count as flags
//!
//! The vector clobbers are unconditional: stable `cfg` cannot detect V, and without V they cost nothing. Without them a
//! vector kept in a register across `ecall` would silently be wrong if V is in the baseline.
//!
//! Source: RISC-V ELF psABI; `Documentation/arch/riscv/vector.rst`, "Vector Register State Across System Calls".

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    ($nr:ident, $($operands:tt)*) => {
        asm!(
            "ecall",
            in("a7") $nr,
            $($operands)*
            lateout("v0") _, lateout("v1") _, lateout("v2") _, lateout("v3") _,
            lateout("v4") _, lateout("v5") _, lateout("v6") _, lateout("v7") _,
            lateout("v8") _, lateout("v9") _, lateout("v10") _, lateout("v11") _,
            lateout("v12") _, lateout("v13") _, lateout("v14") _, lateout("v15") _,
            lateout("v16") _, lateout("v17") _, lateout("v18") _, lateout("v19") _,
            lateout("v20") _, lateout("v21") _, lateout("v22") _, lateout("v23") _,
            lateout("v24") _, lateout("v25") _, lateout("v26") _, lateout("v27") _,
            lateout("v28") _, lateout("v29") _, lateout("v30") _, lateout("v31") _,
            options(nostack),
        )
    };
}

functions!(first_is_result "a0" "a1" "a2" "a3" "a4" "a5");

/// The machine name of `uname`.
pub(crate) const MACHINE: &str = "riscv64";

/// `struct sigaction` has no `sa_restorer`: `arch/riscv/kernel/signal.c` returns through the vDSO.
pub(crate) type Restorer = ();
pub(crate) const NO_RESTORER: Restorer = ();
pub(crate) const fn signal_return() -> Restorer {}

//! riscv64.
//!
//! * instruction: `ecall`
//! * number in: a7
//! * arguments in: a0, a1, a2, a3, a4, a5
//! * result in: a0
//! * destroyed besides: all vector state, v0–v31 and vl, vtype, vstart, vcsr
//! * flags: not kept, for Rust the vector configuration and its rounding and saturation bits count as flags
//!
//! The vector clobbers stand here unconditionally: stable `cfg` cannot see whether V is enabled, and where it is not they
//! cost nothing. Without them a vector kept in a register across `ecall` is silently wrong where V is baseline.
//!
//! Source: RISC-V ELF psABI; `Documentation/arch/riscv/vector.rst`, "Vector Register State Across System Calls".

use core::arch::asm;

macro_rules! call {
    // Without an argument nothing is loaded into a0, only the result taken from it.
    ($nr:ident) => { call!(@asm $nr, [lateout("a0")] []) };
    ($nr:ident, $a0:ident $(, $a1:ident $(, $a2:ident $(, $a3:ident $(, $a4:ident $(, $a5:ident)?)?)?)?)?) => {
        call!(@asm $nr, [inlateout("a0") $a0 =>]
            [$(in("a1") $a1, $(in("a2") $a2, $(in("a3") $a3, $(in("a4") $a4, $(in("a5") $a5,)?)?)?)?)?])
    };
    (@asm $nr:ident, [$($result:tt)*] [$($operands:tt)*]) => {{
        let ret;
        asm!(
            "ecall",
            in("a7") $nr,
            $($result)* ret,
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

//! aarch64.
//!
//! * instruction: `svc 0`
//! * number in: x8
//! * arguments in: x0, x1, x2, x3, x4, x5
//! * result in: x0
//! * destroyed besides: with SVE, the bits of Z0–Z31 above 128, all of P0–P15 and FFR (zeroed)
//! * flags: kept, `eret` restores them
//!
//! What SVE loses cannot be said in an operand list: LLVM keeps a Z register live across an inlined `svc` whatever p-registers
//! are named, and naming v0–v31 would make every caller save d8–d15, which the kernel keeps. So the instruction stands in a
//! function of the C calling convention that is never inlined: that convention (AAPCS64, 6.1.2 and 6.1.3) preserves the low
//! half of v8–v15 and nothing else of the vector and predicate state, so whoever calls keeps nothing that the kernel destroys,
//! even a caller compiled with `#[target_feature(enable = "sve")]`. It costs one branch. The number comes last, so that the
//! arguments are where the kernel wants them and the body is `mov x8, xN; svc 0; ret`.
//!
//! Source: AAPCS64; `Documentation/arch/arm64/sve.rst`, "System call behaviour".

use core::arch::asm;

macro_rules! call {
    // Without an argument nothing is loaded into x0, only the result taken from it.
    ($nr:ident) => { call!(@asm $nr, [] [lateout("x0")] []) };
    ($nr:ident, $a0:ident $(, $a1:ident $(, $a2:ident $(, $a3:ident $(, $a4:ident $(, $a5:ident)?)?)?)?)?) => {
        call!(@asm $nr, [$a0, $($a1, $($a2, $($a3, $($a4, $($a5,)?)?)?)?)?] [inlateout("x0") $a0 =>]
            [$(in("x1") $a1, $(in("x2") $a2, $(in("x3") $a3, $(in("x4") $a4, $(in("x5") $a5,)?)?)?)?)?])
    };
    (@asm $nr:ident, [$($arg:ident,)*] [$($result:tt)*] [$($operands:tt)*]) => {{
        #[inline(never)]
        unsafe extern "C" fn svc($($arg: usize,)* $nr: usize) -> usize {
            let ret;
            // SAFETY: only ever called from the function around it, whose caller vouches for the call.
            unsafe {
                asm!(
                    "svc 0",
                    in("x8") $nr,
                    $($result)* ret,
                    $($operands)*
                    options(nostack, preserves_flags),
                );
            }
            ret
        }
        svc($($arg,)* $nr)
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

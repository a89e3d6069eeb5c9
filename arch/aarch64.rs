//! aarch64.
//!
//! * instruction: `svc 0`
//! * number in: x8
//! * arguments in: x0, x1, x2, x3, x4, x5
//! * result in: x0
//! * also destroyed: with SVE, the bits of Z0–Z31 above 128, all of P0–P15 and FFR (zeroed)
//! * kept: x1–x30, v0–v31 without SVE, with it their low 128 bits
//! * flags: kept, `eret` restores them
//!
//! The state that SVE loses cannot be declared as operands: LLVM keeps a Z register live across an inlined `svc`
//! whatever p-registers are named, and naming v0–v31 would make every caller save d8–d15, which the kernel preserves.
//! Therefore the instruction is in a function of the C calling convention that is never inlined. That convention
//! (AAPCS64, 6.1.2 and 6.1.3) preserves the low half of v8–v15 and nothing else of the vector and predicate state, so a
//! caller keeps nothing there that the kernel destroys, even if it is compiled with `#[target_feature(enable =
//! "sve")]`. The cost is one branch. The number is the last parameter, so that the arguments are in the kernel's
//! registers already and the body is `mov x8, xN; svc 0; ret`.
//!
//! Source: AAPCS64; `Documentation/arch/arm64/sve.rst`, "System call behaviour".

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    // Without an argument x0 is an output only.
    ($ret:ident = $nr:ident; $result:tt $($absent:tt)*) => { call!(@asm $ret = $nr, [] [lateout($result)] []) };
    ($ret:ident = $nr:ident, $result:tt $a0:ident $(, $register:tt $arg:ident)*; $($absent:tt)*) => {
        call!(@asm $ret = $nr, [$a0, $($arg,)*] [inlateout($result) $a0 =>] [$(in($register) $arg,)*])
    };
    (@asm $ret:ident = $nr:ident, [$($arg:ident,)*] [$($result:tt)*] [$($operands:tt)*]) => {{
        #[inline(never)]
        unsafe extern "C" fn svc($($arg: usize,)* $nr: usize) -> usize {
            let ret;
            // SAFETY: only called from the function around it, whose caller guarantees that the call is sound.
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
        $ret = svc($($arg,)* $nr)
    }};
}

functions!(call "x0" "x1" "x2" "x3" "x4" "x5");

/// The machine name of `uname`.
pub(crate) const MACHINE: &str = "aarch64";
/// `TASK_SIZE_64` with 48 bits, `arch/arm64/include/asm/processor.h`: each of the two halves has all of them.
pub(crate) const END_OF_USER_SPACE: usize = 1 << 48;
/// `arch/arm64/include/uapi/asm/fcntl.h`.
pub(crate) const O_DIRECT: u32 = 0o200000;

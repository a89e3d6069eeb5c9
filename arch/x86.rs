//! x86, 32-bit.
//!
//! * instruction: `int 0x80`
//! * number in: eax
//! * arguments in: ebx, ecx, edx, esi, edi, ebp
//! * result in: eax
//! * also destroyed: nothing
//! * kept: all other registers, xmm0–xmm7
//! * flags: kept
//!
//! The compiler reserves esi and ebp, so they cannot be operands. A fourth argument is exchanged with esi. With more
//! arguments, eax has the address of an array with the number and the arguments that have no register, and the stack
//! keeps esi and ebp (there is no red zone). `sysenter` through the vDSO is faster, but needs AT_SYSINFO of the
//! auxiliary vector, which a library does not have.
//!
//! Source: `arch/x86/entry/entry_32.S`, `entry_INT80_32`; System V ABI, i386 supplement.

pub(crate) use super::generic::*;
use core::arch::asm;

macro_rules! call {
    ($ret:ident = $nr:ident, "ebx" $a0:ident, "ecx" $a1:ident, "edx" $a2:ident, "esi" $a3:ident; $($absent:tt)*) => {{
        asm!(
            "xchg esi, edi",
            "int 0x80",
            "xchg esi, edi",
            inlateout("eax") $nr => $ret, in("ebx") $a0, in("ecx") $a1, in("edx") $a2, in("edi") $a3,
            options(nostack, preserves_flags),
        )
    }};
    (
        $ret:ident = $nr:ident,
        "ebx" $a0:ident, "ecx" $a1:ident, "edx" $a2:ident, "esi" $a3:ident, "edi" $a4:ident; $absent:tt
    ) => {{
        let words = [$nr, $a3];
        asm!(
            "push esi",
            "mov esi, [eax + 4]",
            "mov eax, [eax]",
            "int 0x80",
            "pop esi",
            inlateout("eax") words.as_ptr() => $ret, in("ebx") $a0, in("ecx") $a1, in("edx") $a2, in("edi") $a4,
            options(preserves_flags),
        )
    }};
    (
        $ret:ident = $nr:ident,
        "ebx" $a0:ident, "ecx" $a1:ident, "edx" $a2:ident, "esi" $a3:ident, "edi" $a4:ident, "ebp" $a5:ident;
    ) => {{
        let words = [$nr, $a3, $a5];
        asm!(
            "push ebp",
            "push esi",
            "mov esi, [eax + 4]",
            "mov ebp, [eax + 8]",
            "mov eax, [eax]",
            "int 0x80",
            "pop esi",
            "pop ebp",
            inlateout("eax") words.as_ptr() => $ret, in("ebx") $a0, in("ecx") $a1, in("edx") $a2, in("edi") $a4,
            options(preserves_flags),
        )
    }};
    ($ret:ident = $nr:ident $(, $register:tt $arg:ident)*; $($absent:tt)*) => {{
        asm!("int 0x80", inlateout("eax") $nr => $ret, $(in($register) $arg,)* options(nostack, preserves_flags))
    }};
}

functions!(call "ebx" "ecx" "edx" "esi" "edi" "ebp");

/// The machine name of `uname` on most systems.
pub(crate) const MACHINE: &str = "i686";
/// On a kernel of 64 bits, `IA32_PAGE_OFFSET` in `arch/x86/include/asm/page_64_types.h`; one of 32 has less.
pub(crate) const END_OF_USER_SPACE: usize = 0xffff_e000;

//! The assembly that all architectures share: sections, symbols, and functions that are never called.
//!
//! Each function has its own section, so that the linker removes unused ones; all but the two entries are weak, so that
//! another definition takes precedence.

/// The entries. The package `rsyscall-build` passes `__rsyscall_start_v1` or `__rsyscall_start_fixed_v1` to the linker:
/// the version in the name changes when the two packages have to change together.
#[doc(hidden)]
#[macro_export]
macro_rules! __start_assembly {
    ($begin:path, $protect:path) => {
        ::core::arch::global_asm!(
            $crate::__start_arch!(mode),
            ".pushsection .text.__rsyscall_start,\"ax\",%progbits",
            ".globl __rsyscall_start_v1",
            ".weak _start",
            ".type __rsyscall_start_v1,%function",
            ".type _start,%function",
            ".hidden __ehdr_start",
            "__rsyscall_start_v1:",
            "_start:",
            "98:",
            $crate::__start_arch!(entry),
            $crate::__start_arch!(start),
            $crate::__start_arch!(call),
            $crate::__start_arch!(trap),
            ".size __rsyscall_start_v1, . - __rsyscall_start_v1",
            ".popsection",
            begin = sym $begin,
            protect = sym $protect,
        );
        ::core::arch::global_asm!(
            $crate::__start_arch!(mode),
            ".pushsection .text.__rsyscall_start_fixed,\"ax\",%progbits",
            ".globl __rsyscall_start_fixed_v1",
            ".type __rsyscall_start_fixed_v1,%function",
            "__rsyscall_start_fixed_v1:",
            $crate::__start_arch!(entry),
            $crate::__start_arch!(call),
            $crate::__start_arch!(trap),
            ".size __rsyscall_start_fixed_v1, . - __rsyscall_start_fixed_v1",
            ".popsection",
            begin = sym $begin,
        );
        // The precompiled `core` is built for unwinding and refers to these; nothing unwinds.
        ::core::arch::global_asm!(
            $crate::__start_arch!(mode),
            ".pushsection .text.__rsyscall_never,\"ax\",%progbits",
            ".weak rust_eh_personality",
            ".weak _Unwind_Resume",
            ".type rust_eh_personality,%function",
            ".type _Unwind_Resume,%function",
            "rust_eh_personality:",
            "_Unwind_Resume:",
            $crate::__start_arch!(trap),
            ".popsection",
            $crate::__start_arch!(extra),
        );
    };
}

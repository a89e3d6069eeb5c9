//! The first instructions, for each architecture.
//!
//! The kernel enters with the stack pointer at argc and argv, aligned to 16 bytes, and everything else undefined. No frame
//! is above this one: the link register and the frame pointer are zero, so that whoever walks the stack stops here.

use core::arch::global_asm;

#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp", // argc and argv
    "and rsp, -16", // as before a call
    "call {main}",
    "ud2",
    main = sym crate::main,
);

#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, #0",
    "mov x30, #0",
    "mov x0, sp", // argc and argv
    "bl {main}",
    "brk #1",
    main = sym crate::main,
);

#[cfg(target_arch = "riscv64")]
global_asm!(
    ".globl _start",
    "_start:",
    ".option push",
    ".option norelax", // it is what later relaxations count from
    "la gp, __global_pointer$",
    ".option pop",
    "mv fp, zero",
    "mv ra, zero",
    "mv a0, sp", // argc and argv
    "call {main}",
    "unimp",
    main = sym crate::main,
);

//! Creates an eventfd, writes, reads, verifies, closes, exits: all in assembly by hand, written to be small.
#![no_std]
#![no_main]

// The descriptor is in ebx, the memory at rsp, the status in ebp. An error counts as a wrong result.
#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "push 1",
    "pop rbp", // wrong until it is right
    "mov esi, 0x80000",
    "xor edi, edi",
    "mov eax, 290", // eventfd2
    "syscall",
    "test eax, eax",
    "js 3f",
    "mov ebx, eax",
    "push 7",
    "push rsp",
    "pop rsi",
    "push 8",
    "pop rdx",
    "mov edi, ebx",
    "push 1",
    "pop rax", // write
    "syscall",
    "cmp eax, edx",
    "jne 2f",
    "mov edi, ebx",
    "xor eax, eax", // read
    "syscall",
    "cmp eax, edx",
    "jne 2f",
    "cmp qword ptr [rsi], 7",
    "jne 2f",
    "xor ebp, ebp",
    "2:",
    "mov edi, ebx",
    "push 3",
    "pop rax", // close
    "syscall",
    "3:",
    "mov edi, ebp",
    "mov eax, 231", // exit_group
    "syscall",
    "jmp 3b",
);

// The descriptor is in x19, the memory at sp, the status in x20.
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "mov w20, 1", // wrong until it is right
    "mov x1, 0x80000",
    "mov x0, 0",
    "mov x8, 19", // eventfd2
    "svc 0",
    "tbnz w0, 31, 3f",
    "mov w19, w0",
    "mov x3, 7",
    "str x3, [sp, -16]!",
    "mov x1, sp",
    "mov x2, 8",
    "mov x8, 64", // write
    "svc 0",
    "cmp x0, 8",
    "b.ne 2f",
    "mov w0, w19",
    "mov x8, 63", // read
    "svc 0",
    "cmp x0, 8",
    "b.ne 2f",
    "ldr x3, [sp]",
    "cmp x3, 7",
    "cset w20, ne",
    "2:",
    "mov w0, w19",
    "mov x8, 57", // close
    "svc 0",
    "3:",
    "mov w0, w20",
    "mov x8, 94", // exit_group
    "svc 0",
    "b 3b",
);

// The descriptor is in s0, the memory at sp, the status in s1.
#[cfg(target_arch = "riscv64")]
core::arch::global_asm!(
    ".globl _start",
    "_start:",
    "li s1, 1", // wrong until it is right
    "lui a1, 0x80",
    "li a0, 0",
    "li a7, 19", // eventfd2
    "ecall",
    "bltz a0, 3f",
    "mv s0, a0",
    "li a3, 7",
    "addi sp, sp, -16",
    "sd a3, 0(sp)",
    "mv a1, sp",
    "li a2, 8",
    "li a7, 64", // write
    "ecall",
    "bne a0, a2, 2f",
    "mv a0, s0",
    "li a7, 63", // read
    "ecall",
    "bne a0, a2, 2f",
    "ld a3, 0(sp)",
    "addi a3, a3, -7",
    "snez s1, a3",
    "2:",
    "mv a0, s0",
    "li a7, 57", // close
    "ecall",
    "3:",
    "mv a0, s1",
    "li a7, 94", // exit_group
    "ecall",
    "j 3b",
);

#[path = "panic.rs"]
mod panic;

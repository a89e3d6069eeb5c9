//! x86_64: rdi points to the block, rsi to the block for the values afterwards, rdx is the system call number.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/x86_64.rs");
pub(super) const NAMES: Names = Names {
    general: &["rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "flags"],
    vectors: ("xmm", 16, 2),
};
pub(super) const ARGUMENTS: [usize; 6] = [4, 3, 2, 8, 6, 7];
pub(super) const RESULT: Option<usize> = None;
pub(super) const NUMBER: Option<usize> = None;

core::arch::global_asm!(
    r#"
    .globl probe
probe:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    push rsi
    mov rax, rdx
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups xmm\n, [rdi + 512 + 16 * \n]
    .endr
    mov rbx, [rdi]
    mov rcx, [rdi + 8]
    mov rdx, [rdi + 16]
    mov rsi, [rdi + 24]
    mov rbp, [rdi + 40]
    mov r8, [rdi + 48]
    mov r9, [rdi + 56]
    mov r10, [rdi + 64]
    mov r11, [rdi + 72]
    mov r12, [rdi + 80]
    mov r13, [rdi + 88]
    mov r14, [rdi + 96]
    mov r15, [rdi + 104]
    push qword ptr [rdi + 112]
    popfq
    mov rdi, [rdi + 32]
    syscall
    push rdi
    pushfq
    mov rdi, [rsp + 16]
    mov [rdi], rbx
    mov [rdi + 8], rcx
    mov [rdi + 16], rdx
    mov [rdi + 24], rsi
    mov [rdi + 40], rbp
    mov [rdi + 48], r8
    mov [rdi + 56], r9
    mov [rdi + 64], r10
    mov [rdi + 72], r11
    mov [rdi + 80], r12
    mov [rdi + 88], r13
    mov [rdi + 96], r14
    mov [rdi + 104], r15
    pop qword ptr [rdi + 112]
    pop qword ptr [rdi + 32]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups [rdi + 512 + 16 * \n], xmm\n
    .endr
    pop rsi
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret
"#,
    options(raw)
);

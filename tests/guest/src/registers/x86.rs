//! x86: on the stack the block, the block for the values afterwards, the system call number.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/x86.rs");
pub(super) const NAMES: Names =
    Names { general: &["ebx", "ecx", "edx", "esi", "edi", "ebp", "flags"], vectors: ("xmm", 8, 4) };
pub(super) const ARGUMENTS: [usize; 6] = [0, 1, 2, 3, 4, 5];
pub(super) const RESULT: Option<usize> = None;
pub(super) const NUMBER: Option<usize> = None;

core::arch::global_asm!(
    r#"
    .globl probe
probe:
    push ebp
    push ebx
    push esi
    push edi
    mov edi, [esp + 20]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movups xmm\n, [edi + 256 + 16 * \n]
    .endr
    mov eax, [esp + 28]
    mov ebx, [edi]
    mov ecx, [edi + 4]
    mov edx, [edi + 8]
    mov esi, [edi + 12]
    mov ebp, [edi + 20]
    push dword ptr [edi + 24]
    popfd
    mov edi, [edi + 16]
    int 0x80
    push edi
    pushfd
    mov edi, [esp + 32]
    mov [edi], ebx
    mov [edi + 4], ecx
    mov [edi + 8], edx
    mov [edi + 12], esi
    mov [edi + 20], ebp
    pop dword ptr [edi + 24]
    pop dword ptr [edi + 16]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    movups [edi + 256 + 16 * \n], xmm\n
    .endr
    pop edi
    pop esi
    pop ebx
    pop ebp
    ret
"#,
    options(raw)
);

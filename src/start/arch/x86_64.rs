//! x86_64. The System V ABI, chapter 3.4: the kernel enters with the stack pointer at argc; other registers are
//! unspecified.
//!
//! * stack: 16-byte aligned before `call`
//! * first arguments: rdi, rsi; callee-saved: rbx, rbp, r12–r15
//! * relocations: RELA, `R_X86_64_RELATIVE` is 8

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    (entry) => {
        r#"
    xor ebp, ebp                        // the outermost frame
    mov rdi, rsp
    and rsp, -16
"#
    };
    (start) => {
        r#"
    xor edx, edx                        // the load bias
    lea rsi, [rip + __ehdr_start]
    cmp word ptr [rsi + 16], 3          // e_type: ET_DYN
    jne 9f
    lea rdx, [rip + 98b]
    sub rdx, [rsi + 24]                 // this address minus e_entry
    movzx ecx, word ptr [rsi + 56]      // e_phnum
    add rsi, [rsi + 32]                 // e_phoff
    xor r8d, r8d
2:  mov eax, [rsi]                      // p_type
    cmp eax, 3                          // PT_INTERP: the dynamic linker has relocated it
    je 9f
    cmp eax, 2                          // PT_DYNAMIC
    cmove r8, [rsi + 16]                // p_vaddr
    add rsi, 56
    dec ecx
    jnz 2b
    test r8, r8
    jz 9f
    add r8, rdx
    xor r9d, r9d                        // DT_RELA
    xor r10d, r10d                      // DT_RELASZ
    xor r11d, r11d                      // DT_RELR; ecx is zero: DT_RELRSZ
3:  mov rax, [r8]
    cmp rax, 7
    cmove r9, [r8 + 8]
    cmp rax, 8
    cmove r10, [r8 + 8]
    cmp rax, 36
    cmove r11, [r8 + 8]
    cmp rax, 35
    cmove rcx, [r8 + 8]
    add r8, 16
    test rax, rax
    jnz 3b
    add r9, rdx
    add r10, r9
4:  cmp r9, r10
    jae 6f
    cmp dword ptr [r9 + 8], 8           // R_X86_64_RELATIVE
    jne 5f
    mov rax, [r9]
    mov rsi, [r9 + 16]
    add rsi, rdx
    mov [rax + rdx], rsi
5:  add r9, 24
    jmp 4b
6:  add r11, rdx
    add rcx, r11
7:  cmp r11, rcx
    jae 9f
    mov rax, [r11]
    add r11, 8
    test al, 1
    jnz 8f
    lea r8, [rax + rdx]                 // an even entry: an address
    add [r8], rdx
    add r8, 8
    jmp 7b
8:  mov rsi, r8                         // an odd one: a bitmap of the next 63 words
22: shr rax
    jz 24f
    test al, 1
    jz 23f
    add [rsi], rdx
23: add rsi, 8
    jmp 22b
24: add r8, 504
    jmp 7b
9:  mov rbx, rdi
    mov rsi, rdx
    call {protect}
    mov rdi, rbx
"#
    };
    (exit) => {
        "mov rsi, rdx"
    };
    (call) => {
        "call {begin}"
    };
    (interpreter) => {
        "/lib64/ld-linux-x86-64.so.2"
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

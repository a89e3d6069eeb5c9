//! i686. The System V i386 ABI: the kernel enters with the stack pointer at argc.
//!
//! * stack: 16-byte aligned before `call`, with the arguments on it
//! * callee-saved: ebx, esi, edi, ebp
//! * no addressing relative to the instruction: `call` and `pop` get the address
//! * relocations: REL (the addend is in the word), `R_386_RELATIVE` is 8

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    (entry) => {
        r#"
    xor ebp, ebp                        // the outermost frame
    mov eax, esp
    and esp, -16
    sub esp, 8
    push edx                            // the exit function of a test's dynamic linker
    push eax
"#
    };
    (start) => {
        r#"
    xor ebx, ebx                        // the load bias
    call 3f
2:  .long __ehdr_start - 2b
    .long 98b - 2b
3:  pop eax                             // the address of the two distances
    mov edx, [eax]
    add edx, eax                        // the ELF header
    add eax, [eax + 4]                  // this program's first instruction
    cmp word ptr [edx + 16], 3          // e_type: ET_DYN
    jne 9f
    mov ebx, eax
    sub ebx, [edx + 24]                 // that address minus e_entry
    movzx ecx, word ptr [edx + 44]      // e_phnum
    add edx, [edx + 28]                 // e_phoff
    xor edi, edi
2:  mov eax, [edx]                      // p_type
    cmp eax, 3                          // PT_INTERP: the dynamic linker has relocated it
    je 9f
    cmp eax, 2                          // PT_DYNAMIC
    jne 21f
    mov edi, [edx + 8]                  // p_vaddr
21: add edx, 32
    dec ecx
    jnz 2b
    test edi, edi
    jz 9f
    add edi, ebx
    mov dword ptr [esp + 4], 0          // DT_RELR
    mov dword ptr [esp + 8], 0          // DT_RELRSZ
    xor edx, edx                        // DT_REL
    xor ecx, ecx                        // DT_RELSZ
3:  mov eax, [edi]
    mov esi, [edi + 4]
    add edi, 8
    cmp eax, 17
    jne 31f
    mov edx, esi
31: cmp eax, 18
    jne 32f
    mov ecx, esi
32: cmp eax, 36
    jne 33f
    mov [esp + 4], esi
33: cmp eax, 35
    jne 34f
    mov [esp + 8], esi
34: test eax, eax
    jnz 3b
    add edx, ebx
    add ecx, edx
4:  cmp edx, ecx
    jae 6f
    cmp byte ptr [edx + 4], 8           // R_386_RELATIVE
    jne 5f
    mov eax, [edx]
    add [eax + ebx], ebx
5:  add edx, 8
    jmp 4b
6:  mov edx, [esp + 4]
    mov ecx, [esp + 8]
    add edx, ebx
    add ecx, edx
7:  cmp edx, ecx
    jae 9f
    mov eax, [edx]
    add edx, 4
    test al, 1
    jnz 8f
    lea edi, [eax + ebx]                // an even entry: an address
    add [edi], ebx
    add edi, 4
    jmp 7b
8:  mov esi, edi                        // an odd one: a bitmap of the next 31 words
22: shr eax
    jz 24f
    test al, 1
    jz 23f
    add [esi], ebx
23: add esi, 4
    jmp 22b
24: add edi, 124
    jmp 7b
9:  mov esi, [esp]
    mov [esp + 4], ebx
    call {protect}
    mov [esp], esi
"#
    };
    (call) => {
        "call {begin}"
    };
    (interpreter) => {
        "/lib/ld-linux.so.2"
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

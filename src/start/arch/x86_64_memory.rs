//! The memory functions of x86_64: SSE2, which every x86_64 has, and the string instructions for what is long.
//!
//! What is short is loaded whole before anything is stored, so it may overlap. What is longer goes upwards or
//! downwards, 64 bytes a turn with aligned stores; the two ends are loaded before the loop and stored after it.

#[doc(hidden)]
#[macro_export]
macro_rules! __start_memory {
    () => {
        ::core::arch::global_asm!(
            r#"
    .pushsection .text.memcpy,"ax",%progbits
    .weak memcpy
    .weak memmove
    .type memcpy,%function
    .type memmove,%function
    .balign 16
memcpy:
memmove:
    mov rax, rdi
    cmp rdx, 16
    jb 9f
    movups xmm0, [rsi]
    movups xmm1, [rsi + rdx - 16]
    cmp rdx, 32
    ja 2f
    movups [rdi], xmm0
    movups [rdi + rdx - 16], xmm1
    ret
2:  movups xmm2, [rsi + 16]
    movups xmm3, [rsi + rdx - 32]
    cmp rdx, 64
    ja 3f
    movups [rdi], xmm0
    movups [rdi + 16], xmm2
    movups [rdi + rdx - 32], xmm3
    movups [rdi + rdx - 16], xmm1
    ret
3:  mov rcx, rdi
    sub rcx, rsi
    cmp rcx, rdx
    jb 6f                               // the destination begins within the source
    movups xmm4, [rsi + rdx - 48]
    movups xmm5, [rsi + rdx - 64]
    lea r8, [rdi + rdx - 64]
    cmp rdx, 2048
    jae 8f
4:  sub rsi, rdi                        // upwards
    add rdi, 16
    and rdi, -16
    cmp rdi, r8
    jae 5f
    .balign 16
42: movups xmm8, [rsi + rdi]
    movups xmm9, [rsi + rdi + 16]
    movups xmm10, [rsi + rdi + 32]
    movups xmm11, [rsi + rdi + 48]
    movaps [rdi], xmm8
    movaps [rdi + 16], xmm9
    movaps [rdi + 32], xmm10
    movaps [rdi + 48], xmm11
    add rdi, 64
    cmp rdi, r8
    jb 42b
5:  movups [r8], xmm5
    movups [r8 + 16], xmm4
    movups [r8 + 32], xmm3
    movups [r8 + 48], xmm1
    movups [rax], xmm0
    ret
6:  movups xmm6, [rsi + 32]             // downwards
    movups xmm7, [rsi + 48]
    lea r8, [rdi + 64]
    lea r9, [rdi + rdx - 16]
    sub rsi, rdi
    add rdi, rdx
    and rdi, -16
    cmp rdi, r8
    jbe 7f
    .balign 16
62: movups xmm8, [rsi + rdi - 16]
    movups xmm9, [rsi + rdi - 32]
    movups xmm10, [rsi + rdi - 48]
    movups xmm11, [rsi + rdi - 64]
    movaps [rdi - 16], xmm8
    movaps [rdi - 32], xmm9
    movaps [rdi - 48], xmm10
    movaps [rdi - 64], xmm11
    sub rdi, 64
    cmp rdi, r8
    ja 62b
7:  movups [rax], xmm0
    movups [rax + 16], xmm2
    movups [rax + 32], xmm6
    movups [rax + 48], xmm7
    movups [r9], xmm1
    ret
8:  cmp rcx, -64                        // too close behind the source for the string instruction
    ja 4b
    mov rcx, rdx
    rep movsb
    ret
9:  cmp edx, 8
    jb 92f
    mov rcx, [rsi]
    mov r8, [rsi + rdx - 8]
    mov [rdi], rcx
    mov [rdi + rdx - 8], r8
    ret
92: cmp edx, 4
    jb 93f
    mov ecx, [rsi]
    mov r8d, [rsi + rdx - 4]
    mov [rdi], ecx
    mov [rdi + rdx - 4], r8d
    ret
93: test edx, edx
    jz 94f
    movzx ecx, byte ptr [rsi]
    movzx r8d, byte ptr [rsi + rdx - 1]
    mov r9d, edx
    shr r9d
    movzx r10d, byte ptr [rsi + r9]
    mov [rdi], cl
    mov [rdi + r9], r10b
    mov [rdi + rdx - 1], r8b
94: ret
    .size memcpy, . - memcpy
    .size memmove, . - memmove
    .popsection

    .pushsection .text.memset,"ax",%progbits
    .weak memset
    .type memset,%function
    .balign 16
memset:
    mov rax, rdi
    movd xmm0, esi
    punpcklbw xmm0, xmm0
    pshuflw xmm0, xmm0, 0
    punpcklqdq xmm0, xmm0
    cmp rdx, 16
    jb 5f
    movups [rdi], xmm0
    movups [rdi + rdx - 16], xmm0
    cmp rdx, 32
    jbe 3f
    movups [rdi + 16], xmm0
    movups [rdi + rdx - 32], xmm0
    cmp rdx, 64
    jbe 3f
    movups [rdi + 32], xmm0
    movups [rdi + 48], xmm0
    movups [rdi + rdx - 64], xmm0
    movups [rdi + rdx - 48], xmm0
    cmp rdx, 128
    jbe 3f
    cmp rdx, 2048
    jae 4f
    lea rcx, [rdi + rdx - 64]
    add rdi, 64
    and rdi, -16
    .balign 16
2:  movaps [rdi], xmm0
    movaps [rdi + 16], xmm0
    movaps [rdi + 32], xmm0
    movaps [rdi + 48], xmm0
    add rdi, 64
    cmp rdi, rcx
    jb 2b
3:  ret
4:  mov r8, rax
    mov eax, esi
    mov rcx, rdx
    rep stosb
    mov rax, r8
    ret
5:  movq rcx, xmm0
    cmp edx, 8
    jb 6f
    mov [rdi], rcx
    mov [rdi + rdx - 8], rcx
    ret
6:  cmp edx, 4
    jb 7f
    mov [rdi], ecx
    mov [rdi + rdx - 4], ecx
    ret
7:  test edx, edx
    jz 3b
    mov [rdi], cl
    mov [rdi + rdx - 1], cl
    shr edx
    mov [rdi + rdx], cl
    ret
    .size memset, . - memset
    .popsection

    .pushsection .text.memcmp,"ax",%progbits
    .weak memcmp
    .weak bcmp
    .type memcmp,%function
    .type bcmp,%function
    .balign 16
memcmp:
bcmp:
    xor ecx, ecx                        // how many are known to be equal
    sub rdx, 16
    jb 6f
    cmp rdx, 48
    ja 4f
2:  movups xmm0, [rdi + rcx]            // 16 at a time, the last 16 perhaps again
    movups xmm1, [rsi + rcx]
    pcmpeqb xmm0, xmm1
    pmovmskb eax, xmm0
    xor eax, 65535
    jnz 9f
    cmp rcx, rdx
    je 8f
    add rcx, 16
    cmp rcx, rdx
    jbe 2b
    mov rcx, rdx
    jmp 2b
4:  lea r8, [rdx - 48]                  // 64 at a time, the last 64 perhaps again
    .balign 16
42: movups xmm0, [rdi + rcx]
    movups xmm1, [rdi + rcx + 16]
    movups xmm2, [rdi + rcx + 32]
    movups xmm3, [rdi + rcx + 48]
    movups xmm4, [rsi + rcx]
    movups xmm5, [rsi + rcx + 16]
    movups xmm6, [rsi + rcx + 32]
    movups xmm7, [rsi + rcx + 48]
    pcmpeqb xmm0, xmm4
    pcmpeqb xmm1, xmm5
    pcmpeqb xmm2, xmm6
    pcmpeqb xmm3, xmm7
    pand xmm0, xmm1
    pand xmm2, xmm3
    pand xmm0, xmm2
    pmovmskb eax, xmm0
    cmp eax, 65535
    jne 2b                              // somewhere in these 64: again, 16 at a time
    cmp rcx, r8
    je 8f
    add rcx, 64
    cmp rcx, r8
    jbe 42b
    mov rcx, r8
    jmp 42b
6:  add rdx, 8
    js 7f
    mov rax, [rdi]
    mov r8, [rsi]
    cmp rax, r8
    jne 62f
    mov rax, [rdi + rdx]
    mov r8, [rsi + rdx]
    cmp rax, r8
    je 8f
62: bswap rax
    bswap r8
    cmp rax, r8
    sbb eax, eax
    or eax, 1
    ret
7:  add rdx, 8
72: cmp rcx, rdx
    je 8f
    movzx eax, byte ptr [rdi + rcx]
    movzx r8d, byte ptr [rsi + rcx]
    inc rcx
    sub eax, r8d
    jz 72b
    ret
8:  xor eax, eax
    ret
9:  bsf eax, eax
    add rcx, rax
    movzx eax, byte ptr [rdi + rcx]
    movzx r8d, byte ptr [rsi + rcx]
    sub eax, r8d
    ret
    .size memcmp, . - memcmp
    .size bcmp, . - bcmp
    .popsection

    .pushsection .text.strlen,"ax",%progbits
    .weak strlen
    .type strlen,%function
strlen:
    mov rax, rdi
2:  cmp byte ptr [rax], 0
    lea rax, [rax + 1]
    jne 2b
    sub rax, rdi
    dec rax
    ret
    .size strlen, . - strlen
    .popsection
"#
        );
    };
}

//! arm, the EABI, in ARM state: the kernel enters with the stack pointer at argc.
//!
//! * stack: 8-byte aligned
//! * first arguments: r0, r1; callee-saved: r4–r11
//! * relocations: REL (the addend is in the word), `R_ARM_RELATIVE` is 23
//! * the assembly has no comments: they begin with `@` on this architecture, and `//` is not accepted everywhere

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    // All of it is in ARM state, in which the kernel enters, even if the compiler generates Thumb code.
    (mode) => {
        ".arm"
    };
    (entry) => {
        r#"
    mov r11, #0
    mov lr, #0
    mov r0, sp
    bic sp, sp, #7
"#
    };
    // r5: the bias. r6: the ELF header, then a program header, then the dynamic section. r7–r10: DT_REL,
    // DT_RELSZ, DT_RELR, DT_RELRSZ. The offsets and values are those of the ELF header (e_type 16, e_entry 24, e_phoff
    // 28, e_phnum 44), of a program header (p_type 0, p_vaddr 8; 2 is PT_DYNAMIC, 3 PT_INTERP) and of the dynamic
    // section.
    (start) => {
        r#"
    mov r5, #0
    ldr r6, 96f
97: add r6, pc, r6
    ldrh r4, [r6, #16]
    cmp r4, #3
    bne 9f
    ldr r4, 95f
94: add r4, pc, r4
    ldr r1, [r6, #24]
    sub r5, r4, r1
    ldrh r3, [r6, #44]
    ldr r4, [r6, #28]
    add r6, r6, r4
    mov r2, #0
2:  ldr r4, [r6]
    cmp r4, #3
    beq 9f
    cmp r4, #2
    ldreq r2, [r6, #8]
    add r6, r6, #32
    subs r3, r3, #1
    bne 2b
    cmp r2, #0
    beq 9f
    add r6, r2, r5
    mov r7, #0
    mov r8, #0
    mov r9, #0
    mov r10, #0
3:  ldr r4, [r6]
    ldr r1, [r6, #4]
    add r6, r6, #8
    cmp r4, #17
    moveq r7, r1
    cmp r4, #18
    moveq r8, r1
    cmp r4, #36
    moveq r9, r1
    cmp r4, #35
    moveq r10, r1
    cmp r4, #0
    bne 3b
    add r7, r7, r5
    add r8, r8, r7
4:  cmp r7, r8
    bhs 6f
    ldrb r4, [r7, #4]
    ldr r1, [r7]
    add r7, r7, #8
    cmp r4, #23
    bne 4b
    ldr r2, [r1, r5]
    add r2, r2, r5
    str r2, [r1, r5]
    b 4b
6:  add r9, r9, r5
    add r10, r10, r9
7:  cmp r9, r10
    bhs 9f
    ldr r4, [r9]
    add r9, r9, #4
    tst r4, #1
    bne 8f
    add r6, r4, r5
    ldr r1, [r6]
    add r1, r1, r5
    str r1, [r6]
    add r6, r6, #4
    b 7b
8:  mov r2, r6
22: lsrs r4, r4, #1
    beq 24f
    tst r4, #1
    beq 23f
    ldr r1, [r2]
    add r1, r1, r5
    str r1, [r2]
23: add r2, r2, #4
    b 22b
24: add r6, r6, #124
    b 7b
    .balign 4
96: .word __ehdr_start - (97b + 8)
95: .word 98b - (94b + 8)
9:  mov r4, r0
    mov r1, r5
    bl {protect}
    mov r0, r4
"#
    };
    (exit) => {
        "mov r1, r0"
    };
    (call) => {
        "bl {begin}"
    };
    (interpreter) => {
        "/lib/ld-linux-armhf.so.3"
    };
    (trap) => {
        "udf #0"
    };
    // The EABI's names of the memory functions; its memset has the last two arguments swapped.
    (extra) => {
        r#"
    .pushsection .text.__aeabi_memcpy,"ax",%progbits
    .weak __aeabi_memcpy
    .weak __aeabi_memcpy4
    .weak __aeabi_memcpy8
    .weak __aeabi_memmove
    .weak __aeabi_memmove4
    .weak __aeabi_memmove8
__aeabi_memcpy:
__aeabi_memcpy4:
__aeabi_memcpy8:
__aeabi_memmove:
__aeabi_memmove4:
__aeabi_memmove8:
    b memmove
    .popsection
    .pushsection .text.__aeabi_memset,"ax",%progbits
    .weak __aeabi_memset
    .weak __aeabi_memset4
    .weak __aeabi_memset8
__aeabi_memset:
__aeabi_memset4:
__aeabi_memset8:
    mov r3, r1
    mov r1, r2
    mov r2, r3
    b memset
    .popsection
    .pushsection .text.__aeabi_memclr,"ax",%progbits
    .weak __aeabi_memclr
    .weak __aeabi_memclr4
    .weak __aeabi_memclr8
__aeabi_memclr:
__aeabi_memclr4:
__aeabi_memclr8:
    mov r2, r1
    mov r1, #0
    b memset
    .popsection
    .pushsection .text.rsyscall_never_unwound,"ax",%progbits
    .weak __aeabi_unwind_cpp_pr0
    .weak __aeabi_unwind_cpp_pr1
    .weak __aeabi_unwind_cpp_pr2
__aeabi_unwind_cpp_pr0:
__aeabi_unwind_cpp_pr1:
__aeabi_unwind_cpp_pr2:
    udf #0
    .popsection
"#
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

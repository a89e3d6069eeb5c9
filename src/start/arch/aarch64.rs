//! aarch64. AAPCS64: the kernel enters with the stack pointer at argc, aligned to 16 bytes.
//!
//! * first arguments: x0, x1; callee-saved: x19–x28, x29
//! * relocations: RELA, `R_AARCH64_RELATIVE` is 1027

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    (entry) => {
        r#"
    mov x29, xzr                        // the outermost frame
    mov x30, xzr
    mov x0, sp
"#
    };
    (start) => {
        r#"
    mov x2, xzr                         // the load bias
    adrp x1, __ehdr_start
    add x1, x1, :lo12:__ehdr_start
    ldrh w3, [x1, #16]                  // e_type: ET_DYN
    cmp w3, #3
    b.ne 9f
    adr x2, 98b
    ldr x3, [x1, #24]
    sub x2, x2, x3                      // this address minus e_entry
    ldrh w3, [x1, #56]                  // e_phnum
    ldr x4, [x1, #32]                   // e_phoff
    add x4, x4, x1
    mov x5, xzr
2:  ldr w6, [x4]                        // p_type
    cmp w6, #3                          // PT_INTERP: the dynamic linker has relocated it
    b.eq 9f
    ldr x7, [x4, #16]                   // p_vaddr
    cmp w6, #2                          // PT_DYNAMIC
    csel x5, x7, x5, eq
    add x4, x4, #56
    subs w3, w3, #1
    b.ne 2b
    cbz x5, 9f
    add x5, x5, x2
    mov x6, xzr                         // DT_RELA
    mov x7, xzr                         // DT_RELASZ
    mov x8, xzr                         // DT_RELR
    mov x9, xzr                         // DT_RELRSZ
3:  ldp x3, x4, [x5], #16
    cmp x3, #7
    csel x6, x4, x6, eq
    cmp x3, #8
    csel x7, x4, x7, eq
    cmp x3, #36
    csel x8, x4, x8, eq
    cmp x3, #35
    csel x9, x4, x9, eq
    cbnz x3, 3b
    add x6, x6, x2
    add x7, x7, x6
4:  cmp x6, x7
    b.hs 6f
    ldp x3, x4, [x6]
    ldr x5, [x6, #16]
    add x6, x6, #24
    cmp w4, #1027                       // R_AARCH64_RELATIVE
    b.ne 4b
    add x5, x5, x2
    str x5, [x3, x2]
    b 4b
6:  add x8, x8, x2
    add x9, x9, x8
7:  cmp x8, x9
    b.hs 9f
    ldr x3, [x8], #8
    tbnz x3, #0, 8f
    add x4, x3, x2                      // an even entry: an address
    ldr x5, [x4]
    add x5, x5, x2
    str x5, [x4], #8
    b 7b
8:  mov x6, x4                          // an odd one: a bitmap of the next 63 words
22: lsr x3, x3, #1
    cbz x3, 24f
    tbz x3, #0, 23f
    ldr x5, [x6]
    add x5, x5, x2
    str x5, [x6]
23: add x6, x6, #8
    b 22b
24: add x4, x4, #504
    b 7b
9:  mov x19, x0
    mov x1, x2
    bl {protect}
    mov x0, x19
"#
    };
    (exit) => {
        "mov x1, x0"
    };
    (call) => {
        "bl {begin}"
    };
    (interpreter) => {
        "/lib/ld-linux-aarch64.so.1"
    };
    (trap) => {
        "brk 1"
    };
    // Called by a constructor of `compiler_builtins`, which is never run: atomics then use the baseline instructions.
    (extra) => {
        r#"
    .pushsection .text.getauxval,"ax",%progbits
    .weak getauxval
    .type getauxval,%function
getauxval:
    mov x0, xzr
    ret
    .popsection
"#
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

//! powerpc64, little-endian. The ELFv2 ABI: the kernel enters with the stack pointer at argc and the entry's address in
//! r12.
//!
//! * stack: 16-byte aligned, with a frame for the callee: the back chain, which is zero in the outermost frame, and the
//!   save slot of the link register
//! * first arguments: r3, r4; callee-saved: r14–r31; r2 is the TOC pointer, 32 KiB after the start of the TOC
//! * relocations: RELA, `R_PPC64_RELATIVE` is 22
//! * a branch gets the address of the instruction (`bcl 20, 31`), so the entry does not depend on r12

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    (entry) => {
        r#"
    bcl 20, 31, 2f
2:  mflr 12
    addis 2, 12, .TOC. - 2b@ha
    addi 2, 2, .TOC. - 2b@l
    mr 3, 1
    li 0, 0
    clrrdi 1, 1, 4
    stdu 0, -128(1)
    mtlr 0
"#
    };
    // r31: the bias. r6: a program header, then the dynamic section. r7–r10: DT_RELA, DT_RELASZ, DT_RELR,
    // DT_RELRSZ. The offsets and values are those of the ELF header (e_type 16, e_entry 24, e_phoff 32, e_phnum 56), of
    // a program header (p_type 0, p_vaddr 16; 2 is PT_DYNAMIC, 3 PT_INTERP) and of the dynamic section.
    (start) => {
        r#"
    li 31, 0
    addis 6, 12, __ehdr_start - 2b@ha
    addi 6, 6, __ehdr_start - 2b@l
    lhz 30, 16(6)
    cmpldi 30, 3
    bne 9f
    addi 31, 12, 98b - 2b
    ld 30, 24(6)
    subf 31, 30, 31
    lhz 30, 56(6)
    ld 4, 32(6)
    add 6, 6, 4
    li 5, 0
2:  lwz 4, 0(6)
    cmpldi 4, 3
    beq 9f
    cmpldi 4, 2
    bne 21f
    ld 5, 16(6)
21: addi 6, 6, 56
    addi 30, 30, -1
    cmpldi 30, 0
    bne 2b
    cmpldi 5, 0
    beq 9f
    add 6, 5, 31
    li 7, 0
    li 8, 0
    li 9, 0
    li 10, 0
3:  ld 30, 0(6)
    ld 4, 8(6)
    addi 6, 6, 16
    cmpldi 30, 7
    bne 31f
    mr 7, 4
31: cmpldi 30, 8
    bne 32f
    mr 8, 4
32: cmpldi 30, 36
    bne 33f
    mr 9, 4
33: cmpldi 30, 35
    bne 34f
    mr 10, 4
34: cmpldi 30, 0
    bne 3b
    add 7, 7, 31
    add 8, 8, 7
4:  cmpld 7, 8
    bge 6f
    ld 30, 0(7)
    lwz 4, 8(7)
    ld 5, 16(7)
    addi 7, 7, 24
    cmpldi 4, 22
    bne 4b
    add 5, 5, 31
    stdx 5, 30, 31
    b 4b
6:  add 9, 9, 31
    add 10, 10, 9
7:  cmpld 9, 10
    bge 9f
    ld 30, 0(9)
    addi 9, 9, 8
    andi. 4, 30, 1
    bne 8f
    add 6, 30, 31
    ld 5, 0(6)
    add 5, 5, 31
    std 5, 0(6)
    addi 6, 6, 8
    b 7b
8:  mr 7, 6
22: srdi 30, 30, 1
    cmpldi 30, 0
    beq 24f
    andi. 4, 30, 1
    beq 23f
    ld 5, 0(7)
    add 5, 5, 31
    std 5, 0(7)
23: addi 7, 7, 8
    b 22b
24: addi 6, 6, 504
    b 7b
9:  mr 30, 3
    mr 4, 31
    bl {protect}
    nop
    mr 3, 30
"#
    };
    (exit) => {
        "mr 4, 7"
    };
    (call) => {
        r#"
    bl {begin}
    nop
"#
    };
    (interpreter) => {
        "/lib64/ld64.so.2"
    };
    (trap) => {
        "trap"
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

//! s390x, big-endian. The ELF ABI: the kernel enters with the stack pointer at argc.
//!
//! * stack: 8-byte aligned, and 160 bytes at the stack pointer belong to the callee: the back chain, which is zero in
//!   the outermost frame, and the register save area
//! * first arguments: r2, r3; callee-saved: r6–r13, r15
//! * relocations: RELA, `R_390_RELATIVE` is 12

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    (entry) => {
        r#"
    lgr %r2, %r15
    lghi %r0, -8
    ngr %r15, %r0
    aghi %r15, -160
    xc 0(8,%r15), 0(%r15)
"#
    };
    // r7: the bias. r8: a program header, then the dynamic section. r9–r12: DT_RELA, DT_RELASZ, DT_RELR,
    // DT_RELRSZ. The offsets and values are those of the ELF header (e_type 16, e_entry 24, e_phoff 32, e_phnum 56), of
    // a program header (p_type 0, p_vaddr 16; 2 is PT_DYNAMIC, 3 PT_INTERP) and of the dynamic section. The type of a
    // relocation is in the lower half of r_info, which is the second one in memory.
    (start) => {
        r#"
    lghi %r7, 0
    larl %r8, __ehdr_start
    llgh %r1, 16(%r8)
    cghi %r1, 3
    jne 9f
    larl %r7, 98b
    sg %r7, 24(%r8)
    llgh %r1, 56(%r8)
    ag %r8, 32(%r8)
    lghi %r6, 0
2:  lgf %r0, 0(%r8)
    cghi %r0, 3
    je 9f
    cghi %r0, 2
    jne 21f
    lg %r6, 16(%r8)
21: aghi %r8, 56
    brctg %r1, 2b
    cghi %r6, 0
    je 9f
    la %r8, 0(%r6,%r7)
    lghi %r9, 0
    lghi %r10, 0
    lghi %r11, 0
    lghi %r12, 0
3:  lg %r0, 0(%r8)
    lg %r1, 8(%r8)
    aghi %r8, 16
    cghi %r0, 7
    jne 31f
    lgr %r9, %r1
31: cghi %r0, 8
    jne 32f
    lgr %r10, %r1
32: cghi %r0, 36
    jne 33f
    lgr %r11, %r1
33: cghi %r0, 35
    jne 34f
    lgr %r12, %r1
34: cghi %r0, 0
    jne 3b
    agr %r9, %r7
    agr %r10, %r9
4:  clgr %r9, %r10
    jhe 6f
    lg %r1, 0(%r9)
    lgf %r6, 12(%r9)
    lg %r3, 16(%r9)
    aghi %r9, 24
    cghi %r6, 12
    jne 4b
    agr %r3, %r7
    stg %r3, 0(%r1,%r7)
    j 4b
6:  agr %r11, %r7
    agr %r12, %r11
7:  clgr %r11, %r12
    jhe 9f
    lg %r1, 0(%r11)
    aghi %r11, 8
    tmll %r1, 1
    jne 8f
    la %r8, 0(%r1,%r7)
    lg %r3, 0(%r8)
    agr %r3, %r7
    stg %r3, 0(%r8)
    aghi %r8, 8
    j 7b
8:  lgr %r6, %r8
22: srlg %r1, %r1, 1
    cghi %r1, 0
    je 24f
    tmll %r1, 1
    je 23f
    lg %r3, 0(%r6)
    agr %r3, %r7
    stg %r3, 0(%r6)
23: aghi %r6, 8
    j 22b
24: aghi %r8, 504
    j 7b
9:  lgr %r6, %r2
    lgr %r3, %r7
    brasl %r14, {protect}
    lgr %r2, %r6
"#
    };
    (exit) => {
        "lgr %r3, %r14"
    };
    (call) => {
        "brasl %r14, {begin}"
    };
    (interpreter) => {
        "/lib/ld64.so.1"
    };
    (jump) => {
        "jg"
    };
    // A jump into its own middle: an operation exception.
    (trap) => {
        "j .+2"
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

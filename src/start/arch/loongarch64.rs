//! loongarch64. The psABI: the kernel enters with the stack pointer at argc.
//!
//! * stack: 16-byte aligned
//! * first arguments: a0, a1; callee-saved: fp, s0–s8
//! * relocations: RELA, `R_LARCH_RELATIVE` is 3

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    (entry) => {
        r#"
    move $fp, $zero
    move $ra, $zero
    move $a0, $sp
    bstrins.d $sp, $zero, 3, 0
"#
    };
    // s1: the bias. t0: a program header, then the dynamic section. t4–t7: DT_RELA, DT_RELASZ, DT_RELR,
    // DT_RELRSZ.
    (start) => {
        r#"
    move $s1, $zero
    la.pcrel $t0, __ehdr_start
    ld.hu $t1, $t0, 16                  // e_type: ET_DYN
    ori $t2, $zero, 3
    bne $t1, $t2, 9f
    la.pcrel $s1, 98b
    ld.d $t1, $t0, 24
    sub.d $s1, $s1, $t1                 // this address minus e_entry
    ld.hu $t1, $t0, 56                  // e_phnum
    ld.d $t3, $t0, 32                   // e_phoff
    add.d $t0, $t0, $t3
    move $t3, $zero
    ori $t4, $zero, 2
2:  ld.w $t5, $t0, 0                    // p_type
    beq $t5, $t2, 9f                    // PT_INTERP: the dynamic linker has relocated it
    bne $t5, $t4, 21f                   // PT_DYNAMIC
    ld.d $t3, $t0, 16                   // p_vaddr
21: addi.d $t0, $t0, 56
    addi.d $t1, $t1, -1
    bnez $t1, 2b
    beqz $t3, 9f
    add.d $t0, $t3, $s1
    move $t4, $zero
    move $t5, $zero
    move $t6, $zero
    move $t7, $zero
3:  ld.d $t1, $t0, 0
    ld.d $t2, $t0, 8
    addi.d $t0, $t0, 16
    addi.d $t3, $t1, -7
    bnez $t3, 31f
    move $t4, $t2
31: addi.d $t3, $t1, -8
    bnez $t3, 32f
    move $t5, $t2
32: addi.d $t3, $t1, -36
    bnez $t3, 33f
    move $t6, $t2
33: addi.d $t3, $t1, -35
    bnez $t3, 34f
    move $t7, $t2
34: bnez $t1, 3b
    add.d $t4, $t4, $s1
    add.d $t5, $t5, $t4
    ori $t0, $zero, 3                   // R_LARCH_RELATIVE
4:  bgeu $t4, $t5, 6f
    ld.d $t1, $t4, 0
    ld.w $t2, $t4, 8
    ld.d $t3, $t4, 16
    addi.d $t4, $t4, 24
    bne $t2, $t0, 4b
    add.d $t3, $t3, $s1
    stx.d $t3, $t1, $s1
    b 4b
6:  add.d $t6, $t6, $s1
    add.d $t7, $t7, $t6
7:  bgeu $t6, $t7, 9f
    ld.d $t1, $t6, 0
    addi.d $t6, $t6, 8
    andi $t2, $t1, 1
    bnez $t2, 8f
    add.d $t0, $t1, $s1                 // an even entry: an address
    ld.d $t3, $t0, 0
    add.d $t3, $t3, $s1
    st.d $t3, $t0, 0
    addi.d $t0, $t0, 8
    b 7b
8:  move $t4, $t0                       // an odd one: a bitmap of the next 63 words
22: srli.d $t1, $t1, 1
    beqz $t1, 24f
    andi $t2, $t1, 1
    beqz $t2, 23f
    ld.d $t3, $t4, 0
    add.d $t3, $t3, $s1
    st.d $t3, $t4, 0
23: addi.d $t4, $t4, 8
    b 22b
24: addi.d $t0, $t0, 504
    b 7b
9:  move $s0, $a0
    move $a1, $s1
    bl {protect}
    move $a0, $s0
"#
    };
    (exit) => {
        "move $a1, $a0"
    };
    (call) => {
        "bl {begin}"
    };
    (interpreter) => {
        "/lib64/ld-linux-loongarch-lp64d.so.1"
    };
    (trap) => {
        "break 0"
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

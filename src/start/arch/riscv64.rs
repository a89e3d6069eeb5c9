//! riscv64. The psABI: the kernel enters with the stack pointer at argc; the program has to set gp.
//!
//! * stack: 16-byte aligned
//! * first arguments: a0, a1; callee-saved: s0–s11
//! * relocations: RELA, `R_RISCV_RELATIVE` is 3

#[doc(hidden)]
#[macro_export]
macro_rules! __start_arch {
    (entry) => {
        r#"
    .weak __global_pointer$
    .hidden __global_pointer$
    .option push
    .option norelax                     // gp itself is not set relative to gp
    lla gp, __global_pointer$
    .option pop
    mv s0, zero                         // the outermost frame
    mv ra, zero
    mv a0, sp
    andi sp, sp, -16
"#
    };
    (start) => {
        r#"
    mv a2, zero                         // the load bias
    lla a1, __ehdr_start
    lhu a3, 16(a1)                      // e_type: ET_DYN
    li a4, 3
    bne a3, a4, 9f
    lla a2, 98b
    ld a3, 24(a1)
    sub a2, a2, a3                      // this address minus e_entry
    lhu a3, 56(a1)                      // e_phnum
    ld a5, 32(a1)                       // e_phoff
    add a1, a1, a5
    li a5, 0
    li a7, 2
2:  lw a6, 0(a1)                        // p_type
    beq a6, a4, 9f                      // PT_INTERP: the dynamic linker has relocated it
    bne a6, a7, 21f                     // PT_DYNAMIC
    ld a5, 16(a1)                       // p_vaddr
21: addi a1, a1, 56
    addi a3, a3, -1
    bnez a3, 2b
    beqz a5, 9f
    add a5, a5, a2
    li t0, 0                            // DT_RELA
    li t1, 0                            // DT_RELASZ
    li t2, 0                            // DT_RELR
    li t3, 0                            // DT_RELRSZ
3:  ld a3, 0(a5)
    ld a4, 8(a5)
    addi a5, a5, 16
    addi a6, a3, -7
    bnez a6, 31f
    mv t0, a4
31: addi a6, a3, -8
    bnez a6, 32f
    mv t1, a4
32: addi a6, a3, -36
    bnez a6, 33f
    mv t2, a4
33: addi a6, a3, -35
    bnez a6, 34f
    mv t3, a4
34: bnez a3, 3b
    add t0, t0, a2
    add t1, t1, t0
    li a7, 3                            // R_RISCV_RELATIVE
4:  bgeu t0, t1, 6f
    ld a3, 0(t0)
    lw a4, 8(t0)
    ld a5, 16(t0)
    addi t0, t0, 24
    bne a4, a7, 4b
    add a3, a3, a2
    add a5, a5, a2
    sd a5, 0(a3)
    j 4b
6:  add t2, t2, a2
    add t3, t3, t2
7:  bgeu t2, t3, 9f
    ld a3, 0(t2)
    addi t2, t2, 8
    andi a4, a3, 1
    bnez a4, 8f
    add a6, a3, a2                      // an even entry: an address
    ld a5, 0(a6)
    add a5, a5, a2
    sd a5, 0(a6)
    addi a6, a6, 8
    j 7b
8:  mv a7, a6                           // an odd one: a bitmap of the next 63 words
22: srli a3, a3, 1
    beqz a3, 24f
    andi a4, a3, 1
    beqz a4, 23f
    ld a5, 0(a7)
    add a5, a5, a2
    sd a5, 0(a7)
23: addi a7, a7, 8
    j 22b
24: addi a6, a6, 504
    j 7b
9:  mv s1, a0
    mv a1, a2
    call {protect}
    mv a0, s1
"#
    };
    (exit) => {
        "mv a1, a0"
    };
    (call) => {
        "call {begin}"
    };
    (interpreter) => {
        "/lib/ld-linux-riscv64-lp64d.so.1"
    };
    (jump) => {
        "tail"
    };
    (trap) => {
        "unimp"
    };
    ($common:ident) => {
        $crate::__start_common!($common)
    };
}

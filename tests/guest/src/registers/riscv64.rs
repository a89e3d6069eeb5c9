//! riscv64: a0 points to the block, a1 to the block for the values afterwards, a2 is the system call number. gp and tp
//! stay unchanged.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/riscv64.rs");
pub(super) const NAMES: Names = Names {
    general: &[
        "", "ra", "", "", "", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3",
        "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    ],
    vectors: ("f", 32, 1),
};
pub(super) const ARGUMENTS: [usize; 6] = [10, 11, 12, 13, 14, 15];
pub(super) const RESULT: Option<usize> = Some(10);
pub(super) const NUMBER: Option<usize> = Some(17);

core::arch::global_asm!(
    r#"
    .globl probe
probe:
    addi sp, sp, -256
    sd ra, 0(sp)
    sd a1, 8(sp)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd s\n, 32 + 8 * \n(sp)
    fsd fs\n, 128 + 8 * \n(sp)
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fld f\n, 512 + 8 * \n(a0)
    .endr
    .irp n, 1, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld x\n, 8 * \n(a0)
    .endr
    ld a0, 80(a0)
    ecall
    sd a0, 16(sp)
    ld a0, 8(sp)
    .irp n, 1, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    sd x\n, 8 * \n(a0)
    .endr
    ld a1, 16(sp)
    sd a1, 80(a0)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    fsd f\n, 512 + 8 * \n(a0)
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld s\n, 32 + 8 * \n(sp)
    fld fs\n, 128 + 8 * \n(sp)
    .endr
    ld ra, 0(sp)
    addi sp, sp, 256
    ret
"#,
    options(raw)
);

//! powerpc64: r3 points to the block, r4 to the block for the values afterwards, r5 is the system call number. r2 and
//! r13 stay unchanged.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/powerpc64.rs");
pub(super) const NAMES: Names = Names {
    general: &[
        "r0", "", "", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "", "r14", "r15", "r16", "r17",
        "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31", "ctr", "xer",
        "lr", "cr0", "cr1-7",
    ],
    vectors: ("vs", 64, 2),
};
pub(super) const ARGUMENTS: [usize; 6] = [3, 4, 5, 6, 7, 8];
pub(super) const RESULT: Option<usize> = Some(3);
pub(super) const NUMBER: Option<usize> = Some(0);

core::arch::global_asm!(
    r#"
    .globl probe
    .type probe, @function
probe:
    mflr 0
    std 0, 16(1)
    mfcr 0
    std 0, 8(1)
    stdu 1, -2048(1)
    std 4, 112(1)
    .irp n, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    std \n, 128 + 8 * (\n - 14)(1)
    stfd \n, 512 + 8 * (\n - 14)(1)
    .endr
    .irp n, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    li 7, 1024 + 16 * (\n - 20)
    stvx \n, 1, 7
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63
    li 7, 512 + 16 * \n
    lxvd2x \n, 3, 7
    .endr
    ld 7, 256(3)
    mtctr 7
    ld 7, 264(3)
    mtxer 7
    ld 7, 272(3)
    mtlr 7
    ld 7, 288(3)
    mtcr 7
    .irp n, 0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld \n, 8 * \n(3)
    .endr
    ld 3, 24(3)
    sc
    std 4, 120(1)
    ld 4, 112(1)
    .irp n, 0, 3, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    std \n, 8 * \n(4)
    .endr
    ld 5, 120(1)
    std 5, 32(4)
    mfctr 5
    std 5, 256(4)
    mfxer 5
    std 5, 264(4)
    mflr 5
    std 5, 272(4)
    mfcr 5
    srwi 6, 5, 28
    std 6, 280(4)
    clrlwi 5, 5, 4
    std 5, 288(4)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63
    li 7, 512 + 16 * \n
    stxvd2x \n, 4, 7
    .endr
    .irp n, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld \n, 128 + 8 * (\n - 14)(1)
    lfd \n, 512 + 8 * (\n - 14)(1)
    .endr
    .irp n, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    li 7, 1024 + 16 * (\n - 20)
    lvx \n, 1, 7
    .endr
    addi 1, 1, 2048
    ld 0, 8(1)
    mtcr 0
    ld 0, 16(1)
    mtlr 0
    blr
"#,
    options(raw)
);

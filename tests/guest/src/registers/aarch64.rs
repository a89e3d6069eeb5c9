//! aarch64: x0 points to the block, x1 to the block for the values afterwards, x2 is the system call number.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/aarch64.rs");
pub(super) const NAMES: Names = Names {
    general: &[
        "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "flags",
    ],
    vectors: ("v", 32, 2),
};
pub(super) const ARGUMENTS: [usize; 6] = [0, 1, 2, 3, 4, 5];
pub(super) const RESULT: Option<usize> = Some(0);
pub(super) const NUMBER: Option<usize> = Some(8);

core::arch::global_asm!(
    r#"
    .globl probe
probe:
    stp x29, x30, [sp, #-192]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    str x1, [sp, #160]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ldr q\n, [x0, #(512 + 16 * \n)]
    .endr
    ldr x1, [x0, #248]
    msr nzcv, x1
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    ldr x\n, [x0, #(8 * \n)]
    .endr
    ldr x0, [x0]
    svc 0
    str x0, [sp, #168]
    ldr x0, [sp, #160]
    .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    str x\n, [x0, #(8 * \n)]
    .endr
    ldr x1, [sp, #168]
    str x1, [x0]
    mrs x1, nzcv
    str x1, [x0, #248]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    str q\n, [x0, #(512 + 16 * \n)]
    .endr
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    ldp x29, x30, [sp], #192
    ret
"#,
    options(raw)
);

//! s390x: r2 points to the block, r3 to the block for the values afterwards, r4 is the system call number.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/s390x.rs");
pub(super) const NAMES: Names = Names {
    general: &["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14"],
    vectors: ("v", 32, 2),
};
pub(super) const ARGUMENTS: [usize; 6] = [2, 3, 4, 5, 6, 7];
pub(super) const RESULT: Option<usize> = Some(2);
pub(super) const NUMBER: Option<usize> = Some(1);

core::arch::global_asm!(
    r#"
    .machine z13
    .globl probe
probe:
    stmg %r6, %r15, 48(%r15)
    aghi %r15, -512
    stg %r3, 160(%r15)
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    std %f\n, 176 + 8 * \n(%r15)
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vl %v\n, 512 + 16 * \n(%r2)
    .endr
    lmg %r3, %r14, 24(%r2)
    lmg %r0, %r2, 0(%r2)
    svc 0
    stmg %r0, %r14, 320(%r15)
    lg %r1, 160(%r15)
    mvc 0(120, %r1), 320(%r15)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vst %v\n, 512 + 16 * \n(%r1)
    .endr
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    ld %f\n, 176 + 8 * \n(%r15)
    .endr
    aghi %r15, 512
    lmg %r6, %r15, 48(%r15)
    br %r14
"#,
    options(raw)
);

//! loongarch64: a0 points to the block, a1 to the block for the values afterwards, a2 is the system call number. tp and
//! r21 stay unchanged.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/loongarch64.rs");
pub(super) const NAMES: Names = Names {
    general: &[
        "", "$ra", "", "", "$a0", "$a1", "$a2", "$a3", "$a4", "$a5", "$a6", "$a7", "$t0", "$t1", "$t2", "$t3", "$t4",
        "$t5", "$t6", "$t7", "$t8", "", "$fp", "$s0", "$s1", "$s2", "$s3", "$s4", "$s5", "$s6", "$s7", "$s8",
    ],
    vectors: ("$vr", 32, 2),
};
pub(super) const ARGUMENTS: [usize; 6] = [4, 5, 6, 7, 8, 9];
pub(super) const RESULT: Option<usize> = Some(4);
pub(super) const NUMBER: Option<usize> = Some(11);

core::arch::global_asm!(
    r#"
    .globl probe
probe:
    addi.d $sp, $sp, -256
    st.d $ra, $sp, 0
    st.d $a1, $sp, 8
    st.d $fp, $sp, 24
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8
    st.d $s\n, $sp, 32 + 8 * \n
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    fst.d $fs\n, $sp, 128 + 8 * \n
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vld $vr\n, $a0, 512 + 16 * \n
    .endr
    .irp n, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld.d $r\n, $a0, 8 * \n
    .endr
    ld.d $a0, $a0, 32
    syscall 0
    st.d $a0, $sp, 16
    ld.d $a0, $sp, 8
    .irp n, 1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    st.d $r\n, $a0, 8 * \n
    .endr
    ld.d $a1, $sp, 16
    st.d $a1, $a0, 32
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vst $vr\n, $a0, 512 + 16 * \n
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8
    ld.d $s\n, $sp, 32 + 8 * \n
    .endr
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    fld.d $fs\n, $sp, 128 + 8 * \n
    .endr
    ld.d $fp, $sp, 24
    ld.d $ra, $sp, 0
    addi.d $sp, $sp, 256
    ret
"#,
    options(raw)
);

//! arm: r0 points to the block, r1 to the block for the values afterwards, r2 is the system call number.

use super::Names;

pub(super) const CONTRACT: &str = include_str!("../../../../arch/arm.rs");
pub(super) const NAMES: Names = Names {
    general: &["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "flags"],
    vectors: ("d", 32, 2),
};
pub(super) const ARGUMENTS: [usize; 6] = [0, 1, 2, 3, 4, 5];
pub(super) const RESULT: Option<usize> = Some(0);
pub(super) const NUMBER: Option<usize> = Some(7);

core::arch::global_asm!(
    r#"
    .arch armv7-a
    .fpu neon
    .arm
    .globl probe
    .type probe, %function
probe:
    push {r4-r11, lr}
    vpush {d8-d15}
    sub sp, sp, #20
    str r1, [sp]
    ldr r2, [r0, #56]
    msr cpsr_f, r2
    add r2, r0, #256
    vldm r2!, {d0-d15}
    vldm r2!, {d16-d31}
    ldr lr, [r0, #52]
    ldm r0, {r0-r12}
    svc 0
    str r0, [sp, #4]
    str lr, [sp, #8]
    ldr lr, [sp]
    add lr, lr, #4
    stm lr, {r1-r12}
    sub r2, lr, #4
    ldr r0, [sp, #4]
    str r0, [r2]
    ldr r0, [sp, #8]
    str r0, [r2, #52]
    mrs r0, cpsr
    and r0, r0, #0xf0000000
    str r0, [r2, #56]
    add r2, r2, #256
    vstm r2!, {d0-d15}
    vstm r2!, {d16-d31}
    add sp, sp, #20
    vpop {d8-d15}
    pop {r4-r11, pc}
"#,
    options(raw)
);

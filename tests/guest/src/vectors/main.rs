//! What is kept in vector registers while a call destroys them: the functions whose machine code is read in
//! `tests/tests/codegen.rs` are run here, on a kernel. An instruction that does not say what it destroys must lose the
//! values in every round, and the crate's calls in none. qemu-user would keep them all.
//!
//! It is compiled for vectors that are wider than what the kernel keeps (`ci/test kernels`). It prints how many rounds
//! each has lost, then `RESULT: passed` or `RESULT: failed`; as PID 1 it powers the machine off.
#![cfg_attr(not(test), no_std, no_main)]

#[path = "../os.rs"]
#[allow(dead_code)]
mod os;
#[path = "../../../codegen/src/vectors.rs"]
mod vectors;

use core::hint::black_box;
use os::{child, getpid, kill, power_off};
use rsyscall::sys::stdio::Stdio;
use rsyscall::{EventFd, EventfdFlags};
use vectors::Wide;

rsyscall::start!(main, panic message);

const ROUNDS: u64 = 1000;

/// No descriptor has this number.
const NONE: usize = usize::MAX;

/// In how many rounds the values that were to be kept across a call are others after it.
fn lost(call: impl Fn(*const Wide, *mut Wide)) -> u64 {
    let is_lost = |round: u64| {
        let from: Wide = black_box(core::array::from_fn(|word| (round << 8 | word as u64) * 0x9e37_79b9_7f4a_7c15));
        let mut to = Wide::default();
        call(&from, &mut to);
        black_box(to) != from.map(|word| word.wrapping_add(1))
    };
    (1..=ROUNDS).filter(|round| is_lost(*round)).count() as u64
}

fn lost_undeclared() -> u64 {
    // SAFETY: two blocks of `lost`; there is no such descriptor. What the compiler is not told is what is looked for.
    lost(|from, to| unsafe { vectors::vector_across_undeclared(from, to, NONE) })
}

fn main(stdio: Stdio) -> i32 {
    let first = getpid() == 1;
    let _no_console = writeln!(stdio.output(), "vectors of {} bits", bits());
    // One for each processor of the machine, with other values in the same registers.
    let busy = [(); 2].map(|()| {
        child(|| {
            loop {
                black_box(lost_undeclared());
            }
        })
    });
    let passed = EventFd::new(0, EventfdFlags::empty()).is_ok_and(|eventfd| none_is_lost(stdio, &eventfd));
    busy.into_iter().for_each(kill);
    let _no_console = writeln!(stdio.output(), "RESULT: {}", if passed { "passed" } else { "failed" });
    if first {
        power_off();
    }
    i32::from(!passed)
}

fn none_is_lost(stdio: Stdio, eventfd: &EventFd) -> bool {
    let mut right = true;
    let mut compare = |what: &str, lost: u64, expected: u64| {
        right &= lost == expected;
        let judgement = if lost == expected { "" } else { " (WRONG)" };
        let _no_console = writeln!(stdio.output(), "{what}: {lost} of {ROUNDS} lost{judgement}");
    };
    compare("an instruction that does not say what it destroys", lost_undeclared(), ROUNDS);
    // SAFETY: two blocks of `lost`, as below.
    let write = lost(|from, to| unsafe { vectors::vector_across_write(from, to, eventfd) });
    compare("a write through the crate", write, 0);
    #[cfg(target_arch = "aarch64")]
    // SAFETY: without SVE the width could not have been asked for.
    let write = lost(|from, to| unsafe { vectors::vector_across_write_from_sve(from, to, eventfd) });
    #[cfg(target_arch = "aarch64")]
    compare("the same from a caller with SVE", write, 0);
    // SAFETY: as above.
    let switched = lost(|from, to| unsafe { vectors::vector_across_yield(from, to) });
    compare("a call through the crate while another program runs", switched, 0);
    right
}

/// How wide a vector register is.
fn bits() -> usize {
    let bytes: usize;
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a processor without SVE ends the program here, before it could be wrong.
    unsafe {
        core::arch::asm!(".arch_extension sve", "rdvl {}, #1", out(reg) bytes, options(nomem, nostack, preserves_flags))
    };
    #[cfg(target_arch = "riscv64")]
    // SAFETY: as above, of V.
    unsafe {
        core::arch::asm!(
            ".option push", ".option arch, +v", "csrr {}, vlenb", ".option pop",
            out(reg) bytes, options(nomem, nostack, preserves_flags),
        )
    };
    #[cfg(not(any(target_arch = "aarch64", target_arch = "riscv64")))]
    {
        bytes = 0;
    }
    8 * bytes
}

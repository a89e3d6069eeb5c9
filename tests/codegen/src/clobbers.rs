//! Values that the optimiser keeps in general registers, with a system call between definition and use, and how the
//! registers of a call are restored.

use crate::vectors::undeclared;

/// A loop that a compiler may count in a counter register.
#[unsafe(no_mangle)]
pub fn counted(fd: usize, count: u32) {
    for _ in 0..count {
        // SAFETY: compiled and read, never run.
        let _refused = unsafe { rsyscall::arch::syscall1(rsyscall::nr::CLOSE, fd) };
    }
}

/// The same, with incomplete clobbers.
#[unsafe(no_mangle)]
pub fn counted_undeclared(fd: usize, count: u32) {
    for _ in 0..count {
        // SAFETY: compiled and read, never run.
        let _refused = unsafe { undeclared(fd) };
    }
}

/// More values live across a call than there are callee-saved registers.
#[unsafe(no_mangle)]
pub fn many_across(from: &mut [usize; 24], fd: usize) {
    // SAFETY: compiled and read, never run.
    many(from, || unsafe { rsyscall::arch::syscall1(rsyscall::nr::CLOSE, fd) });
}

/// The same, with incomplete clobbers.
#[unsafe(no_mangle)]
pub fn many_across_undeclared(from: &mut [usize; 24], fd: usize) {
    // SAFETY: compiled and read, never run.
    many(from, || unsafe { undeclared(fd) });
}

#[inline(always)]
fn many(from: &mut [usize; 24], call: impl FnOnce() -> usize) {
    let from: *mut [usize; 24] = from;
    // SAFETY: a reference a line above; read before the call, which might change it.
    let values = unsafe { from.read_volatile() };
    call();
    let sum = values.iter().rev().fold(0_usize, |sum, value| sum.wrapping_mul(31).wrapping_add(*value));
    // SAFETY: as above.
    unsafe { (*from)[0] = sum };
}

/// Calls with every number of arguments, to check the code around them.
#[unsafe(no_mangle)]
pub fn every_arity(w: &[usize; 6]) -> usize {
    use rsyscall::arch::{syscall0, syscall1, syscall2, syscall3, syscall4, syscall5, syscall6};
    let [a, b, c, d, e, f] = *w;
    // SAFETY: compiled and read, never run.
    unsafe {
        syscall0(1)
            ^ syscall1(2, a)
            ^ syscall2(3, a, b)
            ^ syscall3(4, a, b, c)
            ^ syscall4(5, a, b, c, d)
            ^ syscall5(6, a, b, c, d, e)
            ^ syscall6(7, a, b, c, d, e, f)
    }
}

/// One call with nothing but its result declared.
#[unsafe(no_mangle)]
pub fn close_undeclared(fd: usize) -> usize {
    // SAFETY: compiled and read, never run.
    unsafe { undeclared(fd) }
}

/// Five arguments as `arch/x86.rs` has them, without the `pop`.
#[cfg(target_arch = "x86")]
#[unsafe(no_mangle)]
pub fn unbalanced(w: &[usize; 5]) -> usize {
    let [a, b, c, d, e] = *w;
    let words = [6, d];
    let ret;
    // SAFETY: compiled and read, never run.
    unsafe {
        core::arch::asm!("push esi", "mov esi, [eax + 4]", "mov eax, [eax]", "int 0x80",
            inlateout("eax") words.as_ptr() => ret, in("ebx") a, in("ecx") b, in("edx") c, in("edi") e,
            options(preserves_flags));
    }
    ret
}

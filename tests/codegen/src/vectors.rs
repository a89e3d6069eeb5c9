//! Values that the optimiser keeps in vector registers, with a system call between definition and use.

use rsyscall::EventFd;

/// Wide enough for a vector register of 256 bits.
type Wide = [u64; 4];

/// Raw pointers, because the call might change what they point to: the load must stay before it.
#[inline(always)]
unsafe fn across<R>(from: *const Wide, to: *mut Wide, call: impl FnOnce() -> R) {
    // SAFETY: compiled and read, never run.
    let sum = unsafe { *from }.map(|word| word.wrapping_add(1));
    call();
    // SAFETY: as above.
    unsafe { *to = sum };
}

/// The sum is computed before the call and stored after it.
#[unsafe(no_mangle)]
pub unsafe fn vector_across_write(from: *const Wide, to: *mut Wide, eventfd: &EventFd) {
    // SAFETY: compiled and read, never run.
    unsafe { across(from, to, || eventfd.write(1)) };
}

/// The same in a caller that has SVE although the crate was not compiled for it.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "sve")]
#[unsafe(no_mangle)]
pub unsafe fn vector_across_write_from_sve(from: *const Wide, to: *mut Wide, eventfd: &EventFd) {
    // SAFETY: compiled and read, never run.
    unsafe { across(from, to, || eventfd.write(1)) };
}

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

/// The fault itself: an inlined instruction without the clobbers of the kernel. The reader must find it here; otherwise
/// it would not find it anywhere.
#[unsafe(no_mangle)]
pub unsafe fn vector_across_undeclared(from: *const Wide, to: *mut Wide, fd: usize) {
    // SAFETY: compiled and read, never run.
    unsafe { across(from, to, || undeclared(fd)) };
}

/// `close`, with nothing but its result declared.
#[inline(always)]
unsafe fn undeclared(fd: usize) -> usize {
    let ret;
    // SAFETY: compiled and read, never run.
    unsafe {
        #[cfg(target_arch = "aarch64")]
        core::arch::asm!("svc 0", in("x8") 57, inlateout("x0") fd => ret, options(nostack, preserves_flags));
        #[cfg(target_arch = "riscv64")]
        core::arch::asm!("ecall", in("a7") 57, inlateout("a0") fd => ret, options(nostack));
        #[cfg(target_arch = "loongarch64")]
        core::arch::asm!("syscall 0", in("$a7") 57, inlateout("$a0") fd => ret, options(nostack, preserves_flags));
        #[cfg(target_arch = "s390x")]
        core::arch::asm!("svc 0", in("r1") 6, inlateout("r2") fd => ret, options(nostack, preserves_flags));
        #[cfg(target_arch = "powerpc64")]
        core::arch::asm!("sc", "bns+ 2f", "neg 3, 3", "2:", in("r0") 6, inlateout("r3") fd => ret, lateout("cr0") _,
            options(nostack));
        #[cfg(target_arch = "arm")]
        core::arch::asm!("mov r7, 6", "svc 0", inlateout("r0") fd => ret, options(nostack, preserves_flags));
        #[cfg(target_arch = "x86")]
        core::arch::asm!("int 0x80", inlateout("eax") 6_usize => ret, in("ebx") fd, options(nostack, preserves_flags));
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("syscall", inlateout("rax") 3_usize => ret, in("rdi") fd, lateout("rcx") _, lateout("r11") _,
            options(nostack, preserves_flags));
    }
    ret
}

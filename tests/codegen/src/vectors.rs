//! Values that the optimiser keeps in vector registers, with a system call in their midst.

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

/// The sum is made before the call and stored after it.
#[unsafe(no_mangle)]
pub unsafe fn vector_across_write(from: *const Wide, to: *mut Wide, eventfd: &EventFd) {
    // SAFETY: compiled and read, never run.
    unsafe { across(from, to, || eventfd.write(1)) };
}

/// The same from a caller that has SVE although the crate was not compiled for it.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "sve")]
#[unsafe(no_mangle)]
pub unsafe fn vector_across_write_from_sve(from: *const Wide, to: *mut Wide, eventfd: &EventFd) {
    // SAFETY: compiled and read, never run.
    unsafe { across(from, to, || eventfd.write(1)) };
}

/// The fault itself: an inlined instruction that does not say what the kernel destroys. The reader must find it here, or it
/// would not find it anywhere.
#[unsafe(no_mangle)]
pub unsafe fn vector_across_unsaid(from: *const Wide, to: *mut Wide, fd: usize) {
    // SAFETY: compiled and read, never run.
    unsafe { across(from, to, || unsaid(fd)) };
}

/// `close`, saying no more than what the result is.
#[inline(always)]
unsafe fn unsaid(fd: usize) -> usize {
    let ret;
    // SAFETY: compiled and read, never run.
    unsafe {
        #[cfg(target_arch = "aarch64")]
        core::arch::asm!("svc 0", in("x8") 57, inlateout("x0") fd => ret, options(nostack, preserves_flags));
        #[cfg(target_arch = "riscv64")]
        core::arch::asm!("ecall", in("a7") 57, inlateout("a0") fd => ret, options(nostack));
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("syscall", inlateout("rax") 3_usize => ret, in("rdi") fd, lateout("rcx") _, lateout("r11") _,
            options(nostack, preserves_flags));
    }
    ret
}

//! Values that the optimiser keeps in vector registers, with a system call between definition and use.
//!
//! `tests/tests/codegen.rs` reads what becomes of them, and `tests/guest/src/vectors` runs it on a kernel: so whoever
//! includes this file finds no name in it but rsyscall's.

use rsyscall::{EventFd, arch, nr};

/// Wide enough for a vector register of 512 bits.
pub type Wide = [u64; 8];

/// Raw pointers, because the call might change what they point to: the load must stay before it.
///
/// # Safety
///
/// The one can be read and the other written, as with all the functions here.
#[inline(always)]
unsafe fn across<R>(from: *const Wide, to: *mut Wide, call: impl FnOnce() -> R) {
    // SAFETY: the caller's.
    let sum = unsafe { *from }.map(|word| word.wrapping_add(1));
    call();
    // SAFETY: the caller's.
    unsafe { *to = sum };
}

/// The sum is computed before the call and stored after it.
#[inline(never)]
#[unsafe(no_mangle)]
pub unsafe fn vector_across_write(from: *const Wide, to: *mut Wide, eventfd: &EventFd) {
    // SAFETY: the caller's.
    unsafe { across(from, to, || eventfd.write(1)) };
}

/// The same in a caller that has SVE although the crate was not compiled for it.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "sve")]
#[inline(never)]
#[unsafe(no_mangle)]
pub unsafe fn vector_across_write_from_sve(from: *const Wide, to: *mut Wide, eventfd: &EventFd) {
    // SAFETY: the caller's.
    unsafe { across(from, to, || eventfd.write(1)) };
}

/// A call without an argument, during which another program runs.
#[cfg_attr(target_arch = "aarch64", target_feature(enable = "sve"))]
#[inline(never)]
#[unsafe(no_mangle)]
pub unsafe fn vector_across_yield(from: *const Wide, to: *mut Wide) {
    // SAFETY: the caller's; the call has no argument.
    unsafe { across(from, to, || arch::syscall0(nr::SCHED_YIELD)) };
}

/// The fault itself: an inlined instruction without the clobbers of the kernel. The reader must find it here; otherwise
/// it would not find it anywhere.
#[cfg_attr(target_arch = "aarch64", target_feature(enable = "sve"))]
#[inline(never)]
#[unsafe(no_mangle)]
pub unsafe fn vector_across_undeclared(from: *const Wide, to: *mut Wide, fd: usize) {
    // SAFETY: the caller's.
    unsafe { across(from, to, || undeclared(fd)) };
}

/// `close`, with nothing but its result declared.
///
/// # Safety
///
/// The descriptor is nobody's. Only for looking at: the compiler is told less than what happens.
#[inline(always)]
pub unsafe fn undeclared(fd: usize) -> usize {
    let ret;
    // SAFETY: the caller's.
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

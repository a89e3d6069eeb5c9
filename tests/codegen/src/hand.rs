//! The limit: the same two calls in `asm!` by hand, with the same checks and no layer above them.

use core::arch::asm;
use core::mem::MaybeUninit;

const EIGHT: usize = 8;

#[cfg(target_arch = "x86_64")]
mod call {
    use super::*;

    pub const WRITE: usize = 1;
    pub const READ: usize = 0;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("syscall", inlateout("rax") nr => ret, in("rdi") fd, in("rsi") memory, in("rdx") EIGHT,
                lateout("rcx") _, lateout("r11") _, options(nostack, preserves_flags))
        };
        ret
    }
}

#[cfg(target_arch = "aarch64")]
mod call {
    use super::*;

    pub const WRITE: usize = 64;
    pub const READ: usize = 63;

    core::arch::global_asm!("hand_svc:", "mov x8, x3", "svc 0", "ret");

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        unsafe extern "C" {
            fn hand_svc(fd: isize, memory: *mut u64, len: usize, nr: usize) -> usize;
        }
        // SAFETY: the caller's.
        unsafe { hand_svc(fd, memory, EIGHT, nr) }
    }
}

#[cfg(target_arch = "riscv64")]
mod call {
    use super::*;

    pub const WRITE: usize = 64;
    pub const READ: usize = 63;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("ecall", in("a7") nr, inlateout("a0") fd => ret, in("a1") memory, in("a2") EIGHT, options(nostack))
        };
        ret
    }
}

#[cfg(target_arch = "loongarch64")]
mod call {
    use super::*;

    pub const WRITE: usize = 64;
    pub const READ: usize = 63;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("syscall 0", in("$a7") nr, inlateout("$a0") fd => ret, in("$a1") memory, in("$a2") EIGHT,
                lateout("$t0") _, lateout("$t1") _, lateout("$t2") _, lateout("$t3") _, lateout("$t4") _,
                lateout("$t5") _, lateout("$t6") _, lateout("$t7") _, lateout("$t8") _,
                options(nostack, preserves_flags))
        };
        ret
    }
}

#[cfg(target_arch = "s390x")]
mod call {
    use super::*;

    pub const WRITE: usize = 4;
    pub const READ: usize = 3;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("svc 0", in("r1") nr, inlateout("r2") fd => ret, in("r3") memory, in("r4") EIGHT,
                options(nostack, preserves_flags))
        };
        ret
    }
}

#[cfg(target_arch = "powerpc64")]
mod call {
    use super::*;

    pub const WRITE: usize = 4;
    pub const READ: usize = 3;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("sc", "bns+ 2f", "neg 3, 3", "2:", inlateout("r0") nr => _, inlateout("r3") fd => ret,
                inlateout("r4") memory => _, inlateout("r5") EIGHT => _, lateout("r6") _, lateout("r7") _,
                lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _, lateout("r12") _,
                lateout("cr0") _, lateout("ctr") _, lateout("xer") _, options(nostack))
        };
        ret
    }
}

#[cfg(target_arch = "arm")]
mod call {
    use super::*;

    pub const WRITE: usize = 4;
    pub const READ: usize = 3;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("mov {kept}, r7", "mov r7, {nr}", "svc 0", "mov r7, {kept}", nr = in(reg) nr, kept = out(reg) _,
                inlateout("r0") fd => ret, in("r1") memory, in("r2") EIGHT, options(nostack, preserves_flags))
        };
        ret
    }
}

#[cfg(target_arch = "x86")]
mod call {
    use super::*;

    pub const WRITE: usize = 4;
    pub const READ: usize = 3;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: isize, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("int 0x80", inlateout("eax") nr => ret, in("ebx") fd, in("ecx") memory, in("edx") EIGHT,
                options(nostack, preserves_flags))
        };
        ret
    }
}

#[cold]
#[inline(never)]
fn failure(ret: usize) -> i32 {
    const EIO: i32 = 5;
    if ret > -4096_isize as usize { (ret as i32).wrapping_neg() } else { EIO }
}

/// One checked write and read, inlined into the caller as the typed calls are.
#[inline(always)]
pub fn write_read(fd: i32, mut value: u64) -> Result<u64, i32> {
    // SAFETY: a descriptor of the caller's, eight bytes on the stack.
    let ret = unsafe { call::three(call::WRITE, fd as isize, &raw mut value) };
    if ret != EIGHT {
        return Err(failure(ret));
    }
    let mut count = MaybeUninit::uninit();
    // SAFETY: as above.
    let ret = unsafe { call::three(call::READ, fd as isize, count.as_mut_ptr()) };
    if ret != EIGHT {
        const EAGAIN: i32 = 11;
        let same: usize;
        // SAFETY: no instruction; only so that the compiler does not compare with `EAGAIN` first.
        unsafe { asm!("/* {0} */", inlateout(reg) ret => same, options(pure, nomem, nostack, preserves_flags)) };
        return Err(if same == -EAGAIN as usize { EAGAIN } else { failure(same) });
    }
    // SAFETY: eight bytes were read.
    Ok(unsafe { count.assume_init() })
}

/// As `typed_write_read`.
#[unsafe(no_mangle)]
pub fn hand_write_read(fd: &i32, value: u64, error: &mut i32) -> u64 {
    write_read(*fd, value).unwrap_or_else(|errno| {
        *error = errno;
        0
    })
}

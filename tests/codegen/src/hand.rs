//! The limit: the same two calls in `asm!` by hand, with the same tests and no layer above them.

use core::arch::asm;
use core::mem::MaybeUninit;

const EIGHT: usize = 8;

#[cfg(target_arch = "x86_64")]
mod call {
    use super::*;

    pub const WRITE: usize = 1;
    pub const READ: usize = 0;

    #[inline(always)]
    pub unsafe fn three(nr: usize, fd: i64, memory: *mut u64) -> usize {
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
    pub unsafe fn three(nr: usize, fd: i64, memory: *mut u64) -> usize {
        unsafe extern "C" {
            fn hand_svc(fd: i64, memory: *mut u64, len: usize, nr: usize) -> usize;
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
    pub unsafe fn three(nr: usize, fd: i64, memory: *mut u64) -> usize {
        let ret;
        // SAFETY: the caller's.
        unsafe {
            asm!("ecall", in("a7") nr, inlateout("a0") fd => ret, in("a1") memory, in("a2") EIGHT, options(nostack))
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
    let ret = unsafe { call::three(call::WRITE, i64::from(fd), &raw mut value) };
    if ret != EIGHT {
        return Err(failure(ret));
    }
    let mut count = MaybeUninit::uninit();
    // SAFETY: as above.
    let ret = unsafe { call::three(call::READ, i64::from(fd), count.as_mut_ptr()) };
    if ret != EIGHT {
        return Err(failure(ret));
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

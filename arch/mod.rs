//! Raw system calls: the only assembly of system calls in the crate.
//!
//! Each architecture has one file: the kernel's contract there as a list, a macro `call!` that says exactly that to the
//! compiler and nothing more, the registers of the arguments, and what else differs there.
//!
//! # What all of them promise to the compiler
//!
//! * The number and the arguments are words (`usize`), settled to full registers before they come here. The upper bits
//!   of a narrower operand would be undefined, and a seccomp filter compares all 64.
//! * `nostack`: the kernel never touches the caller's stack or red zone. (A signal handler runs below the red zone.)
//!   Only on x86 five and six arguments need the stack.
//! * No `nomem`, `readonly` or `pure`: a call may read and write any memory whose address it was ever given, and it
//!   synchronises with other threads: an eventfd write is a release, a read an acquire. `readonly` would promise
//!   neither.
//! * `syscallN` loads N arguments; registers of absent arguments are left alone.
//!
//! # Pointers
//!
//! A pointer travels as its exposed address (`pointer::expose_provenance`): the kernel may then use the memory as the
//! asm block of any call after that, exactly as foreign code would.
//!
//! # Errors
//!
//! The functions return the kernel's word untouched. As an unsigned number it is an error if it is greater than −4096,
//! that is, −4095..=−1; [`Errno::from_ret`](crate::Errno::from_ret) decodes it.
//!
//! # Source
//!
//! [syscall(2)](https://man7.org/linux/man-pages/man2/syscall.2.html), "Architecture calling conventions".

#[macro_use]
#[allow(dead_code, unused_macros, reason = "all of it is defined anew somewhere")]
mod generic;
mod refused;

/// One of the seven functions: its arguments, each behind its register, then the registers that have none.
macro_rules! function {
    ($call:ident $count:literal $name:ident $(, $register:tt $arg:ident)*; $($absent:tt)*) => {
        #[doc = concat!("Makes a system call with ", $count, ".")]
        ///
        /// # Safety
        ///
        /// The call must be sound to make: what the kernel does in its course is as if done here. A word that the
        /// kernel takes for an address must be one that the call may use as it will.
        #[inline(always)]
        pub unsafe fn $name(nr: usize $(, $arg: usize)*) -> usize {
            let ret;
            // SAFETY: the macro states the kernel's contract, the caller vouches for the call.
            unsafe { $call!(ret = nr $(, $register $arg)*; $($absent)*) };
            ret
        }
    };
}

/// The functions of an architecture, from the macro that makes a call and the registers of the arguments.
macro_rules! functions {
    ($call:ident $r0:tt $r1:tt $r2:tt $r3:tt $r4:tt $r5:tt) => {
        function!($call "no argument" syscall0; $r0 $r1 $r2 $r3 $r4 $r5);
        function!($call "one argument" syscall1, $r0 a0; $r1 $r2 $r3 $r4 $r5);
        function!($call "two arguments" syscall2, $r0 a0, $r1 a1; $r2 $r3 $r4 $r5);
        function!($call "three arguments" syscall3, $r0 a0, $r1 a1, $r2 a2; $r3 $r4 $r5);
        function!($call "four arguments" syscall4, $r0 a0, $r1 a1, $r2 a2, $r3 a3; $r4 $r5);
        function!($call "five arguments" syscall5, $r0 a0, $r1 a1, $r2 a2, $r3 a3, $r4 a4; $r5);
        function!($call "six arguments" syscall6, $r0 a0, $r1 a1, $r2 a2, $r3 a3, $r4 a4, $r5 a5;);
    };
}

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "loongarch64", path = "loongarch64.rs")]
#[cfg_attr(target_arch = "powerpc64", path = "powerpc64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[allow(dead_code, reason = "some of what differs concerns only the fake kernel")]
pub(crate) mod this;

pub use this::{syscall0, syscall1, syscall2, syscall3, syscall4, syscall5, syscall6};

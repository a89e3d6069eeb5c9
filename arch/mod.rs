//! For code that needs a system call and nothing else: functions that execute the instruction and return its result.
//!
//! ```
//! // SAFETY: `getpid` has no arguments and no effect.
//! let pid = unsafe { rsyscall::arch::syscall0(rsyscall::nr::GETPID) };
//! assert_eq!(pid, std::process::id() as usize);
//! ```
//!
//! The result is the kernel's, unchanged: −4095..=−1, the highest unsigned integers, are errors.
//! [`Errno::from_ret`](crate::Errno::from_ret) decodes it.
//!
//! This is the only assembly of system calls in the crate. Each architecture has one file: the kernel's contract as a
//! list, a macro `call!` that declares exactly that, the registers of the arguments, and other differences.
//!
//! # Contract with the compiler
//!
//! * The number and the arguments are words (`usize`), extended to full registers before they get here. The upper bits
//!   of a narrower operand would be undefined, and a seccomp filter compares all 64.
//! * `nostack`: the kernel never touches the caller's stack or red zone. (A signal handler runs below the red zone.)
//!   Only calls with five and six arguments on x86 use the stack.
//! * No `nomem`, `readonly` or `pure`: a call may read and write any memory whose address was ever passed to it, and it
//!   synchronises with other threads: a write to an eventfd is a release, a read is an acquire. `readonly` would
//!   exclude both.
//! * A pointer is passed as its exposed address (`pointer::expose_provenance`). From then on the asm block of any call
//!   may access the memory, as foreign code would.
//! * `syscallN` loads N arguments; the registers of absent arguments are unchanged.
//!
//! # Source
//!
//! [syscall(2)](https://man7.org/linux/man-pages/man2/syscall.2.html), "Architecture calling conventions".

#[macro_use]
#[allow(dead_code, unused_macros, reason = "each item is redefined by some architecture")]
mod generic;
mod refused;

/// Defines one of the seven functions: its arguments, each after its register, then the registers without an argument.
macro_rules! function {
    ($call:ident $count:literal $name:ident $(, $register:tt $arg:ident)*; $($absent:tt)*) => {
        #[doc = concat!("Makes a system call with ", $count, ".")]
        ///
        /// # Safety
        ///
        /// The call is sound to make: the caller is responsible for its effects. A word that the kernel interprets as
        /// an address is the address of memory that the call may access.
        #[inline(always)]
        pub unsafe fn $name(nr: usize $(, $arg: usize)*) -> usize {
            let ret;
            // SAFETY: the macro declares the kernel's contract; the caller guarantees that the call is sound.
            unsafe { $call!(ret = nr $(, $register $arg)*; $($absent)*) };
            ret
        }
    };
}

/// Defines the functions of an architecture, from the macro that makes a call and the registers of the arguments.
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
#[allow(dead_code, reason = "only the fake kernel uses some of these items")]
pub(crate) mod this;

pub use this::{syscall0, syscall1, syscall2, syscall3, syscall4, syscall5, syscall6};

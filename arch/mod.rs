//! The ground floor: one system call, in the instruction of the architecture.
//!
//! Each architecture has one file with the same seven functions in the same order. A file opens with what the kernel's
//! contract is there, and its one macro says exactly that to the compiler and nothing more. This is the only assembly in
//! the crate.
//!
//! # What all of them promise to the compiler
//!
//! * The number and the arguments are words (`usize`): settled to full registers before they come here. The upper bits of a
//!   narrower operand would be undefined, and a seccomp filter compares all 64.
//! * `nostack`: the kernel never touches the caller's stack or red zone. (A signal handler runs below the red zone.)
//! * No `nomem`, `readonly` or `pure`: a call may read and write any memory whose address it was ever given, and it
//!   synchronises with other threads: an eventfd write is a release, a read an acquire. `readonly` would promise neither.
//! * `syscallN` loads N arguments; registers of absent arguments are left alone.
//!
//! # Pointers
//!
//! A pointer travels as its exposed address ([`pointer::expose_provenance`]): the kernel may then use the memory as the
//! asm block of any call after that, exactly as foreign code would.
//!
//! # Errors
//!
//! The functions return the kernel's word untouched. As an unsigned number it is an error if it is greater than −4096, that
//! is, −4095..=−1; [`Errno::from_ret`](crate::Errno::from_ret) decodes it.
//!
//! Source: [syscall(2)](https://man7.org/linux/man-pages/man2/syscall.2.html), "Architecture calling conventions".
//!
//! [`pointer::expose_provenance`]: https://doc.rust-lang.org/core/primitive.pointer.html#method.expose_provenance

#[cfg(not(target_os = "linux"))]
compile_error!("rsyscall makes Linux system calls: this target's operating system is not Linux");

#[cfg(all(target_arch = "x86_64", target_pointer_width = "32"))]
compile_error!("rsyscall does not support x32: its system calls have numbers and structures of their own");

#[cfg(all(target_arch = "aarch64", target_pointer_width = "32"))]
compile_error!("rsyscall does not support aarch64 ILP32: Linux never adopted its system calls");

#[cfg(all(target_arch = "aarch64", target_endian = "big"))]
compile_error!("rsyscall does not support big-endian aarch64: it has never been run there");

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
compile_error!("rsyscall supports x86_64, aarch64 and riscv64: this target's architecture has no file in arch/");

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod imp;
#[cfg(target_arch = "riscv64")]
#[path = "riscv64.rs"]
mod imp;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod imp;

#[cfg(target_arch = "x86_64")]
pub(crate) use imp::signal_return;
pub use imp::{syscall0, syscall1, syscall2, syscall3, syscall4, syscall5, syscall6};

/// Where a signal handler returns to: nowhere of ours, the vDSO does it.
///
/// Source: `arch/arm64/kernel/signal.c`, `arch/riscv/kernel/signal.c`.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) const fn signal_return() -> usize {
    0
}

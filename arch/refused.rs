//! Targets that are refused, each with the reason.

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

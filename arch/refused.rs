//! Targets that do not compile, each with the reason.

#[cfg(target_os = "android")]
compile_error!("rsyscall does not support Android: its seccomp policy and its signals are untested");

#[cfg(not(any(target_os = "linux", target_os = "android")))]
compile_error!("rsyscall makes Linux system calls: this target's operating system is not Linux");

#[cfg(all(target_arch = "x86_64", target_pointer_width = "32"))]
compile_error!("rsyscall does not support x32: its system calls have numbers and structures of their own");

#[cfg(all(target_arch = "aarch64", target_pointer_width = "32"))]
compile_error!("rsyscall does not support aarch64 ILP32: Linux never adopted its system calls");

#[cfg(all(target_arch = "aarch64", target_endian = "big"))]
compile_error!("rsyscall does not support big-endian aarch64: there is no kernel to test it on");

#[cfg(all(target_arch = "arm", target_endian = "big"))]
compile_error!("rsyscall does not support big-endian arm: there is no kernel to test it on");

#[cfg(all(target_arch = "powerpc64", target_endian = "big"))]
compile_error!("rsyscall does not support big-endian powerpc64: there is no kernel to test it on");

#[cfg(target_arch = "powerpc")]
compile_error!("rsyscall does not support 32-bit powerpc: it is untested");

#[cfg(target_arch = "riscv32")]
compile_error!("rsyscall does not support riscv32: there is no kernel to test it on");

#[cfg(any(target_arch = "mips", target_arch = "mips32r6", target_arch = "mips64", target_arch = "mips64r6"))]
compile_error!(
    "rsyscall does not support mips: stable `asm!` cannot name the registers that a system call destroys there"
);

#[cfg(any(target_arch = "sparc", target_arch = "sparc64"))]
compile_error!("rsyscall does not support sparc: `asm!` is not stable there");

#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "arm",
    target_arch = "loongarch64",
    target_arch = "powerpc",
    target_arch = "powerpc64",
    target_arch = "riscv32",
    target_arch = "riscv64",
    target_arch = "s390x",
    target_arch = "x86",
    target_arch = "x86_64",
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6",
    target_arch = "sparc",
    target_arch = "sparc64",
)))]
compile_error!("rsyscall does not support this target's architecture: it has no file in arch/");

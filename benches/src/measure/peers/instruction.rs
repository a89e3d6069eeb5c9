//! The instruction, for the peers that write it themselves: `call!(number, argument…)` is the unchanged return value.

#[cfg(target_arch = "x86_64")]
macro_rules! call {
    ($nr:expr $(, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr $(, $f:expr)?)?)?)?)?)?) => {{
        let ret: usize;
        core::arch::asm!("syscall", inlateout("rax") $nr => ret,
            $(in("rdi") $a, $(in("rsi") $b, $(in("rdx") $c, $(in("r10") $d, $(in("r8") $e, $(in("r9") $f,)?)?)?)?)?)?
            lateout("rcx") _, lateout("r11") _, options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "aarch64")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr $(, $f:expr)?)?)?)?)?) => {{
        let ret: usize;
        core::arch::asm!("svc 0", in("x8") $nr, inlateout("x0") $a => ret,
            $(in("x1") $b, $(in("x2") $c, $(in("x3") $d, $(in("x4") $e, $(in("x5") $f,)?)?)?)?)?
            options(nostack, preserves_flags));
        ret
    }};
}

#[cfg(target_arch = "riscv64")]
macro_rules! call {
    ($nr:expr, $a:expr $(, $b:expr $(, $c:expr $(, $d:expr $(, $e:expr $(, $f:expr)?)?)?)?)?) => {{
        let ret: usize;
        core::arch::asm!("ecall", in("a7") $nr, inlateout("a0") $a => ret,
            $(in("a1") $b, $(in("a2") $c, $(in("a3") $d, $(in("a4") $e, $(in("a5") $f,)?)?)?)?)?
            options(nostack));
        ret
    }};
}

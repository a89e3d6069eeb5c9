//! What a program that is alone on a machine must ask of its kernel itself.

use core::ffi::CStr;
use rsyscall::nr;
use rsyscall::sysif::{Arg, Local, SyscallInterface};

macro_rules! architecture {
    ($($name:literal)*) => { match true { $(_ if cfg!(target_arch = $name) => $name,)* _ => "" } };
}

/// What this is compiled for.
pub(crate) const ARCH: &str = architecture!["x86_64" "aarch64" "riscv64" "loongarch64" "s390x" "powerpc64" "arm" "x86"];

pub(crate) fn getpid() -> usize {
    // SAFETY: no argument; it only asks.
    unsafe { Local.syscall(nr::GETPID, []) }.unwrap_or(0)
}

/// `mkdir /proc`, `mount -t proc proc /proc`. If it fails, the cases that need it say so.
pub(crate) fn mount_proc() {
    const AT_FDCWD: i32 = -100;
    let name = |name: &'static CStr| Arg::In(name.to_bytes_with_nul());
    // SAFETY: the path is read for the call only.
    let _exists = unsafe { Local.syscall(nr::MKDIRAT, [AT_FDCWD.into(), name(c"/proc"), Arg::Word(0o555)]) };
    let args = [name(c"proc"), name(c"/proc"), name(c"proc"), Arg::Word(0), Arg::Word(0)];
    // SAFETY: the names are read for the call only; nothing else is in this place.
    let _mounted = unsafe { Local.syscall(nr::MOUNT, args) };
}

/// `reboot(LINUX_REBOOT_CMD_POWER_OFF)`.
pub(crate) fn power_off() {
    // `include/uapi/linux/reboot.h`: the two magic numbers, the command.
    let args = [0xfee1_dead_u32.into(), 672_274_793_u32.into(), 0x4321_fedc_u32.into(), Arg::Word(0)];
    // SAFETY: words only; nobody is left who could be let down.
    let _refused = unsafe { Local.syscall(nr::REBOOT, args) };
}

/// `fork`: the child's pid, or 0 in the child.
///
/// # Safety
///
/// The child ends, and does not touch what others own.
pub(crate) unsafe fn clone_child() -> Result<usize, rsyscall::Errno> {
    const SIGCHLD: usize = 17;
    // The stack comes first on s390x; 0 is the copy of the caller's.
    let [first, second] = if cfg!(target_arch = "s390x") { [0, SIGCHLD] } else { [SIGCHLD, 0] };
    // SAFETY: without CLONE_VM the child goes on here with a copy of everything.
    unsafe { Local.syscall(nr::CLONE, [first, second, 0, 0, 0].map(Arg::Word)) }
}

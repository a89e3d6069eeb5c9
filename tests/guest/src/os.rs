//! The calls that a program alone on a machine makes itself.

use core::ffi::CStr;
use rsyscall::near::{self, Process};
use rsyscall::sysif::{Arg, Local, SyscallInterface};
use rsyscall::{Current, nr};

macro_rules! architecture {
    ($($name:literal)*) => { match true { $(_ if cfg!(target_arch = $name) => $name,)* _ => "" } };
}

/// The target architecture.
pub(crate) const ARCH: &str = architecture!["x86_64" "aarch64" "riscv64" "loongarch64" "s390x" "powerpc64" "arm" "x86"];

pub(crate) fn getpid() -> usize {
    // SAFETY: no argument; a query.
    unsafe { Local.syscall(nr::GETPID, []) }.unwrap_or(0)
}

/// `mkdir /proc`, `mount -t proc proc /proc`. If it fails, the cases that need it are skipped.
pub(crate) fn mount_proc() {
    const AT_FDCWD: i32 = -100;
    let name = |name: &'static CStr| Arg::In(name.to_bytes_with_nul());
    // SAFETY: the path is read for the call only.
    let _exists = unsafe { Local.syscall(nr::MKDIRAT, [AT_FDCWD.into(), name(c"/proc"), Arg::Word(0o555)]) };
    let args = [name(c"proc"), name(c"/proc"), name(c"proc"), Arg::Word(0), Arg::Word(0)];
    // SAFETY: the names are read for the call only; nothing else is mounted there.
    let _mounted = unsafe { Local.syscall(nr::MOUNT, args) };
}

/// `reboot(LINUX_REBOOT_CMD_POWER_OFF)`.
pub(crate) fn power_off() {
    // `include/uapi/linux/reboot.h`: the two magic numbers, the command.
    let args = [0xfee1_dead_u32.into(), 672_274_793_u32.into(), 0x4321_fedc_u32.into(), Arg::Word(0)];
    // SAFETY: words only; the program has nothing left to do.
    let _refused = unsafe { Local.syscall(nr::REBOOT, args) };
}

/// `fork`: the child's pid, or 0 in the child.
///
/// # Safety
///
/// The child exits, and does not touch resources of others.
pub(crate) unsafe fn clone_child() -> Result<usize, rsyscall::Errno> {
    const SIGCHLD: usize = 17;
    // The stack comes first on s390x; 0 is the caller's stack.
    let [first, second] = if cfg!(target_arch = "s390x") { [0, SIGCHLD] } else { [SIGCHLD, 0] };
    // SAFETY: without CLONE_VM the child continues here with a copy of the memory.
    unsafe { Local.syscall(nr::CLONE, [first, second, 0, 0, 0].map(Arg::Word)) }
}

/// A child that does this and ends with its status.
pub(crate) fn child(work: impl FnOnce() -> i32) -> Process {
    // SAFETY: it ends below, and this program has no other thread.
    let pid = unsafe { clone_child() }.unwrap_or_default();
    if pid == 0 {
        Current.exit(work());
    }
    Process(pid as i32)
}

/// How a child ended or stopped.
pub(crate) fn wait(process: Process) -> i32 {
    const WALL: usize = 0x4000_0000;
    let mut status = [0; 4];
    let args = [process.into(), Arg::InOut(&mut status), Arg::Word(WALL), Arg::Word(0)];
    // SAFETY: the call writes four bytes.
    let _interrupted = unsafe { Local.syscall(nr::WAIT4, args) };
    i32::from_ne_bytes(status)
}

/// Ends a child that does not end itself.
pub(crate) fn kill(process: Process) {
    const SIGKILL: u32 = 9;
    // SAFETY: our own child.
    let _refused = unsafe { near::kill(&Local, process, SIGKILL) };
    wait(process);
}

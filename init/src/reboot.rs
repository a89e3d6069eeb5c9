//! Reboot, power-off, Ctrl-Alt-Del, and whether this process is the machine's init.

use crate::raw;
use rsyscall::Errno;
use rsyscall::near::Process;

// `include/uapi/linux/reboot.h`.
const CAD_ON: u32 = 0x89ab_cdef;
const CAD_OFF: u32 = 0;

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum End {
    /// The machine restarts.
    Restart = 0x0123_4567,
    /// The machine halts and stays powered on.
    Halt = 0xcdef_0123,
    /// The machine powers off.
    PowerOff = 0x4321_fedc,
}

/// Ends the machine immediately, without writing files back ([`sync`]) and without terminating processes. It returns
/// only on failure.
///
/// In a pid namespace that is not the machine's it ends that namespace: process 1 is killed, by `SIGHUP` for a restart
/// and by `SIGINT` otherwise.
///
/// System calls: `reboot`.
///
/// # Errors
///
/// `EPERM`: no `CAP_SYS_BOOT`.
///
/// # Source
///
/// [reboot(2)](https://man7.org/linux/man-pages/man2/reboot.2.html).
pub fn end(end: End) -> Errno {
    raw::reboot(end as u32).err().unwrap_or(Errno::EIO)
}

/// Sets what Ctrl-Alt-Del does: if `at_once`, it restarts the machine immediately; otherwise it sends `SIGINT` to
/// process 1.
///
/// System calls: `reboot`.
///
/// # Errors
///
/// `EINVAL`: not the machine's pid namespace. `EPERM`: no `CAP_SYS_BOOT`.
///
/// # Source
///
/// [reboot(2)](https://man7.org/linux/man-pages/man2/reboot.2.html); `kernel/pid_namespace.c`, `reboot_pid_ns`.
pub fn set_ctrl_alt_del(at_once: bool) -> Result<(), Errno> {
    raw::reboot(if at_once { CAD_ON } else { CAD_OFF })
}

/// Returns whether this is process 1 of a machine, not of a container. If so, Ctrl-Alt-Del now sends `SIGINT`.
///
/// The kernel allows setting Ctrl-Alt-Del only in the initial pid namespace, whose process 1 is the machine's init. No
/// user process can imitate that.
///
/// System calls: `getpid`, `reboot`.
pub fn is_machine() -> bool {
    crate::process::pid() == Ok(Process(1)) && set_ctrl_alt_del(false).is_ok()
}

/// Writes all file systems back to disk and waits for it.
///
/// System calls: `sync`.
pub fn sync() {
    raw::sync();
}

//! The end of the machine, Ctrl-Alt-Del, and whether there is a machine at all.

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
    /// It starts again.
    Restart = 0x0123_4567,
    /// It stops and stays on.
    Halt = 0xcdef_0123,
    /// It is switched off.
    PowerOff = 0x4321_fedc,
}

/// Ends the machine at once: files are not written back ([`sync`]), processes are not asked. It returns only where that
/// failed.
///
/// In a pid namespace that is not the machine's it ends that namespace: process 1 is killed, by `SIGHUP` for a restart
/// and by `SIGINT` otherwise.
///
/// System calls: `reboot`.
///
/// # Source
///
/// [reboot(2)](https://man7.org/linux/man-pages/man2/reboot.2.html). `EPERM`: no `CAP_SYS_BOOT`.
pub fn end(end: End) -> Errno {
    raw::reboot(end as u32).err().unwrap_or(Errno::EIO)
}

/// Says what Ctrl-Alt-Del does: restart the machine at once, or send `SIGINT` to process 1.
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

/// Returns whether this is process 1 of a machine, not of a container. If so, Ctrl-Alt-Del from now on is `SIGINT`.
///
/// It is the kernel that says so: Ctrl-Alt-Del can be set in the machine's own pid namespace only, and process 1 of
/// that is the machine's init. No process of a container can make it look otherwise.
///
/// System calls: `getpid`, `reboot`.
pub fn is_machine() -> bool {
    crate::process::pid() == Ok(Process(1)) && set_ctrl_alt_del(false).is_ok()
}

/// Writes all file systems back, and returns when that is done.
///
/// System calls: `sync`.
pub fn sync() {
    raw::sync();
}

//! What a program that is alone on a machine must ask of its kernel itself.

use core::ffi::CStr;
use core::fmt;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::sysif::{Arg, Local, SyscallInterface};
use rsyscall::nr;

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

/// Descriptor 1, a line at a time: each goes there in one write, so that the kernel's own lines do not come between.
pub(crate) struct Console {
    line: [u8; 512],
    len: usize,
}

impl Console {
    pub(crate) const fn new() -> Self {
        Self { line: [0; 512], len: 0 }
    }

    fn flush(&mut self) -> fmt::Result {
        let mut left = self.line.get(..self.len).unwrap_or_default();
        self.len = 0;
        while !left.is_empty() {
            // SAFETY: nobody closes descriptor 1.
            let written = unsafe { near::write(&Local, FileDescriptor(1), left) }.map_err(|_| fmt::Error)?;
            left = left.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.len == self.line.len() {
                self.flush()?;
            }
            if let Some(free) = self.line.get_mut(self.len) {
                *free = byte;
                self.len += 1;
            }
            if byte == b'\n' {
                self.flush()?;
            }
        }
        Ok(())
    }
}

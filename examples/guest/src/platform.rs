//! The calls of this program that have nothing to do with an eventfd.

use core::mem::MaybeUninit;
use rsyscall::arch::{syscall0, syscall1, syscall4};
use rsyscall::near::{self, FileDescriptor};
use rsyscall::sysif::Local;

const GETPID: usize = if cfg!(target_arch = "x86_64") { 39 } else { 172 };
const UNAME: usize = if cfg!(target_arch = "x86_64") { 63 } else { 160 };
const REBOOT: usize = if cfg!(target_arch = "x86_64") { 169 } else { 142 };

/// Writes to standard output, as far as there is one.
pub fn print(text: &[u8]) {
    // SAFETY: nothing in this program closes 1; if it was never open, the kernel says so and nothing is printed.
    let _nobody_to_tell = unsafe { near::write(&Local, FileDescriptor(1), text) };
}

/// `struct new_utsname`: six names of 65 bytes each, ended by zeros. The third is the kernel's release.
pub type Names = [[u8; 65]; 6];

/// The kernel's release, written into the caller's memory.
pub fn release(names: &mut MaybeUninit<Names>) -> &[u8] {
    // SAFETY: the call writes the six names, for which there is room.
    let ret = unsafe { syscall1(UNAME, names.as_mut_ptr().expose_provenance()) };
    if ret != 0 {
        return b"of unknown release";
    }
    // SAFETY: the call has succeeded, and so written all of them.
    let names = unsafe { names.assume_init_ref() };
    names[2].split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Whether this is the process that the kernel started itself.
pub fn is_first_process() -> bool {
    // SAFETY: takes nothing and only answers.
    unsafe { syscall0(GETPID) == 1 }
}

/// Switches the machine off.
pub fn power_off() {
    // `include/uapi/linux/reboot.h`: the two magic numbers and LINUX_REBOOT_CMD_POWER_OFF.
    // SAFETY: four words; nothing in this program needs the machine any longer.
    unsafe { syscall4(REBOOT, 0xfee1_dead, 672_274_793, 0x4321_fedc, 0) };
}

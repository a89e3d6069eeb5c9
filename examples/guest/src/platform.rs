//! The other system calls of this program.

use core::mem::MaybeUninit;
use rsyscall::arch::{syscall1, syscall4};
use rsyscall::sysif::Local;
use rsyscall::{near, nr};

/// `struct new_utsname`: six names of 65 bytes each, ended by zeros. The third is the kernel's release,
/// the fifth the machine.
pub type Names = [[u8; 65]; 6];

/// Returns the machine and the kernel's release, written into the caller's memory.
pub fn kernel(names: &mut MaybeUninit<Names>) -> [&[u8]; 2] {
    // SAFETY: the call writes the six names, for which there is room.
    let ret = unsafe { syscall1(nr::UNAME, names.as_mut_ptr().expose_provenance()) };
    if ret != 0 {
        return [b"unknown machine", b"of unknown release"];
    }
    // SAFETY: the call has succeeded, and so has written all of them.
    let names = unsafe { names.assume_init_ref() };
    [&names[4], &names[2]].map(|name| name.split(|&byte| byte == 0).next().unwrap_or_default())
}

/// Returns whether this is process 1.
pub fn is_first_process() -> bool {
    near::getpid(&Local) == Ok(near::Process(1))
}

/// Powers the machine off.
pub fn power_off() {
    // `include/uapi/linux/reboot.h`: the two magic numbers and LINUX_REBOOT_CMD_POWER_OFF.
    // SAFETY: four words; nothing in this program needs the machine any longer.
    unsafe { syscall4(nr::REBOOT, 0xfee1_dead, 672_274_793, 0x4321_fedc, 0) };
}

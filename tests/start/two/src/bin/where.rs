//! As PID 1 of a machine: prints the address of `main`, and powers the machine off.
#![cfg_attr(not(test), no_std, no_main)]

use rsyscall::arch::syscall4;
use rsyscall::nr;
use rsyscall::sys::stdio::Stdio;

rsyscall::start!(main);

fn main(stdio: Stdio) -> i32 {
    let _no_console = writeln!(stdio.output(), "main is at {:p}\nRESULT: passed", main as *const ());
    // `include/uapi/linux/reboot.h`: the two magic numbers and LINUX_REBOOT_CMD_POWER_OFF.
    // SAFETY: four words; outside a machine of its own the call is refused.
    unsafe { syscall4(nr::REBOOT, 0xfee1_dead, 672_274_793, 0x4321_fedc, 0) };
    0
}

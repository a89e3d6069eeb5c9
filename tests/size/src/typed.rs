//! Creates an eventfd, writes, reads, verifies, closes, exits: with the typed layer.
#![no_std]
#![no_main]

use rsyscall::{Current, Errno, EventFd, EventfdFlags};

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    Current.exit(i32::from(run() != Ok(7)))
}

#[inline(always)]
fn run() -> Result<u64, Errno> {
    let eventfd = EventFd::new(0, EventfdFlags::empty())?;
    eventfd.write(7).and_then(|()| eventfd.read())
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    Current.exit(101)
}

#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
extern "C" fn getauxval(_: usize) -> usize {
    0
}

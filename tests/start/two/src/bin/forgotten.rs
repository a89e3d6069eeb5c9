//! Without `start!`: it must not link.
#![no_std]
#![no_main]

use rsyscall as _;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

//! A program without std in a process that musl sets up: `main` is C's, and libc is there for whoever wants to call it.
#![no_std]
#![no_main]

use core::ffi::{c_char, c_int};
use rsyscall::near::{self, FileDescriptor};
use rsyscall::{Current, Errno, EventFd, EventfdFlags, sysif::Local};

fn ring() -> Result<(), Errno> {
    let bell = EventFd::new(3, EventfdFlags::empty())?;
    bell.write(4)?;
    let text: &[u8] = if bell.read()? == 7 { b"7\n" } else { b"not 7\n" };
    // SAFETY: nothing in this program closes standard output.
    unsafe { near::write(&Local, FileDescriptor(1), text) }.map(drop)
}

#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    ring().map_or_else(Errno::raw, |()| 0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    Current.exit(101)
}

// std would ask for it; here nobody else does. It holds `main`'s caller, and the memory functions that the compiler uses.
#[link(name = "c")]
unsafe extern "C" {}

/// `core` is built for unwinding; nothing unwinds here, so nothing ever calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

//! With a panic handler and memory functions of its own, which replace the crate's: exits with status 12.
#![cfg_attr(not(test), no_std, no_main)]

use core::hint::black_box;
use core::sync::atomic::{AtomicI32, Ordering};

rsyscall::start!(main, own memory, own panic,);

/// 1 for a fill, 2 for a copy, 9 for a panic.
static CALLED: AtomicI32 = AtomicI32::new(0);

fn main() -> i32 {
    let bytes = black_box([black_box(7_u8); 300]);
    let copy = black_box(bytes);
    if copy[black_box(1)] == 7 {
        panic!();
    }
    0
}

#[cfg(not(test))]
mod own {
    use super::{CALLED, Ordering};

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        rsyscall::Current.exit(CALLED.load(Ordering::Relaxed) + 9)
    }

    /// # Safety
    ///
    /// Those of C.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        CALLED.fetch_or(2, Ordering::Relaxed);
        for index in 0..count {
            // SAFETY: the caller's promise; volatile, as the compiler turns a loop of plain accesses into a call of
            // this function.
            unsafe { to.wrapping_add(index).write_volatile(from.wrapping_add(index).read_volatile()) };
        }
        to
    }

    /// # Safety
    ///
    /// Those of C.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8 {
        CALLED.fetch_or(1, Ordering::Relaxed);
        for index in 0..count {
            // SAFETY: as above.
            unsafe { to.wrapping_add(index).write_volatile(byte as u8) };
        }
        to
    }

    // Not called here, but referenced by a debug build.
    macro_rules! never {
        ($($name:ident)*) => {
            $(
                #[unsafe(no_mangle)]
                extern "C" fn $name() -> ! {
                    rsyscall::Current.exit(100)
                }
            )*
        };
    }
    never!(memmove memcmp bcmp strlen);
}

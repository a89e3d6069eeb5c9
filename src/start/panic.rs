//! The panic handler of a program without std.

use crate::Current;
use crate::sys::stdio::Stdio;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

/// The exit status of a program that has panicked, the same as with std.
pub const STATUS: i32 = 101;

/// Prints the message and the location to standard error, and exits.
///
/// # Safety
///
/// Standard error has been open since the start of the program.
#[cold]
#[inline]
pub unsafe fn print(info: &PanicInfo<'_>) -> ! {
    static PANICKED: AtomicBool = AtomicBool::new(false);
    // A panic during the output is not printed.
    if !PANICKED.swap(true, Ordering::Relaxed) {
        // SAFETY: guaranteed by the caller.
        let _lost = unsafe { Stdio::assume_open() }.error().write_fmt(format_args!("{info}\n"));
    }
    Current.exit(STATUS)
}

#[doc(hidden)]
#[macro_export]
macro_rules! __start_panic {
    (prints message) => {
        true
    };
    (prints $other:ident) => {
        false
    };
    (own) => {};
    (exit) => {
        #[cfg(not(test))]
        #[panic_handler]
        fn __rsyscall_panic(_: &::core::panic::PanicInfo<'_>) -> ! {
            $crate::Current.exit($crate::start::panic::STATUS)
        }
    };
    (message) => {
        #[cfg(not(test))]
        #[panic_handler]
        fn __rsyscall_panic(info: &::core::panic::PanicInfo<'_>) -> ! {
            // SAFETY: `start!` has opened it before `main` if necessary.
            unsafe { $crate::start::panic::print(info) }
        }
    };
}

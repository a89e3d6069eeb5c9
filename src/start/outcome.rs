//! The parameters and the result of `main`.

use super::Arguments;
use crate::Errno;
use crate::sys::listen_fds::ListenFds;
use crate::sys::stdio::Stdio;
use core::error::Error;

/// A type that `main` may return: `()`, `i32`, `!`, or a `Result` of one of these and any error.
///
/// An error is printed to standard error as `Error: ` and its message, and the exit status is 1.
pub trait Outcome {
    /// Whether [`report`](Self::report) may print: the standard descriptors are then opened before `main`.
    #[doc(hidden)]
    const STDIO: bool = false;

    /// Prints the error, if there is one, and returns the exit status.
    ///
    /// # Safety
    ///
    /// With `STDIO` the standard descriptors have been open since the start of the program, and have no owner.
    #[doc(hidden)]
    unsafe fn report(self) -> i32;
}

impl Outcome for () {
    #[inline(always)]
    unsafe fn report(self) -> i32 {
        0
    }
}

impl Outcome for i32 {
    #[inline(always)]
    unsafe fn report(self) -> i32 {
        self
    }
}

/// Gives `!` a name, which stable Rust does not allow in an implementation otherwise.
#[doc(hidden)]
pub trait Returns {
    /// The return type.
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

type Never = <fn() -> ! as Returns>::Output;

impl Outcome for Never {
    #[inline(always)]
    unsafe fn report(self) -> i32 {
        self
    }
}

impl<T: Outcome, E: Error> Outcome for Result<T, E> {
    const STDIO: bool = true;

    #[inline]
    unsafe fn report(self) -> i32 {
        match self {
            // SAFETY: guaranteed by the caller.
            Ok(outcome) => unsafe { outcome.report() },
            Err(error) => {
                // SAFETY: guaranteed by the caller, as `STDIO` is set.
                let _lost = unsafe { Stdio::assume_open() }.error().write_fmt(format_args!("Error: {error}\n"));
                1
            }
        }
    }
}

/// A type that a parameter of `main` may have: [`Arguments`], [`Stdio`], or `Result<ListenFds<'static>, Errno>` (see
/// [`ListenFds`]).
pub trait Parameter: Sized {
    /// Whether the standard descriptors are opened before `main`.
    #[doc(hidden)]
    const STDIO: bool = false;

    /// Creates the parameter.
    ///
    /// # Safety
    ///
    /// No code of the program has run. With `STDIO` the standard descriptors have been open since its start, and have
    /// no owner.
    #[doc(hidden)]
    unsafe fn new(arguments: Arguments) -> Self;
}

impl Parameter for Arguments {
    #[inline(always)]
    unsafe fn new(arguments: Arguments) -> Self {
        arguments
    }
}

impl Parameter for Stdio {
    const STDIO: bool = true;

    #[inline(always)]
    unsafe fn new(_: Arguments) -> Self {
        // SAFETY: guaranteed by the caller.
        unsafe { Self::assume_open() }
    }
}

/// A second parameter of this type is `Err(EBUSY)`.
impl Parameter for Result<ListenFds<'static>, Errno> {
    #[inline]
    unsafe fn new(arguments: Arguments) -> Self {
        // SAFETY: no code has run, so inherited file descriptors have no owner; a first parameter of this type has
        // changed those that it took.
        unsafe { ListenFds::take(|name| arguments.var(name).map(core::ffi::CStr::to_bytes)) }
    }
}

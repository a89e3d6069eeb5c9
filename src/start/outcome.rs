//! What `main` takes and what it returns.

use super::Arguments;
use crate::Errno;
use crate::sys::listen_fds::ListenFds;
use crate::sys::stdio::Stdio;
use core::error::Error;

/// What `main` may return: `()`, `i32`, `!`, or a `Result` of one of these and any error.
///
/// An error is printed to standard error as `Error: ` and its message, and the status is 1.
pub trait Outcome {
    /// Whether [`report`](Self::report) may print: the standard descriptors are then opened before `main`.
    #[doc(hidden)]
    const STDIO: bool = false;

    /// Returns the exit status, after printing what there is to print.
    ///
    /// # Safety
    ///
    /// With `STDIO` the standard descriptors have been open since the program began, and have no owner.
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

/// Names `!`, for which stable Rust has no other name in an implementation.
#[doc(hidden)]
pub trait Returns {
    /// What the function returns.
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
            // SAFETY: the caller's promise.
            Ok(outcome) => unsafe { outcome.report() },
            Err(error) => {
                // SAFETY: the caller's promise, as `STDIO` is set.
                let _lost = unsafe { Stdio::assume_open() }.error().write_fmt(format_args!("Error: {error}\n"));
                1
            }
        }
    }
}

/// What a parameter of `main` may be: [`Arguments`], [`Stdio`], or `Result<ListenFds<'static>, Errno>` (see
/// [`ListenFds`]).
pub trait Parameter: Sized {
    /// Whether the standard descriptors are opened before `main`.
    #[doc(hidden)]
    const STDIO: bool = false;

    /// Makes it.
    ///
    /// # Safety
    ///
    /// Nothing of the program has run. With `STDIO` the standard descriptors have been open since it began, and have no
    /// owner.
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
        // SAFETY: the caller's promise.
        unsafe { Self::assume_open() }
    }
}

/// A second one of them fails with `EBUSY`.
impl Parameter for Result<ListenFds<'static>, Errno> {
    #[inline]
    unsafe fn new(arguments: Arguments) -> Self {
        // SAFETY: nothing has run, so what was inherited has no owner; a first parameter of this type has changed what
        // it took.
        unsafe { ListenFds::take(|name| arguments.var(name).map(core::ffi::CStr::to_bytes)) }
    }
}

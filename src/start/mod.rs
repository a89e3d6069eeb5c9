//! For static programs without libc: [`start!`](crate::start!) provides the entry, calls `main` with its parameters,
//! and exits.
//!
//! ```ignore (a program without std)
//! #![no_std]
//! #![no_main]
//! use rsyscall::sys::stdio::Stdio;
//! use rsyscall::{Errno, EventFd, EventfdFlags};
//!
//! rsyscall::start!(main);
//!
//! fn main(stdio: Stdio) -> Result<(), Errno> {
//!     let bell = EventFd::new(2, EventfdFlags::empty())?;
//!     bell.write(3)?;
//!     writeln!(stdio.output(), "{}", bell.read()?)
//! }
//! ```
//!
//! The build script of such a program calls `rsyscall_build::link()`, and its manifest sets `panic = "abort"` in both
//! profiles: the README has the three files. Without the package `rsyscall-build`, a build script can print these two
//! lines instead. They work only for programs for the host, in a package without programs that use std:
//!
//! ```
//! println!("cargo::rustc-link-arg-bins=-nostartfiles");
//! println!("cargo::rustc-link-arg-bins=-Wl,--no-dynamic-linker");
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::START`](crate::nr::used_by::START).
//!
//! # Contents of the program
//!
//! The macro expands in the program itself. Code that has to run before the relocation is assembly. The linker removes
//! unused functions.
//!
//! * The entry: aligns the stack, relocates the program if it is position-independent (RELA, REL, RELR), makes its
//!   `PT_GNU_RELRO` segment read-only, and calls `main`.
//! * A panic handler, which exits with status 101.
//! * `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`, `strlen`: the compiler emits calls of them.
//! * Symbols to which the precompiled `core` refers, and which are never called: `rust_eh_personality`,
//!   `_Unwind_Resume`.
//!
//! There are no constructors, no thread-local storage and no stack protector: C code in the program must not need them.

mod arch;
mod arguments;
mod assembly;
#[doc(hidden)]
pub mod memory;
mod outcome;
#[doc(hidden)]
pub mod panic;
mod relro;
mod testing;

pub use arguments::{Arguments, Auxiliary, Strings};
pub use outcome::{Outcome, Parameter};

use crate::Current;
use crate::sys::stdio;

/// A function that can be `main`: it takes nothing, one [`Parameter`] or two, and returns an [`Outcome`].
pub trait Main<Takes> {
    /// Whether the standard descriptors are opened before `main`.
    #[doc(hidden)]
    const STDIO: bool;

    /// Calls it and returns the exit status.
    ///
    /// # Safety
    ///
    /// No code of the program has run. With `STDIO` the standard descriptors have been open since its start, and have
    /// no owner.
    #[doc(hidden)]
    unsafe fn run(self, arguments: Arguments) -> i32;
}

impl<R: Outcome, F: FnOnce() -> R> Main<()> for F {
    const STDIO: bool = R::STDIO;

    #[inline(always)]
    unsafe fn run(self, _: Arguments) -> i32 {
        let outcome = self();
        // SAFETY: guaranteed by the caller.
        unsafe { outcome.report() }
    }
}

impl<A: Parameter, R: Outcome, F: FnOnce(A) -> R> Main<(A,)> for F {
    const STDIO: bool = A::STDIO || R::STDIO;

    #[inline(always)]
    unsafe fn run(self, arguments: Arguments) -> i32 {
        // SAFETY: guaranteed by the caller.
        let outcome = self(unsafe { A::new(arguments) });
        // SAFETY: guaranteed by the caller.
        unsafe { outcome.report() }
    }
}

impl<A: Parameter, B: Parameter, R: Outcome, F: FnOnce(A, B) -> R> Main<(A, B)> for F {
    const STDIO: bool = A::STDIO || B::STDIO || R::STDIO;

    #[inline(always)]
    unsafe fn run(self, arguments: Arguments) -> i32 {
        // SAFETY: guaranteed by the caller.
        let a = unsafe { A::new(arguments) };
        // SAFETY: guaranteed by the caller.
        let outcome = self(a, unsafe { B::new(arguments) });
        // SAFETY: guaranteed by the caller.
        unsafe { outcome.report() }
    }
}

/// Calls `main` and ends the process.
///
/// # Safety
///
/// `stack` is the address of argc on the initial stack. No code of the program has run yet.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn run<T, M: Main<T>>(main: M, stack: *const usize, panic_prints: bool) -> ! {
    // SAFETY: guaranteed by the caller.
    let arguments = unsafe { Arguments::new(stack) };
    if M::STDIO || panic_prints {
        // SAFETY: no code of the program has run, so no file descriptor has an owner.
        unsafe { stdio::open_missing() };
    }
    // SAFETY: opened above, if `main` requires it.
    Current.exit(unsafe { main.run(arguments) })
}

/// Makes the `PT_GNU_RELRO` segment read-only.
///
/// # Safety
///
/// `stack` is the address of argc on the initial stack; the program is relocated, and its addresses are `bias` above
/// those in its file.
#[doc(hidden)]
#[inline]
pub unsafe fn protect(stack: *const usize, bias: usize) {
    // SAFETY: guaranteed by the caller.
    let arguments = unsafe { Arguments::new(stack) };
    // SAFETY: guaranteed by the caller.
    unsafe { relro::protect(arguments, bias) };
}

/// Makes a function the `main` of a program without libc.
///
/// The function takes nothing, or one or two of [`Arguments`](crate::start::Arguments),
/// [`Stdio`](crate::sys::stdio::Stdio) and `Result<ListenFds<'static>, Errno>`
/// ([`ListenFds`](crate::sys::listen_fds::ListenFds)). It returns `()`, `i32` (the exit status), `!`, or a `Result` of
/// one of these and any error, which is printed to standard error.
///
/// Options follow the function, in any order:
///
/// * `own panic`: the program has its own `#[panic_handler]`.
/// * `panic message`: a panic is printed to standard error, which adds some kilobytes; by default it only ends the
///   process. In either case the status is 101.
/// * `own memory`: the program has its own `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp` and `strlen`. (A definition
///   in another crate takes precedence without this option.)
///
/// In a unit test, which has std, the macro only restores the startup code that the link arguments of a program remove.
///
/// System calls: `mprotect` if there is a `PT_GNU_RELRO` segment; `fcntl(F_GETFD)`, and `openat` for standard
/// descriptors that are not open, if `main` takes `Stdio` or returns a `Result`, or with `panic message`; those of
/// `ListenFds::take` if `main` takes them; `exit_group`. An error or a panic is printed by `write`.
///
/// See [`mod@start`](mod@crate::start) for the rest of the program.
#[macro_export]
macro_rules! start {
    ($main:path $(, $how:ident $what:ident)* $(,)?) => {
        $crate::__start!($main; exit standard; $($how $what)*);
    };
}

/// Parses the options: the panic handler, and the memory functions.
#[doc(hidden)]
#[macro_export]
macro_rules! __start {
    ($main:path; exit $memory:ident; own panic $($rest:ident)*) => {
        $crate::__start!($main; own $memory; $($rest)*);
    };
    ($main:path; exit $memory:ident; panic message $($rest:ident)*) => {
        $crate::__start!($main; message $memory; $($rest)*);
    };
    ($main:path; $panic:ident standard; own memory $($rest:ident)*) => {
        $crate::__start!($main; $panic own; $($rest)*);
    };
    ($main:path; $panic:ident $memory:ident;) => {
        #[cfg(test)]
        $crate::__start_testing!();
        // So that `main` is used there, too.
        #[cfg(test)]
        const _: fn() = || drop($main);

        #[cfg(not(test))]
        $crate::__start_assembly!(__rsyscall_begin, __rsyscall_protect);
        #[cfg(not(test))]
        unsafe extern "C" fn __rsyscall_begin(stack: *const usize) -> ! {
            // SAFETY: the assembly passes the initial stack pointer, and has run nothing else.
            unsafe { $crate::start::run($main, stack, $crate::__start_panic!(prints $panic)) }
        }
        #[cfg(not(test))]
        unsafe extern "C" fn __rsyscall_protect(stack: *const usize, bias: usize) {
            // SAFETY: the assembly passes the initial stack pointer, and the bias by which it has relocated the
            // program.
            unsafe { $crate::start::protect(stack, bias) }
        }
        $crate::__start_panic!($panic);
        $crate::__start_functions!($memory);
    };
    ($main:path; $panic:ident $memory:ident; $($rest:ident)*) => {
        compile_error!("after the function: `own panic` or `panic message`, and `own memory`");
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __start_functions {
    (own) => {};
    (standard) => {
        #[cfg(not(test))]
        $crate::__start_memory!();
    };
}

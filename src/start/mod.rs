//! How a program without libc begins: [`start!`](crate::start!), and what it hands to `main`.
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
//! The build script of such a program calls `rsyscall_build::link()`, and its manifest says `panic = "abort"` in both
//! profiles: the README has the three files. Instead of the package `rsyscall-build`, a build script can print
//! two lines. They do for programs of this machine only, and the package must not have programs with std:
//!
//! ```
//! println!("cargo::rustc-link-arg-bins=-nostartfiles");
//! println!("cargo::rustc-link-arg-bins=-Wl,--no-dynamic-linker");
//! ```
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::START`](crate::nr::used_by::START).
//!
//! # What is in the program
//!
//! Everything is expanded in the program itself, in assembly where the order matters; what is not called is left out by
//! the linker.
//!
//! * The entry: aligns the stack, relocates the program if it was linked to run anywhere (RELA, REL, RELR), makes
//!   read-only what only the relocation writes, and calls `main`.
//! * A panic handler, which ends the process with status 101.
//! * `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`, `strlen`: the compiler makes calls of them.
//! * What the precompiled `core` names and never calls: `rust_eh_personality`, `_Unwind_Resume`.
//!
//! There are no constructors, no thread-local storage and no stack protector: C code that is linked in must not need
//! them.

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
    /// Nothing of the program has run. With `STDIO` the standard descriptors have been open since it began, and have no
    /// owner.
    #[doc(hidden)]
    unsafe fn run(self, arguments: Arguments) -> i32;
}

impl<R: Outcome, F: FnOnce() -> R> Main<()> for F {
    const STDIO: bool = R::STDIO;

    #[inline(always)]
    unsafe fn run(self, _: Arguments) -> i32 {
        let outcome = self();
        // SAFETY: the caller's promise.
        unsafe { outcome.report() }
    }
}

impl<A: Parameter, R: Outcome, F: FnOnce(A) -> R> Main<(A,)> for F {
    const STDIO: bool = A::STDIO || R::STDIO;

    #[inline(always)]
    unsafe fn run(self, arguments: Arguments) -> i32 {
        // SAFETY: the caller's promise.
        let outcome = self(unsafe { A::new(arguments) });
        // SAFETY: the caller's promise.
        unsafe { outcome.report() }
    }
}

impl<A: Parameter, B: Parameter, R: Outcome, F: FnOnce(A, B) -> R> Main<(A, B)> for F {
    const STDIO: bool = A::STDIO || B::STDIO || R::STDIO;

    #[inline(always)]
    unsafe fn run(self, arguments: Arguments) -> i32 {
        // SAFETY: the caller's promise.
        let a = unsafe { A::new(arguments) };
        // SAFETY: the caller's promise.
        let outcome = self(a, unsafe { B::new(arguments) });
        // SAFETY: the caller's promise.
        unsafe { outcome.report() }
    }
}

/// Calls `main` and ends the process.
///
/// # Safety
///
/// `stack` is where the kernel has put argc. Nothing of the program has run yet.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn run<T, M: Main<T>>(main: M, stack: *const usize, panic_prints: bool) -> ! {
    // SAFETY: the caller's promise.
    let arguments = unsafe { Arguments::new(stack) };
    if M::STDIO || panic_prints {
        // SAFETY: nothing of the program has run, so no descriptor has an owner.
        unsafe { stdio::open_missing() };
    }
    // SAFETY: opened above, if `main` asks for it.
    Current.exit(unsafe { main.run(arguments) })
}

/// Makes read-only what only the relocation writes.
///
/// # Safety
///
/// `stack` is where the kernel has put argc; the program is relocated, and its addresses are `bias` above those in its
/// file.
#[doc(hidden)]
#[inline]
pub unsafe fn protect(stack: *const usize, bias: usize) {
    // SAFETY: the caller's promise.
    let arguments = unsafe { Arguments::new(stack) };
    // SAFETY: the caller's promise.
    unsafe { relro::protect(arguments, bias) };
}

/// Makes a function what a program without libc does.
///
/// The function takes nothing, or one or two of [`Arguments`](crate::start::Arguments),
/// [`Stdio`](crate::sys::stdio::Stdio) and `Result<ListenFds<'static>, Errno>`
/// ([`ListenFds`](crate::sys::listen_fds::ListenFds)). It returns `()`, `i32` (the exit status), `!`, or a `Result` of
/// one of these and any error, which is printed to standard error.
///
/// After the function come, in any order, what the program has of its own or wants otherwise:
///
/// * `own panic`: a `#[panic_handler]`
/// * `panic message`: a panic is printed to standard error, which takes some kilobytes; otherwise it only ends the
///   process. In either case the status is 101.
/// * `own memory`: `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp` and `strlen`. (Another definition takes precedence
///   anyway, unless it is in the same crate.)
///
/// In a unit test it only brings back what the link arguments of a program leave out.
///
/// System calls: `mprotect` if there is something to protect; `fcntl(F_GETFD)`, and `openat` for what is not open, if
/// `main` takes `Stdio` or returns a `Result`, or with `panic message`; those of `ListenFds::take` if
/// `main` takes them; `exit_group`. An error or a panic is printed by
/// `write`.
///
/// See [`mod@start`](mod@crate::start) for the rest of the program.
#[macro_export]
macro_rules! start {
    ($main:path $(, $how:ident $what:ident)* $(,)?) => {
        $crate::__start!($main; exit standard; $($how $what)*);
    };
}

/// Sorts the options into: what a panic does, whose memory functions.
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
        // So that it is used there, too.
        #[cfg(test)]
        const _: fn() = || drop($main);

        #[cfg(not(test))]
        $crate::__start_assembly!(__rsyscall_begin, __rsyscall_protect);
        #[cfg(not(test))]
        unsafe extern "C" fn __rsyscall_begin(stack: *const usize) -> ! {
            // SAFETY: the assembly passes what the kernel has given it, and has run nothing else.
            unsafe { $crate::start::run($main, stack, $crate::__start_panic!(prints $panic)) }
        }
        #[cfg(not(test))]
        unsafe extern "C" fn __rsyscall_protect(stack: *const usize, bias: usize) {
            // SAFETY: the assembly passes what the kernel has given it, and what it has added to the addresses.
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

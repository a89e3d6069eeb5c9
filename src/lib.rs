//! eventfd without libc.
//!
//! An [`EventFd`] is a 64-bit counter kept by the kernel: a write adds to it, a read takes it, and a reader of an empty
//! one can block, poll, or go on. It is how threads and processes wake each other on Linux. This crate makes the system
//! calls itself, with its own assembly, and needs neither libc, nor an allocator, nor std.
//!
//! ```
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! # fn main() -> Result<(), rsyscall::Errno> {
//! let bell = EventFd::new(0, EventfdFlags::empty())?;
//! bell.write(2)?;
//! bell.write(3)?;
//! assert_eq!(bell.read()?, 5);
//! assert_eq!(bell.try_read()?, None);
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! Each uses only what stands below it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mod@start`] | how a program without libc begins: [`start!`] |
//! | `interop` (feature `std`) | the traits of std for descriptors, streams and errors |
//! | [`reactor`] | futures that wait for file descriptors |
//! | [`notify`] | waking a waiter cheaply: [`Notifier`] |
//! | [`remote`] | tasks that are other processes |
//! | `fake` (feature `fake`) | a kernel in memory, for unit tests |
//! | [`sys`] | typed system interfaces, named as their C headers are: [`sys::eventfd`], [`sys::signalfd`] … |
//! | [`deadline`] | one way to wait: moments, and the time that is left until then |
//! | [`fd`] | owned file descriptors: the life cycle that every kind shares |
//! | [`task`] | whose process, which tables: [`Task`], [`Current`] |
//! | [`near`], [`far`] | file descriptors and pids without an owner; identities of tables and namespaces |
//! | [`sysif`] | the interface through which calls are made: a trait |
//! | [`errno`] | the kernel's errors |
//! | [`nr`] | system call numbers |
//! | [`arch`] | the instruction |
//!
//! The interface is a trait, so the same typed layer drives this process at the price of the bare instruction, another
//! process through a connection, or a fake kernel in a unit test.
//!
//! # With std, and from other crates
//!
//! Feature `std` (off by default, no dependency) adds what std programs expect: `AsFd` and its kin, so that tokio, mio
//! and others can wait for an eventfd; `From` for std's `OwnedFd`; `io::Read` and `io::Write` for `&EventFd`;
//! `io::Error` from every error, so that `?` works. [`migration`] has what a line written for `libc`, nix, rustix,
//! vmm-sys-util or Python's rsyscall is here.
//!
//! # What is stable
//!
//! Everything but three modules follows [semantic versioning](https://semver.org) as a library of version 1 would:
//! until 1.0, what breaks a caller waits for the next 0.x. [`remote`], `fake` and [`near`] may change in any version:
//! `remote` because hostile peers still teach it, `fake` because it grows with the kernel, `near` because it has what
//! the layers above need.
//!
//! # Where it runs
//!
//! Linux: x86_64 from 2.6.30, aarch64 from 3.7, riscv64 from 4.15, loongarch64 from 5.19, s390x from 4.3, powerpc64le
//! from 3.13, and, where a word has 32 bits, arm (A32, Thumb-2, from armv5te on) and x86 from 5.1, whose calls have
//! times of 64 bits; other targets are refused by name when they are compiled. The README says on which kernels each is
//! proven. Rust 1.85 or newer, on powerpc64le 1.95. A program without libc begins with the README's three files:
//! [`mod@start`].
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[path = "../arch/mod.rs"]
pub mod arch;
pub mod deadline;
pub mod errno;
#[cfg(feature = "fake")]
pub mod fake;
pub mod far;
pub mod fd;
#[cfg(feature = "std")]
mod interop;
#[doc = include_str!("given.md")]
pub mod given {}
#[doc = include_str!("migration.md")]
pub mod migration {}
pub mod near;
pub mod notify;
pub mod nr;
pub mod reactor;
pub mod start;
pub mod sys;
pub mod sysif;
pub mod task;

// After the others: the documentation has methods in the order of the modules, and these are the last to read.
pub mod remote;

pub use errno::Errno;
pub use notify::Notifier;
pub use sys::eventfd::{EventFd, EventfdFlags, EventfdTask};
pub use task::{Current, Task};

/// The README's program with std is compiled and run too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

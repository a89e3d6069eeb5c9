//! For inits and supervisors, on top of [`rsyscall`]'s signalfd, pidfd and waitid: starting programs, terminals,
//! reboot.
//!
//! It needs neither libc nor an allocator. A [`Command`] describes a program to start as data, without a closure:
//! between `clone` and `execve` only this crate's own code runs. The package's program, `init`, is written with it and
//! without `unsafe`.
//!
//! ```
//! use rsyscall::sys::wait::ExitStatus;
//! use rsyscall_init::{Command, Program, StringList, spawn};
//!
//! let mut arguments = StringList::<2>::new();
//! arguments.push(c"false")?;
//! let command = Command {
//!     arguments: arguments.as_strings(),
//!     ..Command::new(Program::Search { name: c"false", path: b"/usr/bin:/bin" })
//! };
//! let mut child = spawn(&command).unwrap();
//! assert_eq!(child.wait()?, ExitStatus::Exited(1));
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`spawn`](mod@spawn) | [`Command`], [`Step`], [`spawn()`], [`spawn_job`], [`exec`]: starting a program |
//! | [`child`] | [`Child`]: sending it signals, waiting for it |
//! | [`path`] | the search of `execvp` in `PATH` |
//! | [`strings`] | argument and environment lists for `execve` |
//! | [`process`] | pid, group, subreaper, parent-death signal, working directory |
//! | [`tty`] | the controlling terminal and its foreground process group |
//! | [`reboot`] | power-off, restart, Ctrl-Alt-Del, machine or container |
//! | [`output`] | writing without blocking |
//!
//! Not here: mounts, users and groups, resource limits, cgroups, network. Other crates have them, also for `no_std`.
#![no_std]

pub mod child;
pub mod output;
pub mod path;
pub mod process;
mod raw;
pub mod reboot;
pub mod spawn;
pub mod strings;
pub mod tty;

pub use child::Child;
pub use spawn::{At, Command, Program, SpawnError, Step, exec, spawn, spawn_job};
pub use strings::{StringList, Strings};

//! For inits and supervisors, on top of [`rsyscall`]'s signalfd, pidfd and waitid: starting programs, terminals,
//! reboot.
//!
//! No libc, no allocation, no closure: a program to start is described by a [`Command`], and between `clone` and
//! `execve` only this crate's own code runs. The package's program, `init`, is written with it and without `unsafe`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`spawn`](mod@spawn) | [`Command`], [`Step`], [`spawn()`], [`spawn_job`], [`exec`]: starting a program |
//! | [`child`] | [`Child`]: sending it signals, waiting for it |
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

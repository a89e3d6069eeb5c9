//! What inits and supervisors need beside what [`rsyscall`] waits with: starting programs, the terminal, the end of the
//! machine.
//!
//! No libc, no allocation, no closure: a program to start is a [`Command`], which is data, and what runs between
//! `clone` and `execve` is this crate's own code. The package's program, `init`, is written with it and without
//! `unsafe`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`spawn`](mod@spawn) | [`Command`], [`Step`], [`spawn()`], [`spawn_job`], [`exec`]: starting a program, and becoming one |
//! | [`child`] | [`Child`]: signals to it, its end |
//! | [`strings`] | arguments and environment as `execve` takes them |
//! | [`process`] | pid, group, subreaper, parent-death signal, working directory |
//! | [`tty`] | the controlling terminal and its foreground |
//! | [`reboot`] | power off, restart, Ctrl-Alt-Del, and whether this is a machine or a container |
//! | [`output`] | writing without being blocked, signalled or ended by it |
//!
//! Not here: mounts, users and groups, resource limits, cgroups, the network. Nothing of them is waited for, and other
//! crates do them without std too.
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

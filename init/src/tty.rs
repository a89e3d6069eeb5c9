//! The controlling terminal and its foreground process group.

use crate::raw;
use core::marker::PhantomData;
use rsyscall::Errno;
use rsyscall::fd::OwnedFd;
use rsyscall::near::{FileDescriptor, Process};
use rsyscall::sys::stdio::Stdio;

// `include/uapi/asm-generic/ioctls.h`.
const TIOCSCTTY: u32 = 0x540e;
const TIOCNOTTY: u32 = 0x5422;
#[cfg(not(target_arch = "powerpc64"))]
const TIOCGPGRP: u32 = 0x540f;
#[cfg(not(target_arch = "powerpc64"))]
const TIOCSPGRP: u32 = 0x5410;
// `arch/powerpc/include/uapi/asm/ioctls.h`.
#[cfg(target_arch = "powerpc64")]
const TIOCGPGRP: u32 = 0x4004_7477;
#[cfg(target_arch = "powerpc64")]
const TIOCSPGRP: u32 = 0x8004_7476;

/// A borrowed file descriptor: an owned one, or standard input.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor<'a> {
    fd: FileDescriptor,
    owner: PhantomData<&'a OwnedFd>,
}

impl Descriptor<'_> {
    /// Returns the file descriptor.
    #[inline]
    pub const fn near(self) -> FileDescriptor {
        self.fd
    }
}

impl<'a> From<&'a OwnedFd> for Descriptor<'a> {
    #[inline]
    fn from(fd: &'a OwnedFd) -> Self {
        Self { fd: fd.near(), owner: PhantomData }
    }
}

impl From<Stdio> for Descriptor<'static> {
    /// Standard input.
    #[inline]
    fn from(_open: Stdio) -> Self {
        Self { fd: FileDescriptor(0), owner: PhantomData }
    }
}

/// Opens the controlling terminal, `/dev/tty`, nonblocking and close-on-exec.
///
/// System calls: `openat`.
///
/// # Errors
///
/// `ENXIO`: the session has none. `ENOENT`: there is no `/dev/tty`. `EMFILE`, `ENFILE`, `EIO`.
///
/// # Source
///
/// [tty(4)](https://man7.org/linux/man-pages/man4/tty.4.html).
pub fn open() -> Result<OwnedFd, Errno> {
    raw::open_terminal(c"/dev/tty")
}

/// Returns the process group in the foreground of the controlling terminal.
///
/// System calls: `ioctl(TIOCGPGRP)`.
///
/// # Errors
///
/// `ENOTTY`: not the controlling terminal.
pub fn foreground(terminal: Descriptor<'_>) -> Result<Process, Errno> {
    raw::ioctl_group(terminal.fd, TIOCGPGRP, Process(0))
}

/// Puts a process group of the session into the foreground of the controlling terminal.
///
/// A caller in the background is stopped by `SIGTTOU`, unless it blocks or ignores that.
///
/// System calls: `ioctl(TIOCSPGRP)`.
///
/// # Errors
///
/// `ENOTTY`: not the controlling terminal. `ESRCH`: no such group. `EPERM`: the group is in another session. `EIO`: the
/// caller's group is orphaned, and in the background.
pub fn set_foreground(terminal: Descriptor<'_>, group: Process) -> Result<(), Errno> {
    raw::ioctl_group(terminal.fd, TIOCSPGRP, group).map(drop)
}

/// Makes a terminal the controlling terminal of the caller's session.
///
/// System calls: `ioctl(TIOCSCTTY)`.
///
/// # Errors
///
/// `EPERM`: the caller does not lead a session, or has a terminal already, or another session has this one. `ENOTTY`:
/// not a terminal.
pub fn make_controlling(terminal: Descriptor<'_>) -> Result<(), Errno> {
    raw::ioctl_word(terminal.fd, TIOCSCTTY, 0)
}

/// Gives up the controlling terminal. If the caller is the session leader, the whole session loses it, and the
/// foreground process group gets `SIGHUP` and `SIGCONT`.
///
/// System calls: `ioctl(TIOCNOTTY)`.
///
/// # Errors
///
/// `ENOTTY`: not the controlling terminal.
pub fn give_up(terminal: Descriptor<'_>) -> Result<(), Errno> {
    raw::ioctl_word(terminal.fd, TIOCNOTTY, 0)
}

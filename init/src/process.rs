//! Attributes of this process: pid, group, session, subreaper, working directory.

use crate::raw::{self, Kind};
use core::ffi::CStr;
use rsyscall::Errno;
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, Process};
use rsyscall::sys::signal::Signal;
use rsyscall::sysif::Local;

// `include/uapi/linux/prctl.h`.
const PR_SET_PDEATHSIG: u32 = 1;
const PR_SET_CHILD_SUBREAPER: u32 = 36;
const PR_GET_CHILD_SUBREAPER: u32 = 37;

/// Returns the pid of this process.
///
/// System calls: `getpid`.
///
/// # Errors
///
/// `EPERM` or others: a seccomp policy.
pub fn pid() -> Result<Process, Errno> {
    near::getpid(&Local)
}

/// Returns the process group of this process.
///
/// System calls: `getpgid`.
///
/// # Errors
///
/// `EPERM` or others: a seccomp policy.
pub fn group() -> Result<Process, Errno> {
    raw::getpgid()
}

/// Returns whether a child of this process, running or a zombie, is in a process group. While one is, the ID of the
/// group is not reused.
///
/// System calls: `waitid`.
pub fn has_child_in(group: Process) -> bool {
    raw::find_child(Kind::Group, group.0) != Err(Errno::ECHILD)
}

/// Reaps a child that has ended, or consumes the report that it was stopped, after a wait with
/// [`Changes::PEEK`](rsyscall::sys::wait::Changes::PEEK) has reported it. It never blocks.
///
/// System calls: `waitid`.
///
/// # Errors
///
/// `ECHILD`: it was reaped.
pub fn reap(child: Process) -> Result<(), Errno> {
    raw::waitid(Kind::Process, child.0, raw::WNOHANG | raw::WEXITED | raw::WSTOPPED)
}

/// Returns the session of this process.
///
/// System calls: `getsid`.
///
/// # Errors
///
/// `EPERM` or others: a seccomp policy.
pub fn session() -> Result<Process, Errno> {
    raw::getsid()
}

/// Makes this process a subreaper: orphaned descendants become its children.
///
/// System calls: `prctl(PR_SET_CHILD_SUBREAPER)`.
///
/// # Errors
///
/// `EINVAL`: Linux before 3.4.
///
/// # Source
///
/// [PR_SET_CHILD_SUBREAPER(2const)](https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html).
pub fn become_subreaper() -> Result<(), Errno> {
    raw::prctl(PR_SET_CHILD_SUBREAPER, 1)
}

/// Returns whether this process is a subreaper. `execve` preserves the attribute.
///
/// System calls: `prctl(PR_GET_CHILD_SUBREAPER)`.
///
/// # Errors
///
/// `EINVAL`: Linux before 3.4.
pub fn is_subreaper() -> Result<bool, Errno> {
    raw::prctl_get(PR_GET_CHILD_SUBREAPER).map(|is| is != 0)
}

/// Sets the signal that this process gets when the *thread* that created it ends; `None` is no signal. If that thread
/// has ended already, no signal is sent.
///
/// System calls: `prctl(PR_SET_PDEATHSIG)`.
///
/// # Errors
///
/// `EPERM` or others: a seccomp policy.
///
/// # Source
///
/// [PR_SET_PDEATHSIG(2const)](https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
pub fn die_with_parent(signal: Option<Signal>) -> Result<(), Errno> {
    raw::prctl(PR_SET_PDEATHSIG, signal.map_or(0, Signal::raw))
}

/// Changes the working directory.
///
/// System calls: `chdir`.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`, `EIO`, `ENOMEM`.
pub fn change_directory(path: &CStr) -> Result<(), Errno> {
    raw::chdir(path)
}

/// Opens the working directory, to return to it later, close-on-exec: see
/// [`Step::Directory`](crate::Step::Directory). While it is open its file system cannot be unmounted.
///
/// System calls: `openat(O_PATH)`.
///
/// # Errors
///
/// `EMFILE`, `ENFILE`, `EACCES`, `ENOENT`.
pub fn working_directory() -> Result<OwnedFd, Errno> {
    raw::open_working_directory()
}

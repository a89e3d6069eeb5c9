//! `pidfd_open`, `pidfd_getfd`, and signals to a process group through a pidfd.

use super::{FileDescriptor, NEW_FD, Process};
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

/// Creates a file descriptor that refers to a process, closed by `execve`.
///
/// System calls: `pidfd_open`.
///
/// # Errors
///
/// `ESRCH`: no such process. `EINVAL`: the pid is not above 0, or of a thread that is not a thread-group leader.
/// `EMFILE`, `ENFILE`: the per-process or system-wide limit of file descriptors is reached. `ENODEV`: the kernel cannot
/// mount its file system of anonymous inodes. `ENOMEM`. `ENOSYS`: Linux before 5.3.
///
/// # Source
///
/// [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
#[inline]
pub fn pidfd_open<S: SyscallInterface>(sysif: &S, process: Process) -> Result<FileDescriptor, S::Error> {
    // SAFETY: two words and no memory; the call makes a new file descriptor.
    unsafe { sysif.syscall_within(NEW_FD, nr::PIDFD_OPEN, [process.into(), Arg::Word(0)]) }.map(FileDescriptor::new)
}

/// Creates a file descriptor that refers to a thread, closed by `execve`, readable in a poll once the thread has ended.
///
/// System calls: `pidfd_open` with `PIDFD_THREAD`.
///
/// # Errors
///
/// `EINVAL`: Linux before 6.9. Those of [`pidfd_open`].
///
/// # Source
///
/// [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).
#[inline]
pub(crate) fn pidfd_open_thread<S: SyscallInterface>(sysif: &S, thread: Process) -> Result<FileDescriptor, S::Error> {
    /// `include/uapi/linux/pidfd.h`: `O_EXCL`.
    const PIDFD_THREAD: u32 = 0o200;
    // SAFETY: two words and no memory; the call makes a new file descriptor.
    unsafe { sysif.syscall_within(NEW_FD, nr::PIDFD_OPEN, [thread.into(), PIDFD_THREAD.into()]) }
        .map(FileDescriptor::new)
}

/// Duplicates a file descriptor of another process; the duplicate is closed by `execve`.
///
/// System calls: `pidfd_getfd`.
///
/// # Errors
///
/// `EBADF`: `pidfd` is not open, or `fd` is not open there. `EPERM`: not allowed to trace the process. `ESRCH`: it has
/// ended. `EINVAL`: `pidfd` is not a pidfd. `EMFILE`: the per-process limit of file descriptors is reached. `ENOSYS`:
/// Linux before 5.6.
///
/// # Safety
///
/// `pidfd` is open in the interface's table, and the owner of `fd` there allows a duplicate: of some file descriptors,
/// such as the stream of a [`Connection`](crate::remote::Connection), a duplicate makes safe code unsound.
///
/// # Source
///
/// [pidfd_getfd(2)](https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html).
#[inline]
pub unsafe fn pidfd_getfd<S: SyscallInterface>(
    sysif: &S,
    pidfd: FileDescriptor,
    fd: FileDescriptor,
) -> Result<FileDescriptor, S::Error> {
    // SAFETY: three words and no memory; the call makes a new file descriptor.
    unsafe { sysif.syscall_within(NEW_FD, nr::PIDFD_GETFD, [pidfd.into(), fd.into(), Arg::Word(0)]) }
        .map(FileDescriptor::new)
}

/// Sends a signal to the process group that is led by the process of a pidfd, whether the leader still exists or not.
///
/// System calls: `pidfd_send_signal` with `PIDFD_SIGNAL_PROCESS_GROUP`.
///
/// # Errors
///
/// `ESRCH`: the group is empty. `EINVAL`: Linux before 6.9. `EPERM`, `EBADF`. `ENOSYS`: Linux before 5.1.
///
/// # Safety
///
/// `pidfd` is open in the interface's table, and the caller is responsible for what the signal does to the group.
///
/// # Source
///
/// [pidfd_send_signal(2)](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html).
#[inline]
pub unsafe fn pidfd_send_signal_to_group<S: SyscallInterface>(
    sysif: &S,
    pidfd: FileDescriptor,
    signal: u32,
) -> Result<(), S::Error> {
    /// `include/uapi/linux/pidfd.h`.
    const PIDFD_SIGNAL_PROCESS_GROUP: u32 = 4;
    let args = [pidfd.into(), signal.into(), Arg::Word(0), PIDFD_SIGNAL_PROCESS_GROUP.into()];
    // SAFETY: words and no memory; the caller is responsible for the signal.
    unsafe { sysif.syscall(nr::PIDFD_SEND_SIGNAL, args) }.map(drop)
}

//! The descriptor table: replacing an entry, closing a range, its limit.

use super::FileDescriptor;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};
use core::mem::MaybeUninit;

/// Makes `target` a duplicate of `fd`, atomically closing the previous `target`. `cloexec`: whether `execve` closes it.
///
/// System calls: `dup3`.
///
/// # Errors
///
/// `EINVAL`: they are the same file descriptor. `EBADF`: `fd` is not open, or `target` is not below the limit. `EBUSY`:
/// another thread is opening `target`. `EINTR`: a signal handler ran.
///
/// # Safety
///
/// Both are open in the interface's table; the caller may use `fd`, and owns `target`.
///
/// # Source
///
/// [dup3(2)](https://man7.org/linux/man-pages/man2/dup.2.html).
pub unsafe fn dup3<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    target: FileDescriptor,
    cloexec: bool,
) -> Result<(), S::Error> {
    /// `include/uapi/asm-generic/fcntl.h`.
    const O_CLOEXEC: u32 = 0o2000000;
    let flags = if cloexec { O_CLOEXEC } else { 0 };
    // SAFETY: three words and no memory; the caller may use the one and owns the other.
    unsafe { sysif.syscall(nr::DUP3, [fd.into(), target.into(), flags.into()]) }.map(drop)
}

/// Closes all open file descriptors from `first` to `last`, inclusive.
///
/// System calls: `close_range`.
///
/// # Errors
///
/// `EINVAL`: `first` is above `last`. `ENOSYS`: Linux before 5.9, qemu-user before 8.
///
/// # Safety
///
/// The caller owns every open file descriptor of the range in the interface's table, and none is used afterwards.
///
/// # Source
///
/// [close_range(2)](https://man7.org/linux/man-pages/man2/close_range.2.html).
pub unsafe fn close_range<S: SyscallInterface>(sysif: &S, first: u32, last: u32) -> Result<(), S::Error> {
    // SAFETY: three words and no memory; the caller owns them all.
    unsafe { sysif.syscall(nr::CLOSE_RANGE, [first.into(), last.into(), Arg::Word(0)]) }.map(drop)
}

/// Returns the soft limit `RLIMIT_NOFILE`: all open file descriptors are below it, unless the limit was lowered.
///
/// # Errors
///
/// Only [errors of the interface](crate::sysif#errors-of-the-interface).
pub(crate) fn descriptor_limit<S: SyscallInterface>(sysif: &S) -> Result<u32, S::Error> {
    /// `include/uapi/asm-generic/resource.h`.
    const RLIMIT_NOFILE: u32 = 7;
    let mut limits = MaybeUninit::<[u64; 2]>::uninit();
    let (me, unchanged) = (Arg::Word(0), Arg::Word(0));
    // SAFETY: the call writes one `struct rlimit64`, which is two integers, and changes nothing.
    unsafe { sysif.syscall(nr::PRLIMIT64, [me, RLIMIT_NOFILE.into(), unchanged, (&mut limits).into()]) }?;
    // SAFETY: the call succeeded, so it has written all of it.
    let [soft, _hard] = unsafe { limits.assume_init() };
    Ok(u32::try_from(soft).unwrap_or(u32::MAX))
}

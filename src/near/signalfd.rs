//! `signalfd4`.

use super::{FileDescriptor, NEW_FD, SignalSet, signal_set};
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

/// `SFD_CLOEXEC` and `SFD_NONBLOCK`, which are `O_CLOEXEC` and `O_NONBLOCK`: `include/uapi/linux/signalfd.h`.
pub(crate) const SFD_CLOEXEC: u32 = 0o2_000_000;
pub(crate) const SFD_NONBLOCK: u32 = 0o4_000;

/// Creates a file descriptor from which pending signals of this set are read, or changes the set of `fd` if that is not
/// −1.
///
/// `flags` are passed unchanged.
///
/// System calls: `signalfd4`.
///
/// # Errors
///
/// `EINVAL`: unknown flags, or `fd` is not a signalfd. `EBADF`: `fd` is not open. `EMFILE`, `ENFILE`: the per-process
/// or system-wide limit of file descriptors is reached. `ENODEV`: the kernel cannot mount its file system of anonymous
/// inodes. `ENOMEM`. `ENOSYS`: Linux before 2.6.27, or without signalfd.
///
/// # Safety
///
/// `fd`, if it is not −1, is open in the interface's table, and the caller may change what is read from it.
///
/// # Source
///
/// [signalfd(2)](https://man7.org/linux/man-pages/man2/signalfd.2.html).
#[inline]
pub unsafe fn signalfd<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    set: SignalSet,
    flags: u32,
) -> Result<FileDescriptor, S::Error> {
    let set = set.bits().to_ne_bytes();
    let args = [fd.into(), Arg::In(&set), Arg::Word(signal_set::SIZE), flags.into()];
    // SAFETY: the call reads eight bytes, the size that is passed; the caller may change the file descriptor.
    unsafe { sysif.syscall_within(NEW_FD, nr::SIGNALFD4, args) }.map(FileDescriptor::new)
}

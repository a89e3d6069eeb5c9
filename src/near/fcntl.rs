//! Duplicates and flags of a file descriptor.

use super::{FileDescriptor, NEW_FD};
use crate::arch::this::FIONBIO;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

// `include/uapi/asm-generic/fcntl.h` and `include/uapi/linux/fcntl.h`.
pub(crate) const F_GETFD: u32 = 1;
pub(crate) const F_SETFD: u32 = 2;
pub(crate) const F_GETFL: u32 = 3;
pub(crate) const F_DUPFD_CLOEXEC: u32 = 1030;
pub(crate) const FD_CLOEXEC: u32 = 1;
const O_NONBLOCK: usize = 0o4000;

/// Duplicates the file descriptor: returns the lowest free one, closed by `execve`, for the same open file description.
///
/// System calls: `fcntl(F_DUPFD_CLOEXEC)`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// // SAFETY: `bell` is open, and stays so.
/// let again = unsafe { near::dup_cloexec(&Local, bell.near()) }?;
/// // SAFETY: created a line above, and used by nothing else.
/// unsafe { near::close(&Local, again) }?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`: it is not open. `EMFILE`: the process's limit of file descriptors is reached. `EINVAL`: that limit is 0.
///
/// # Safety
///
/// `fd` is open in the interface's table and the caller may use it.
///
/// # Source
///
/// [F_DUPFD_CLOEXEC(2const)](https://man7.org/linux/man-pages/man2/F_DUPFD_CLOEXEC.2const.html).
#[inline(always)]
#[must_use = "unused, the file descriptor stays open: it has no owner"]
pub unsafe fn dup_cloexec<S: SyscallInterface>(sysif: &S, fd: FileDescriptor) -> Result<FileDescriptor, S::Error> {
    // SAFETY: three words and no memory; the caller may use the file descriptor, and a duplicate is a new one.
    unsafe { sysif.syscall_within(NEW_FD, nr::FCNTL, [fd.into(), F_DUPFD_CLOEXEC.into(), Arg::Word(0)]) }
        .map(FileDescriptor::new)
}

/// Returns whether `execve` closes the file descriptor.
///
/// System calls: `fcntl(F_GETFD)`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// // SAFETY: `bell` is open, and stays so.
/// assert!(unsafe { near::is_cloexec(&Local, bell.near()) }?);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`: it is not open.
///
/// # Safety
///
/// As for [`dup_cloexec`].
#[inline(always)]
pub unsafe fn is_cloexec<S: SyscallInterface>(sysif: &S, fd: FileDescriptor) -> Result<bool, S::Error> {
    // SAFETY: two words and no memory; it changes nothing.
    let flags = unsafe { sysif.syscall(nr::FCNTL, [fd.into(), F_GETFD.into()]) }?;
    Ok(flags & FD_CLOEXEC as usize != 0)
}

/// Sets whether `execve` closes the file descriptor: `FD_CLOEXEC`, the only file descriptor flag.
///
/// System calls: `fcntl(F_SETFD)`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// // SAFETY: `bell` is open, and stays so.
/// unsafe { near::set_cloexec(&Local, bell.near(), false) }?;
/// assert!(!bell.is_cloexec()?);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`: it is not open.
///
/// # Safety
///
/// As for [`dup_cloexec`].
#[inline(always)]
pub unsafe fn set_cloexec<S: SyscallInterface>(sysif: &S, fd: FileDescriptor, cloexec: bool) -> Result<(), S::Error> {
    let flags = if cloexec { FD_CLOEXEC } else { 0 };
    // SAFETY: three words and no memory; the caller may use the file descriptor.
    unsafe { sysif.syscall(nr::FCNTL, [fd.into(), F_SETFD.into(), flags.into()]) }.map(drop)
}

/// Returns whether `O_NONBLOCK` is set on the open file description.
///
/// System calls: `fcntl(F_GETFL)`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
/// // SAFETY: `bell` is open, and stays so.
/// assert!(unsafe { near::is_nonblocking(&Local, bell.near()) }?);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`: it is not open.
///
/// # Safety
///
/// As for [`dup_cloexec`].
#[inline(always)]
pub unsafe fn is_nonblocking<S: SyscallInterface>(sysif: &S, fd: FileDescriptor) -> Result<bool, S::Error> {
    // SAFETY: two words and no memory; it changes nothing.
    let flags = unsafe { sysif.syscall(nr::FCNTL, [fd.into(), F_GETFL.into()]) }?;
    Ok(flags & O_NONBLOCK != 0)
}

/// Sets or clears `O_NONBLOCK` on the open file description, and so for every duplicate. It applies to later calls, not
/// to a call that is blocked already.
///
/// It is one call and no read-modify-write: concurrent changes of other flags are not lost.
///
/// System calls: `ioctl(FIONBIO)`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// // SAFETY: `bell` is open, and stays so.
/// unsafe { near::set_nonblocking(&Local, bell.near(), true) }?;
/// assert!(bell.is_nonblocking()?);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`: it is not open.
///
/// # Safety
///
/// As for [`dup_cloexec`].
///
/// # Source
///
/// [ioctl_fionbio(2)](https://man7.org/linux/man-pages/man2/FIONBIO.2const.html).
#[inline(always)]
pub unsafe fn set_nonblocking<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    nonblocking: bool,
) -> Result<(), S::Error> {
    let on = i32::from(nonblocking).to_ne_bytes();
    // SAFETY: the caller may use the file descriptor; the call reads an `int`, which these four bytes are.
    unsafe { sysif.syscall(nr::IOCTL, [fd.into(), FIONBIO.into(), Arg::In(&on)]) }.map(drop)
}

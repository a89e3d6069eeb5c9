//! `read`, `write` and `close`, and the read that never blocks.

use super::{FileDescriptor, assume_init};
use crate::Errno;
use crate::nr;
use crate::sysif::{Arg, OutSlice, SyscallInterface};
use core::mem::MaybeUninit;

/// Reads into `buffer` by one call. Returns the bytes that were read: the beginning of the buffer, now initialised.
///
/// System calls: `read`.
///
/// ```
/// use core::mem::MaybeUninit;
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(3, EventfdFlags::empty())?;
/// let mut buffer = [MaybeUninit::uninit(); 8];
/// // SAFETY: `bell` is open, and stays so.
/// assert_eq!(unsafe { near::read(&Local, bell.near(), &mut buffer) }?, 3_u64.to_ne_bytes());
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`, `EAGAIN`, `EINTR` and others, depending on the kind of file:
/// [read(2)](https://man7.org/linux/man-pages/man2/read.2.html).
///
/// # Safety
///
/// `fd` is open in the interface's table, and the caller may read from it: it is not closed by another owner meanwhile.
#[inline(always)]
pub unsafe fn read<'b, S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    buffer: &'b mut [MaybeUninit<u8>],
) -> Result<&'b mut [u8], S::Error> {
    let len = buffer.len();
    // SAFETY: the caller may read from it; the memory is ours to write for the whole call.
    let read = unsafe { sysif.syscall_within(0..=len, nr::READ, [fd.into(), Arg::Out(buffer), Arg::Word(len)]) }?;
    // SAFETY: at most the length of the buffer, and the call has written them.
    Ok(unsafe { assume_init(buffer, read) })
}

/// Writes `buffer` by one call. Returns how many bytes were written, from its beginning.
///
/// System calls: `write`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// // SAFETY: `bell` is open, and stays so.
/// assert_eq!(unsafe { near::write(&Local, bell.near(), &3_u64.to_ne_bytes()) }?, 8);
/// assert_eq!(bell.read()?, 3);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`, `EAGAIN`, `EINTR` and others, depending on the kind of file:
/// [write(2)](https://man7.org/linux/man-pages/man2/write.2.html).
///
/// # Safety
///
/// `fd` is open in the interface's table, and the caller may write to it: it is not closed by another owner meanwhile.
#[inline(always)]
pub unsafe fn write<S: SyscallInterface>(sysif: &S, fd: FileDescriptor, buffer: &[u8]) -> Result<usize, S::Error> {
    // SAFETY: the caller may write to it; the memory is readable for the whole call.
    unsafe { sysif.syscall(nr::WRITE, [fd.into(), Arg::In(buffer), Arg::Word(buffer.len())]) }
}

/// Fills `buffer` without blocking, even if the open file description is in blocking mode. Returns the buffer, now
/// initialised.
///
/// System calls: `preadv2` with `RWF_NOWAIT` at the file position.
///
/// ```
/// use core::mem::MaybeUninit;
/// use rsyscall::sysif::Local;
/// use rsyscall::{Errno, EventFd, EventfdFlags, near};
///
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// let mut buffer = [MaybeUninit::uninit(); 8];
/// // SAFETY: `bell` is open, and stays so.
/// let read = unsafe { near::read_nowait(&Local, bell.near(), &mut buffer) };
/// // `EAGAIN`, or the others where the kernel does not support it.
/// assert!(matches!(read, Err(Errno::EAGAIN | Errno::EOPNOTSUPP | Errno::ENOSYS)));
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EAGAIN`: there is nothing to read. `EOPNOTSUPP`: Linux before 5.8 for eventfds. `ENOSYS`: Linux before 4.6,
/// qemu-user before 10. `EIO`: the read was short. Others as
/// [preadv2(2)](https://man7.org/linux/man-pages/man2/preadv2.2.html).
///
/// # Safety
///
/// As for [`read`].
#[inline(always)]
pub unsafe fn read_nowait<'b, S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    buffer: &'b mut [MaybeUninit<u8>],
) -> Result<&'b mut [u8], S::Error> {
    /// `include/uapi/linux/fs.h`.
    const RWF_NOWAIT: usize = 8;
    /// The offset that means "at the file position", as `read` does; the only valid one for an eventfd.
    const HERE: usize = usize::MAX;
    /// The upper half of the offset, where a word has 32 bits; with 64 bits it is ignored.
    const HERE_HIGH: usize = if usize::BITS == 32 { HERE } else { 0 };
    let len = buffer.len();
    let mut vector = [OutSlice::new(buffer)];
    // Without `map` of an array, which at opt-level `z` is an outlined function with a `memcpy`.
    let (low, high) = (Arg::Word(HERE), Arg::Word(HERE_HIGH));
    let args = [fd.into(), Arg::OutVec(&mut vector), Arg::Word(1), low, high, Arg::Word(RWF_NOWAIT)];
    // Not `syscall_within`: `EAGAIN` is a common result here, so errors are decoded on the fast path.
    // SAFETY: the caller may read from it; the vector and its memory are ours to write for the whole call.
    match unsafe { sysif.syscall(nr::PREADV2, args) } {
        // SAFETY: the call has written all of them.
        Ok(read) if read == len => Ok(unsafe { assume_init(buffer, len) }),
        Ok(_) => Err(Errno::EIO.into()),
        Err(error) => Err(error),
    }
}

/// Fills the buffer by one call; a short read fails with `EIO`.
///
/// # Safety
///
/// As for [`read`].
#[inline(always)]
pub(crate) unsafe fn read_exact<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    buffer: &mut [MaybeUninit<u8>],
) -> Result<(), S::Error> {
    let len = buffer.len();
    // SAFETY: as in `read`.
    unsafe { sysif.syscall_within(len..=len, nr::READ, [fd.into(), Arg::Out(buffer), Arg::Word(len)]) }.map(drop)
}

/// Writes the whole buffer by one call; a short write fails with `EIO`.
///
/// # Safety
///
/// As for [`write`].
#[inline(always)]
pub(crate) unsafe fn write_exact<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    buffer: &[u8],
) -> Result<(), S::Error> {
    let len = buffer.len();
    // SAFETY: as in `write`.
    unsafe { sysif.syscall_within(len..=len, nr::WRITE, [fd.into(), Arg::In(buffer), Arg::Word(len)]) }.map(drop)
}

/// Closes the file descriptor.
///
/// The file descriptor is closed even if the call fails. A failed close must not be repeated: the file descriptor may
/// be reused by another owner.
///
/// System calls: `close`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventfdFlags, near};
///
/// let fd = near::eventfd(&Local, 0, EventfdFlags::CLOEXEC)?;
/// // SAFETY: created a line above, and used by nothing else.
/// unsafe { near::close(&Local, fd) }?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EBADF`: it is not open. Others as [close(2)](https://man7.org/linux/man-pages/man2/close.2.html).
///
/// # Safety
///
/// The caller owns it in the interface's table, and it is not used afterwards.
#[inline(always)]
pub unsafe fn close<S: SyscallInterface>(sysif: &S, fd: FileDescriptor) -> Result<(), S::Error> {
    // SAFETY: the caller owns it.
    unsafe { sysif.syscall(nr::CLOSE, [fd.into()]) }.map(drop)
}

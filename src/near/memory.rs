//! Mapping and unmapping memory in an address space.

use super::Address;
use crate::arch::this::MMAP_BY_POINTER;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

// `include/uapi/asm-generic/mman-common.h`.
const PROT_READ_WRITE: u32 = 0x1 | 0x2;
const MAP_PRIVATE_ANONYMOUS: u32 = 0x2 | 0x20;
const MAP_SHARED_ANONYMOUS: u32 = 0x1 | 0x20;
const MADV_DONTFORK: u32 = 10;

/// `include/uapi/linux/ipc.h`.
const IPC_PRIVATE: usize = 0;
const IPC_RMID: usize = 0;

/// Maps `len` bytes of zeroed memory by `call`, whose arguments are words only.
///
/// System calls: `mmap`; where that takes a pointer `shmget`, `shmat`, `shmctl`.
pub(crate) fn fresh_memory<E>(
    len: usize,
    mut call: impl FnMut(usize, [usize; 6]) -> Result<usize, E>,
) -> Result<usize, E> {
    if !MMAP_BY_POINTER {
        return call(nr::MMAP, anonymous_memory(len, MAP_PRIVATE_ANONYMOUS));
    }
    const READ_WRITE_BY_OWNER: usize = 0o600;
    let segment = call(nr::SHMGET, [IPC_PRIVATE, len, READ_WRITE_BY_OWNER, 0, 0, 0])?;
    let address = call(nr::SHMAT, [segment, 0, 0, 0, 0, 0]);
    // From now on the segment exists only while it is attached: `munmap` frees it.
    call(nr::SHMCTL, [segment, IPC_RMID, 0, 0, 0, 0])?;
    address
}

fn anonymous_memory(len: usize, flags: u32) -> [usize; 6] {
    let (anywhere, no_file) = (0, usize::MAX);
    [anywhere, len, PROT_READ_WRITE as usize, flags as usize, no_file, 0]
}

#[inline]
fn map<S: SyscallInterface>(sysif: &S, len: usize, flags: u32) -> Result<Address, S::Error> {
    let words = anonymous_memory(len, flags);
    let address = if MMAP_BY_POINTER {
        // SAFETY: the same size, and integers have no padding.
        let words = unsafe { core::mem::transmute::<[usize; 6], [u8; 6 * size_of::<usize>()]>(words) };
        // SAFETY: no address is requested, so no existing mapping is replaced; the call reads the six words.
        unsafe { sysif.syscall(nr::MMAP, [Arg::In(&words)]) }
    } else {
        // SAFETY: no address is requested, so no existing mapping is replaced.
        unsafe { sysif.syscall(nr::MMAP, words.map(Arg::Word)) }
    };
    address.map(Address)
}

/// Maps `len` bytes of zeroed memory that the process shares with children forked later.
///
/// System calls: `mmap`.
///
/// # Errors
///
/// `EINVAL`: `len` is 0. `ENOMEM`.
///
/// # Source
///
/// [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html).
#[must_use = "unused, the memory stays mapped: it has no owner"]
#[inline]
pub(crate) fn mmap_shared_anonymous<S: SyscallInterface>(sysif: &S, len: usize) -> Result<Address, S::Error> {
    map(sysif, len, MAP_SHARED_ANONYMOUS)
}

/// Excludes a range of memory from children forked later.
///
/// System calls: `madvise`.
///
/// # Errors
///
/// `EINVAL`: the address is not page-aligned. `ENOMEM`: a part of the range is not mapped. `ENOSYS`: a kernel without
/// `CONFIG_ADVISE_SYSCALLS`.
///
/// # Safety
///
/// No child forked later uses the memory.
///
/// # Source
///
/// [madvise(2)](https://man7.org/linux/man-pages/man2/madvise.2.html).
#[inline]
pub(crate) unsafe fn madvise_dontfork<S: SyscallInterface>(
    sysif: &S,
    address: Address,
    len: usize,
) -> Result<(), S::Error> {
    // SAFETY: the caller's own memory is unchanged, and no later child uses it.
    unsafe { sysif.syscall(nr::MADVISE, [address.into(), Arg::Word(len), MADV_DONTFORK.into()]) }.map(drop)
}

/// Maps `len` bytes of zeroed memory, readable and writable, at an address that the kernel chooses.
///
/// System calls: `mmap`.
///
/// # Errors
///
/// `EINVAL`: `len` is 0. `ENOMEM`.
///
/// # Source
///
/// [mmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html).
#[must_use = "unused, the memory stays mapped: it has no owner"]
pub fn mmap_anonymous<S: SyscallInterface>(sysif: &S, len: usize) -> Result<Address, S::Error> {
    map(sysif, len, MAP_PRIVATE_ANONYMOUS)
}

/// Unmaps memory.
///
/// System calls: `munmap`.
///
/// # Errors
///
/// `EINVAL`: the address is not page-aligned, or `len` is 0.
///
/// # Safety
///
/// Nothing in that address space uses the memory any more.
///
/// # Source
///
/// [munmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html).
pub unsafe fn munmap<S: SyscallInterface>(sysif: &S, address: Address, len: usize) -> Result<(), S::Error> {
    // SAFETY: the caller guarantees that nothing uses it.
    unsafe { sysif.syscall(nr::MUNMAP, [address.into(), Arg::Word(len)]) }.map(drop)
}

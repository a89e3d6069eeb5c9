//! Fresh memory in some address space, and giving it back.

use super::Address;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

// `include/uapi/asm-generic/mman-common.h`; the same on all three architectures.
const PROT_READ_WRITE: u32 = 0x1 | 0x2;
const MAP_PRIVATE_ANONYMOUS: u32 = 0x2 | 0x20;
const MAP_SHARED_ANONYMOUS: u32 = 0x1 | 0x20;
const MADV_DONTFORK: u32 = 10;

/// The arguments of the `mmap` that makes `len` bytes of fresh memory.
pub(crate) fn fresh_memory<'a>(len: usize) -> [Arg<'a>; 6] {
    anonymous_memory(len, MAP_PRIVATE_ANONYMOUS)
}

fn anonymous_memory<'a>(len: usize, flags: u32) -> [Arg<'a>; 6] {
    let anywhere = Arg::Word(0);
    [anywhere, Arg::Word(len), PROT_READ_WRITE.into(), flags.into(), Arg::from(-1_i32), Arg::Word(0)]
}

/// Maps `len` bytes of fresh, zeroed memory that the process shares with children forked later.
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
#[must_use = "unused, the memory stays mapped: nothing else knows its address"]
#[inline]
pub(crate) fn mmap_shared_anonymous<S: SyscallInterface>(sysif: &S, len: usize) -> Result<Address, S::Error> {
    // SAFETY: no address is asked for, so no memory that exists is touched.
    unsafe { sysif.syscall(nr::MMAP, anonymous_memory(len, MAP_SHARED_ANONYMOUS)) }.map(Address)
}

/// Keeps a range of memory out of the children forked from now on.
///
/// System calls: `madvise`.
///
/// # Errors
///
/// `EINVAL`: the address is not a page's. `ENOMEM`: a part of the range is not mapped. `ENOSYS`: a kernel without
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
    // SAFETY: the caller's own memory stays as it is, and later children do without.
    unsafe { sysif.syscall(nr::MADVISE, [address.into(), Arg::Word(len), MADV_DONTFORK.into()]) }.map(drop)
}

/// Makes `len` bytes of fresh, zeroed memory, readable and writable, where the kernel finds room.
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
#[must_use = "unused, the memory stays mapped: nothing else knows its address"]
pub fn mmap_anonymous<S: SyscallInterface>(sysif: &S, len: usize) -> Result<Address, S::Error> {
    // SAFETY: no address is asked for, so no memory that exists is touched.
    unsafe { sysif.syscall(nr::MMAP, fresh_memory(len)) }.map(Address)
}

/// Gives memory back.
///
/// System calls: `munmap`.
///
/// # Errors
///
/// `EINVAL`: the address is not a page's, or `len` is 0.
///
/// # Safety
///
/// Nothing in that address space uses the memory any more.
///
/// # Source
///
/// [munmap(2)](https://man7.org/linux/man-pages/man2/mmap.2.html).
pub unsafe fn munmap<S: SyscallInterface>(sysif: &S, address: Address, len: usize) -> Result<(), S::Error> {
    // SAFETY: the caller vouches that nothing uses it.
    unsafe { sysif.syscall(nr::MUNMAP, [address.into(), Arg::Word(len)]) }.map(drop)
}

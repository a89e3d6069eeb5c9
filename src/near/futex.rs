//! `futex`: wait and wake.

use super::{Address, Timespec};
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

// `include/uapi/linux/futex.h`.
const FUTEX_WAKE: u32 = 1;
const FUTEX_PRIVATE_FLAG: u32 = 128;
const FUTEX_WAIT_BITSET: u32 = 9;
const FUTEX_BITSET_MATCH_ANY: u32 = u32::MAX;

/// Sleeps until a wakeup, or until `deadline` on `CLOCK_MONOTONIC`, if the word is `expected`. The comparison and the
/// start of the sleep are atomic with respect to a waker that changes the word before it wakes. `private`: the word is
/// in memory that no other process shares.
///
/// System calls: `futex`.
///
/// # Errors
///
/// `EAGAIN`: the word is not `expected`. `EINTR`: a signal handler ran. `ETIMEDOUT`: the deadline has passed. `EFAULT`:
/// the address is not mapped. `EINVAL`: the address is not a multiple of four. `ENOSYS`: a kernel without
/// `CONFIG_FUTEX`.
///
/// # Source
///
/// [FUTEX_WAIT_BITSET(2const)](https://man7.org/linux/man-pages/man2/FUTEX_WAIT_BITSET.2const.html): its timeout is
/// absolute; that of `FUTEX_WAIT` is relative.
#[inline]
pub(crate) fn futex_wait<S: SyscallInterface>(
    sysif: &S,
    word: Address,
    expected: u32,
    deadline: Option<Timespec>,
    private: bool,
) -> Result<(), S::Error> {
    let deadline = deadline.map(Timespec::to_bytes);
    let deadline = Arg::in_or_null(deadline.as_ref());
    let (wait, unused, any) = (FUTEX_WAIT_BITSET | flag(private), Arg::Word(0), FUTEX_BITSET_MATCH_ANY.into());
    // SAFETY: the kernel only reads the word and the deadline, and fails for an address that is not mapped.
    unsafe { sysif.syscall(nr::FUTEX, [word.into(), wait.into(), expected.into(), deadline, unused, any]) }.map(drop)
}

/// Wakes all sleepers on the word that have the same `private`.
///
/// System calls: `futex`.
///
/// # Errors
///
/// `EFAULT`: the address is not mapped. `EINVAL`: the address is not a multiple of four. `ENOSYS`: a kernel without
/// `CONFIG_FUTEX`.
///
/// # Source
///
/// [FUTEX_WAKE(2const)](https://man7.org/linux/man-pages/man2/FUTEX_WAKE.2const.html).
#[inline]
pub(crate) fn futex_wake<S: SyscallInterface>(sysif: &S, word: Address, private: bool) -> Result<(), S::Error> {
    let wake = FUTEX_WAKE | flag(private);
    // SAFETY: no memory is read or written; a sleeper on a futex must expect spurious wakeups.
    unsafe { sysif.syscall(nr::FUTEX, [word.into(), wake.into(), Arg::from(i32::MAX)]) }.map(drop)
}

/// Returns the flag for a word that only this process can access: the kernel identifies it by its address.
#[inline(always)]
fn flag(private: bool) -> u32 {
    if private { FUTEX_PRIVATE_FLAG } else { 0 }
}

//! `futex`: sleeping until a word of memory changes, and waking the sleepers.

use super::{Address, Timespec};
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

// `include/uapi/linux/futex.h`.
const FUTEX_WAKE: u32 = 1;
const FUTEX_PRIVATE_FLAG: u32 = 128;
const FUTEX_WAIT_BITSET: u32 = 9;
const FUTEX_BITSET_MATCH_ANY: u32 = u32::MAX;

/// Sleeps until it is woken, or until `deadline` on `CLOCK_MONOTONIC`; not at all if the word is not `expected` any
/// more. The look at the word and falling asleep are one step for whoever changes the word first and wakes then.
/// `private`: the word is in memory that no other process shares.
///
/// System calls: `futex`.
///
/// # Errors
///
/// `EAGAIN`: the word is not `expected`. `EINTR`: a signal handler ran. `ETIMEDOUT`: the deadline has passed. `EFAULT`:
/// no such memory. `EINVAL`: the address is not a multiple of four. `ENOSYS`: a kernel without `CONFIG_FUTEX`.
///
/// # Source
///
/// [FUTEX_WAIT_BITSET(2const)](https://man7.org/linux/man-pages/man2/FUTEX_WAIT_BITSET.2const.html): its time is a
/// moment, where that of `FUTEX_WAIT` is a duration.
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
    // SAFETY: the kernel only reads the word and the deadline, and refuses an address that has no memory.
    unsafe { sysif.syscall(nr::FUTEX, [word.into(), wait.into(), expected.into(), deadline, unused, any]) }.map(drop)
}

/// Wakes all that sleep on the word, whatever it says: those whose `private` is the same.
///
/// System calls: `futex`.
///
/// # Errors
///
/// `EFAULT`: no such memory. `EINVAL`: the address is not a multiple of four. `ENOSYS`: a kernel without
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

/// A word that only this process can reach is told from others by its address alone.
#[inline(always)]
fn flag(private: bool) -> u32 {
    if private { FUTEX_PRIVATE_FLAG } else { 0 }
}

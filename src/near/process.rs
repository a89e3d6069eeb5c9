//! The end of a process.

use crate::sysif::{Arg, SyscallInterface};
use sc::nr;

/// Ends every thread of the process. The lowest eight bits of `status` are what its parent is told.
///
/// It does not return when it works, in this process; elsewhere the interface's end is the answer.
///
/// System calls: `exit_group`.
///
/// # Errors
///
/// Only those of the interface.
///
/// # Safety
///
/// Nothing of the process runs afterwards, no destructor either: whoever relies on one must not be let down.
///
/// Source: [exit_group(2)](https://man7.org/linux/man-pages/man2/exit_group.2.html).
#[inline(always)]
pub unsafe fn exit_group<S: SyscallInterface>(sysif: &S, status: i32) -> Result<(), S::Error> {
    // SAFETY: one word; the caller answers for what no longer runs.
    unsafe { sysif.syscall(nr::EXIT_GROUP, [Arg::from(status)]) }.map(drop)
}

//! Processes: creation, sharing, exit.

use super::Process;
use crate::arch::this::CLONE_STACK_FIRST;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};
use core::mem::MaybeUninit;

/// Terminates all threads of the process. Its parent gets the lowest eight bits of `status`.
///
/// In this process it does not return on success; through another interface it ends the connection.
///
/// System calls: `exit_group`.
///
/// ```no_run
/// use rsyscall::{near, sysif::Local};
///
/// // SAFETY: no destructor of this program is relied on.
/// let _refused = unsafe { near::exit_group(&Local, 0) };
/// ```
///
/// # Errors
///
/// Only [errors of the interface](crate::sysif#errors-of-the-interface).
///
/// # Safety
///
/// No code of the process runs afterwards, destructors included: no code may rely on a destructor that has not run yet.
///
/// # Source
///
/// [exit_group(2)](https://man7.org/linux/man-pages/man2/exit_group.2.html).
#[inline(always)]
pub unsafe fn exit_group<S: SyscallInterface>(sysif: &S, status: i32) -> Result<(), S::Error> {
    // SAFETY: one word; the caller is responsible for what no longer runs.
    unsafe { sysif.syscall(nr::EXIT_GROUP, [Arg::from(status)]) }.map(drop)
}

/// Returns the pid of the process, in its own pid namespace.
///
/// System calls: `getpid`.
///
/// ```
/// use rsyscall::{near, sysif::Local};
///
/// assert_eq!(near::getpid(&Local)?.0, std::process::id() as i32);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// Only [errors of the interface](crate::sysif#errors-of-the-interface).
pub fn getpid<S: SyscallInterface>(sysif: &S) -> Result<Process, S::Error> {
    // SAFETY: no argument and no effect.
    unsafe { sysif.syscall_within(PROCESS, nr::GETPID, []) }.map(Process::new)
}

/// Returns the pid of the parent, in the process's own pid namespace; 0 if the parent is in another one.
///
/// System calls: `getppid`.
///
/// # Errors
///
/// Only [errors of the interface](crate::sysif#errors-of-the-interface).
pub fn getppid<S: SyscallInterface>(sysif: &S) -> Result<Process, S::Error> {
    // SAFETY: no argument and no effect.
    unsafe { sysif.syscall_within(PROCESS, nr::GETPPID, []) }.map(Process::new)
}

/// Returns the signal that the process receives when the thread that forked it ends; 0 is none.
///
/// System calls: `prctl(PR_GET_PDEATHSIG)`.
///
/// # Errors
///
/// Only [errors of the interface](crate::sysif#errors-of-the-interface).
///
/// # Source
///
/// [PR_GET_PDEATHSIG(2const)](https://man7.org/linux/man-pages/man2/PR_GET_PDEATHSIG.2const.html).
#[inline]
pub(crate) fn parent_death_signal<S: SyscallInterface>(sysif: &S) -> Result<u32, S::Error> {
    /// `include/uapi/linux/prctl.h`.
    const PR_GET_PDEATHSIG: u32 = 2;
    let mut signal = [MaybeUninit::<u8>::uninit(); 4];
    // SAFETY: the call writes one `int`, for which the memory is large enough, and changes nothing.
    unsafe { sysif.syscall(nr::PRCTL, [PR_GET_PDEATHSIG.into(), Arg::Out(&mut signal)]) }?;
    // SAFETY: the call succeeded, so all four bytes are written, and any four bytes are a number.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; 4], u32>(signal) })
}

/// Sets the signal that the process receives when the thread that forked it ends; 0 is none.
///
/// System calls: `prctl(PR_SET_PDEATHSIG)`.
///
/// # Errors
///
/// `EINVAL`: no such signal.
///
/// # Safety
///
/// The caller is responsible for what the signal does to the process.
///
/// # Source
///
/// [PR_SET_PDEATHSIG(2const)](https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
#[inline]
pub(crate) unsafe fn set_parent_death_signal<S: SyscallInterface>(sysif: &S, signal: u32) -> Result<(), S::Error> {
    /// `include/uapi/linux/prctl.h`.
    const PR_SET_PDEATHSIG: u32 = 1;
    // SAFETY: two words and no memory; the caller is responsible for the signal.
    unsafe { sysif.syscall(nr::PRCTL, [PR_SET_PDEATHSIG.into(), signal.into()]) }.map(drop)
}

/// `CLONE_FILES`: the child shares the descriptor table instead of getting a copy.
pub(crate) const CLONE_FILES: u32 = 0x400;
/// `CLONE_PIDFD`: creates a pidfd of the child in the same call (Linux 5.2; older kernels ignore it).
pub(crate) const CLONE_PIDFD: u32 = 0x1000;

/// Forks with flags: the child continues here with a copy of the memory. Returns 0 in the child, and the child's pid in
/// the parent. `pidfd` is written in the parent if the flags hold [`CLONE_PIDFD`] and the kernel knows it.
///
/// # Errors
///
/// `EAGAIN`: too many processes. `ENOMEM`. `EINVAL`: an invalid combination of flags.
///
/// # Safety
///
/// Only this thread exists in the child: the child must not wait for what another thread holds, nor return into code
/// that might. The flags do not make it share memory or stack with the parent.
///
/// # Source
///
/// [clone(2)](https://man7.org/linux/man-pages/man2/clone.2.html).
#[inline(always)]
pub(crate) unsafe fn clone_fork<S: SyscallInterface>(
    sysif: &S,
    flags: u32,
    pidfd: &mut [u8; 4],
) -> Result<Process, S::Error> {
    // The order of the last two differs between architectures; both are 0. Stack 0 keeps the caller's stack.
    let (flags, same_stack) = (Arg::from(flags), Arg::Word(0));
    let (first, second) = if CLONE_STACK_FIRST { (same_stack, flags) } else { (flags, same_stack) };
    let (parent_tid, none) = (Arg::InOut(pidfd), || Arg::Word(0));
    // SAFETY: without shared memory the child has a copy of the stack, so both sides return from here as from any call;
    // the kernel writes at most the four bytes. The caller is responsible for what the child does.
    unsafe { sysif.syscall_within(PROCESS, nr::CLONE, [first, second, parent_tid, none(), none()]) }.map(Process::new)
}

/// Gives the process its own descriptor table, a copy of the shared one.
///
/// System calls: `unshare(CLONE_FILES)`.
///
/// # Errors
///
/// `ENOMEM`, `EMFILE`.
///
/// # Safety
///
/// Owners of file descriptors of the old table do not own those of the copy: the two are closed separately from now on.
///
/// # Source
///
/// [unshare(2)](https://man7.org/linux/man-pages/man2/unshare.2.html).
pub(crate) unsafe fn unshare_files<S: SyscallInterface>(sysif: &S) -> Result<(), S::Error> {
    // SAFETY: one word and no memory; the caller is responsible for the two tables.
    unsafe { sysif.syscall(nr::UNSHARE, [CLONE_FILES.into()]) }.map(drop)
}

/// Returns the tid of the calling thread, in its own pid namespace.
///
/// System calls: `gettid`.
///
/// # Errors
///
/// Only [errors of the interface](crate::sysif#errors-of-the-interface).
#[inline]
pub(crate) fn gettid<S: SyscallInterface>(sysif: &S) -> Result<Process, S::Error> {
    // SAFETY: no argument and no effect.
    unsafe { sysif.syscall_within(PROCESS, nr::GETTID, []) }.map(Process::new)
}

/// Checks that a process has a thread of this tid.
///
/// System calls: `tgkill` with signal 0.
///
/// # Errors
///
/// `ESRCH`: there is no such thread. `EPERM`: it exists, but may not be signalled.
///
/// # Source
///
/// [tgkill(2)](https://man7.org/linux/man-pages/man2/tgkill.2.html).
#[inline]
pub(crate) fn find_thread<S: SyscallInterface>(sysif: &S, process: Process, thread: Process) -> Result<(), S::Error> {
    // SAFETY: three words and no memory; signal 0 is none.
    unsafe { sysif.syscall(nr::TGKILL, [process.into(), thread.into(), Arg::Word(0)]) }.map(drop)
}

/// The range of pids that a call returns.
const PROCESS: core::ops::RangeInclusive<usize> = 0..=i32::MAX as usize;

impl Process {
    /// Converts the return value of a call, within [`PROCESS`].
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it is at most `i32::MAX`")]
    fn new(ret: usize) -> Self {
        Self(ret as i32)
    }
}

//! `waitid`: state changes of children.

use super::Process;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};

/// Which children [`waitid`] waits for: `idtype_t`.
///
/// `include/uapi/linux/wait.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitId {
    /// `P_ALL`
    All = 0,
    /// `P_PID`
    Pid = 1,
    /// `P_PGID`
    Pgid = 2,
    /// `P_PIDFD`
    PidFd = 3,
}

// `include/uapi/linux/wait.h`.
pub(crate) const WNOHANG: u32 = 1;
pub(crate) const WSTOPPED: u32 = 2;
pub(crate) const WEXITED: u32 = 4;
pub(crate) const WCONTINUED: u32 = 8;
pub(crate) const WNOWAIT: u32 = 0x0100_0000;
/// Only children of the calling thread, not those of other threads of its process.
pub(crate) const WNOTHREAD: u32 = 0x2000_0000;
/// Also children whose exit signal is not `SIGCHLD`.
pub(crate) const WALL: u32 = 0x4000_0000;

/// The result of a [`waitid`]: `si_pid`, `si_code` and `si_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitInfo {
    pub(crate) process: Process,
    pub(crate) code: i32,
    pub(crate) status: i32,
}

/// `siginfo_t`, in words.
const WORDS: usize = 32;

/// Waits until a child changes state. With `WNOHANG` it returns `None` if no child has changed.
///
/// System calls: `waitid`.
///
/// # Errors
///
/// `ECHILD`: there is no such child. `EINTR`: a signal handler ran. `EINVAL`: an invalid combination of options, or a
/// kind of id that the kernel does not know. `EBADF`, `EAGAIN`: for a pidfd.
///
/// # Source
///
/// [waitid(2)](https://man7.org/linux/man-pages/man2/wait.2.html).
#[inline]
pub(crate) fn waitid<S: SyscallInterface>(
    sysif: &S,
    kind: WaitId,
    id: i32,
    options: u32,
) -> Result<Option<WaitInfo>, S::Error> {
    let mut info = [0_u8; 4 * WORDS];
    let args = [Arg::from(kind as u32), id.into(), Arg::InOut(&mut info), options.into(), Arg::Word(0)];
    // SAFETY: the call writes one `siginfo_t`, for which the memory is large enough. That it may free a pid violates no
    // memory safety.
    unsafe { sysif.syscall(nr::WAITID, args) }?;
    // SAFETY: the same size, and any bytes are integers.
    let words = unsafe { core::mem::transmute::<[u8; 4 * WORDS], [i32; WORDS]>(info) };
    // The union of `siginfo_t` is aligned as a pointer: on 64-bit kernels a word of padding precedes it.
    #[cfg(target_pointer_width = "64")]
    let [signal, _, code, _, process, _, status, ..] = words;
    #[cfg(target_pointer_width = "32")]
    let [signal, _, code, process, _, status, ..] = words;
    // Without a change all fields are 0.
    Ok(if signal != 0 { Some(WaitInfo { process: Process(process), code, status }) } else { None })
}

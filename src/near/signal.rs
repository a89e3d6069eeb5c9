//! Signals: the mask, the actions, and sending one.

use super::{FileDescriptor, Process, SignalSet, Timespec, signal_set};
use crate::arch::this::{HANDLER_FLAGS, NO_RESTORER, Restorer, signal_return};
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};
use core::mem::MaybeUninit;

/// `SIGKILL`.
pub(crate) const SIGKILL: u32 = 9;
/// `SIGPIPE`: a write to a stream whose other end is gone.
pub(crate) const SIGPIPE: u32 = 13;
/// `SIGSTOP`.
pub(crate) const SIGSTOP: u32 = 19;
/// `SIGCHLD`.
pub(crate) const SIGCHLD: u32 = 17;
/// `SIGURG`: without a handler it does nothing.
pub(crate) const SIGURG: u32 = 23;
/// The highest signal.
pub(crate) const LAST_SIGNAL: u32 = 64;

// `include/uapi/asm-generic/signal-defs.h`.
pub(crate) const SIG_BLOCK: u32 = 0;
pub(crate) const SIG_UNBLOCK: u32 = 1;
pub(crate) const SIG_SETMASK: u32 = 2;

/// Puts `set` in the place of the calling thread's mask of blocked signals, and returns the mask as it was.
///
/// # Safety
///
/// Those of [`change_signal_mask`].
pub(crate) unsafe fn set_signal_mask<S: SyscallInterface>(sysif: &S, set: SignalSet) -> Result<SignalSet, S::Error> {
    // SAFETY: handed on as it came.
    unsafe { change_signal_mask(sysif, SIG_SETMASK, set) }
}

/// Changes the calling thread's mask of blocked signals, and returns the mask as it was.
///
/// # Safety
///
/// No code that is yet to run relies on a signal that is now blocked, or on the absence of one that is not.
pub(crate) unsafe fn change_signal_mask<S: SyscallInterface>(
    sysif: &S,
    how: u32,
    set: SignalSet,
) -> Result<SignalSet, S::Error> {
    let set = set.bits().to_ne_bytes();
    let mut old = [MaybeUninit::<u8>::uninit(); 8];
    // SAFETY: eight bytes are read and eight written, as the last argument says; the caller is responsible for the
    // mask.
    unsafe {
        sysif.syscall(nr::RT_SIGPROCMASK, [how.into(), Arg::In(&set), Arg::Out(&mut old), Arg::Word(signal_set::SIZE)])
    }?;
    // SAFETY: the call succeeded, so all eight bytes are written, and any eight bytes are a set.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; 8], SignalSet>(old) })
}

/// What a signal does: the kernel's `struct sigaction`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct SignalAction {
    /// An address, or [`SIG_DFL`](Self::DEFAULT) or `SIG_IGN`.
    pub(crate) handler: usize,
    flags: usize,
    /// Where a handler returns to; not every architecture has such a field.
    restorer: Restorer,
    /// A [`SignalSet`], in bytes: it need not be aligned as an integer of 64 bits is.
    mask: [u8; 8],
}

const ACTION_SIZE: usize = size_of::<SignalAction>();

/// Where the kernel writes what a signal did. qemu-user 7.2 writes a `sa_restorer` on riscv64 too, whose structure has
/// none: the room behind it keeps those eight bytes from other variables.
#[repr(C)]
struct OldAction {
    action: SignalAction,
    room: MaybeUninit<[u8; 8]>,
}

const OLD_SIZE: usize = size_of::<OldAction>();
static_assertions::assert_eq_size!(SignalAction, ([usize; 2], Restorer, [u8; 8]));

impl SignalAction {
    pub(crate) const DEFAULT: usize = 0;
    pub(crate) const IGNORE: usize = 1;

    /// `SIG_DFL`.
    pub(crate) const fn default_action() -> Self {
        Self { handler: Self::DEFAULT, flags: 0, restorer: NO_RESTORER, mask: [0; 8] }
    }

    /// Calls `handler`, on the alternate stack of a thread that has one, and without `SA_RESTART`: calls that it
    /// interrupts fail with `EINTR`.
    #[inline(always)]
    pub(crate) fn handler(handler: extern "C" fn(i32)) -> Self {
        /// `include/uapi/asm-generic/signal.h`.
        const SA_ONSTACK: usize = 0x0800_0000;
        Self {
            handler: (handler as *const ()).expose_provenance(),
            flags: HANDLER_FLAGS | SA_ONSTACK,
            restorer: signal_return(),
            mask: SignalSet::EMPTY.bits().to_ne_bytes(),
        }
    }

    /// `SIG_IGN`.
    pub(crate) const fn ignore() -> Self {
        let mut action = Self::default_action();
        action.handler = Self::IGNORE;
        action
    }

    /// Whether it is `SIG_DFL`.
    pub(crate) const fn is_default(&self) -> bool {
        self.handler == Self::DEFAULT
    }

    /// Whether a function is called.
    pub(crate) const fn is_handler(&self) -> bool {
        self.handler != Self::DEFAULT && self.handler != Self::IGNORE
    }
}

/// Returns what a signal does.
pub(crate) fn signal_action<S: SyscallInterface>(sysif: &S, signal: u32) -> Result<SignalAction, S::Error> {
    let mut old = [MaybeUninit::<u8>::uninit(); OLD_SIZE];
    // SAFETY: no new action is named; the call writes one `struct sigaction`, for which the memory is large enough.
    unsafe { sysif.syscall(nr::RT_SIGACTION, [signal.into(), Arg::Word(0), Arg::Out(&mut old), Arg::Word(8)]) }?;
    // SAFETY: the call succeeded, so all bytes of the action are written, and any bytes are four integers.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; OLD_SIZE], OldAction>(old) }.action)
}

/// Sets what a signal does.
///
/// # Safety
///
/// A handler is a function of the C calling convention in that address space which is sound to run between any two
/// instructions of the process, and so is the lack of the one that was there.
pub(crate) unsafe fn set_signal_action<S: SyscallInterface>(
    sysif: &S,
    signal: u32,
    action: SignalAction,
) -> Result<(), S::Error> {
    // SAFETY: integers and no padding: all bytes are initialised.
    let new = unsafe { core::mem::transmute::<SignalAction, [u8; ACTION_SIZE]>(action) };
    // SAFETY: the call reads one `struct sigaction`; the caller is responsible for the handler.
    unsafe { sysif.syscall(nr::RT_SIGACTION, [signal.into(), Arg::In(&new), Arg::Word(0), Arg::Word(8)]) }.map(drop)
}

/// Sets what a signal does, and returns what it did.
///
/// System calls: `rt_sigaction`.
///
/// # Errors
///
/// `EINVAL`: no such signal, or one whose action cannot be changed.
///
/// # Safety
///
/// That of [`set_signal_action`].
#[inline]
pub(crate) unsafe fn replace_signal_action<S: SyscallInterface>(
    sysif: &S,
    signal: u32,
    action: SignalAction,
) -> Result<SignalAction, S::Error> {
    // SAFETY: integers and no padding: all bytes are initialised.
    let new = unsafe { core::mem::transmute::<SignalAction, [u8; ACTION_SIZE]>(action) };
    let mut old = [MaybeUninit::<u8>::uninit(); OLD_SIZE];
    // SAFETY: the call reads one `struct sigaction` and writes one; the caller is responsible for the handler.
    unsafe { sysif.syscall(nr::RT_SIGACTION, [signal.into(), Arg::In(&new), Arg::Out(&mut old), Arg::Word(8)]) }?;
    // SAFETY: the call succeeded, so all bytes of the action are written, and any bytes are four integers.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; OLD_SIZE], OldAction>(old) }.action)
}

/// Takes a blocked signal of the set that is pending for the calling thread or its process. It never sleeps.
///
/// System calls: `rt_sigtimedwait`.
///
/// # Errors
///
/// `EAGAIN`: none is pending.
///
/// # Source
///
/// [rt_sigtimedwait(2)](https://man7.org/linux/man-pages/man2/sigtimedwait.2.html).
#[inline]
pub(crate) fn take_pending_signal<S: SyscallInterface>(sysif: &S, set: SignalSet) -> Result<(), S::Error> {
    let set = set.bits().to_ne_bytes();
    let at_once = Timespec::ZERO.to_bytes();
    let (no_info, size) = (Arg::Word(0), Arg::Word(signal_set::SIZE));
    // SAFETY: a set and a time are read, as long as is said. A signal that is taken runs no handler and breaks no
    // memory.
    unsafe { sysif.syscall(nr::RT_SIGTIMEDWAIT, [Arg::In(&set), no_info, Arg::In(&at_once), size]) }.map(drop)
}

/// Sends a signal to a process; signal 0 only checks that it exists.
///
/// The pid may be another process's by now, unless it is that of a child that was not reaped.
///
/// System calls: `kill`.
///
/// # Errors
///
/// `ESRCH`: no such process. `EPERM`. `EINVAL`: no such signal.
///
/// # Safety
///
/// The caller is responsible for what the signal does to the process that has the pid; 0 and negative numbers mean
/// groups.
///
/// # Source
///
/// [kill(2)](https://man7.org/linux/man-pages/man2/kill.2.html).
pub unsafe fn kill<S: SyscallInterface>(sysif: &S, process: Process, signal: u32) -> Result<(), S::Error> {
    // SAFETY: two words and no memory; the caller is responsible for the signal.
    unsafe { sysif.syscall(nr::KILL, [process.into(), signal.into()]) }.map(drop)
}

/// Sends a signal to the process of a pidfd; signal 0 only checks that it exists.
///
/// System calls: `pidfd_send_signal`.
///
/// # Errors
///
/// `ESRCH`: it was reaped. `EBADF`, `EPERM`, `EINVAL`. `ENOSYS`: Linux before 5.1.
///
/// # Safety
///
/// `pidfd` is open in the interface's table, and the caller is responsible for what the signal does to the process.
///
/// # Source
///
/// [pidfd_send_signal(2)](https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html).
pub unsafe fn pidfd_send_signal<S: SyscallInterface>(
    sysif: &S,
    pidfd: FileDescriptor,
    signal: u32,
) -> Result<(), S::Error> {
    let (no_info, no_flags) = (Arg::Word(0), Arg::Word(0));
    // SAFETY: words and no memory; the caller is responsible for the signal.
    unsafe { sysif.syscall(nr::PIDFD_SEND_SIGNAL, [pidfd.into(), signal.into(), no_info, no_flags]) }.map(drop)
}

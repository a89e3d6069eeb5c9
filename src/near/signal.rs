//! Signals: masks, actions, and sending.

use super::{FileDescriptor, Process, SignalSet, Timespec, signal_set};
use crate::arch::this::{HANDLER_FLAGS, NO_RESTORER, Restorer, signal_return};
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};
use core::mem::MaybeUninit;

/// `SIGKILL`.
pub(crate) const SIGKILL: u32 = 9;
/// `SIGPIPE`: a write to a stream whose peer has closed its end.
pub(crate) const SIGPIPE: u32 = 13;
/// `SIGSTOP`.
pub(crate) const SIGSTOP: u32 = 19;
/// `SIGCHLD`.
pub(crate) const SIGCHLD: u32 = 17;
/// `SIGURG`: the default action is to ignore it.
pub(crate) const SIGURG: u32 = 23;
/// The highest signal.
pub(crate) const LAST_SIGNAL: u32 = 64;

// `include/uapi/asm-generic/signal-defs.h`.
pub(crate) const SIG_BLOCK: u32 = 0;
pub(crate) const SIG_UNBLOCK: u32 = 1;
pub(crate) const SIG_SETMASK: u32 = 2;

/// Replaces the calling thread's signal mask by `set`, and returns the previous mask.
///
/// # Safety
///
/// Those of [`change_signal_mask`].
pub(crate) unsafe fn set_signal_mask<S: SyscallInterface>(sysif: &S, set: SignalSet) -> Result<SignalSet, S::Error> {
    // SAFETY: the caller guarantees the same.
    unsafe { change_signal_mask(sysif, SIG_SETMASK, set) }
}

/// Changes the calling thread's signal mask, and returns the previous mask.
///
/// # Safety
///
/// No code that runs later relies on a signal that is now blocked, or on the absence of one that is not.
pub(crate) unsafe fn change_signal_mask<S: SyscallInterface>(
    sysif: &S,
    how: u32,
    set: SignalSet,
) -> Result<SignalSet, S::Error> {
    let set = set.bits().to_ne_bytes();
    let mut old = [MaybeUninit::<u8>::uninit(); 8];
    // SAFETY: eight bytes are read and eight written, the size in the last argument; the caller is responsible for the
    // mask.
    unsafe {
        sysif.syscall(nr::RT_SIGPROCMASK, [how.into(), Arg::In(&set), Arg::Out(&mut old), Arg::Word(signal_set::SIZE)])
    }?;
    // SAFETY: the call succeeded, so all eight bytes are written, and any eight bytes are a set.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; 8], SignalSet>(old) })
}

/// The action of a signal: the kernel's `struct sigaction`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct SignalAction {
    /// An address, or [`SIG_DFL`](Self::DEFAULT) or `SIG_IGN`.
    pub(crate) handler: usize,
    flags: usize,
    /// The address to which a handler returns; not every architecture has this field.
    restorer: Restorer,
    /// A [`SignalSet`] as bytes: it need not be aligned as a 64-bit integer.
    mask: [u8; 8],
}

const ACTION_SIZE: usize = size_of::<SignalAction>();

/// Memory for a previous action. qemu-user 7.2 writes a `sa_restorer` on riscv64 too, whose structure has none: the
/// padding at the end keeps those eight bytes from other variables.
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

    /// Returns `SIG_DFL`.
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

    /// Returns `SIG_IGN`.
    pub(crate) const fn ignore() -> Self {
        let mut action = Self::default_action();
        action.handler = Self::IGNORE;
        action
    }

    /// Returns whether it is `SIG_DFL`.
    pub(crate) const fn is_default(&self) -> bool {
        self.handler == Self::DEFAULT
    }

    /// Returns whether it is a handler function.
    pub(crate) const fn is_handler(&self) -> bool {
        self.handler != Self::DEFAULT && self.handler != Self::IGNORE
    }
}

/// Returns the action of a signal.
pub(crate) fn signal_action<S: SyscallInterface>(sysif: &S, signal: u32) -> Result<SignalAction, S::Error> {
    let mut old = [MaybeUninit::<u8>::uninit(); OLD_SIZE];
    // SAFETY: no new action is passed; the call writes one `struct sigaction`, for which the memory is large enough.
    unsafe { sysif.syscall(nr::RT_SIGACTION, [signal.into(), Arg::Word(0), Arg::Out(&mut old), Arg::Word(8)]) }?;
    // SAFETY: the call succeeded, so all bytes of the action are written, and any bytes are four integers.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; OLD_SIZE], OldAction>(old) }.action)
}

/// Sets the action of a signal.
///
/// # Safety
///
/// A handler is a function of the C calling convention in that address space which is sound to run between any two
/// instructions of the process, and so is the absence of the previous handler.
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

/// Sets the action of a signal, and returns the previous one.
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

/// Takes a pending signal of the set, which is blocked, from the calling thread or its process. It never blocks.
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
    // SAFETY: a set and a time are read, of the size that is passed. A signal that is taken runs no handler and
    // violates no memory safety.
    unsafe { sysif.syscall(nr::RT_SIGTIMEDWAIT, [Arg::In(&set), no_info, Arg::In(&at_once), size]) }.map(drop)
}

/// Sends a signal to a process; signal 0 only checks that it exists.
///
/// The pid may be reused by another process, unless it is that of a child that was not reaped.
///
/// System calls: `kill`.
///
/// # Errors
///
/// `ESRCH`: there is no such process. `EPERM`: no permission to signal it. `EINVAL`: there is no such signal.
///
/// # Safety
///
/// The caller is responsible for what the signal does to the process that has the pid; 0 and negative values mean
/// process groups.
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
/// `ESRCH`: the process was reaped. `EBADF`: `pidfd` is not a pidfd. `EPERM`: no permission to signal it. `EINVAL`:
/// there is no such signal, or the process is not in the caller's pid namespace or a descendant of it. `ENOSYS`: Linux
/// before 5.1.
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

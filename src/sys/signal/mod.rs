//! `#include <signal.h>`: for programs that block, ignore or send signals.
//!
//! ```
//! use rsyscall::Current;
//! use rsyscall::sys::signal::{Signal, SignalSet, SignalTask};
//!
//! let blocked = Current.block_signals(SignalSet::of(&[Signal::TERM, Signal::CHLD]))?;
//! assert!(Current.signal_mask()?.has(Signal::TERM));
//! drop(blocked); // restores the previous mask
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! An init or a supervisor blocks signals and reads them from a [`SignalFd`](super::signalfd::SignalFd). This module
//! cannot install handlers, because a handler would have to be sound between any two instructions of the process.
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::SIGNAL`](crate::nr::used_by::SIGNAL).

mod mask;
mod name;
mod send;

pub use crate::near::SignalSet;
pub use mask::Blocked;
pub use send::Target;

use crate::near::{self, SignalAction};
use crate::task::FileDescriptorTask;
use core::num::NonZero;

/// A signal, 1..=64.
///
/// `Display` prints the name as `kill -l` does: `SIGTERM`, `SIGRTMIN+3`.
///
/// ```
/// use rsyscall::sys::signal::Signal;
///
/// assert_eq!(Signal::TERM.raw(), 15);
/// assert_eq!(Signal::from_name(b"SIGTERM"), Some(Signal::TERM));
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!(Signal::from_raw(65), None);
/// ```
///
/// # Source
///
/// [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html); `include/uapi/asm-generic/signal.h`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Signal(NonZero<u8>);

impl Signal {
    /// The highest signal.
    const LAST: u8 = 64;

    /// Returns the signal with this number, or `None` if the number is not in 1..=64.
    #[inline]
    pub const fn from_raw(raw: u32) -> Option<Self> {
        if raw > Self::LAST as u32 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is at most 64")]
        match NonZero::new(raw as u8) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Creates a named signal; each number of the table is above zero.
    const fn constant(raw: u8) -> Self {
        match NonZero::new(raw) {
            Some(raw) => Self(raw),
            None => Self(NonZero::<u8>::MIN),
        }
    }

    /// Returns the number, 1..=64.
    #[inline]
    pub const fn raw(self) -> u32 {
        self.0.get() as u32
    }
}

impl From<Signal> for u32 {
    #[inline]
    fn from(signal: Signal) -> Self {
        signal.raw()
    }
}

impl SignalSet {
    /// Creates a set of these signals.
    ///
    /// ```
    /// use rsyscall::sys::signal::{Signal, SignalSet};
    ///
    /// const STOP: SignalSet = SignalSet::of(&[Signal::TERM, Signal::INT]);
    /// assert!(STOP.has(Signal::INT));
    /// assert!(!STOP.has(Signal::HUP));
    /// ```
    #[inline]
    pub const fn of(mut signals: &[Signal]) -> Self {
        let mut set = Self::EMPTY;
        while let [signal, rest @ ..] = signals {
            set = set.with(signal.raw());
            signals = rest;
        }
        set
    }

    /// Returns whether this signal is in the set.
    #[inline]
    pub const fn has(self, signal: Signal) -> bool {
        self.contains(signal.raw())
    }
}

impl FromIterator<Signal> for SignalSet {
    #[inline]
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        signals.into_iter().fold(Self::EMPTY, |set, signal| set.with(signal.raw()))
    }
}

/// What happens when a signal is delivered.
///
/// # Source
///
/// [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html), "Signal dispositions".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// `SIG_DFL`: the default action of the signal.
    Default,
    /// `SIG_IGN`: the signal is ignored. `execve` keeps this disposition.
    Ignore,
    /// A handler runs. `execve` resets it to the default.
    Handler,
}

/// A disposition that can be set: one without a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// `SIG_DFL`: the default action of the signal.
    Default,
    /// `SIG_IGN`: the signal is ignored.
    Ignore,
}

/// Signal mask, dispositions and sending of signals. It is implemented for all tasks.
///
/// ```
/// use rsyscall::Current;
/// use rsyscall::sys::signal::{Disposition, Preset, Signal, SignalTask};
///
/// Current.set_disposition(Signal::USR2, Preset::Ignore)?;
/// assert_eq!(Current.disposition(Signal::USR2)?, Disposition::Ignore);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
pub trait SignalTask: FileDescriptorTask {
    /// Adds these signals to the signal mask of the task's thread, until the guard is dropped.
    ///
    /// A blocked signal stays pending, even if its disposition is to ignore it, and even in process 1; a
    /// [`SignalFd`](super::signalfd::SignalFd) reads it. `SIGKILL` and `SIGSTOP` cannot be blocked, and a blocked
    /// `SIGCONT` still continues the process. The mask belongs to the *thread*; threads and processes that it creates
    /// inherit it, and `execve` keeps it. In a program with several threads, block signals before creating the first
    /// thread.
    ///
    /// glibc and musl use signals 32 to 34 internally: a program with a libc does not block them.
    ///
    /// System calls: `rt_sigprocmask`, now and when the guard is dropped.
    ///
    /// ```
    /// use rsyscall::Current;
    /// use rsyscall::sys::signal::{Signal, SignalSet, SignalTask};
    ///
    /// let blocked = Current.block_signals(SignalSet::of(&[Signal::USR1]))?;
    /// assert!(Current.signal_mask()?.has(Signal::USR1));
    /// drop(blocked);
    /// assert!(!Current.signal_mask()?.has(Signal::USR1));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None from the kernel. [Errors of the interface](crate::sysif#errors-of-the-interface).
    ///
    /// # Source
    ///
    /// [sigprocmask(2)](https://man7.org/linux/man-pages/man2/sigprocmask.2.html).
    fn block_signals(self, set: SignalSet) -> Result<Blocked<Self>, Self::Error>;

    /// Returns the signal mask of the task's thread.
    ///
    /// System calls: `rt_sigprocmask`.
    ///
    /// # Errors
    ///
    /// None from the kernel. [Errors of the interface](crate::sysif#errors-of-the-interface).
    fn signal_mask(self) -> Result<SignalSet, Self::Error>;

    /// Returns the disposition of a signal.
    ///
    /// System calls: `rt_sigaction`.
    ///
    /// # Errors
    ///
    /// None from the kernel. [Errors of the interface](crate::sysif#errors-of-the-interface).
    ///
    /// # Source
    ///
    /// [sigaction(2)](https://man7.org/linux/man-pages/man2/sigaction.2.html).
    fn disposition(self, signal: Signal) -> Result<Disposition, Self::Error>;

    /// Sets the disposition of a signal, for the whole process.
    ///
    /// If `SIGCHLD` is ignored, children leave no zombie, no status and no signal, and [`wait`](super::wait) fails with
    /// `ECHILD`. A program inherits this disposition from its parent, so an init sets it to [`Preset::Default`] first.
    ///
    /// System calls: `rt_sigaction`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: `SIGKILL` or `SIGSTOP`.
    ///
    /// # Source
    ///
    /// [sigaction(2)](https://man7.org/linux/man-pages/man2/sigaction.2.html).
    fn set_disposition(self, signal: Signal, preset: Preset) -> Result<(), Self::Error>;

    /// Sends a signal to a process, a process group, or all processes.
    ///
    /// A pid may be reused by another process, except for a child that was not reaped. To avoid that, use a
    /// [`PidFd`](super::pidfd::PidFd).
    ///
    /// System calls: `kill`.
    ///
    /// ```
    /// use rsyscall::sys::signal::{Signal, SignalTask, Target};
    /// use rsyscall::{Current, Errno, near::Process};
    ///
    /// // 0 and negative values are not a process; no call is made.
    /// assert_eq!(Current.send_signal(Target::Process(Process(0)), Signal::TERM), Err(Errno::EINVAL));
    /// ```
    ///
    /// # Errors
    ///
    /// `ESRCH`: there is no such process or group. `EPERM`: no permission for any of them. `EINVAL`, without a call: a
    /// process below 1, or a group below 2.
    ///
    /// # Source
    ///
    /// [kill(2)](https://man7.org/linux/man-pages/man2/kill.2.html).
    #[doc(alias = "kill", alias = "killpg")]
    fn send_signal(self, target: Target, signal: Signal) -> Result<(), Self::Error>;
}

impl<T: FileDescriptorTask> SignalTask for T {
    #[inline]
    fn block_signals(self, set: SignalSet) -> Result<Blocked<T>, T::Error> {
        Blocked::new(self, set)
    }

    #[inline]
    fn signal_mask(self) -> Result<SignalSet, T::Error> {
        // SAFETY: the mask does not change.
        unsafe { near::change_signal_mask(self.sysif(), near::SIG_BLOCK, SignalSet::EMPTY) }
    }

    #[inline]
    fn disposition(self, signal: Signal) -> Result<Disposition, T::Error> {
        Ok(match near::signal_action(self.sysif(), signal.raw())?.handler {
            SignalAction::DEFAULT => Disposition::Default,
            SignalAction::IGNORE => Disposition::Ignore,
            _ => Disposition::Handler,
        })
    }

    #[inline]
    fn set_disposition(self, signal: Signal, preset: Preset) -> Result<(), T::Error> {
        let mut action = SignalAction::default_action();
        if matches!(preset, Preset::Ignore) {
            action.handler = SignalAction::IGNORE;
        }
        // SAFETY: no handler is installed, and the soundness of no code can depend on one that was installed: without
        // it a signal for a fault ends the process, ignored or not, and any other signal does less than before.
        unsafe { near::set_signal_action(self.sysif(), signal.raw(), action) }
    }

    #[inline]
    fn send_signal(self, target: Target, signal: Signal) -> Result<(), T::Error> {
        let process = target.argument()?;
        // SAFETY: a signal can end or stop a process, and run a handler that was installed as sound at any time.
        unsafe { near::kill(self.sysif(), process, signal.raw()) }
    }
}

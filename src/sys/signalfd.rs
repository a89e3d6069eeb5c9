//! `#include <sys/signalfd.h>`: signals that are read instead of handled.
//!
//! Its system calls, for a seccomp filter: [`nr::used_by::SIGNALFD`](crate::nr::used_by::SIGNALFD).

pub use super::signal::{Signal, SignalSet};

use crate::Errno;
use crate::deadline::keep;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor, Process};
use crate::sys::kind::kind;
use crate::sys::ready;
use crate::sysif::SyscallError;
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::mem::MaybeUninit;
use core::time::Duration;
use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};

/// Makes signalfds. Every task does.
pub trait SignalfdTask: FileDescriptorTask {
    /// Makes a file descriptor in the task's table from which pending signals of this set are read. It is nonblocking,
    /// and closed by `execve`.
    ///
    /// System calls: `signalfd4`.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`: the process's or the system's file descriptors are used up. `ENODEV`, `ENOMEM`. `ENOSYS`:
    /// Linux before 2.6.27, or without signalfd.
    ///
    /// # Source
    ///
    /// [signalfd(2)](https://man7.org/linux/man-pages/man2/signalfd.2.html).
    fn signalfd(self, set: SignalSet) -> Result<SignalFd<Self>, Self::Error>;
}

impl<T: FileDescriptorTask> SignalfdTask for T {
    #[inline]
    fn signalfd(self, set: SignalSet) -> Result<SignalFd<T>, T::Error> {
        let (new, flags) = (FileDescriptor(-1), near::SFD_CLOEXEC | near::SFD_NONBLOCK);
        // SAFETY: a new one is made.
        let fd = unsafe { near::signalfd(self.sysif(), new, set, flags) }?;
        // SAFETY: the kernel just made it, and nothing can fail between.
        Ok(SignalFd { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// A file descriptor from which signals are read.
///
/// Only *blocked* signals are read: an unblocked one is delivered.
/// [`block_signals`](super::signal::SignalTask::block_signals) them first, in every thread: a signal that is sent to
/// the process is delivered to any thread that does not block it. What is read is pending for the *reading* process or
/// thread, whichever made the file descriptor: a duplicate in a child reads the child's. `SIGKILL` and `SIGSTOP` in the
/// set are ignored.
///
/// ```
/// use rsyscall::Current;
/// use rsyscall::sys::signal::{Signal, SignalSet, SignalTask};
/// use rsyscall::sys::signalfd::SignalFd;
///
/// let set = SignalSet::of(&[Signal::USR1, Signal::CHLD]);
/// let _blocked = Current.block_signals(set)?;
/// let signals = SignalFd::new(set)?;
/// assert_eq!(signals.try_read()?, None);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Coalescing
///
/// A signal that is pending already is not pending twice: five children that end can be one `SIGCHLD`. Therefore a
/// [`SignalInfo`] does not say which child ended; after a `SIGCHLD`, [`try_wait`](super::wait::WaitTask::try_wait)
/// until there is none left. Real-time signals (32..=64) are queued, and read in order.
///
/// A blocked program that writes to a pipe without a reader finds its own `SIGPIPE` here, and `SIGXFSZ` likewise.
///
/// # Source
///
/// [signalfd(2)](https://man7.org/linux/man-pages/man2/signalfd.2.html); `fs/signalfd.c`.
pub struct SignalFd<T: FileDescriptorTask = Current> {
    fd: OwnedFd<T>,
}

assert_eq_size!(SignalFd, Option<SignalFd>, i32);
assert_impl_all!(SignalFd: Send, Sync);
assert_not_impl_any!(SignalFd: Copy, Clone);

impl SignalFd {
    /// Makes a signalfd in the current process, nonblocking and closed by `execve`.
    ///
    /// System calls: `signalfd4`.
    ///
    /// # Errors
    ///
    /// Those of [`SignalfdTask::signalfd`].
    #[inline]
    #[doc(alias = "signalfd", alias = "signalfd4")]
    pub fn new(set: SignalSet) -> Result<Self, Errno> {
        Current.signalfd(set)
    }
}

impl<T: FileDescriptorTask> SignalFd<T> {
    /// Changes which signals are read, for every duplicate of the file descriptor. A reader that sleeps continues with
    /// the new set.
    ///
    /// System calls: `signalfd4`.
    ///
    /// # Errors
    ///
    /// `EINVAL`: the file descriptor is not a signalfd.
    ///
    /// # Source
    ///
    /// [signalfd(2)](https://man7.org/linux/man-pages/man2/signalfd.2.html).
    #[inline]
    pub fn set(&self, set: SignalSet) -> Result<(), T::Error> {
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::signalfd(self.fd.sysif(), self.fd.near(), set, 0) }.map(drop)
    }

    /// Takes the next pending signal. Exactly one system call.
    ///
    /// System calls: `read`.
    ///
    /// ```
    /// use rsyscall::Errno;
    /// use rsyscall::sys::signalfd::{SignalFd, SignalSet};
    ///
    /// assert_eq!(SignalFd::new(SignalSet::EMPTY)?.read().unwrap_err(), Errno::EAGAIN);
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EAGAIN`: none of the set is pending. `EINTR`: the file descriptor was made blocking, and a signal handler ran.
    /// `EIO`: the file descriptor is not a signalfd, and what was read is no signal.
    ///
    /// # Source
    ///
    /// [signalfd(2)](https://man7.org/linux/man-pages/man2/signalfd.2.html).
    #[inline]
    pub fn read(&self) -> Result<SignalInfo, T::Error> {
        let mut info = [const { MaybeUninit::<u8>::uninit() }; SignalInfo::SIZE];
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::read_exact(self.fd.sysif(), self.fd.near(), &mut info) }?;
        // SAFETY: all bytes were written, and any bytes are integers.
        let words = unsafe { core::mem::transmute::<[MaybeUninit<u8>; SignalInfo::SIZE], [u32; 32]>(info) };
        SignalInfo::new(&words).ok_or(Errno::EIO.into())
    }

    /// Takes the next pending signal, or returns `None` if none of the set is pending: it never sleeps, unless the file
    /// descriptor was made blocking (it is made nonblocking).
    ///
    /// System calls: `read`.
    ///
    /// # Errors
    ///
    /// `EIO`: the file descriptor is not a signalfd.
    #[inline]
    pub fn try_read(&self) -> Result<Option<SignalInfo>, T::Error> {
        match self.read() {
            Ok(info) => Ok(Some(info)),
            Err(error) if error.errno() == Some(Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the next signal, and sleeps until there is one, however many signal handlers run.
    ///
    /// System calls: `read`; if none is pending also `ppoll`, or `pselect6` where that is refused.
    ///
    /// # Errors
    ///
    /// `EIO`: the file descriptor is not a signalfd. `EINVAL` and others: `ppoll` and `pselect6` are refused, as for
    /// [`EventFd::wait`](crate::EventFd::wait).
    #[inline]
    pub fn wait(&self) -> Result<SignalInfo, T::Error> {
        loop {
            match self.read() {
                Err(error) if error.errno() == Some(Errno::EINTR) => {}
                Err(error) if error.errno() == Some(Errno::EAGAIN) => {
                    ready::sleep(&self.fd, None)?;
                }
                result => return result,
            }
        }
    }

    /// Takes the next signal, and sleeps for at most `timeout` until there is one; `None` if the timeout expires.
    ///
    /// The deadline is kept on `CLOCK_MONOTONIC`, across signal handlers and signals that another reader took.
    ///
    /// System calls: `read`; if none is pending also `clock_gettime` and `ppoll`, or `pselect6` where
    /// that is refused.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rsyscall::sys::signalfd::{SignalFd, SignalSet};
    ///
    /// let signals = SignalFd::new(SignalSet::EMPTY)?;
    /// assert_eq!(signals.wait_timeout(Duration::from_millis(1))?, None);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EIO`: the file descriptor is not a signalfd. `EINVAL` and others: `ppoll` and `pselect6` are refused, as for
    /// [`EventFd::wait`](crate::EventFd::wait).
    #[inline]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<SignalInfo>, T::Error> {
        if let Some(info) = self.take()? {
            return Ok(Some(info));
        }
        if timeout.is_zero() {
            return Ok(None);
        }
        keep(self.fd.sysif(), timeout, |left| ready::attempt(&self.fd, left, || self.take()))
    }

    /// As `try_read`, and `EINTR` is nothing either.
    fn take(&self) -> Result<Option<SignalInfo>, T::Error> {
        match self.try_read() {
            Err(error) if error.errno() == Some(Errno::EINTR) => Ok(None),
            result => result,
        }
    }
}

/// A signal that was read: which, how it was sent, and by whom.
///
/// It does not say which child ended: see [`SignalFd`].
///
/// # Source
///
/// `include/uapi/linux/signalfd.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalInfo {
    signal: Signal,
    code: i32,
    process: Process,
    user: u32,
    value: i32,
}

impl SignalInfo {
    /// `struct signalfd_siginfo`.
    const SIZE: usize = 128;

    /// Sent by `kill`, by `sigqueue`, by `tgkill`: `include/uapi/asm-generic/siginfo.h`.
    const SI_USER: i32 = 0;
    const SI_QUEUE: i32 = -1;
    const SI_TKILL: i32 = -6;

    /// `None` if it is not a signal.
    fn new(words: &[u32; 32]) -> Option<Self> {
        let [signal, _, code, process, user, _, _, _, _, _, _, value, ..] = *words;
        let signed = |word: u32| i32::from_ne_bytes(word.to_ne_bytes());
        Some(Self {
            signal: Signal::from_raw(signal)?,
            code: signed(code),
            process: Process(signed(process)),
            user,
            value: signed(value),
        })
    }

    /// Returns the signal.
    #[inline]
    pub const fn signal(&self) -> Signal {
        self.signal
    }

    /// Returns `si_code`, as the kernel has it: below 1, a process sent it.
    #[inline]
    pub const fn code(&self) -> i32 {
        self.code
    }

    /// Returns the pid and the user id of the process that sent it, if a process did. The pid is 0 if it is outside of
    /// the reader's pid namespace, and can be another process's by now.
    #[inline]
    pub const fn sender(&self) -> Option<(Process, u32)> {
        match self.code {
            Self::SI_USER | Self::SI_QUEUE | Self::SI_TKILL => Some((self.process, self.user)),
            _ => None,
        }
    }

    /// Returns the value that was sent along by `sigqueue`.
    #[inline]
    pub const fn value(&self) -> Option<i32> {
        if self.code == Self::SI_QUEUE { Some(self.value) } else { None }
    }
}

kind! {
    SignalFd,
    kind: "a signalfd",
    uses: "rsyscall::sys::signalfd::{SignalFd, SignalSet}",
    new: "SignalFd::new(SignalSet::EMPTY)?",
    wrong: "the calls of another kind fail with `EIO` or `EINVAL`.",
    end: "Blocked signals stay blocked and pending."
}

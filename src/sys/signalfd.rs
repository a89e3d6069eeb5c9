//! `#include <sys/signalfd.h>`: for event loops: signals that are read from a file descriptor instead of handled.
//!
//! ```
//! use rsyscall::Current;
//! use rsyscall::sys::signal::{Signal, SignalSet, SignalTask};
//! use rsyscall::sys::signalfd::SignalFd;
//!
//! let set = SignalSet::of(&[Signal::CHLD]);
//! let _blocked = Current.block_signals(set)?;
//! let signals = SignalFd::new(set)?;
//! std::process::Command::new("true").status().unwrap();
//! while let Some(info) = signals.try_read()? {
//!     assert_eq!(info.signal(), Signal::CHLD);
//! }
//! # Ok::<(), rsyscall::Errno>(())
//! ```
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

/// Creates signalfds. It is implemented for all tasks.
pub trait SignalfdTask: FileDescriptorTask {
    /// Creates a file descriptor in the task's table from which pending signals of this set are read. It is
    /// nonblocking, and `execve` closes it.
    ///
    /// System calls: `signalfd4`.
    ///
    /// # Errors
    ///
    /// `EMFILE`, `ENFILE`: the per-process or system-wide limit of file descriptors is reached. `ENODEV`: the kernel
    /// cannot mount its file system of anonymous inodes. `ENOMEM`. `ENOSYS`: Linux before 2.6.27, or without signalfd.
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
        // SAFETY: the call creates a new file descriptor.
        let fd = unsafe { near::signalfd(self.sysif(), new, set, flags) }?;
        // SAFETY: the kernel just created it for us, and nothing can fail in between.
        Ok(SignalFd { fd: unsafe { OwnedFd::adopt(self, fd) } })
    }
}

/// A file descriptor from which signals are read.
///
/// Only *blocked* signals can be read: an unblocked one is delivered. Call
/// [`block_signals`](super::signal::SignalTask::block_signals) first, in every thread: a signal for the process is
/// delivered to any thread that does not block it. A read returns signals that are pending for the process or thread
/// that *reads*, whichever created the file descriptor: a duplicate in a child reads the signals of the child.
/// `SIGKILL` and `SIGSTOP` in the set are ignored.
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
/// A signal that is pending already is not queued again: five children that end can cause one `SIGCHLD`. Therefore a
/// [`SignalInfo`] does not identify the child; after a `SIGCHLD`, call [`try_wait`](super::wait::WaitTask::try_wait)
/// until it returns `None`. Real-time signals (32..=64) are queued, and read in order.
///
/// A program that blocks `SIGPIPE` reads its own `SIGPIPE` here after a write to a pipe without a reader, and likewise
/// `SIGXFSZ`.
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
    /// Creates a signalfd in the current process. It is nonblocking, and `execve` closes it.
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
    /// Sets the signals that are read, for each duplicate of the file descriptor. A reader that is blocked continues
    /// with the new set.
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

    /// Reads the next pending signal. It makes exactly one system call.
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
    /// `EAGAIN`: no signal of the set is pending. `EINTR`: the file descriptor was set to blocking mode, and a signal
    /// handler ran. `EIO`: the file descriptor is not a signalfd, and the data is not a signal.
    ///
    /// # Source
    ///
    /// [signalfd(2)](https://man7.org/linux/man-pages/man2/signalfd.2.html).
    #[inline]
    pub fn read(&self) -> Result<SignalInfo, T::Error> {
        let mut info = [const { MaybeUninit::<u8>::uninit() }; SignalInfo::SIZE];
        // SAFETY: owned, so open, for as long as the borrow lasts.
        unsafe { near::read_exact(self.fd.sysif(), self.fd.near(), &mut info) }?;
        // SAFETY: all bytes were written, and any bytes are valid integers.
        let words = unsafe { core::mem::transmute::<[MaybeUninit<u8>; SignalInfo::SIZE], [u32; 32]>(info) };
        SignalInfo::new(&words).ok_or(Errno::EIO.into())
    }

    /// Reads the next pending signal, or returns `None` if there is none. It never blocks, unless the file descriptor
    /// was set to blocking mode (it is created nonblocking).
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

    /// Blocks until a signal is pending, and reads it. Signal handlers do not end the wait.
    ///
    /// System calls: `read`; if none is pending also `ppoll`, or `pselect6` if that is refused.
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

    /// Blocks until a signal is pending, and reads it, or returns `None` when the timeout expires.
    ///
    /// The timeout is measured on `CLOCK_MONOTONIC`, across signal handlers and signals that another reader takes.
    ///
    /// System calls: `read`; if none is pending also `clock_gettime` and `ppoll`, or `pselect6` if that is refused.
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
        if let Some(info) = self.try_read_interruptible()? {
            return Ok(Some(info));
        }
        if timeout.is_zero() {
            return Ok(None);
        }
        keep(self.fd.sysif(), timeout, |left| ready::attempt(&self.fd, left, || self.try_read_interruptible()))
    }

    /// Reads as `try_read` does, and returns `None` after `EINTR` too.
    fn try_read_interruptible(&self) -> Result<Option<SignalInfo>, T::Error> {
        match self.try_read() {
            Err(error) if error.errno() == Some(Errno::EINTR) => Ok(None),
            result => result,
        }
    }
}

/// A signal that was read, with its cause and sender.
///
/// It does not identify the child that has ended: see [`SignalFd`].
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

    /// `si_code` of `kill`, `sigqueue` and `tgkill`: `include/uapi/asm-generic/siginfo.h`.
    const SI_USER: i32 = 0;
    const SI_QUEUE: i32 = -1;
    const SI_TKILL: i32 = -6;

    /// Decodes it, or returns `None` if it is not a signal.
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

    /// Returns `si_code`. If it is below 1, a process sent the signal.
    #[inline]
    pub const fn code(&self) -> i32 {
        self.code
    }

    /// Returns the pid and the user ID of the process that sent the signal by `kill`, `sigqueue` or `tgkill`, or `None`
    /// if the signal has another cause.
    ///
    /// The pid is 0 if the process is outside the pid namespace of the reader, and may be reused by now.
    #[inline]
    pub const fn sender(&self) -> Option<(Process, u32)> {
        match self.code {
            Self::SI_USER | Self::SI_QUEUE | Self::SI_TKILL => Some((self.process, self.user)),
            _ => None,
        }
    }

    /// Returns the value that `sigqueue` sent with the signal, or `None` if the signal was not sent by `sigqueue`.
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

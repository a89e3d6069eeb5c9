//! The calls that never block, and those that block until a count or a deadline.

use super::{EventFd, EventfdFlags, EventfdTask, assume_count};
use crate::Errno;
use crate::deadline::{Deadline, Step, keep_on, keep_until};
use crate::near::{self, Timespec};
use crate::sys::ready;
use crate::sysif::{Features, SyscallError, SyscallInterface};
use crate::task::FileDescriptorTask;
use core::mem::MaybeUninit;
use core::time::Duration;

impl<T: FileDescriptorTask> EventFd<T> {
    /// Reads the counter as [`read`](Self::read) does, or returns `None` if it is 0. From Linux 5.8 on it never blocks,
    /// even if the open file description is in blocking mode and other readers compete.
    ///
    /// The call is `preadv2` with `RWF_NOWAIT`. If that is missing for eventfds (before Linux 5.8, in qemu-user before
    /// 10) or refused (by a seccomp policy), `ppoll` checks the count and `read` follows. In *blocking* mode another
    /// reader can take the count between the two, and the read then blocks until the next write or signal. A program
    /// with several readers on such a system should make the eventfd [`NONBLOCK`](super::EventfdFlags::NONBLOCK).
    ///
    /// The interface caches that the call is missing, so that it is tried once. It is missing after `ENOSYS`, and after
    /// `EOPNOTSUPP` if an eventfd that is created for this check fails with it too (this file descriptor may be of
    /// another kind). It is refused after `EPERM` or `EACCES`, and after any other error with which such an eventfd
    /// fails too. A refusal is not cached: a seccomp policy may apply to one thread only. Under a policy that *kills*
    /// on `preadv2`, a program declares before its first call that it is missing:
    ///
    /// ```no_run
    /// use rsyscall::sysif::{Local, SyscallInterface};
    ///
    /// Local.features().unwrap().learn_lacks_nowait();
    /// ```
    ///
    /// System calls: `preadv2`; if it is missing or refused `ppoll`, `read`; to detect that possibly `eventfd2`,
    /// `close`. If `ppoll` is refused `pselect6`.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(3, EventfdFlags::empty())?;
    /// assert_eq!(bell.try_read()?, Some(3));
    /// assert_eq!(bell.try_read()?, None);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EIO`: the file descriptor is not an eventfd, and the read returned a
    /// length other than 8. `EINVAL`, `EPERM` and others: `ppoll` is refused (`RLIMIT_NOFILE` is 0, or a seccomp
    /// policy), and so is `pselect6`, or the file descriptor is 1024 or above, which `pselect6` does not support.
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    ///
    /// # Source
    ///
    /// [preadv2(2)](https://man7.org/linux/man-pages/man2/preadv2.2.html); Linux commit 12aceb89b0bc.
    #[inline]
    pub fn try_read(&self) -> Result<Option<u64>, T::Error> {
        let mut count = [MaybeUninit::uninit(); 8];
        let sysif = self.fd.sysif();
        // A load and a branch before each call, so that a missing feature is tried once instead of at each call.
        if sysif.features().is_some_and(Features::lacks_nowait) {
            return self.try_read_fallback(None);
        }
        // SAFETY: owned, so open, for as long as the borrow lasts.
        match unsafe { near::read_nowait(sysif, self.fd.near(), &mut count) } {
            // SAFETY: it succeeded, so all eight bytes were written.
            Ok(_) => Ok(Some(unsafe { assume_count(count) })),
            Err(error) if error.errno() == Some(Errno::EAGAIN) => Ok(None),
            Err(error) => self.try_read_fallback(Some(error)),
        }
    }

    #[cold]
    #[inline(never)]
    fn try_read_fallback(&self, refused: Option<T::Error>) -> Result<Option<u64>, T::Error> {
        let mut count = [MaybeUninit::uninit(); 8];
        let found = self.read_fallback(refused, &mut count)?;
        // SAFETY: there was a count, so all eight bytes were written.
        Ok(if found { Some(unsafe { assume_count(count) }) } else { None })
    }

    /// Reads as `try_read` does. Returns whether there was a count, which is then in `count`.
    #[inline(always)]
    fn read_nowait(&self, count: &mut [MaybeUninit<u8>; 8]) -> Result<bool, T::Error> {
        let sysif = self.fd.sysif();
        if sysif.features().is_some_and(Features::lacks_nowait) {
            return self.read_fallback(None, count);
        }
        // SAFETY: owned, so open, for as long as the borrow lasts.
        match unsafe { near::read_nowait(sysif, self.fd.near(), count) } {
            Ok(_) => Ok(true),
            Err(error) if error.errno() == Some(Errno::EAGAIN) => Ok(false),
            Err(error) => self.read_fallback(Some(error), count),
        }
    }

    /// The fallback if `preadv2` was refused, or is known to be missing: polls, then reads. Returns whether there was a
    /// count, which is then in `count`.
    ///
    /// Out of line, and with a result that fits in registers, so that the caller's loop keeps its registers.
    #[cold]
    #[inline(never)]
    fn read_fallback(&self, refused: Option<T::Error>, count: &mut [MaybeUninit<u8>; 8]) -> Result<bool, T::Error> {
        if let Some(error) = refused {
            match error.errno() {
                // The kernel does not have the call.
                Some(Errno::ENOSYS) => self.learn_lacks_nowait(),
                // Either the kernel does not support it for eventfds, or this is not an eventfd.
                Some(Errno::EOPNOTSUPP) if self.is_nowait_missing() => self.learn_lacks_nowait(),
                // The latter; or a seccomp policy, possibly of one thread only.
                Some(Errno::EOPNOTSUPP | Errno::EPERM | Errno::EACCES) => {}
                // A policy may return any error, which is then not an error of the file descriptor.
                Some(errno) if self.is_refused_to_eventfds(errno) => {}
                _ => return Err(error),
            }
        }
        let found = match ready::sleep(&self.fd, Some(Timespec::ZERO)) {
            Ok(0) => return Ok(false),
            // SAFETY: owned, so open, for as long as the borrow lasts.
            Ok(_) => unsafe { near::read_exact(self.fd.sysif(), self.fd.near(), count) },
            Err(error) => return Err(error),
        };
        match found {
            Ok(()) => Ok(true),
            // After `EINTR` the kernel had checked the count and found 0. A lost race therefore returns that, and does
            // not block again.
            Err(error) if matches!(error.errno(), Some(Errno::EAGAIN | Errno::EINTR)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn learn_lacks_nowait(&self) {
        if let Some(features) = self.fd.sysif().features() {
            features.learn_lacks_nowait();
        }
    }

    /// Returns whether the kernel refuses `RWF_NOWAIT` for an actual eventfd. It is tried only if the interface can
    /// cache the result.
    fn is_nowait_missing(&self) -> bool {
        let Some(features) = self.fd.sysif().features() else { return false };
        if features.has_nowait() {
            return false;
        }
        match self.error_of_an_empty_eventfd() {
            Some(Errno::EAGAIN) => features.learn_has_nowait(),
            Some(Errno::EOPNOTSUPP) => return true,
            _ => {}
        }
        false
    }

    /// Returns whether an actual eventfd fails with this error too. If none can be created, that is assumed of
    /// `EINVAL`, which an eventfd never returns by itself. `EIO` means a length other than 8.
    fn is_refused_to_eventfds(&self, errno: Errno) -> bool {
        errno != Errno::EIO
            && self.error_of_an_empty_eventfd().map_or(errno == Errno::EINVAL, |refused| refused == errno)
    }

    /// Returns the error of the nonblocking read for an eventfd that is created for this check, or `None` if none can
    /// be created.
    fn error_of_an_empty_eventfd(&self) -> Option<Errno> {
        let probe = self.task().eventfd(0, EventfdFlags::NONBLOCK).ok()?;
        let mut count = [MaybeUninit::uninit(); 8];
        // SAFETY: owned, so open, until the end of this function.
        unsafe { near::read_nowait(self.fd.sysif(), probe.near(), &mut count) }.err()?.errno()
    }

    /// Adds `value` as [`write`](Self::write) does, or returns `false` if the sum would be too large. It never blocks.
    ///
    /// It requires a nonblocking open file description. In blocking mode it fails with `EOPNOTSUPP` and the counter is
    /// unchanged: the kernel refuses `RWF_NOWAIT` for writes to an eventfd, and a poll that returns writable guarantees
    /// room for 1 only, until the next write of another thread. (If another thread clears `O_NONBLOCK` between the
    /// check and the write, the write can still block.)
    ///
    /// System calls: `fcntl(F_GETFL)`, `write`. A program that set the nonblocking mode itself can save the first: it
    /// calls [`write`](Self::write) and handles `EAGAIN`.
    ///
    /// ```
    /// use rsyscall::{Errno, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
    /// assert!(bell.try_write(u64::MAX - 1)?);
    /// assert!(!bell.try_write(1)?);
    ///
    /// let blocking = EventFd::new(0, EventfdFlags::empty())?;
    /// assert_eq!(blocking.try_write(1), Err(Errno::EOPNOTSUPP));
    /// # Ok::<(), Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EOPNOTSUPP`: the open file description is in blocking mode. `EINVAL`:
    /// `value` is `u64::MAX`. `EIO`: the file descriptor is not an eventfd, and the write returned a length other than
    /// 8. [Errors of the interface](crate::sysif#errors-of-the-interface).
    ///
    /// # Source
    ///
    /// [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html); `fs/eventfd.c`, which has no `write_iter`.
    #[inline]
    pub fn try_write(&self, value: u64) -> Result<bool, T::Error> {
        if !self.is_nonblocking()? {
            return Err(Errno::EOPNOTSUPP.into());
        }
        match self.write(value) {
            Ok(_) => Ok(true),
            Err(error) if error.errno() == Some(Errno::EAGAIN) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Blocks until the count is above 0, and reads it as [`read`](Self::read) does. `O_NONBLOCK` and signal handlers
    /// make no difference.
    ///
    /// System calls: `read`; in nonblocking mode also `ppoll`, or `pselect6` if that is refused.
    ///
    /// ```
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::NONBLOCK)?;
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| bell.write(2));
    ///     assert_eq!(bell.wait(), Ok(2));
    /// });
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EIO`: the file descriptor is not an eventfd, and the read returned a
    /// length other than 8. `EINVAL`, `EPERM` and others: `ppoll` is refused (`RLIMIT_NOFILE` is 0, or a seccomp
    /// policy), and so is `pselect6`, or the file descriptor is 1024 or above, which `pselect6` does not support.
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    pub fn wait(&self) -> Result<u64, T::Error> {
        loop {
            match self.read() {
                Ok(count) => return Ok(count),
                Err(error) => match error.errno() {
                    Some(Errno::EINTR) => {}
                    Some(Errno::EAGAIN) => {
                        ready::sleep(&self.fd, None)?;
                    }
                    _ => return Err(error),
                },
            }
        }
    }

    /// Blocks until the count is above 0, and reads it as [`read`](Self::read) does, or returns `None` when the timeout
    /// expires.
    ///
    /// The timeout is measured on `CLOCK_MONOTONIC`, across signal handlers and counts that other readers take. A count
    /// above 0 is read even with a zero timeout. With competing readers in blocking mode, the restriction of
    /// [`try_read`](Self::try_read) on older kernels applies.
    ///
    /// System calls: those of [`try_read`](Self::try_read); if the count is 0 also `clock_gettime` and `ppoll`, or
    /// `pselect6` if that is refused.
    ///
    /// ```
    /// use core::time::Duration;
    /// use rsyscall::{EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.wait_timeout(Duration::from_millis(1))?, None);
    /// bell.write(2)?;
    /// assert_eq!(bell.wait_timeout(Duration::ZERO)?, Some(2));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// On an error the counter is unchanged. `EIO`: the file descriptor is not an eventfd, and the read returned a
    /// length other than 8. `EINVAL`, `EPERM` and others: `ppoll` is refused (`RLIMIT_NOFILE` is 0, or a seccomp
    /// policy), and so is `pselect6`, or the file descriptor is 1024 or above, which `pselect6` does not support.
    /// [Errors of the interface](crate::sysif#errors-of-the-interface).
    #[inline]
    #[doc(alias = "read_timeout")]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, T::Error> {
        let mut count = [MaybeUninit::uninit(); 8];
        let found = self.read_nowait(&mut count)? || self.sleep_then_read(timeout, &mut count)?;
        // SAFETY: there was a count, so all eight bytes were written.
        Ok(if found { Some(unsafe { assume_count(count) }) } else { None })
    }

    /// Blocks as [`wait_timeout`](Self::wait_timeout) does, until a deadline.
    ///
    /// System calls: those of [`wait_timeout`](Self::wait_timeout).
    ///
    /// ```
    /// use core::time::Duration;
    /// use rsyscall::deadline::Deadline;
    /// use rsyscall::{EventFd, EventfdFlags, sysif::Local};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// let deadline = Deadline::after(&Local, Duration::from_millis(1))?;
    /// assert_eq!(bell.wait_until(deadline)?, None);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`wait_timeout`](Self::wait_timeout).
    #[inline]
    pub fn wait_until(&self, deadline: Deadline) -> Result<Option<u64>, T::Error> {
        let mut count = [MaybeUninit::uninit(); 8];
        let found = self.read_nowait(&mut count)? || self.sleep_then_read_until(deadline, &mut count)?;
        // SAFETY: there was a count, so all eight bytes were written.
        Ok(if found { Some(unsafe { assume_count(count) }) } else { None })
    }

    /// Blocks until there is a count, which is then in `count`, and returns `true`, or `false` when the timeout
    /// expires. The clock is read only here, where a wait is necessary, and out of line, so that the caller's loop
    /// keeps its registers.
    #[inline(never)]
    fn sleep_then_read(&self, timeout: Duration, count: &mut [MaybeUninit<u8>; 8]) -> Result<bool, T::Error> {
        if timeout.is_zero() {
            return Ok(false);
        }
        let deadline = Deadline::after(self.fd.sysif(), timeout)?;
        Ok(keep_on(self.fd.sysif(), deadline, timeout.into(), |left| self.attempt(left, count))?.is_some())
    }

    #[inline(never)]
    fn sleep_then_read_until(&self, deadline: Deadline, count: &mut [MaybeUninit<u8>; 8]) -> Result<bool, T::Error> {
        Ok(keep_until(self.fd.sysif(), deadline, |left| self.attempt(left, count))?.is_some())
    }

    /// Polls, then reads.
    #[inline(always)]
    fn attempt(&self, left: Timespec, count: &mut [MaybeUninit<u8>; 8]) -> Step<(), T::Error> {
        ready::attempt(&self.fd, left, || self.read_nowait(count).map(|found| found.then_some(())))
    }
}

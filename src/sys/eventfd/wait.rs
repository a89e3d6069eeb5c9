//! The calls that never sleep, and the calls that sleep for as long as asked.

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
    /// Takes the count as [`read`](Self::read) does, or returns `None` if it is 0. Never sleeps, on a blocking
    /// description either, and whatever else reads at the same time.
    ///
    /// That promise is kept by `preadv2` with `RWF_NOWAIT`, which eventfds have from Linux 5.8. Where it is missing
    /// (older kernels, qemu-user before 10) or refused (by a seccomp policy) the count is looked at with
    /// `ppoll` and then read. Between the two another reader of a *blocking* description can take the count, and the
    /// read then sleeps until the next write or signal: there a program with several readers should make its eventfd
    /// [`NONBLOCK`](super::EventfdFlags::NONBLOCK).
    ///
    /// That the call is missing is learned once per interface: from `ENOSYS`; or, if it fails with `EOPNOTSUPP`, from
    /// an eventfd that is made for it, since the descriptor may be none. A policy may be that of one thread: nothing is
    /// learned from its `EPERM` or `EACCES`, nor from another error, which is its own if such an eventfd gets it too.
    /// Under a seccomp policy that *kills* on `preadv2`, a program says so before its first call:
    ///
    /// ```no_run
    /// use rsyscall::sysif::{Local, SyscallInterface};
    ///
    /// Local.features().unwrap().learn_lacks_nowait();
    /// ```
    ///
    /// System calls: `preadv2`; where it is missing `ppoll`, `read`; to learn that perhaps `eventfd2`, `close`. Where
    /// `ppoll` is refused `pselect6`.
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
    /// Nothing is taken. `EIO`: the descriptor is not an eventfd and gave another length. `EINVAL`, `EPERM` and others:
    /// `ppoll` is refused, because `RLIMIT_NOFILE` is 0 or by a seccomp policy, and so is `pselect6`, or the file
    /// descriptor is not below 1024, which is as far as `pselect6` goes. What the interface adds.
    ///
    /// # Source
    ///
    /// [preadv2(2)](https://man7.org/linux/man-pages/man2/preadv2.2.html); Linux commit 12aceb89b0bc.
    #[inline]
    pub fn try_read(&self) -> Result<Option<u64>, T::Error> {
        let mut count = [MaybeUninit::uninit(); 8];
        let sysif = self.fd.sysif();
        // A load and a branch before every call, so that a kernel without the feature is asked for it once and not each
        // time.
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
        // SAFETY: something was found, so all eight bytes were written.
        Ok(if found { Some(unsafe { assume_count(count) }) } else { None })
    }

    /// As `try_read`; whether there was something, which is in `count` then.
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

    /// What is left to do when the one call that looks and reads was refused, or would be: look, then read. Whether
    /// there was something, which is in `count` then.
    ///
    /// Out of line, and with a result that fits into registers, so that the caller's loop keeps its own.
    #[cold]
    #[inline(never)]
    fn read_fallback(&self, refused: Option<T::Error>, count: &mut [MaybeUninit<u8>; 8]) -> Result<bool, T::Error> {
        if let Some(error) = refused {
            match error.errno() {
                // The kernel does not have the call at all.
                Some(Errno::ENOSYS) => self.learn_lacks_nowait(),
                // Either it does not have it for eventfds, or this is none.
                Some(Errno::EOPNOTSUPP) if self.is_nowait_missing() => self.learn_lacks_nowait(),
                // The latter; or as a seccomp policy has it, which may be that of one thread.
                Some(Errno::EOPNOTSUPP | Errno::EPERM | Errno::EACCES) => {}
                // Such a policy may have any error, which then is not the descriptor's own.
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
            // Interrupted: the kernel looked before it left, and there was nothing. So a lost race ends with the truth,
            // and not in another sleep.
            Err(error) if matches!(error.errno(), Some(Errno::EAGAIN | Errno::EINTR)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn learn_lacks_nowait(&self) {
        if let Some(features) = self.fd.sysif().features() {
            features.learn_lacks_nowait();
        }
    }

    /// Whether the kernel refuses `RWF_NOWAIT` for something that certainly is an eventfd. Unless that can be told once
    /// for all calls of the interface, it is not tried.
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

    /// Whether something that certainly is an eventfd gets this error too. Where none can be made it is assumed of
    /// `EINVAL`, which no eventfd has of its own; `EIO` is another length.
    fn is_refused_to_eventfds(&self, errno: Errno) -> bool {
        errno != Errno::EIO
            && self.error_of_an_empty_eventfd().map_or(errno == Errno::EINVAL, |refused| refused == errno)
    }

    /// What the read that never blocks fails with for an eventfd that is made for it. `None` if none can be made.
    fn error_of_an_empty_eventfd(&self) -> Option<Errno> {
        let proof = self.task().eventfd(0, EventfdFlags::NONBLOCK).ok()?;
        let mut count = [MaybeUninit::uninit(); 8];
        // SAFETY: owned, so open, for as long as this lasts.
        unsafe { near::read_nowait(self.fd.sysif(), proof.near(), &mut count) }.err()?.errno()
    }

    /// Adds `value` as [`write`](Self::write) does, or is `false` if it does not fit: it never sleeps.
    ///
    /// Only a nonblocking description can promise that: the kernel refuses `RWF_NOWAIT` for writes to an eventfd, and
    /// being writable in a poll promises room for 1 and only until someone else writes. So on a blocking description
    /// this is refused with `EOPNOTSUPP`, and nothing is added: neither a hidden sleep, nor a shared flag changed
    /// behind the back of others. (Someone who clears `O_NONBLOCK` between the question and the write can still make it
    /// sleep.)
    ///
    /// System calls: `fcntl(F_GETFL)`, `write`. A program that made the description nonblocking itself can spare the
    /// first: [`write`](Self::write) and `EAGAIN`.
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
    /// Nothing is added. `EOPNOTSUPP`: the description is a blocking one. `EINVAL`: `value` is `u64::MAX`. `EIO`: the
    /// descriptor is not an eventfd and took another length. What the interface adds.
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

    /// Takes the count as [`read`](Self::read) does, and sleeps for as long as it is 0, whatever `O_NONBLOCK` says and
    /// however many signal handlers run.
    ///
    /// System calls: `read`; on a nonblocking description also `ppoll`, or `pselect6` where that is refused.
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
    /// Nothing is taken. `EIO`: the descriptor is not an eventfd and gave another length. `EINVAL`, `EPERM` and others:
    /// `ppoll` is refused, because `RLIMIT_NOFILE` is 0 or by a seccomp policy, and so is `pselect6`, or the file
    /// descriptor is not below 1024, which is as far as `pselect6` goes. What the interface adds.
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

    /// Takes the count as [`read`](Self::read) does, and sleeps for at most `timeout` while it is 0; `None` if the
    /// timeout expires.
    ///
    /// The timeout is kept on `CLOCK_MONOTONIC`, across signal handlers and counts that other readers took first. A
    /// count that is there is taken whatever the timeout, zero included. With another reader on a blocking description,
    /// [`try_read`](Self::try_read)'s remark about older kernels holds here too.
    ///
    /// System calls: those of [`try_read`](Self::try_read); if the count is 0 also `clock_gettime` and `ppoll`, or
    /// `pselect6` where that is refused.
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
    /// Nothing is taken. `EIO`: the descriptor is not an eventfd and gave another length. `EINVAL`, `EPERM` and others:
    /// `ppoll` is refused, because `RLIMIT_NOFILE` is 0 or by a seccomp policy, and so is `pselect6`, or the file
    /// descriptor is not below 1024, which is as far as `pselect6` goes. What the interface adds.
    #[inline]
    #[doc(alias = "read_timeout")]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, T::Error> {
        let mut count = [MaybeUninit::uninit(); 8];
        let found = self.read_nowait(&mut count)? || self.sleep_then_read(timeout, &mut count)?;
        // SAFETY: something was found, so all eight bytes were written.
        Ok(if found { Some(unsafe { assume_count(count) }) } else { None })
    }

    /// As [`wait_timeout`](Self::wait_timeout), until a moment.
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
        // SAFETY: something was found, so all eight bytes were written.
        Ok(if found { Some(unsafe { assume_count(count) }) } else { None })
    }

    /// Says whether there was something in time; `count` is then written. The clock is asked only here, where there is
    /// something to wait for, and out of line, so that the caller's loop keeps its registers.
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

    /// Sleeps, then reads.
    #[inline(always)]
    fn attempt(&self, left: Timespec, count: &mut [MaybeUninit<u8>; 8]) -> Step<(), T::Error> {
        ready::attempt(&self.fd, left, || self.read_nowait(count).map(|found| found.then_some(())))
    }
}

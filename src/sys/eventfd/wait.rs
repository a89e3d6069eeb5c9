//! The calls that never sleep, and the calls that sleep for as long as asked.

use super::{EventFd, assume_count};
use crate::Errno;
use crate::near::{self, PollFd, Timespec};
use crate::sys::deadline::Deadline;
use crate::sysif::{Known, SyscallError, SyscallInterface};
use crate::task::FileDescriptorTask;
use core::mem::MaybeUninit;
use core::time::Duration;

impl<T: FileDescriptorTask> EventFd<T> {
    /// Takes the count as [`read`](Self::read) does, or is `None` if it is 0: it never sleeps, on a blocking description
    /// either, and whoever else reads at the same time.
    ///
    /// That promise is kept by `preadv2` with `RWF_NOWAIT`, which eventfds have from Linux 5.8. Where it is missing (older
    /// kernels, qemu-user before 10) the count is looked at with `ppoll` and then read; between the two another reader of a
    /// *blocking* description can take the count, and the read then sleeps until the next write or signal. There a program
    /// with several readers should make its eventfd [`NONBLOCK`](super::EventfdFlags::NONBLOCK). Which way is open is found
    /// out once per interface.
    ///
    /// System calls: `preadv2`; where it is missing `ppoll`, `read`.
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
    /// Nothing is taken. `EIO`: the descriptor is not an eventfd and gave another length. What the interface adds.
    ///
    /// Source: [preadv2(2)](https://man7.org/linux/man-pages/man2/preadv2.2.html); Linux commit 12aceb89b0bc.
    #[inline]
    pub fn try_read(&self) -> Result<Option<u64>, T::Error> {
        let sysif = self.fd.sysif();
        // A load and a branch before every call, so that a kernel without the feature is asked for it once and not each time.
        if sysif.known().is_some_and(Known::lacks_nowait) {
            return self.poll_then_read();
        }
        let mut count = [MaybeUninit::uninit(); 8];
        // SAFETY: owned, so open, for as long as the borrow lasts.
        match unsafe { near::read_nowait(sysif, self.fd.near(), &mut count) } {
            // SAFETY: all eight bytes were written.
            Ok(()) => Ok(Some(unsafe { assume_count(count) })),
            Err(error) => match error.errno() {
                Some(Errno::EAGAIN) => Ok(None),
                Some(errno) if near::is_nowait_missing(errno) => {
                    if let Some(known) = sysif.known() {
                        known.learn_lacks_nowait();
                    }
                    self.poll_then_read()
                }
                _ => Err(error),
            },
        }
    }

    /// The second best: look, then read.
    #[cold]
    fn poll_then_read(&self) -> Result<Option<u64>, T::Error> {
        loop {
            let ready = self.poll(PollFd::IN, Some(Timespec::ZERO));
            if matches!(ready, Ok(false)) {
                return Ok(None);
            }
            match ready.and_then(|_| self.read()) {
                Ok(count) => return Ok(Some(count)),
                Err(error) => match error.errno() {
                    Some(Errno::EAGAIN) => return Ok(None),
                    // A handler ran: look again, so that a lost race ends here instead of in another sleep.
                    Some(Errno::EINTR) => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Adds `value` as [`write`](Self::write) does, or is `false` if it does not fit: it never sleeps.
    ///
    /// Only a nonblocking description can promise that: the kernel refuses `RWF_NOWAIT` for writes to an eventfd, and being
    /// writable in a poll promises room for 1 and only until someone else writes. So on a blocking description this is
    /// refused with `EOPNOTSUPP`, and nothing is added: neither a hidden sleep, nor a shared flag changed behind the back of
    /// others. (Someone who clears `O_NONBLOCK` between the question and the write can still make it sleep.)
    ///
    /// System calls: `fcntl(F_GETFL)`, `write`. A program that made the description nonblocking itself can spare the first:
    /// [`write`](Self::write) and `EAGAIN`.
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
    /// Source: [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html); `fs/eventfd.c`, which has no `write_iter`.
    #[inline]
    pub fn try_write(&self, value: u64) -> Result<bool, T::Error> {
        if !self.is_nonblocking()? {
            return Err(Errno::EOPNOTSUPP.into());
        }
        match self.write(value) {
            Ok(()) => Ok(true),
            Err(error) if error.errno() == Some(Errno::EAGAIN) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes the count as [`read`](Self::read) does, sleeping for as long as it is 0, whatever `O_NONBLOCK` says and however
    /// many signal handlers run.
    ///
    /// System calls: `read`; on a nonblocking description also `ppoll`.
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
    /// Nothing is taken. `EIO`: the descriptor is not an eventfd and gave another length. What the interface adds.
    #[inline]
    pub fn wait(&self) -> Result<u64, T::Error> {
        loop {
            match self.read() {
                Ok(count) => return Ok(count),
                Err(error) => match error.errno() {
                    Some(Errno::EINTR) => {}
                    Some(Errno::EAGAIN) => self.sleep(None)?,
                    _ => return Err(error),
                },
            }
        }
    }

    /// Takes the count as [`read`](Self::read) does, sleeping for at most `timeout` while it is 0; `None` if the time is over.
    ///
    /// The time is kept on `CLOCK_MONOTONIC`, across signal handlers and counts that other readers were quicker to take. A
    /// count that is there is taken whatever the timeout, zero included. With another reader on a blocking description,
    /// [`try_read`](Self::try_read)'s remark about older kernels holds here too.
    ///
    /// System calls: those of [`try_read`](Self::try_read); if the count is 0 also `clock_gettime` and `ppoll`.
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
    /// Nothing is taken. `EIO`: the descriptor is not an eventfd and gave another length. What the interface adds.
    #[inline]
    #[doc(alias = "read_timeout")]
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, T::Error> {
        // The clock is asked only once there is something to wait for.
        let mut deadline = None;
        loop {
            if let Some(count) = self.try_read()? {
                return Ok(Some(count));
            }
            let left = match deadline {
                None if timeout.is_zero() => None,
                None => {
                    deadline = Some(Deadline::after(self.fd.sysif(), timeout)?);
                    Some(timeout.into())
                }
                Some(deadline) => deadline.left(self.fd.sysif())?,
            };
            match left {
                Some(left) => self.sleep(Some(left))?,
                None => return Ok(None),
            }
        }
    }

    /// Sleeps until it is readable, the time is over, or a signal handler has run: the caller looks again in any case.
    #[inline]
    fn sleep(&self, time: Option<Timespec>) -> Result<(), T::Error> {
        match self.poll(PollFd::IN, time) {
            Ok(_) => Ok(()),
            Err(error) if error.errno() == Some(Errno::EINTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn poll(&self, events: i16, time: Option<Timespec>) -> Result<bool, T::Error> {
        let mut entry = [PollFd { fd: self.fd.near(), events, revents: 0 }];
        near::ppoll(self.fd.sysif(), &mut entry, time, None).map(|ready| ready != 0)
    }
}

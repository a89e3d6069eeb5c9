//! Waits until a file descriptor is readable, with a fallback if `ppoll` is refused.

use crate::Errno;
use crate::deadline::Step;
use crate::fd::OwnedFd;
use crate::near::{self, PollFd, Timespec};
use crate::sysif::SyscallError;
use crate::task::FileDescriptorTask;

/// Blocks until it is readable or a signal handler has run. Returns 0 if the timeout expires first.
#[inline(always)]
pub(crate) fn sleep<T: FileDescriptorTask>(fd: &OwnedFd<T>, timeout: Option<Timespec>) -> Result<usize, T::Error> {
    let mut entry = [PollFd { fd: fd.near(), events: PollFd::IN, revents: 0 }];
    match near::ppoll(fd.sysif(), &mut entry, timeout, None) {
        Ok(ready) => Ok(ready),
        Err(error) if error.errno() == Some(Errno::EINTR) => Ok(1),
        Err(error) => sleep_fallback(fd, timeout, error),
    }
}

/// One attempt of a wait: blocks until it is readable, then reads.
#[inline(always)]
pub(super) fn attempt<T: FileDescriptorTask, R>(
    fd: &OwnedFd<T>,
    left: Timespec,
    read: impl FnOnce() -> Result<Option<R>, T::Error>,
) -> Step<R, T::Error> {
    let mut entry = [PollFd { fd: fd.near(), events: PollFd::IN, revents: 0 }];
    match near::ppoll(fd.sysif(), &mut entry, Some(left), None) {
        // The kernel has checked again after the timeout.
        Ok(0) => return Step::Expired,
        Ok(_) => {}
        Err(error) if error.errno() == Some(Errno::EINTR) => {}
        Err(error) => match sleep_fallback_for(fd, left, error) {
            Ok(0) => return Step::Expired,
            Ok(_) => {}
            Err(error) => return Step::Failed(error),
        },
    }
    match read() {
        Ok(Some(found)) => Step::Ready(found),
        Ok(None) => Step::Again,
        Err(error) => Step::Failed(error),
    }
}

/// The fallback if `ppoll` fails permanently: with `EINVAL` if `RLIMIT_NOFILE` is 0, which forbids further files, or
/// with any error of a seccomp policy. `pselect6` does not check the limit.
#[cold]
#[inline(never)]
fn sleep_fallback<T: FileDescriptorTask>(
    fd: &OwnedFd<T>,
    timeout: Option<Timespec>,
    refused: T::Error,
) -> Result<usize, T::Error> {
    if refused.errno().is_none() {
        return Err(refused);
    }
    match near::pselect6_readable(fd.sysif(), fd.near(), timeout) {
        Ok(ready) => Ok(ready),
        Err(error) if error.errno() == Some(Errno::EINTR) => Ok(1),
        // Returns the first error, which has the cause.
        Err(_) => Err(refused),
    }
}

/// As `sleep_fallback`, with a timeout that stays in registers until it is needed.
#[cold]
#[inline(never)]
fn sleep_fallback_for<T: FileDescriptorTask>(
    fd: &OwnedFd<T>,
    left: Timespec,
    refused: T::Error,
) -> Result<usize, T::Error> {
    sleep_fallback(fd, Some(left), refused)
}

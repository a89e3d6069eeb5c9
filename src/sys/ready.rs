//! Sleeping until one file descriptor is readable, also where `ppoll` is refused.
//!
//! Uses [`fd`](crate::fd), [`task`](crate::task) and [`near`].

use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, PollFd, Timespec};
use crate::sysif::SyscallError;
use crate::task::FileDescriptorTask;

/// Sleeps until it is readable, or a signal handler has run; `false` if the timeout expires before.
#[inline(always)]
pub(super) fn sleep<T: FileDescriptorTask>(fd: &OwnedFd<T>, timeout: Option<Timespec>) -> Result<bool, T::Error> {
    let mut entry = [PollFd { fd: fd.near(), events: PollFd::IN, revents: 0 }];
    match near::ppoll(fd.sysif(), &mut entry, timeout, None) {
        Ok(0) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) if error.errno() == Some(Errno::EINTR) => Ok(true),
        Err(error) => sleep_fallback(fd, timeout, error),
    }
}

/// What is left where `ppoll` fails for good: with `EINVAL` under an `RLIMIT_NOFILE` of 0, which is set to forbid
/// further files, or as a seccomp policy has it. `pselect6` asks for no limit.
#[cold]
#[inline(never)]
fn sleep_fallback<T: FileDescriptorTask>(
    fd: &OwnedFd<T>,
    timeout: Option<Timespec>,
    refused: T::Error,
) -> Result<bool, T::Error> {
    if !matches!(refused.errno(), Some(Errno::EINVAL | Errno::ENOSYS | Errno::EPERM)) {
        return Err(refused);
    }
    match near::pselect6_readable(fd.sysif(), fd.near(), timeout) {
        Ok(ready) => Ok(ready != 0),
        Err(error) if error.errno() == Some(Errno::EINTR) => Ok(true),
        // The first refusal is the one that says why.
        Err(_) => Err(refused),
    }
}

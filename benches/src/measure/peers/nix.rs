//! nix: the C library's calls with types.

use super::{CLOEXEC, Counter, Duplicate, NonBlocking, Peer, Timeout};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use std::os::fd::AsFd;
use std::time::Duration;

pub struct Nix(pub(super) EventFd);

impl Peer for Nix {
    const NAME: &'static str = "nix";
    type Error = Errno;
}

impl Counter for Nix {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        let flags = EfdFlags::from_bits_retain((flags | CLOEXEC) as i32);
        EventFd::from_value_and_flags(initval, flags).map(Self)
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        self.0.write(value).map(drop)
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        self.0.read()
    }
}

impl NonBlocking for Nix {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        match self.0.read() {
            Err(Errno::EAGAIN) => Ok(None),
            result => result.map(Some),
        }
    }
}

impl Timeout for Nix {
    #[inline(always)]
    fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, Self::Error> {
        let mut entries = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut entries, Some(TimeSpec::from_duration(timeout)), None)? {
            0 => Ok(None),
            _ => self.read().map(Some),
        }
    }
}

impl Duplicate for Nix {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        let fd =
            self.0.as_fd().try_clone_to_owned().map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0)))?;
        // SAFETY: a duplicate of an eventfd is one.
        Ok(Self(unsafe { EventFd::from_owned_fd(fd) }))
    }
}

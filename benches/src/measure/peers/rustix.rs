//! rustix with its own system calls (`linux_raw`).

use super::{CLOEXEC, Counter, Duplicate, NonBlocking, Peer, Timeout, TryRead};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, IoSliceMut, ReadWriteFlags, fcntl_dupfd_cloexec, preadv2, read, write};
use std::time::Duration;

pub struct Rustix(pub(super) OwnedFd);

impl Peer for Rustix {
    const NAME: &'static str = "rustix";
    type Error = Errno;
}

impl Counter for Rustix {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        eventfd(initval, EventfdFlags::from_bits_retain(flags | CLOEXEC)).map(Self)
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        write(&self.0, &value.to_ne_bytes()).map(drop)
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        let mut count = [0; 8];
        read(&self.0, &mut count)?;
        Ok(u64::from_ne_bytes(count))
    }
}

impl NonBlocking for Rustix {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        let mut count = [0; 8];
        match read(&self.0, &mut count) {
            Err(Errno::AGAIN) => Ok(None),
            result => result.map(|_| Some(u64::from_ne_bytes(count))),
        }
    }
}

impl TryRead for Rustix {
    #[inline(always)]
    fn try_read(&self) -> Result<Option<u64>, Self::Error> {
        let mut count = [0; 8];
        match preadv2(&self.0, &mut [IoSliceMut::new(&mut count)], u64::MAX, ReadWriteFlags::NOWAIT) {
            Err(Errno::AGAIN) => Ok(None),
            result => result.map(|_| Some(u64::from_ne_bytes(count))),
        }
    }
}

impl Timeout for Rustix {
    #[inline(always)]
    fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, Self::Error> {
        let time = Timespec::try_from(timeout).map_err(|_| Errno::INVAL)?;
        match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&time))? {
            0 => Ok(None),
            _ => self.read().map(Some),
        }
    }
}

impl Duplicate for Rustix {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        fcntl_dupfd_cloexec(&self.0, 0).map(Self)
    }
}

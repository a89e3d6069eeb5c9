//! This crate.

use super::{Bell, Counter, Duplicate, NonBlocking, Peer, Timeout, TryRead};
use rsyscall::{Errno, EventFd, EventfdFlags, Notifier};
use std::time::Duration;

pub const NAME: &str = "rsyscall";

pub struct Rsyscall(pub(super) EventFd);

impl Peer for Rsyscall {
    const NAME: &'static str = NAME;
    type Error = Errno;
}

impl Counter for Rsyscall {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        EventFd::new(initval, EventfdFlags::from_bits_retain(flags)).map(Self)
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        self.0.write(value)
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        self.0.read()
    }
}

impl NonBlocking for Rsyscall {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        match self.0.read() {
            Err(Errno::EAGAIN) => Ok(None),
            result => result.map(Some),
        }
    }
}

impl TryRead for Rsyscall {
    #[inline(always)]
    fn try_read(&self) -> Result<Option<u64>, Self::Error> {
        self.0.try_read()
    }
}

impl Timeout for Rsyscall {
    #[inline(always)]
    fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, Self::Error> {
        self.0.wait_timeout(timeout)
    }
}

impl Duplicate for Rsyscall {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        self.0.try_clone().map(Self)
    }
}

pub struct RsyscallNotifier(Notifier);

impl Peer for RsyscallNotifier {
    const NAME: &'static str = "rsyscall Notifier";
    type Error = Errno;
}

impl Bell for RsyscallNotifier {
    type Waiter = ();

    fn make() -> Result<(Self, ()), Errno> {
        Ok((Self(Notifier::new()?), ()))
    }

    #[inline(always)]
    fn ring(&self) -> Result<(), Errno> {
        self.0.notify()
    }

    #[inline(always)]
    fn wait(&self, (): &mut ()) -> Result<(), Errno> {
        self.0.wait()
    }
}

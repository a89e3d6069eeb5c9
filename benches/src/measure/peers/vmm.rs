//! vmm-sys-util, which virtual machine monitors use.

use super::{CLOEXEC, Counter, Duplicate, NonBlocking, Peer};
use std::io::ErrorKind;
use vmm_sys_util::eventfd::EventFd;

pub struct Vmm(EventFd);

impl Peer for Vmm {
    const NAME: &'static str = "vmm-sys-util";
    type Error = std::io::Error;
}

impl Counter for Vmm {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        let this = Self(EventFd::new((flags | CLOEXEC) as i32)?);
        // It takes no initial value.
        if initval > 0 {
            this.write(initval.into())?;
        }
        Ok(this)
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

impl NonBlocking for Vmm {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        match self.0.read() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }
}

impl Duplicate for Vmm {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        self.0.try_clone().map(Self)
    }
}

//! `asm!` without a check: for a user who assumes that no call fails.

use super::{CLOEXEC, Counter, Duplicate, Peer};
use sc::nr;
use std::mem::MaybeUninit;

pub struct Bare(i64);

impl Peer for Bare {
    const NAME: &'static str = "asm unchecked";
    type Error = std::convert::Infallible;
}

impl Counter for Bare {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        // SAFETY: two words and no memory.
        Ok(Self(unsafe { call!(nr::EVENTFD2, initval as usize, (flags | CLOEXEC) as usize) } as i64))
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        // SAFETY: an open descriptor and eight bytes.
        unsafe { call!(nr::WRITE, self.0, &raw const value, 8_usize) };
        Ok(())
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        unsafe { call!(nr::READ, self.0, count.as_mut_ptr(), 8_usize) };
        // SAFETY: not so if the call failed, which is what is unchecked here.
        Ok(unsafe { count.assume_init() })
    }
}

impl Drop for Bare {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: no other owner.
        unsafe { call!(nr::CLOSE, self.0) };
    }
}

impl Duplicate for Bare {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        // SAFETY: three words and no memory.
        Ok(Self(unsafe { call!(nr::FCNTL, self.0, 1030_usize, 0_usize) } as i64))
    }
}

//! `syscalls`: numbers with names, and errors separated from results.

use super::{CLOEXEC, Counter, Duplicate, NonBlocking, Peer};
use std::mem::MaybeUninit;
use syscalls::{Errno, Sysno, syscall};

pub struct Syscalls(i32);

impl Syscalls {
    #[inline(always)]
    fn fd(&self) -> isize {
        self.0 as isize
    }
}

impl Peer for Syscalls {
    const NAME: &'static str = "syscalls";
    type Error = Errno;
}

impl Counter for Syscalls {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        // SAFETY: two words and no memory.
        unsafe { syscall!(Sysno::eventfd2, initval, flags | CLOEXEC) }.map(|fd| Self(fd as i32))
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        // SAFETY: an open descriptor and eight bytes.
        unsafe { syscall!(Sysno::write, self.fd(), &raw const value, 8) }.map(drop)
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        unsafe { syscall!(Sysno::read, self.fd(), count.as_mut_ptr(), 8) }?;
        // SAFETY: eight bytes were read.
        Ok(unsafe { count.assume_init() })
    }
}

impl Drop for Syscalls {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: no other owner.
        let _ignored = unsafe { syscall!(Sysno::close, self.fd()) };
    }
}

impl NonBlocking for Syscalls {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        match unsafe { syscall!(Sysno::read, self.fd(), count.as_mut_ptr(), 8) } {
            Err(Errno::EAGAIN) => Ok(None),
            // SAFETY: eight bytes were read.
            result => result.map(|_| Some(unsafe { count.assume_init() })),
        }
    }
}

impl Duplicate for Syscalls {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        // SAFETY: three words and no memory.
        unsafe { syscall!(Sysno::fcntl, self.fd(), 1030, 0) }.map(|fd| Self(fd as i32))
    }
}

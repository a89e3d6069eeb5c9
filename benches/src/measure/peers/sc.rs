//! `sc`: the instruction as a macro; every check is its user's.

use super::asm::{Word, new_fd};
use super::{CLOEXEC, Counter, Duplicate, NonBlocking, Peer};
use sc::syscall;
use std::mem::MaybeUninit;

pub struct Sc(i32);

impl Sc {
    #[inline(always)]
    fn fd(&self) -> isize {
        self.0 as isize
    }
}

impl Peer for Sc {
    const NAME: &'static str = "sc";
    type Error = Word;
}

impl Counter for Sc {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        // SAFETY: two words and no memory.
        new_fd(unsafe { syscall!(EVENTFD2, initval, flags | CLOEXEC) }).map(Self)
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        // SAFETY: an open descriptor and eight bytes.
        let ret = unsafe { syscall!(WRITE, self.fd(), &raw const value, 8) };
        if ret == 8 { Ok(()) } else { Err(Word(ret)) }
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        let ret = unsafe { syscall!(READ, self.fd(), count.as_mut_ptr(), 8) };
        // SAFETY: eight bytes were read.
        if ret == 8 { Ok(unsafe { count.assume_init() }) } else { Err(Word(ret)) }
    }
}

impl Drop for Sc {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: no other owner.
        unsafe { syscall!(CLOSE, self.fd()) };
    }
}

impl NonBlocking for Sc {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        const EAGAIN: usize = 11_usize.wrapping_neg();
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        match unsafe { syscall!(READ, self.fd(), count.as_mut_ptr(), 8) } {
            // SAFETY: eight bytes were read.
            8 => Ok(Some(unsafe { count.assume_init() })),
            EAGAIN => Ok(None),
            ret => Err(Word(ret)),
        }
    }
}

impl Duplicate for Sc {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        // SAFETY: three words and no memory.
        new_fd(unsafe { syscall!(FCNTL, self.fd(), 1030, 0) }).map(Self)
    }
}

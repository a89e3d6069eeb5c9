//! A pipe, by the C library: the way to wake a thread before there were eventfds.

use super::libc::failed;
use super::{CLOEXEC, Counter, Peer};
use std::io::Error;
use std::mem::MaybeUninit;

pub struct Pipe {
    reader: i32,
    writer: i32,
}

impl Peer for Pipe {
    const NAME: &'static str = "pipe";
    type Error = Error;
}

impl Counter for Pipe {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        assert_eq!((initval, flags), (0, 0), "a pipe is no counter");
        let mut fds = [0; 2];
        // SAFETY: the call writes two `int`s.
        if unsafe { libc::pipe2(fds.as_mut_ptr(), CLOEXEC as i32) } != 0 {
            return Err(failed());
        }
        Ok(Self { reader: fds[0], writer: fds[1] })
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        // SAFETY: an open descriptor and eight bytes.
        if unsafe { libc::write(self.writer, (&raw const value).cast(), 8) } != 8 {
            return Err(failed());
        }
        Ok(())
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        if unsafe { libc::read(self.reader, count.as_mut_ptr().cast(), 8) } != 8 {
            return Err(failed());
        }
        // SAFETY: eight bytes were read.
        Ok(unsafe { count.assume_init() })
    }
}

impl Drop for Pipe {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: no other owner.
        unsafe {
            libc::close(self.reader);
            libc::close(self.writer);
        }
    }
}

//! The C library, by its Rust declarations.

use super::{CLOEXEC, Counter, Duplicate, NonBlocking, Peer, Timeout, TryRead};
use std::io::Error;
use std::mem::MaybeUninit;
use std::ptr::null;
use std::time::Duration;

pub struct Libc(pub(super) i32);

#[cold]
#[inline(never)]
pub fn failed() -> Error {
    Error::last_os_error()
}

impl Peer for Libc {
    const NAME: &'static str = "libc";
    type Error = Error;
}

impl Counter for Libc {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        // SAFETY: two words and no memory.
        let fd = unsafe { libc::eventfd(initval, (flags | CLOEXEC) as i32) };
        if fd < 0 { Err(failed()) } else { Ok(Self(fd)) }
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        // SAFETY: an open descriptor and eight bytes.
        if unsafe { libc::write(self.0, (&raw const value).cast(), 8) } != 8 {
            return Err(failed());
        }
        Ok(())
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        if unsafe { libc::read(self.0, count.as_mut_ptr().cast(), 8) } != 8 {
            return Err(failed());
        }
        // SAFETY: eight bytes were read.
        Ok(unsafe { count.assume_init() })
    }
}

impl Drop for Libc {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: no other owner.
        unsafe { libc::close(self.0) };
    }
}

/// `None` if it was `EAGAIN`.
#[inline(always)]
fn empty() -> Result<Option<u64>, Error> {
    // SAFETY: the calling thread's own.
    if unsafe { *libc::__errno_location() } == libc::EAGAIN { Ok(None) } else { Err(failed()) }
}

impl NonBlocking for Libc {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        if unsafe { libc::read(self.0, count.as_mut_ptr().cast(), 8) } != 8 {
            return empty();
        }
        // SAFETY: eight bytes were read.
        Ok(Some(unsafe { count.assume_init() }))
    }
}

impl TryRead for Libc {
    #[inline(always)]
    fn try_read(&self) -> Result<Option<u64>, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        let vector = libc::iovec { iov_base: count.as_mut_ptr().cast(), iov_len: 8 };
        // SAFETY: an open descriptor, one vector, and the eight bytes that it names.
        if unsafe { libc::preadv2(self.0, &raw const vector, 1, -1, libc::RWF_NOWAIT) } != 8 {
            return empty();
        }
        // SAFETY: eight bytes were read.
        Ok(Some(unsafe { count.assume_init() }))
    }
}

impl Timeout for Libc {
    #[inline(always)]
    fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, Self::Error> {
        let time = libc::timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
        let mut entry = libc::pollfd { fd: self.0, events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry and one time.
        match unsafe { libc::ppoll(&raw mut entry, 1, &raw const time, null()) } {
            1 => self.read().map(Some),
            0 => Ok(None),
            _ => Err(failed()),
        }
    }
}

impl Duplicate for Libc {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        // SAFETY: three words and no memory.
        let fd = unsafe { libc::fcntl(self.0, libc::F_DUPFD_CLOEXEC, 0) };
        if fd < 0 { Err(failed()) } else { Ok(Self(fd)) }
    }
}

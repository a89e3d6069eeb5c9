//! The limit: `asm!` by hand, with every check that rsyscall makes and nothing else.

use super::{CLOEXEC, Counter, Duplicate, NonBlocking, Peer, Timeout, TryRead};
use sc::nr;
use std::mem::MaybeUninit;
use std::time::Duration;

pub struct Asm(pub(super) i32);

const EAGAIN: usize = 11_usize.wrapping_neg();
const EINTR: usize = 4_usize.wrapping_neg();
const MINUS_ONE: usize = usize::MAX;
const RWF_NOWAIT: usize = 8;
const POLLIN: i16 = 1;
const CLOCK_MONOTONIC: usize = 1;
const F_DUPFD_CLOEXEC: usize = 1030;

#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    revents: i16,
}

/// The kernel's return value that was not the expected one.
#[derive(Debug)]
pub struct Word(#[expect(dead_code, reason = "shown by Debug")] pub usize);

/// A new descriptor.
#[inline(always)]
pub fn new_fd(ret: usize) -> Result<i32, Word> {
    if ret > i32::MAX as usize { Err(Word(ret)) } else { Ok(ret as i32) }
}

impl Asm {
    /// Takes ownership of an open descriptor.
    pub fn adopt(fd: i32) -> Self {
        Self(fd)
    }

    #[inline(always)]
    pub fn fd(&self) -> i64 {
        i64::from(self.0)
    }

    /// `Ok` with the count, or the kernel's return value.
    #[inline(always)]
    fn read_nowait(&self) -> Result<u64, usize> {
        let mut count = MaybeUninit::<u64>::uninit();
        let vector = [count.as_mut_ptr() as usize, 8];
        // SAFETY: an open descriptor, one vector, and the eight bytes that it names.
        let ret = unsafe { call!(nr::PREADV2, self.fd(), &raw const vector, 1_usize, MINUS_ONE, 0_usize, RWF_NOWAIT) };
        // SAFETY: eight bytes were read.
        if ret == 8 { Ok(unsafe { count.assume_init() }) } else { Err(ret) }
    }
}

impl Peer for Asm {
    const NAME: &'static str = "asm by hand";
    type Error = Word;
}

impl Counter for Asm {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        // SAFETY: two words and no memory.
        new_fd(unsafe { call!(nr::EVENTFD2, initval as usize, (flags | CLOEXEC) as usize) }).map(Self)
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        // SAFETY: an open descriptor and eight bytes.
        let ret = unsafe { call!(nr::WRITE, self.fd(), &raw const value, 8_usize) };
        if ret == 8 { Ok(()) } else { Err(Word(ret)) }
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        let ret = unsafe { call!(nr::READ, self.fd(), count.as_mut_ptr(), 8_usize) };
        // SAFETY: eight bytes were read.
        if ret == 8 { Ok(unsafe { count.assume_init() }) } else { Err(Word(ret)) }
    }
}

impl Drop for Asm {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: no other owner.
        unsafe { call!(nr::CLOSE, self.fd()) };
    }
}

impl NonBlocking for Asm {
    #[inline(always)]
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error> {
        let mut count = MaybeUninit::<u64>::uninit();
        // SAFETY: an open descriptor and eight bytes.
        match unsafe { call!(nr::READ, self.fd(), count.as_mut_ptr(), 8_usize) } {
            // SAFETY: eight bytes were read.
            8 => Ok(Some(unsafe { count.assume_init() })),
            EAGAIN => Ok(None),
            ret => Err(Word(ret)),
        }
    }
}

impl TryRead for Asm {
    #[inline(always)]
    fn try_read(&self) -> Result<Option<u64>, Self::Error> {
        match self.read_nowait() {
            Ok(count) => Ok(Some(count)),
            Err(EAGAIN) => Ok(None),
            Err(ret) => Err(Word(ret)),
        }
    }
}

impl Duplicate for Asm {
    #[inline(always)]
    fn duplicate(&self) -> Result<Self, Self::Error> {
        // SAFETY: three words and no memory.
        new_fd(unsafe { call!(nr::FCNTL, self.fd(), F_DUPFD_CLOEXEC, 0_usize) }).map(Self)
    }
}

#[inline(always)]
fn now() -> Result<Duration, Word> {
    let mut time = [0_i64; 2];
    // SAFETY: sixteen bytes, which are a `timespec`.
    let ret = unsafe { call!(nr::CLOCK_GETTIME, CLOCK_MONOTONIC, time.as_mut_ptr()) };
    if ret == 0 { Ok(Duration::new(time[0] as u64, time[1] as u32)) } else { Err(Word(ret)) }
}

impl Timeout for Asm {
    /// A handler that runs meanwhile, or another reader, must not prolong the wait.
    #[inline(always)]
    fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, Self::Error> {
        let mut end = None;
        loop {
            match self.read_nowait() {
                Ok(count) => return Ok(Some(count)),
                Err(EAGAIN | EINTR) => {}
                Err(ret) => return Err(Word(ret)),
            }
            let left = match end {
                None => {
                    end = Some(now()? + timeout);
                    timeout
                }
                Some(end) => match end.checked_sub(now()?) {
                    Some(left) => left,
                    None => return Ok(None),
                },
            };
            let mut entry = PollFd { fd: self.0, events: POLLIN, revents: 0 };
            let mut left = [left.as_secs(), u64::from(left.subsec_nanos())];
            let time = left.as_mut_ptr();
            // SAFETY: one entry and one `timespec`, both borrowed mutably.
            match unsafe { call!(nr::PPOLL, &raw mut entry, 1_usize, time, 0_usize, 8_usize) } {
                0 => return Ok(None),
                1 | EINTR => {}
                ret => return Err(Word(ret)),
            }
        }
    }
}

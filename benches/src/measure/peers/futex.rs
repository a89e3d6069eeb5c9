//! A futex: a word that both sides share. Nothing can poll it, and it makes a system call only if a thread sleeps.

use super::{Counter, Peer, SEMAPHORE};
use std::ptr::null;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};

pub struct Futex {
    count: AtomicU32,
    sleepers: AtomicU32,
    semaphore: bool,
}

impl Peer for Futex {
    const NAME: &'static str = "futex";
    type Error = std::convert::Infallible;
}

impl Futex {
    #[cold]
    fn wake(&self) {
        // SAFETY: a word of this process; it is only compared.
        unsafe {
            libc::syscall(libc::SYS_futex, self.count.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, i32::MAX)
        };
    }

    #[cold]
    fn sleep(&self) {
        self.sleepers.fetch_add(1, SeqCst);
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: as above; without a timeout.
        unsafe { libc::syscall(libc::SYS_futex, self.count.as_ptr(), operation, 0, null::<libc::timespec>()) };
        self.sleepers.fetch_sub(1, SeqCst);
    }

    #[inline(always)]
    fn take(&self) -> u32 {
        if !self.semaphore {
            return self.count.swap(0, AcqRel);
        }
        let taken = self.count.fetch_update(AcqRel, Acquire, |count| count.checked_sub(1));
        u32::from(taken.is_ok())
    }
}

impl Counter for Futex {
    #[inline(always)]
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error> {
        Ok(Self { count: initval.into(), sleepers: 0.into(), semaphore: flags & SEMAPHORE != 0 })
    }

    #[inline(always)]
    fn write(&self, value: u64) -> Result<(), Self::Error> {
        self.count.fetch_add(value as u32, SeqCst);
        if self.sleepers.load(SeqCst) > 0 {
            self.wake();
        }
        Ok(())
    }

    #[inline(always)]
    fn read(&self) -> Result<u64, Self::Error> {
        loop {
            // A load first: an exchange would take the cache line from a writer needlessly.
            if self.count.load(Relaxed) > 0 {
                match self.take() {
                    0 => {}
                    count => return Ok(count.into()),
                }
            }
            self.sleep();
        }
    }
}

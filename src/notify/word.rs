//! What the state is made of: one word of memory, and the futex that sleeps on it. The model checker of the tests puts
//! its own in the place of this file.

pub(super) use crate::Errno;
pub(super) use crate::deadline::Deadline;

use crate::near::{self, Address};
use crate::sysif::Local;
use core::sync::atomic::{AtomicU32, Ordering};

/// Who can reach a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// This process alone: the kernel finds its sleepers by the address, and need not look up the memory behind it.
    Private,
    /// Perhaps other processes too.
    Shared,
}

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slept {
    /// It was woken, or a signal handler ran, or the word had changed before it fell asleep.
    Awake,
    /// The deadline has passed, and until then nothing woke it.
    TimedOut,
}

/// One word, which begins as zero.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Word(AtomicU32);

impl Word {
    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[inline(always)]
    pub(super) fn load(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Puts a value in the place of another, and returns the other. What was done before is visible to who acquires
    /// this one.
    #[inline(always)]
    pub(super) fn swap_release(&self, value: u32) -> u32 {
        self.0.swap(value, Ordering::Release)
    }

    /// Puts a value in the place of another, if it is there; acquires what was released with it.
    #[inline(always)]
    pub(super) fn replace_acquire(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.0.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed)
    }

    /// Puts a value in the place of another, if it is there; hands nothing over.
    #[inline(always)]
    pub(super) fn replace(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
    }

    /// Sleeps for as long as the value is `expected`, or less, or until the deadline.
    #[inline]
    pub(super) fn sleep(&self, expected: u32, deadline: Option<Deadline>, scope: Scope) -> Result<Slept, Errno> {
        let (private, time) = (scope == Scope::Private, deadline.map(Deadline::time));
        match near::futex_wait(&Local, self.address(), expected, time, private) {
            Ok(()) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(Slept::Awake),
            Err(Errno::ETIMEDOUT) => Ok(Slept::TimedOut),
            Err(error) => Err(error),
        }
    }

    /// Wakes all that sleep on it.
    #[inline]
    pub(super) fn wake(&self, scope: Scope) -> Result<(), Errno> {
        near::futex_wake(&Local, self.address(), scope == Scope::Private)
    }

    #[inline(always)]
    fn address(&self) -> Address {
        Address(self.0.as_ptr().expose_provenance())
    }
}

//! One word of memory, and the futex on it. The model checker of the tests replaces this file.

pub(super) use crate::Errno;
pub(super) use crate::deadline::Deadline;

use crate::near::{self, Address};
use crate::sysif::Local;
use core::sync::atomic::{AtomicU32, Ordering};

/// Which processes can access a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// This process only: the kernel identifies the futex by its virtual address, without a page lookup.
    Private,
    /// Possibly other processes too.
    Shared,
}

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slept {
    /// It was woken, a signal handler ran, or the word differed from the expected value.
    Awake,
    /// The deadline passed without a wakeup.
    TimedOut,
}

/// A word, initially zero.
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

    /// Swaps the value, with release ordering, and returns the previous one.
    #[inline(always)]
    pub(super) fn swap_release(&self, value: u32) -> u32 {
        self.0.swap(value, Ordering::Release)
    }

    /// Replaces `from` by `to`, with acquire ordering.
    #[inline(always)]
    pub(super) fn replace_acquire(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.0.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed)
    }

    /// Replaces `from` by `to`, with relaxed ordering.
    #[inline(always)]
    pub(super) fn replace(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.0.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed)
    }

    /// Sleeps while the value is `expected`, until a wakeup (perhaps a spurious one) or the deadline.
    #[inline]
    pub(super) fn sleep(&self, expected: u32, deadline: Option<Deadline>, scope: Scope) -> Result<Slept, Errno> {
        let (private, time) = (scope == Scope::Private, deadline.map(Deadline::time));
        match near::futex_wait(&Local, self.address(), expected, time, private) {
            Ok(()) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(Slept::Awake),
            Err(Errno::ETIMEDOUT) => Ok(Slept::TimedOut),
            Err(error) => Err(error),
        }
    }

    /// Wakes all sleepers.
    #[inline]
    pub(super) fn wake(&self, scope: Scope) -> Result<(), Errno> {
        near::futex_wake(&Local, self.address(), scope == Scope::Private)
    }

    #[inline(always)]
    fn address(&self) -> Address {
        Address(self.0.as_ptr().expose_provenance())
    }
}

//! The counter of one eventfd, as in `fs/eventfd.c`.

use crate::near::PollFd;

/// The state of an eventfd, shared by all its file descriptors; the flags are in the open file description.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    pub(super) count: u64,
    pub(super) semaphore: bool,
}

impl Counter {
    /// Takes the whole count, or 1 from a semaphore; `None` where a reader blocks.
    pub(super) fn take(&mut self) -> Option<u64> {
        let taken = if self.semaphore { self.count.min(1) } else { self.count };
        self.count = self.count.checked_sub(taken)?;
        (taken > 0).then_some(taken)
    }

    /// Adds all of `value` or nothing; `None` where a writer blocks. The count never becomes `u64::MAX`.
    pub(super) fn add(&mut self, value: u64) -> Option<()> {
        let sum = self.count.checked_add(value).filter(|sum| *sum < u64::MAX)?;
        self.count = sum;
        Some(())
    }

    /// Returns the events that a poll reports.
    pub(super) fn events(&self) -> i16 {
        // `POLLERR`, of a count of `u64::MAX`, is missing: only kernel code can count that far.
        let readable = if self.count > 0 { PollFd::IN } else { 0 };
        let writable = if self.count < u64::MAX.wrapping_sub(1) { PollFd::OUT } else { 0 };
        readable | writable
    }
}

//! The counter of one eventfd, as `fs/eventfd.c` has it.

use crate::near::PollFd;

/// What every descriptor of one eventfd shares, apart from the flags that any description has.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    pub(super) count: u64,
    pub(super) semaphore: bool,
}

impl Counter {
    /// Everything, or 1 from a semaphore; `None` where a reader waits.
    pub(super) fn take(&mut self) -> Option<u64> {
        let taken = if self.semaphore { self.count.min(1) } else { self.count };
        self.count = self.count.checked_sub(taken)?;
        (taken > 0).then_some(taken)
    }

    /// Adds all of `value` or nothing; `None` where a writer waits. The count never becomes `u64::MAX`.
    pub(super) fn add(&mut self, value: u64) -> Option<()> {
        let sum = self.count.checked_add(value).filter(|sum| *sum < u64::MAX)?;
        self.count = sum;
        Some(())
    }

    /// What a poll finds.
    pub(super) fn events(&self) -> i16 {
        // `POLLERR`, of a count of `u64::MAX`, is missing: only the inside of the kernel can count that far.
        let readable = if self.count > 0 { PollFd::IN } else { 0 };
        let writable = if self.count < u64::MAX.wrapping_sub(1) { PollFd::OUT } else { 0 };
        readable | writable
    }
}

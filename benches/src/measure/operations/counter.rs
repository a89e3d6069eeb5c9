//! One thread and one counter.

use super::timed;
use crate::peers::{Counter, Duplicate, NONBLOCK, NonBlocking, SEMAPHORE, TryRead};
use std::hint::black_box;
use std::time::Duration;

/// Creates one and closes it.
#[inline(never)]
pub fn create_close<C: Counter>(n: u64) -> Result<Duration, C::Error> {
    timed(n, || C::make(0, 0).map(drop))
}

#[inline(never)]
pub fn write_read<C: Counter>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(0, 0)?);
    let mut sum = 0;
    let time = timed(n, || {
        counter.write(1)?;
        sum += counter.read()?;
        Ok(())
    })?;
    assert!(sum == n);
    Ok(time)
}

/// Writes without reads.
#[inline(never)]
pub fn write<C: Counter>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(0, 0)?);
    let time = timed(n, || counter.write(1))?;
    assert!(counter.read()? == n);
    Ok(time)
}

/// Reads one at a time.
#[inline(never)]
pub fn semaphore<C: Counter>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(n as u32, SEMAPHORE)?);
    let mut sum = 0;
    let time = timed(n, || counter.read().map(|count| sum += count))?;
    assert!(sum == n);
    Ok(time)
}

/// Reads an empty one that was created with `NONBLOCK`.
#[inline(never)]
pub fn read_miss<C: NonBlocking>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(0, NONBLOCK)?);
    let mut found = 0;
    let time = timed(n, || counter.read_or_none().map(|count| found += count.unwrap_or(0)))?;
    assert!(found == 0);
    Ok(time)
}

/// Reads an empty one that blocks, without waiting.
#[inline(never)]
pub fn try_read_miss<C: TryRead>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(0, 0)?);
    let mut found = 0;
    let time = timed(n, || counter.try_read().map(|count| found += count.unwrap_or(0)))?;
    assert!(found == 0);
    Ok(time)
}

/// Duplicates the descriptor, and closes the duplicate.
#[inline(never)]
pub fn duplicate<C: Duplicate>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(0, 0)?);
    timed(n, || counter.duplicate().map(drop))
}

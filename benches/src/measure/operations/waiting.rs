//! Waiting with a timeout.

use super::timed;
use crate::peers::Timeout;
use std::hint::black_box;
use std::time::Duration;

/// A write, and a wait that finds it.
#[inline(never)]
pub fn ready<C: Timeout>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(0, 0)?);
    let mut sum = 0;
    let time = timed(n, || {
        counter.write(1)?;
        sum += counter.wait_timeout(Duration::from_secs(10))?.unwrap_or(0);
        Ok(())
    })?;
    assert!(sum == n);
    Ok(time)
}

/// A wait that times out: most of it is the timer.
#[inline(never)]
pub fn expires<C: Timeout>(n: u64) -> Result<Duration, C::Error> {
    let counter = black_box(C::make(0, 0)?);
    let mut found = 0;
    let time = timed(n, || counter.wait_timeout(Duration::from_micros(1)).map(|count| found += count.unwrap_or(0)))?;
    assert!(found == 0);
    Ok(time)
}

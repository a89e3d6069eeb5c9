//! One thread waits for any of many counters, of which one is ready.

use super::timed;
use crate::peers::Set;
use std::time::Duration;

/// Writes to one, waits, and reads the one that was reported.
#[inline(always)]
fn any_of<S: Set>(count: usize, n: u64) -> Result<Duration, S::Error> {
    let mut set = S::make(count)?;
    let mut which = 0;
    timed(n, || {
        set.write(which)?;
        assert!(set.wait()? == which);
        // A prime, so that the next one is not the neighbour.
        which = (which + 7919) % count;
        Ok(())
    })
}

macro_rules! sizes {
    ($($name:ident = $count:literal),*) => {$(
        #[inline(never)]
        pub fn $name<S: Set>(n: u64) -> Result<Duration, S::Error> {
            any_of::<S>($count, n)
        }
    )*};
}

sizes!(of_1 = 1, of_10 = 10, of_100 = 100, of_1000 = 1000, of_10000 = 10_000);

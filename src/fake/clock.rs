//! The clock, which only a test advances.

use super::Kernel;
use super::fcntl::{pack, unpack};
use super::memory::Arguments;
use crate::Errno;
use core::time::Duration;

/// The largest value of a `timespec`.
const END_OF_TIME: Duration = Duration::new(i64::MAX.unsigned_abs(), 999_999_999);

impl Kernel<'_> {
    /// Returns the time `duration` from now.
    pub(super) fn after(&self, duration: Duration) -> Duration {
        self.now().saturating_add(duration).min(END_OF_TIME)
    }

    /// Advances the clock to this time, unless it has passed: a test may have advanced the clock beyond a call's
    /// timeout, and a monotonic clock never runs backwards.
    pub(super) fn advance_to(&self, moment: Duration) {
        self.clock.set(self.now().max(moment.min(END_OF_TIME)));
    }

    /// Implements the clocks that count from boot, as one clock; the realtime and CPU-time clocks are missing.
    pub(super) fn clock_gettime(&self, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        /// `CLOCK_MONOTONIC`, `CLOCK_MONOTONIC_RAW`, `CLOCK_MONOTONIC_COARSE`, `CLOCK_BOOTTIME`.
        const MONOTONIC: [u32; 4] = [1, 4, 6, 7];
        if !MONOTONIC.contains(&args.int(0)) {
            return Err(Errno::EINVAL);
        }
        let now = self.now();
        args.write(1, &pack([now.as_secs(), u64::from(now.subsec_nanos())]))?;
        Ok(0)
    }
}

/// Decodes a `timespec`.
pub(super) fn duration(timespec: [u8; 16]) -> Result<Duration, Errno> {
    let [seconds, nanoseconds] = unpack(&timespec);
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000);
    match (i64::try_from(seconds), nanoseconds) {
        (Ok(_), Some(nanoseconds)) => Ok(Duration::new(seconds, nanoseconds)),
        _ => Err(Errno::EINVAL),
    }
}

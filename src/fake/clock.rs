//! The clock, which moves only when a test lets time pass.

use super::Kernel;
use super::fcntl::{pack, unpack};
use super::memory::Arguments;
use crate::Errno;
use core::time::Duration;

/// The last moment that a `timespec` can say.
const END_OF_TIME: Duration = Duration::new(i64::MAX.unsigned_abs(), 999_999_999);

impl Kernel<'_> {
    /// The moment that is this far from now.
    pub(super) fn after(&self, duration: Duration) -> Duration {
        self.now().saturating_add(duration).min(END_OF_TIME)
    }

    /// Moves the clock to this moment, unless it is there already: a test may have let more time pass than a call was
    /// to wait, and no monotonic clock runs backwards.
    pub(super) fn advance_to(&self, moment: Duration) {
        self.clock.set(self.now().max(moment.min(END_OF_TIME)));
    }

    /// Every clock that counts from the start is the same one here; those of the calendar and of processors are
    /// missing.
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

/// The time that a `timespec` says.
pub(super) fn duration(timespec: [u8; 16]) -> Result<Duration, Errno> {
    let [seconds, nanoseconds] = unpack(&timespec);
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds < 1_000_000_000);
    match (i64::try_from(seconds), nanoseconds) {
        (Ok(_), Some(nanoseconds)) => Ok(Duration::new(seconds, nanoseconds)),
        _ => Err(Errno::EINVAL),
    }
}

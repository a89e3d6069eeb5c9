//! `struct timespec`, and the monotonic clock.

use crate::nr;
use crate::sysif::SyscallInterface;
use core::mem::MaybeUninit;
use core::time::Duration;

/// Seconds and nanoseconds, `struct __kernel_timespec`.
///
/// ```
/// use core::time::Duration;
/// use rsyscall::near::Timespec;
///
/// let time = Timespec::from(Duration::from_millis(1500));
/// assert_eq!((time.seconds, time.nanoseconds), (1, 500_000_000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(C)]
pub struct Timespec {
    /// Whole seconds.
    pub seconds: i64,
    /// 0..=999 999 999.
    pub nanoseconds: i64,
}

static_assertions::assert_eq_size!(Timespec, [u8; 16]);

impl From<Duration> for Timespec {
    /// Converts a duration; one that does not fit saturates at 292 billion years.
    #[inline]
    fn from(duration: Duration) -> Self {
        Self {
            seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: i64::from(duration.subsec_nanos()),
        }
    }
}

// Not implemented with `Duration`, whose constructor can panic.
impl Timespec {
    /// Zero.
    pub const ZERO: Self = Self { seconds: 0, nanoseconds: 0 };

    const SECOND: i64 = 1_000_000_000;

    /// Adds two times; the seconds saturate at `i64::MAX`.
    ///
    /// ```
    /// use rsyscall::near::Timespec;
    ///
    /// let most = Timespec { seconds: 1, nanoseconds: 999_999_999 };
    /// let least = Timespec { seconds: 0, nanoseconds: 1 };
    /// assert_eq!(most.saturating_add(least), Timespec { seconds: 2, nanoseconds: 0 });
    /// ```
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        let nanoseconds = self.nanoseconds.wrapping_add(other.nanoseconds);
        let seconds = self.seconds.saturating_add(other.seconds);
        if nanoseconds < Self::SECOND {
            Self { seconds, nanoseconds }
        } else {
            Self { seconds: seconds.saturating_add(1), nanoseconds: nanoseconds.wrapping_sub(Self::SECOND) }
        }
    }

    /// Subtracts `other`, and returns `None` unless the result is positive.
    ///
    /// ```
    /// use rsyscall::near::Timespec;
    ///
    /// let two = Timespec { seconds: 2, nanoseconds: 0 };
    /// let least = Timespec { seconds: 0, nanoseconds: 1 };
    /// assert_eq!(two.checked_sub(least), Some(Timespec { seconds: 1, nanoseconds: 999_999_999 }));
    /// assert_eq!(two.checked_sub(two), None);
    /// ```
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        let mut seconds = self.seconds.saturating_sub(other.seconds);
        let mut nanoseconds = self.nanoseconds.wrapping_sub(other.nanoseconds);
        if nanoseconds < 0 {
            seconds = seconds.saturating_sub(1);
            nanoseconds = nanoseconds.wrapping_add(Self::SECOND);
        }
        if seconds < 0 || (seconds == 0 && nanoseconds == 0) { None } else { Some(Self { seconds, nanoseconds }) }
    }

    /// Returns the microseconds modulo 2³², for intervals of less than 71 minutes.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2³²")]
    pub(crate) const fn wrapping_micros(self) -> u32 {
        let micros = (self.nanoseconds / 1000) as u32;
        (self.seconds as u32).wrapping_mul(1_000_000).wrapping_add(micros)
    }

    /// Returns the whole microseconds, at most an hour's.
    #[inline]
    pub(crate) const fn capped_micros(self) -> u32 {
        const HOUR: i64 = 3600;
        if self.seconds >= HOUR { 3_600_000_000 } else { self.wrapping_micros() }
    }

    /// Returns the kernel's representation.
    #[inline(always)]
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        // SAFETY: two 64-bit integers and no padding: sixteen initialised bytes.
        unsafe { core::mem::transmute::<Self, [u8; 16]>(self) }
    }
}

/// Returns the time of `CLOCK_MONOTONIC` in the process: the time since an unspecified point, on a clock that is never
/// set.
///
/// System calls: `clock_gettime` (the call itself, not the vDSO).
///
/// ```
/// use rsyscall::{near, sysif::Local};
///
/// let before = near::clock_monotonic(&Local)?;
/// assert!(near::clock_monotonic(&Local)? >= before);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EPERM` or others: a seccomp policy. [Errors of the interface](crate::sysif#errors-of-the-interface).
///
/// # Source
///
/// [clock_gettime(2)](https://man7.org/linux/man-pages/man2/clock_gettime.2.html).
#[inline]
pub fn clock_monotonic<S: SyscallInterface>(sysif: &S) -> Result<Timespec, S::Error> {
    /// `include/uapi/linux/time.h`.
    const CLOCK_MONOTONIC: u32 = 1;
    let mut now = MaybeUninit::<Timespec>::uninit();
    // SAFETY: the call writes one `struct timespec`, which this is.
    unsafe { sysif.syscall(nr::CLOCK_GETTIME, [CLOCK_MONOTONIC.into(), (&mut now).into()]) }?;
    // SAFETY: the call succeeded, so it has written all of it.
    Ok(unsafe { now.assume_init() })
}

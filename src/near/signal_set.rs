//! Signal sets.

/// A set of signals: the kernel's `sigset_t`, 64 bits, signal 1 the lowest.
///
/// ```
/// use rsyscall::near::SignalSet;
///
/// const SIGTERM: u32 = 15;
/// let set = SignalSet::EMPTY.with(SIGTERM);
/// assert!(set.contains(SIGTERM));
/// assert_eq!(set.bits(), 1 << 14);
/// ```
///
/// # Source
///
/// [sigprocmask(2)](https://man7.org/linux/man-pages/man2/sigprocmask.2.html), "C library/kernel differences".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
#[doc(alias = "sigset_t")]
pub struct SignalSet(u64);

/// `sizeof(sigset_t)` in the kernel, an argument of every call that takes a set.
pub(super) const SIZE: usize = size_of::<SignalSet>();

impl SignalSet {
    /// No signal.
    #[doc(alias = "sigemptyset")]
    pub const EMPTY: Self = Self(0);
    /// All signals. The kernel ignores the two that cannot be blocked, `SIGKILL` and `SIGSTOP`.
    #[doc(alias = "sigfillset")]
    pub const ALL: Self = Self(u64::MAX);

    /// Creates a set from its bits.
    #[inline]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the bits: signal `n` is bit `n` − 1.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Returns the set with this signal added. A number outside 1..=64 is no signal and adds nothing.
    #[inline]
    #[must_use = "the set itself is not changed"]
    #[doc(alias = "sigaddset")]
    pub const fn with(self, signal: u32) -> Self {
        Self(self.0 | Self::bit(signal))
    }

    /// Returns the set without this signal.
    #[inline]
    #[must_use = "the set itself is not changed"]
    #[doc(alias = "sigdelset")]
    pub const fn without(self, signal: u32) -> Self {
        Self(self.0 & !Self::bit(signal))
    }

    /// Returns whether this signal is in the set.
    #[inline]
    #[doc(alias = "sigismember")]
    pub const fn contains(self, signal: u32) -> bool {
        self.0 & Self::bit(signal) != 0
    }

    /// Returns the kernel's representation.
    #[inline]
    pub(super) const fn to_bytes(self) -> [u8; SIZE] {
        self.0.to_ne_bytes()
    }

    /// Returns the bit of a signal, or 0 for a number that is no signal.
    #[inline]
    const fn bit(signal: u32) -> u64 {
        // 0 wraps to a shift that is too wide, and so is no bit either.
        match 1_u64.checked_shl(signal.wrapping_sub(1)) {
            Some(bit) => bit,
            None => 0,
        }
    }
}

/// Collects signals into a set. A number outside 1..=64 adds nothing, as in [`with`](SignalSet::with).
///
/// ```
/// use rsyscall::near::SignalSet;
///
/// let set: SignalSet = [1, 15].into_iter().collect();
/// assert_eq!(set, SignalSet::EMPTY.with(1).with(15));
/// ```
impl FromIterator<u32> for SignalSet {
    fn from_iter<I: IntoIterator<Item = u32>>(signals: I) -> Self {
        signals.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// Adds these signals.
impl Extend<u32> for SignalSet {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, signals: I) {
        *self = signals.into_iter().fold(*self, Self::with);
    }
}

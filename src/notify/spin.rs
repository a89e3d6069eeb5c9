//! Looking again for a while before going to sleep, when that pays.

use core::sync::atomic::{AtomicU32, Ordering};

/// Whether a waiter looks for a while before it sleeps.
///
/// To sleep and be woken costs a microsecond on a good day, and tens of them on a bad one. A notification that comes
/// sooner than that is had faster, and the notifier is spared its system call, if the waiter has not gone to sleep yet.
/// A waiter that spins unsuccessfully has wasted the time.
///
/// The rule: a waiter looks at most as often as the budget says, then it sleeps. The budget starts at the most that is
/// allowed. Looking that was rewarded doubles the budget, up to the most; an unsuccessful spin halves it, down to a
/// sixty-fourth of the most. After every thirty-second unsuccessful spin it is the most once, so that better times are
/// noticed. With one processor looking never pays, and the rule soon costs little; there [`NEVER`](Self::NEVER) costs
/// nothing.
///
/// ```
/// use rsyscall::notify::{Notifier, Spin};
///
/// let notifier = Notifier::new()?.with_spin(Spin::BRIEFLY);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spin {
    most: u32,
}

impl Spin {
    /// Sleep at once.
    pub const NEVER: Self = Self { most: 0 };

    /// As long as falling asleep and waking up may take: about fifty microseconds.
    pub const BRIEFLY: Self = Self { most: 2048 };

    /// At most this many looks. One takes as long as the processor's hint of a waiting loop: five to fifty nanoseconds.
    pub const fn max_spins(max: u32) -> Self {
        Self { most: max }
    }
}

/// The rule and what it has learnt. Relaxed throughout: it guards nothing.
#[derive(Debug)]
pub(super) struct Spinner {
    most: u32,
    budget: AtomicU32,
    in_vain: AtomicU32,
}

impl Spinner {
    pub(super) const fn new(spin: Spin) -> Self {
        Self { most: spin.most, budget: AtomicU32::new(spin.most), in_vain: AtomicU32::new(0) }
    }

    /// Looks again and again, within the budget: whether it saw what it looked for.
    #[inline]
    pub(super) fn spin(&self, look: impl Fn() -> bool) -> bool {
        if self.most == 0 {
            return false;
        }
        let budget = self.budget.load(Ordering::Relaxed);
        for _ in 0..budget {
            if look() {
                self.budget.store(budget.saturating_mul(2).min(self.most), Ordering::Relaxed);
                return true;
            }
            core::hint::spin_loop();
        }
        let in_vain = self.in_vain.load(Ordering::Relaxed).wrapping_add(1);
        self.in_vain.store(in_vain, Ordering::Relaxed);
        let least = (self.most >> 6).max(1);
        let next = if in_vain & 31 == 0 { self.most } else { (budget >> 1).max(least) };
        self.budget.store(next, Ordering::Relaxed);
        false
    }
}

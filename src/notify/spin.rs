//! Adaptive spinning before a sleep.

use core::sync::atomic::{AtomicU32, Ordering};

/// How long a waiter spins before it sleeps.
///
/// A sleep and a wakeup take from one to tens of microseconds. If the notification comes sooner, spinning is faster and
/// saves the notifier a system call. An unsuccessful spin wastes processor time.
///
/// A waiter checks the state as often as its budget allows, then it sleeps. The budget starts at the maximum. A
/// successful spin doubles the budget, up to the maximum; an unsuccessful one halves it, down to 1/64 of the maximum.
/// After every 32nd unsuccessful spin the budget is the maximum once, to detect that spinning pays again. With one
/// processor spinning never pays; use [`NEVER`](Self::NEVER) there.
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
    /// No spinning: a waiter sleeps at once.
    pub const NEVER: Self = Self { most: 0 };

    /// At most about fifty microseconds: as long as a sleep and a wakeup may take.
    pub const BRIEFLY: Self = Self { most: 2048 };

    /// Spins at most this many times. Each takes as long as the processor's spin-loop hint: 5 to 50 ns.
    pub const fn max_spins(max: u32) -> Self {
        Self { most: max }
    }
}

/// The current budget. Its atomics are relaxed: they order no other memory.
#[derive(Debug)]
pub(super) struct Spinner {
    most: u32,
    budget: AtomicU32,
    unsuccessful: AtomicU32,
}

impl Spinner {
    pub(super) const fn new(spin: Spin) -> Self {
        Self { most: spin.most, budget: AtomicU32::new(spin.most), unsuccessful: AtomicU32::new(0) }
    }

    /// Repeats `check` within the budget until it returns `true`, and returns whether it did.
    #[inline]
    pub(super) fn spin(&self, check: impl Fn() -> bool) -> bool {
        if self.most == 0 {
            return false;
        }
        let budget = self.budget.load(Ordering::Relaxed);
        for _ in 0..budget {
            if check() {
                self.budget.store(budget.saturating_mul(2).min(self.most), Ordering::Relaxed);
                return true;
            }
            core::hint::spin_loop();
        }
        let unsuccessful = self.unsuccessful.load(Ordering::Relaxed).wrapping_add(1);
        self.unsuccessful.store(unsuccessful, Ordering::Relaxed);
        let least = (self.most >> 6).max(1);
        let next = if unsuccessful & 31 == 0 { self.most } else { (budget >> 1).max(least) };
        self.budget.store(next, Ordering::Relaxed);
        false
    }
}

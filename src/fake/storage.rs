//! The memory of a fake kernel, provided by the caller.

use super::log::Call;
use super::table::{Description, Slot};
use super::watch::Watch;
use core::cell::Cell;
use core::fmt;

/// The memory of a [`Kernel`](super::Kernel), whose parameters are its capacities:
///
/// * `NUMBERS`: the size of the descriptor table (16);
/// * `DESCRIPTIONS`: the number of open file descriptions in the system (16);
/// * `CALLS`: the number of calls in the log (64);
/// * `WATCHES`: the number of file descriptors that all epolls together watch (16).
///
/// It can be on the stack, in a `static` or in a `Box`.
///
/// ```
/// use rsyscall::fake::{Kernel, Storage};
///
/// let mut ordinary = <Storage>::new();
/// let mut tiny = Storage::<2, 1, 0, 0>::new();
/// let kernels = (Kernel::new(&mut ordinary), Kernel::new(&mut tiny));
/// # let _ = kernels;
/// ```
pub struct Storage<
    const NUMBERS: usize = 16,
    const DESCRIPTIONS: usize = 16,
    const CALLS: usize = 64,
    const WATCHES: usize = 16,
> {
    pub(super) slots: [Cell<Option<Slot>>; NUMBERS],
    pub(super) descriptions: [Cell<Option<Description>>; DESCRIPTIONS],
    pub(super) calls: [Cell<Option<Call>>; CALLS],
    pub(super) watches: [Cell<Option<Watch>>; WATCHES],
}

impl<const NUMBERS: usize, const DESCRIPTIONS: usize, const CALLS: usize, const WATCHES: usize>
    Storage<NUMBERS, DESCRIPTIONS, CALLS, WATCHES>
{
    /// Creates an empty storage.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [const { Cell::new(None) }; NUMBERS],
            descriptions: [const { Cell::new(None) }; DESCRIPTIONS],
            calls: [const { Cell::new(None) }; CALLS],
            watches: [const { Cell::new(None) }; WATCHES],
        }
    }
}

impl<const NUMBERS: usize, const DESCRIPTIONS: usize, const CALLS: usize, const WATCHES: usize> Default
    for Storage<NUMBERS, DESCRIPTIONS, CALLS, WATCHES>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const NUMBERS: usize, const DESCRIPTIONS: usize, const CALLS: usize, const WATCHES: usize> fmt::Debug
    for Storage<NUMBERS, DESCRIPTIONS, CALLS, WATCHES>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").finish_non_exhaustive()
    }
}

//! Fault injection.

use crate::Errno;
use crate::nr;
use core::cell::Cell;

/// An error or a short transfer to inject into calls: once into the next call, unless a method says otherwise.
///
/// ```
/// use rsyscall::Errno;
/// use rsyscall::fake::{Fault, nr};
///
/// let once = Fault::error(Errno::EINTR).of(nr::READ); // the next read
/// let later = Fault::error(Errno::EMFILE).of(nr::EVENTFD2).at(3); // the third eventfd from now
/// let missing = Fault::error(Errno::ENOSYS).of(nr::PREADV2).always(); // as on an old kernel, or under seccomp
/// let short = Fault::short(4).of(nr::WRITE); // a write that returns 4
/// # let _ = (once, later, missing, short);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it has no effect until it is passed to `Kernel::inject`"]
pub struct Fault {
    effect: Effect,
    of: Option<usize>,
    /// Matching calls that are passed over first.
    passing: u32,
    /// Calls that it still applies to; `None` is all.
    left: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Error(Errno),
    Short(usize),
}

impl Fault {
    /// Creates a fault: the call fails with this error and has no effect. As on Linux, a `close` that fails with
    /// `EINTR`, `EIO`, `ENOSPC` or `EDQUOT` closes the file descriptor all the same.
    pub const fn error(errno: Errno) -> Self {
        Self::new(Effect::Error(errno))
    }

    /// Creates a fault: a `read`, `readv`, `preadv2` or `write` returns this number of bytes, or the length of its
    /// buffer if that is less.
    ///
    /// The counter does not change; the bytes read are zeros. Other calls are unaffected.
    ///
    /// No eventfd does this: it is how a file descriptor of another kind behaves.
    pub const fn short(bytes: usize) -> Self {
        Self::new(Effect::Short(bytes))
    }

    const fn new(effect: Effect) -> Self {
        Self { effect, of: None, passing: 0, left: Some(1) }
    }

    /// Restricts the fault to calls of this number ([`nr`]); other calls are not counted.
    pub const fn of(self, nr: usize) -> Self {
        Self { of: Some(nr), ..self }
    }

    /// Applies the fault to the `n`-th call from now instead of the first, which is 1.
    pub const fn at(self, n: u32) -> Self {
        Self { passing: n.saturating_sub(1), ..self }
    }

    /// Applies the fault to `n` calls in a row instead of one.
    pub const fn times(self, n: u32) -> Self {
        Self { left: Some(n), ..self }
    }

    /// Applies the fault to every call from the first one on.
    pub const fn always(self) -> Self {
        Self { left: None, ..self }
    }

    fn matches(&self, nr: usize) -> bool {
        self.of.is_none_or(|of| of == nr) && (matches!(self.effect, Effect::Error(_)) || moves_bytes(nr))
    }
}

/// Returns whether a call returns a number of bytes, of which any is valid.
fn moves_bytes(nr: usize) -> bool {
    matches!(nr, nr::READ | nr::READV | nr::PREADV2 | nr::WRITE)
}

/// The faults that are pending in a kernel.
#[derive(Default)]
pub(super) struct Faults([Cell<Option<Fault>>; Faults::MAX]);

impl Faults {
    pub(super) const MAX: usize = 8;

    pub(super) fn add(&self, fault: Fault) -> Result<(), Errno> {
        let free = self.0.iter().find(|cell| cell.get().is_none());
        free.map(|cell| cell.set(Some(fault))).ok_or(Errno::ENOSPC)
    }

    pub(super) fn clear(&self) {
        self.0.iter().for_each(|cell| cell.set(None));
    }

    /// Counts a call in every fault that it matches, and returns the effect of the first one that is due.
    pub(super) fn hit(&self, nr: usize) -> Option<Effect> {
        let mut effect = None;
        for cell in &self.0 {
            let Some(mut fault) = cell.get().filter(|fault| fault.matches(nr)) else { continue };
            if let Some(passing) = fault.passing.checked_sub(1) {
                fault.passing = passing;
            } else if effect.is_none() {
                effect = Some(fault.effect);
                fault.left = fault.left.map(|left| left.saturating_sub(1));
            }
            cell.set(Some(fault).filter(|fault| fault.left != Some(0)));
        }
        effect
    }
}

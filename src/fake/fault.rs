//! Faults that a test asks for.

use crate::Errno;
use crate::nr;
use core::cell::Cell;

/// Something that is to go wrong, once or for ever, in the next call or a later one.
///
/// ```
/// use rsyscall::Errno;
/// use rsyscall::fake::{Fault, nr};
///
/// let once = Fault::error(Errno::EINTR).of(nr::READ); // the next read
/// let later = Fault::error(Errno::EMFILE).of(nr::EVENTFD2).at(3); // the third eventfd from now
/// let missing = Fault::error(Errno::ENOSYS).of(nr::PREADV2).always(); // as on an old kernel, or under seccomp
/// let short = Fault::short(4).of(nr::WRITE); // a write that answers 4
/// # let _ = (once, later, missing, short);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "it does nothing until a kernel has it: `Kernel::inject`"]
pub struct Fault {
    effect: Effect,
    of: Option<usize>,
    /// Matching calls that still pass.
    passing: u32,
    /// Calls that it still hits; `None` is all.
    left: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Error(Errno),
    Short(usize),
}

impl Fault {
    /// The call is refused with this error and does nothing. A `close` that answers `EINTR`, `EIO`, `ENOSPC` or
    /// `EDQUOT` has closed the number all the same, as it has on Linux.
    pub const fn error(errno: Errno) -> Self {
        Self::new(Effect::Error(errno))
    }

    /// A `read`, `readv`, `preadv2` or `write` answers that it moved so many bytes, or as many as there were if that is
    /// less. Nothing is taken from the counter or added to it; what was read is zeros. Other calls are not hit.
    ///
    /// No eventfd does this: it is what a descriptor of another kind looks like.
    pub const fn short(bytes: usize) -> Self {
        Self::new(Effect::Short(bytes))
    }

    const fn new(effect: Effect) -> Self {
        Self { effect, of: None, passing: 0, left: Some(1) }
    }

    /// Only calls of this number ([`nr`]) are counted and hit.
    pub const fn of(self, nr: usize) -> Self {
        Self { of: Some(nr), ..self }
    }

    /// The `n`-th call from now is hit, not the first.
    pub const fn at(self, n: u32) -> Self {
        Self { passing: n.saturating_sub(1), ..self }
    }

    /// So many calls in a row are hit, not one.
    pub const fn times(self, n: u32) -> Self {
        Self { left: Some(n), ..self }
    }

    /// Every call from then on is hit.
    pub const fn always(self) -> Self {
        Self { left: None, ..self }
    }

    fn matches(&self, nr: usize) -> bool {
        self.of.is_none_or(|of| of == nr) && (matches!(self.effect, Effect::Error(_)) || moves_bytes(nr))
    }
}

/// Whether the answer of a call is a number of bytes, of which any may be right.
fn moves_bytes(nr: usize) -> bool {
    matches!(nr, nr::READ | nr::READV | nr::PREADV2 | nr::WRITE)
}

/// The faults that a kernel has in mind.
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

    /// Counts a call in every fault that it matches, and says what the first one that is due does to it.
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

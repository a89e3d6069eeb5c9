//! A place for one future that waits.

use core::cell::Cell;
use core::fmt;
use core::task::Waker;

/// A place for one future that waits for a file descriptor.
#[derive(Default)]
pub struct WaitSlot {
    /// Whether a future has it.
    taken: Cell<bool>,
    ready: Cell<bool>,
    /// The future's, until it is told.
    waker: Cell<Option<Waker>>,
    /// How often the place was given away: a report for a future that has left is told from one for its successor.
    generation: Cell<u32>,
}

impl WaitSlot {
    /// A free place.
    #[inline]
    pub const fn new() -> Self {
        Self { taken: Cell::new(false), ready: Cell::new(false), waker: Cell::new(None), generation: Cell::new(0) }
    }

    #[inline]
    pub(super) fn is_free(&self) -> bool {
        !self.taken.get()
    }

    #[inline]
    pub(super) fn is_ready(&self) -> bool {
        self.ready.get()
    }

    #[inline]
    pub(super) fn generation(&self) -> u32 {
        self.generation.get()
    }

    /// Gives it to a future.
    #[inline]
    pub(super) fn give(&self, waker: &Waker) {
        self.taken.set(true);
        self.ready.set(false);
        self.replace_waker(waker);
    }

    #[inline]
    pub(super) fn replace_waker(&self, waker: &Waker) {
        self.waker.set(Some(waker.clone()));
    }

    /// Takes it back.
    #[inline]
    pub(super) fn take_back(&self) {
        self.generation.set(self.generation.get().wrapping_add(1));
        self.taken.set(false);
        self.ready.set(false);
        // Last: the drop of a waker is another crate's code.
        self.waker.set(None);
    }

    /// Says that the descriptor is readable, if the slot still has the future of this generation.
    #[inline]
    pub(super) fn make_ready(&self, generation: u32) {
        if self.taken.get() && self.generation.get() == generation {
            self.ready.set(true);
        }
    }

    /// Wakes its future, if that is ready and was not woken yet.
    #[inline]
    pub(super) fn wake(&self) {
        if self.ready.get() {
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }
}

impl fmt::Debug for WaitSlot {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSlot")
            .field("taken", &self.taken.get())
            .field("ready", &self.ready.get())
            .finish_non_exhaustive()
    }
}

//! Memory for one future that waits.

use core::cell::Cell;
use core::fmt;
use core::task::Waker;

/// Memory for one future that waits for a file descriptor.
#[derive(Default)]
pub struct WaitSlot {
    /// Whether a future occupies it.
    taken: Cell<bool>,
    ready: Cell<bool>,
    /// The waker of the future, until it is woken.
    waker: Cell<Option<Waker>>,
    /// Incremented at each release: an event for an earlier future is recognised by its generation and ignored.
    generation: Cell<u32>,
}

impl WaitSlot {
    /// Creates a free slot.
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

    /// Assigns the slot to a future.
    #[inline]
    pub(super) fn occupy(&self, waker: &Waker) {
        self.taken.set(true);
        self.ready.set(false);
        self.replace_waker(waker);
    }

    #[inline]
    pub(super) fn replace_waker(&self, waker: &Waker) {
        self.waker.set(Some(waker.clone()));
    }

    /// Frees the slot.
    #[inline]
    pub(super) fn release(&self) {
        self.generation.set(self.generation.get().wrapping_add(1));
        self.taken.set(false);
        self.ready.set(false);
        // Last: the drop of a waker is foreign code.
        self.waker.set(None);
    }

    /// Marks the future as ready, if the slot is still of this generation.
    #[inline]
    pub(super) fn make_ready(&self, generation: u32) {
        if self.taken.get() && self.generation.get() == generation {
            self.ready.set(true);
        }
    }

    /// Wakes its future, if it is ready and was not woken yet.
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

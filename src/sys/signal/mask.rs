//! Signals that are blocked for as long as a guard lives.

use crate::near::{self, SignalSet};
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use static_assertions::assert_not_impl_any;

/// Signals blocked in a thread until this is dropped. Made by
/// [`SignalTask::block_signals`](super::SignalTask::block_signals).
///
/// Dropping it puts the mask back as it was. Guards end in the reverse order of their beginning; in another order, the
/// mask is the one that the last dropped guard had found. A mask belongs to one thread, so a guard is not `Send`:
///
/// ```compile_fail,E0277
/// use rsyscall::Current;
/// use rsyscall::sys::signal::{SignalSet, SignalTask};
///
/// let blocked = Current.block_signals(SignalSet::EMPTY).unwrap();
/// std::thread::spawn(move || drop(blocked));
/// ```
#[must_use = "dropped, it unblocks the signals at once"]
pub struct Blocked<T: FileDescriptorTask = Current> {
    task: T,
    before: SignalSet,
    thread: PhantomData<*const ()>,
}

assert_not_impl_any!(Blocked: Send, Sync, Clone);

impl<T: FileDescriptorTask> Blocked<T> {
    #[inline]
    pub(super) fn new(task: T, set: SignalSet) -> Result<Self, T::Error> {
        // SAFETY: safe code cannot rely on a signal for its soundness: any signal may come late.
        let before = unsafe { near::change_signal_mask(task.sysif(), near::SIG_BLOCK, set) }?;
        Ok(Self { task, before, thread: PhantomData })
    }

    /// Returns the mask as it was before: what a program that is started from here should begin with.
    #[inline]
    pub fn before(&self) -> SignalSet {
        self.before
    }

    /// Keeps the signals blocked for good, and returns the mask as it was before.
    ///
    /// System calls: none.
    #[inline]
    pub fn keep(self) -> SignalSet {
        ManuallyDrop::new(self).before
    }
}

impl<T: FileDescriptorTask> Drop for Blocked<T> {
    #[inline]
    fn drop(&mut self) {
        // Ignored: it can fail only where the interface no longer carries anything.
        // SAFETY: a mask that this thread had; a handler that now runs was installed as sound at any moment.
        let _ignored = unsafe { near::set_signal_mask(self.task.sysif(), self.before) };
    }
}

impl<T: FileDescriptorTask> fmt::Debug for Blocked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocked").field("before", &self.before).finish_non_exhaustive()
    }
}

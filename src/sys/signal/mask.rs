//! A guard that blocks signals.

use crate::near::{self, SignalSet};
use crate::task::{Current, FileDescriptorTask};
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use static_assertions::assert_not_impl_any;

/// A guard that blocks signals in a thread until it is dropped. Created by
/// [`SignalTask::block_signals`](super::SignalTask::block_signals).
///
/// Dropping it restores the previous mask. Drop guards in reverse order of their creation: otherwise the mask becomes
/// the one that was saved by the guard dropped last. A mask belongs to one thread, so a guard is not `Send`:
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
        // SAFETY: the soundness of safe code cannot depend on a signal: any signal may be late.
        let before = unsafe { near::change_signal_mask(task.sysif(), near::SIG_BLOCK, set) }?;
        Ok(Self { task, before, thread: PhantomData })
    }

    /// Returns the previous mask, with which a program started from here should begin.
    #[inline]
    pub fn before(&self) -> SignalSet {
        self.before
    }

    /// Consumes the guard without unblocking the signals, and returns the previous mask.
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
        // Ignored: it can fail only if the interface has ended.
        // SAFETY: a mask that this thread had before; a handler that runs now was installed as sound at any time.
        let _ignored = unsafe { near::set_signal_mask(self.task.sysif(), self.before) };
    }
}

impl<T: FileDescriptorTask> fmt::Debug for Blocked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocked").field("before", &self.before).finish_non_exhaustive()
    }
}

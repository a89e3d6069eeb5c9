//! A notifier in a static, and the `Waker` that it makes.
//!
//! A waker may be cloned, sent to other threads, and stored indefinitely, so what it points to must never be freed.
//! Without an allocator only a static guarantees that.
//!
//! All of it is `#[inline]`: compiled into the library itself, it would add instances of generic functions to programs
//! that use none of this (at opt-level 1, without LTO).

use super::notifier::{Notifier, ignore_full};
use super::state::State;
use super::word::Scope;
use crate::near::{self, FileDescriptor};
use crate::sysif::Local;
use crate::{Errno, EventFd, EventfdFlags};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use core::task::{RawWaker, RawWakerVTable, Waker};

/// A notifier for a `static`, to which a [`Waker`] can point. A [`Reactor`](crate::reactor::Reactor) sleeps on it.
///
/// Its eventfd is created at the first use, and stays open until the process ends.
///
/// ```
/// use rsyscall::notify::StaticNotifier;
///
/// static WAKE: StaticNotifier = StaticNotifier::new();
/// let waker = WAKE.waker()?;
/// waker.wake_by_ref();
/// std::thread::spawn(move || waker.wake()).join().unwrap();
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug)]
pub struct StaticNotifier {
    state: State,
    /// The eventfd's file descriptor, or −1.
    bell: AtomicI32,
    /// Whether there is a waiter; there is at most one.
    taken: AtomicBool,
}

impl StaticNotifier {
    /// Creates a notifier without a notification and without an eventfd.
    #[inline]
    pub const fn new() -> Self {
        Self { state: State::new(), bell: AtomicI32::new(-1), taken: AtomicBool::new(false) }
    }

    /// Returns a waker that notifies this notifier. Cloning and dropping it costs nothing; waking is a
    /// [`notify`](Notifier::notify).
    ///
    /// System calls: `eventfd2`, the first time.
    ///
    /// # Errors
    ///
    /// Those of [`EventFd::new`], the first time.
    #[inline]
    pub fn waker(&'static self) -> Result<Waker, Errno> {
        self.bell()?;
        // SAFETY: the pointer is to a static that has its eventfd; the functions below keep the contract of a waker:
        // they are thread-safe, and as they own nothing, cloning and dropping do nothing.
        Ok(unsafe { Waker::from_raw(raw(self)) })
    }

    /// Returns the waiter's side, for one waiter: a second one gets `EBUSY`.
    #[inline]
    pub(crate) fn take(&'static self) -> Result<Notifier<&'static State>, Errno> {
        let bell = self.bell()?;
        // SAFETY: it is never closed.
        let bell = unsafe { near::dup_cloexec(&Local, bell) }?;
        // SAFETY: the kernel just created it for us.
        let bell = unsafe { EventFd::adopt(crate::Current, bell) };
        if self.taken.swap(true, Ordering::Acquire) {
            return Err(Errno::EBUSY);
        }
        Ok(Notifier::from_parts(&self.state, bell))
    }

    /// Releases the waiter's side: there may be another waiter, which takes the notification if one is pending.
    #[inline]
    pub(crate) fn give_back(&self) {
        self.state.stand_down();
        self.taken.store(false, Ordering::Release);
    }

    #[inline]
    fn bell(&self) -> Result<FileDescriptor, Errno> {
        let cached = self.bell.load(Ordering::Acquire);
        if cached >= 0 {
            return Ok(FileDescriptor(cached));
        }
        let bell = EventFd::new(0, EventfdFlags::empty())?;
        match self.bell.compare_exchange(-1, bell.as_raw_fd(), Ordering::AcqRel, Ordering::Acquire) {
            // Owned by the static from now on.
            Ok(_) => Ok(FileDescriptor(bell.into_raw_fd())),
            // Another thread was faster; ours is closed.
            Err(theirs) => Ok(FileDescriptor(theirs)),
        }
    }

    #[inline]
    fn wake(&self) {
        if let Some(marks) = self.state.notify() {
            // Ignored: a waker cannot report an error, and a write to this eventfd does not fail.
            let _ignored = self.state.wake(marks, Scope::Private, || {
                let bell = FileDescriptor(self.bell.load(Ordering::Acquire));
                // SAFETY: it is open since the waker was made, and never closed.
                ignore_full(unsafe { near::write(&Local, bell, &1_u64.to_ne_bytes()) }.map(drop))
            });
        }
    }
}

impl Default for StaticNotifier {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

#[inline]
fn raw(notifier: &'static StaticNotifier) -> RawWaker {
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, drop);

    /// # Safety
    ///
    /// The pointer came from [`raw`].
    #[inline]
    unsafe fn of(notifier: *const ()) -> &'static StaticNotifier {
        // SAFETY: it was made of a `&'static StaticNotifier`.
        unsafe { &*notifier.cast::<StaticNotifier>() }
    }
    #[inline]
    unsafe fn clone(notifier: *const ()) -> RawWaker {
        // SAFETY: only called with the pointer of this table's waker.
        raw(unsafe { of(notifier) })
    }
    #[inline]
    unsafe fn wake(notifier: *const ()) {
        // SAFETY: as above.
        unsafe { of(notifier) }.wake();
    }
    #[inline]
    unsafe fn drop(_notifier: *const ()) {}

    RawWaker::new(ptr::from_ref(notifier).cast(), &TABLE)
}

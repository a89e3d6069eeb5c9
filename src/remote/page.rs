//! Memory that a forked child shares with the process that made it: one page, mapped before the fork.
//!
//! It is not optional: [`fork`](super::fork()) fails with the errno of a refused `mmap`.
//!
//! Later children of either process do not get it (`MADV_DONTFORK`), which has to be said after this fork, or this
//! child would not get it either. A process forked in between by another thread keeps the page mapped; if it is another
//! server of this crate, it never uses the address. A refused `madvise` is ignored: then later children inherit a page
//! that nothing there uses.
//!
//! It holds nothing of other connections: one page is made for each child.
//!
//! Besides the claims it has room for the memory of one call. What the call reads is copied there before its request is
//! sent, and what it writes is copied from there after its answer has arrived: so a call with memory is one round trip
//! of two messages, and the server is the same. The socket orders the two: a receive sees what was written before the
//! send. Only one call at a time uses it. Pipelines, and calls with more memory, move their memory through the stream.

use super::claims::Claims;
use super::disconnect::Disconnect;
use super::memory::{Sink, Source};
use crate::Errno;
use crate::near::{self, Address};
use crate::sysif::Local;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, with_exposed_provenance_mut};
use core::sync::atomic::{Ordering, compiler_fence};

/// The size of the smallest page; where pages are larger, the kernel rounds up.
const PAGE: usize = 4096;

/// How much of it is for the memory of calls.
const MEMORY: usize = PAGE - 64;

/// What lies in the page. Zero bytes are a valid value.
#[repr(C)]
struct Contents {
    claims: Claims,
    /// The rest of the claims' cache line.
    _unused: [u8; 64 - size_of::<Claims>()],
    /// Both processes write it, in turn: the server only while it executes a call. One that does not keep to that
    /// changes bytes while they are copied, and any bytes are memory of a call.
    memory: UnsafeCell<[u8; MEMORY]>,
}

static_assertions::assert_eq_size!(Contents, [u8; PAGE]);

/// A page of shared memory at one address in both processes, unmapped when dropped.
#[derive(Debug)]
pub(super) struct Page(NonNull<Contents>);

// SAFETY: the mapping belongs to the process, not to a thread, and only one thread at a time has the page.
unsafe impl Send for Page {}

impl Page {
    /// Maps a page that a child forked later shares.
    ///
    /// System calls: `mmap`.
    #[inline]
    pub(super) fn new() -> Result<Self, Errno> {
        let Address(address) = near::mmap_shared_anonymous(&Local, PAGE)?;
        NonNull::new(with_exposed_provenance_mut(address)).map(Self).ok_or(Errno::ENOMEM)
    }

    /// Keeps the page out of children forked from now on by the calling process. Parent and child each call it once the
    /// child exists.
    ///
    /// System calls: `madvise`.
    #[inline]
    pub(super) fn hide_from_children(&self) {
        // Ignored: see the top.
        // SAFETY: only the child that exists by now uses the page.
        let _ignored = unsafe { near::madvise_dontfork(&Local, self.address(), PAGE) };
    }

    /// Which requests the server has claimed.
    #[inline]
    pub(super) const fn claims(&self) -> &Claims {
        // SAFETY: mapped, and zeroed when it was, for as long as `self` lives; the other process writes it atomically
        // only.
        unsafe { &(*self.0.as_ptr()).claims }
    }

    /// Whether there is room for this much memory of a call.
    #[inline]
    pub(super) const fn has(&self, len: usize) -> bool {
        len <= MEMORY
    }

    #[inline]
    const fn memory(&self) -> *mut u8 {
        // SAFETY: mapped for as long as `self` lives; a pointer is made, and nothing read.
        unsafe { (&raw const (*self.0.as_ptr()).memory).cast_mut().cast() }
    }

    /// Where the memory of a call begins, in both processes.
    #[inline]
    pub(super) fn memory_address(&self) -> usize {
        self.memory().expose_provenance()
    }

    /// The memory of a call, from this place on.
    #[inline]
    pub(super) const fn cursor(&self, at: usize) -> Cursor<'_> {
        Cursor { page: self, at }
    }

    #[inline]
    fn address(&self) -> Address {
        Address(self.0.as_ptr().expose_provenance())
    }
}

impl Drop for Page {
    #[inline]
    fn drop(&mut self) {
        // Ignored: a mapping that is ours, and whole pages.
        // SAFETY: all that refers to the page in this process borrows `self`. The child has a mapping of its own.
        let _ignored = unsafe { near::munmap(&Local, self.address(), PAGE) };
    }
}

/// A place in the page from which memory is copied, or to which.
pub(super) struct Cursor<'a> {
    page: &'a Page,
    at: usize,
}

impl Cursor<'_> {
    /// The next `count` bytes.
    #[inline]
    fn advance(&mut self, count: usize) -> Result<*mut u8, Disconnect> {
        let (at, end) = (self.at, self.at.saturating_add(count));
        if !self.page.has(end) {
            // Never: the whole call was found to have room.
            return Err(Disconnect::OutOfStep);
        }
        self.at = end;
        Ok(self.page.memory().wrapping_add(at))
    }
}

impl Sink for Cursor<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), Disconnect> {
        let to = self.advance(bytes.len())?;
        // SAFETY: within the page, which is mapped and no reference refers to; the caller's bytes lie elsewhere.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }
}

impl Source for Cursor<'_> {
    #[inline]
    fn read(&mut self, to: &mut [MaybeUninit<u8>]) -> Result<(), Disconnect> {
        let from = self.advance(to.len())?;
        // SAFETY: within the page, which is mapped and initialised; the caller's memory lies elsewhere.
        unsafe { to.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(from, to.len()) };
        // What was copied is not looked up again in the page, where it may have changed.
        compiler_fence(Ordering::SeqCst);
        Ok(())
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<(), Disconnect> {
        self.advance(count).map(drop)
    }
}

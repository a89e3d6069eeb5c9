//! Memory that a forked child shares with its parent: one page, mapped before the fork.
//!
//! It is required: [`fork`](super::fork()) fails if the `mmap` fails.
//!
//! Later children of either process do not inherit it (`MADV_DONTFORK`). The advice is given after this fork, or this
//! child would not inherit it either. A process forked in between by another thread keeps the page mapped; if it is
//! another server of this crate, it never uses the address. A failed `madvise` is ignored: then later children inherit
//! a page that nothing there uses.
//!
//! Each child has its own page, without data of other connections.
//!
//! Besides the claims it has room for the memory of one call. The call's input is copied there before its request is
//! sent, and its output is copied from there after its response has arrived: so a call with memory is one round trip of
//! two messages, with an unchanged server. The socket orders the accesses: writes before a send are visible after the
//! receive. Only one call at a time uses it. Pipelines, and calls with more memory, transfer their memory through the
//! stream.

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

/// The size of the part for the memory of calls.
const MEMORY: usize = PAGE - 64;

/// The contents of the page. Zero bytes are a valid value.
#[repr(C)]
struct Contents {
    claims: Claims,
    /// The rest of the claims' cache line.
    _unused: [u8; 64 - size_of::<Claims>()],
    /// Both processes write it, in turn: the server only while it executes a call. A server that violates this changes
    /// bytes while they are copied, and any bytes are valid memory of a call.
    memory: UnsafeCell<[u8; MEMORY]>,
}

static_assertions::assert_eq_size!(Contents, [u8; PAGE]);

/// A page of shared memory at the same address in both processes, unmapped when dropped.
#[derive(Debug)]
pub(super) struct Page(NonNull<Contents>);

// SAFETY: the mapping belongs to the process, not to a thread, and only one thread at a time has the page.
unsafe impl Send for Page {}

impl Page {
    /// Maps a page that children forked later share.
    ///
    /// System calls: `mmap`.
    #[inline]
    pub(super) fn new() -> Result<Self, Errno> {
        let Address(address) = near::mmap_shared_anonymous(&Local, PAGE)?;
        NonNull::new(with_exposed_provenance_mut(address)).map(Self).ok_or(Errno::ENOMEM)
    }

    /// Excludes the page from children that the calling process forks later. Parent and child each call it after the
    /// fork.
    ///
    /// System calls: `madvise`.
    #[inline]
    pub(super) fn hide_from_children(&self) {
        // Ignored: see the module documentation.
        // SAFETY: only the child that exists by now uses the page.
        let _ignored = unsafe { near::madvise_dontfork(&Local, self.address(), PAGE) };
    }

    /// Returns the count of requests that the server has claimed.
    #[inline]
    pub(super) const fn claims(&self) -> &Claims {
        // SAFETY: mapped, and zeroed when it was, for as long as `self` lives; the other process writes it atomically
        // only.
        unsafe { &(*self.0.as_ptr()).claims }
    }

    /// Returns whether there is room for `len` bytes of a call's memory.
    #[inline]
    pub(super) const fn has(&self, len: usize) -> bool {
        len <= MEMORY
    }

    #[inline]
    const fn memory(&self) -> *mut u8 {
        // SAFETY: mapped for as long as `self` lives; a pointer is created, and nothing is read.
        unsafe { (&raw const (*self.0.as_ptr()).memory).cast_mut().cast() }
    }

    /// Returns the address of the memory of calls, the same in both processes.
    #[inline]
    pub(super) fn memory_address(&self) -> usize {
        self.memory().expose_provenance()
    }

    /// Returns a cursor to the memory of a call, at this offset.
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
        // Ignored: it does not fail for whole pages of our own mapping.
        // SAFETY: all references to the page in this process borrow `self`. The child has a mapping of its own.
        let _ignored = unsafe { near::munmap(&Local, self.address(), PAGE) };
    }
}

/// A position in the page, to copy from or to.
pub(super) struct Cursor<'a> {
    page: &'a Page,
    at: usize,
}

impl Cursor<'_> {
    /// Returns the next `count` bytes, and advances.
    #[inline]
    fn advance(&mut self, count: usize) -> Result<*mut u8, Disconnect> {
        let (at, end) = (self.at, self.at.saturating_add(count));
        if !self.page.has(end) {
            // Unreachable: there was room for the whole call.
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
        // SAFETY: within the page, which is mapped and to which no reference exists; the caller's bytes are elsewhere.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }
}

impl Source for Cursor<'_> {
    #[inline]
    fn read(&mut self, to: &mut [MaybeUninit<u8>]) -> Result<(), Disconnect> {
        let from = self.advance(to.len())?;
        // SAFETY: within the page, which is mapped and initialised; the caller's memory is elsewhere.
        unsafe { to.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(from, to.len()) };
        // The compiler must use the copy, and not read the page again, which may have changed.
        compiler_fence(Ordering::SeqCst);
        Ok(())
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<(), Disconnect> {
        self.advance(count).map(drop)
    }
}

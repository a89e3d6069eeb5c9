//! Memory that a forked child shares with the process that made it: one page, mapped before the fork.
//!
//! It is not optional: [`fork`](super::fork()) fails with the errno of a refused `mmap`.
//!
//! Later children of either process do not get it (`MADV_DONTFORK`), which has to be said after this fork, or this child
//! would not get it either. A process forked in between by another thread keeps the page mapped; if it is another server of
//! this crate, it never uses the address. A refused `madvise` is ignored: then later children inherit a page that nothing
//! there uses.
//!
//! It holds nothing of other connections: one page is made for each child.

use super::claims::Claims;
use crate::Errno;
use crate::near::{self, Address};
use crate::sysif::Local;
use core::ptr::{NonNull, with_exposed_provenance_mut};

/// The size of the smallest page; where pages are larger, the kernel rounds up.
const PAGE: usize = 4096;

/// What lies in the page. Zero bytes are a valid value.
#[repr(C)]
struct Contents {
    claims: Claims,
}

const _: () = assert!(size_of::<Contents>() <= PAGE);

/// A page of shared memory at one address in both processes, unmapped when dropped.
#[derive(Debug)]
pub(super) struct Page(NonNull<Contents>);

// SAFETY: the mapping belongs to the process, not to a thread, and what lies in it is atomic.
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
        // SAFETY: mapped, and zeroed when it was, for as long as `self` lives; the other process writes it atomically only.
        unsafe { &(*self.0.as_ptr()).claims }
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

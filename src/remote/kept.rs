//! The file descriptors that a child keeps of a copied descriptor table, after a fork or `unshare`: the server's end of
//! its stream, those that it inherits, and 0, 1 and 2 unless they are `CLOEXEC`.
//!
//! All others are closed, in particular the client's end: while a copy of it is open in the child, the stream does not
//! end with its client.

use crate::Errno;
use crate::near::{self, FileDescriptor};
use crate::sysif::{SyscallError, SyscallInterface};

/// The first file descriptor after the standard ones.
const FIRST: i32 = 3;

/// The file descriptors that are kept, and the client's, in the child's table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    /// The server's end, which is kept.
    pub(super) server: FileDescriptor,
    /// The client's end, which is closed, if the copied table has it.
    pub(super) client: Option<FileDescriptor>,
    /// The inherited ones, which are kept.
    pub(super) inherit: &'a [FileDescriptor],
}

/// Returns whether a file descriptor is there twice: two owners would close it twice.
#[inline]
pub(super) fn has_duplicates(fds: &[FileDescriptor]) -> bool {
    fds.iter().enumerate().any(|(index, fd)| fds.iter().take(index).any(|other| other == fd))
}

impl Kept<'_> {
    /// Closes all other file descriptors of the interface's table.
    ///
    /// System calls: `fcntl(F_GETFD)`, `close_range`, `close`; before Linux 5.9 also `prlimit64`.
    ///
    /// # Safety
    ///
    /// No other file descriptor of the table is used afterwards, nor owned.
    #[inline]
    pub(super) unsafe fn close_others<S: SyscallInterface>(&self, sysif: &S) -> Result<(), S::Error> {
        for standard in (0..FIRST).map(FileDescriptor) {
            if self.stays(standard) {
                continue;
            }
            // SAFETY: it changes nothing; it fails for a file descriptor that is not open.
            let cloexec = unsafe { near::is_cloexec(sysif, standard) };
            if Some(standard) == self.client || cloexec.is_ok_and(|cloexec| cloexec) {
                // SAFETY: the caller's promise.
                unsafe { near::close(sysif, standard) }?;
            }
        }
        for (first, last) in (Gaps { next: Some(FIRST.unsigned_abs()), kept: self }) {
            // SAFETY: the caller's promise.
            match unsafe { near::close_range(sysif, first, last) } {
                Err(error) if error.errno() == Some(Errno::ENOSYS) => {
                    // SAFETY: the caller's promise.
                    unsafe { close_each(sysif, first, last) };
                }
                closed => closed?,
            }
        }
        Ok(())
    }

    #[inline]
    fn stays(&self, fd: FileDescriptor) -> bool {
        fd == self.server || self.inherit.contains(&fd)
    }
}

/// Closes a range of file descriptors one by one, up to `RLIMIT_NOFILE`.
///
/// # Safety
///
/// As [`near::close_range`].
#[cold]
#[inline]
unsafe fn close_each<S: SyscallInterface>(sysif: &S, first: u32, last: u32) {
    let limit = near::descriptor_limit(sysif).unwrap_or(u32::MAX);
    for fd in first..=last.min(limit) {
        let Ok(fd) = i32::try_from(fd) else { return };
        // Ignored: most of them are not open.
        // SAFETY: the caller's promise.
        let _ignored = unsafe { near::close(sysif, FileDescriptor(fd)) };
    }
}

/// The ranges between the file descriptors that are kept, from `next` on.
struct Gaps<'a> {
    next: Option<u32>,
    kept: &'a Kept<'a>,
}

impl Iterator for Gaps<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        loop {
            let first = self.next?;
            let stays = self.kept.inherit.iter().chain([&self.kept.server]).map(|fd| fd.0.unsigned_abs());
            let end = stays.filter(|fd| *fd >= first).min();
            self.next = end.and_then(|end| end.checked_add(1));
            match end {
                Some(end) if end == first => {}
                Some(end) => return Some((first, end.wrapping_sub(1))),
                None => return Some((first, u32::MAX)),
            }
        }
    }
}

//! Searching `PATH` for a program, by the rules of `execvp`.

use core::ffi::CStr;
use rsyscall::Errno;

/// The size of the longest path, with its terminating zero: `include/uapi/linux/limits.h`.
pub const PATH_MAX: usize = 4096;

/// The search path of `execvp` where `PATH` is not set.
pub const DEFAULT: &[u8] = b"/bin:/usr/bin";

/// Writes `directory/name` into the buffer and returns it, or `None` if it does not fit. An empty directory is the
/// current one.
///
/// ```
/// use rsyscall_init::path::{PATH_MAX, candidate};
///
/// let mut buffer = [0; PATH_MAX];
/// assert_eq!(candidate(b"/bin", c"sh", &mut buffer), Some(c"/bin/sh"));
/// assert_eq!(candidate(b"", c"sh", &mut buffer), Some(c"./sh"));
/// ```
#[inline(never)]
pub fn candidate<'a>(directory: &[u8], name: &CStr, buffer: &'a mut [u8; PATH_MAX]) -> Option<&'a CStr> {
    let directory = if directory.is_empty() { b"." } else { directory };
    let name = name.to_bytes_with_nul();
    let rest = put(put(buffer, directory)?, b"/")?;
    put(rest, name)?;
    // SAFETY: the name ends with a zero.
    Some(unsafe { CStr::from_ptr(buffer.as_ptr().cast()) })
}

/// Copies text to the beginning of the memory and returns the rest, or `None` if it does not fit.
#[inline(never)]
fn put<'a>(memory: &'a mut [u8], text: &[u8]) -> Option<&'a mut [u8]> {
    let (front, behind) = memory.split_at_mut_checked(text.len())?;
    // Not `copy_from_slice`, which compares the lengths and panics.
    for (to, from) in front.iter_mut().zip(text) {
        *to = *from;
    }
    Some(behind)
}

/// Calls `attempt` with the name in every directory of a `PATH`, or with the name itself if it contains a slash, and
/// returns the error to report. `attempt` executes a path and returns the error.
///
/// The search continues after `ENOENT`, `ENOTDIR`, `ENODEV`, `ESTALE`, `ETIMEDOUT` and `EACCES`; at its end the error
/// is `EACCES` if that occurred, otherwise `ENOENT`. Any other error ends the search and is returned. For an empty name
/// the error is `ENOENT`. Paths longer than `PATH_MAX` are skipped.
///
/// ```
/// use rsyscall::Errno;
/// use rsyscall_init::path::search;
/// use std::ffi::CStr;
///
/// let mut tried = vec![];
/// let error = search(c"sh", b"/sbin::/bin", |path| {
///     tried.push(path.to_owned());
///     Errno::ENOENT
/// });
/// assert_eq!(error, Errno::ENOENT);
/// assert_eq!(tried, [c"/sbin/sh", c"./sh", c"/bin/sh"].map(CStr::to_owned));
/// ```
pub fn search(name: &CStr, path: &[u8], attempt: impl FnMut(&CStr) -> Errno) -> Errno {
    search_in(name, Some(path), attempt)
}

/// `path` is `None`: the name is a path.
#[inline(always)]
pub(crate) fn search_in(name: &CStr, path: Option<&[u8]>, mut attempt: impl FnMut(&CStr) -> Errno) -> Errno {
    if name.is_empty() {
        return Errno::ENOENT;
    }
    #[expect(clippy::manual_contains, reason = "`contains` is made for long text, and larger")]
    let as_it_is = path.is_none() || name.to_bytes().iter().any(|byte| *byte == b'/');
    let mut told = Errno::ENOENT;
    let mut buffer = [0; PATH_MAX];
    let mut rest = Some(path.unwrap_or_default());
    while let Some(directories) = rest {
        let end = directories.iter().position(|byte| *byte == b':').unwrap_or(directories.len());
        rest = directories.get(end.wrapping_add(1)..);
        let directory = directories.get(..end).unwrap_or_default();
        let found = if as_it_is { Some(name) } else { candidate(directory, name, &mut buffer) };
        let Some(path) = found else { continue };
        match attempt(path) {
            error if as_it_is => return error,
            Errno::EACCES => told = Errno::EACCES,
            Errno::ENOENT | Errno::ENOTDIR | Errno::ENODEV | Errno::ESTALE | Errno::ETIMEDOUT => {}
            error => return error,
        }
    }
    told
}

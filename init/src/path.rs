//! Where a program is looked for: the rules of `execvp`.

use core::ffi::CStr;
use rsyscall::Errno;

/// The longest path that the kernel takes, with the zero at its end: `include/uapi/linux/limits.h`.
pub const PATH_MAX: usize = 4096;

/// What `execvp` of glibc and musl looks in where there is no `PATH`.
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
pub fn candidate<'a>(directory: &[u8], name: &CStr, buffer: &'a mut [u8; PATH_MAX]) -> Option<&'a CStr> {
    let directory = if directory.is_empty() { b"." } else { directory };
    let name = name.to_bytes_with_nul();
    let (front, behind) = buffer.split_at_mut_checked(directory.len())?;
    let (slash, behind) = behind.split_first_mut()?;
    let (back, _) = behind.split_at_mut_checked(name.len())?;
    front.copy_from_slice(directory);
    *slash = b'/';
    back.copy_from_slice(name);
    // SAFETY: the name has ended with a zero.
    Some(unsafe { CStr::from_ptr(buffer.as_ptr().cast()) })
}

/// Tries a name in every directory of a `PATH`, or as it is if there is a slash in it, and returns the error that is to
/// be told: what `attempt` returned is the error of executing that path.
///
/// The search goes on where the program is not there, or may not be executed: if none is found, `EACCES` is told before
/// `ENOENT`. An empty name is `ENOENT`. An entry that is too long is passed over.
///
/// ```
/// use rsyscall::Errno;
/// use rsyscall_init::path::search;
///
/// let mut tried = vec![];
/// let error = search(c"sh", b"/sbin::/bin", |path| {
///     tried.push(path.to_owned());
///     Errno::ENOENT
/// });
/// assert_eq!(error, Errno::ENOENT);
/// assert_eq!(tried, [c"/sbin/sh", c"./sh", c"/bin/sh"].map(Into::into));
/// ```
pub fn search(name: &CStr, path: &[u8], mut attempt: impl FnMut(&CStr) -> Errno) -> Errno {
    if name.is_empty() {
        return Errno::ENOENT;
    }
    if name.to_bytes().split(|byte| *byte == b'/').nth(1).is_some() {
        return attempt(name);
    }
    let mut told = Errno::ENOENT;
    let mut buffer = [0; PATH_MAX];
    for directory in path.split(|byte| *byte == b':') {
        let Some(path) = candidate(directory, name, &mut buffer) else { continue };
        match attempt(path) {
            Errno::EACCES => told = Errno::EACCES,
            Errno::ENOENT | Errno::ENOTDIR | Errno::ENODEV | Errno::ESTALE | Errno::ETIMEDOUT => {}
            error => return error,
        }
    }
    told
}

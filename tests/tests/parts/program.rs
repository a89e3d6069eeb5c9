//! A program without libc, and its standard descriptors.

use super::other::process;
use super::signals::who_am_i;
use rsyscall::sys::stdio::Stdio;
use rsyscall::{Errno, EventFd};
use std::ffi::CString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

/// `tests/guest/src/start`, built.
static PROGRAM: OnceLock<CString> = OnceLock::new();

pub fn set_program(path: &Path) {
    PROGRAM.set(CString::new(path.as_os_str().as_bytes()).unwrap()).unwrap();
}

/// Redirects the standard descriptors to `/dev/null`.
pub fn nothing_to_say(_: &EventFd) {
    // SAFETY: a string that ends with a zero.
    let null = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
    for fd in 0..3 {
        // SAFETY: two words; the child's output is not needed.
        assert_eq!(unsafe { libc::dup2(null, fd) }, fd);
    }
}

pub fn stdio(_: &EventFd) -> Result<bool, Errno> {
    // SAFETY: opened above.
    let stdio = unsafe { Stdio::assume_open() };
    writeln!(stdio.output(), "{}", 1)?;
    Ok(stdio.input().read(&mut [0; 8])? == 0)
}

/// Closes standard input, and makes descriptor 3 an eventfd, for `LISTEN_FDS`.
pub fn handed_over(bell: &EventFd) {
    who_am_i(bell);
    nothing_to_say(bell);
    // SAFETY: two words; the descriptor was the child's report, and this child reports nothing.
    assert_eq!(unsafe { libc::dup2(bell.as_raw_fd(), 3) }, 3);
    // The eventfd may have been 3 already, with FD_CLOEXEC.
    // SAFETY: three words.
    assert_eq!(unsafe { libc::fcntl(3, libc::F_SETFD, 0) }, 0);
    // SAFETY: nothing in this child reads it.
    assert_eq!(unsafe { libc::close(0) }, 0);
}

pub fn start(_: &EventFd) -> Result<bool, Errno> {
    let Some(program) = PROGRAM.get() else { return Ok(false) };
    let mut listen_pid = [0_u8; 32];
    if write!(&mut listen_pid[..31], "LISTEN_PID={}", process().0).is_err() {
        return Ok(false);
    }
    let arguments = [program.as_ptr(), std::ptr::null()];
    let variables = [listen_pid.as_ptr().cast(), c"LISTEN_FDS=1".as_ptr(), std::ptr::null()];
    // SAFETY: strings that end with a zero, in arrays that end with a null pointer.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), variables.as_ptr()) };
    Ok(false)
}

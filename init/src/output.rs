//! Output that never blocks, for processes such as an init.

use crate::raw;
use rsyscall::Errno;
use rsyscall::near::{self, PollFd, Timespec};
use rsyscall::sys::stdio::Output;
use rsyscall::sysif::Local;

/// Writes by one call without blocking, and returns how many bytes were written.
///
/// From Linux 6.4, `RWF_NOWAIT` does that for pipes. Elsewhere it polls first whether there is room for `PIPE_BUF`
/// (4096) bytes, and writes no more than that; it can block only if another process writes in between.
///
/// The caller blocks `SIGPIPE` and `SIGXFSZ`; a signalfd reads them with the caller's own pid as the sender.
///
/// System calls: `pwritev2`; where that fails with `EOPNOTSUPP`, `ENOSYS` or `EPERM`, `ppoll` and `write`.
///
/// # Errors
///
/// `EAGAIN`: it would block. `EPIPE`: no reader. `EBADF`, `EIO`, `ENOSPC`, `EFBIG` and other errors of `write`.
pub fn try_write(output: Output, bytes: &[u8]) -> Result<usize, Errno> {
    const PIPE_BUF: usize = 4096;
    let fd = output.near();
    let bytes = bytes.get(..PIPE_BUF).unwrap_or(bytes);
    match raw::write_nowait(fd, bytes) {
        Err(Errno::EOPNOTSUPP | Errno::ENOSYS | Errno::EPERM) => {}
        result => return result,
    }
    let mut entry = [PollFd { fd, events: PollFd::OUT, revents: 0 }];
    match near::ppoll(&Local, &mut entry, Some(Timespec::ZERO), None)? {
        0 => Err(Errno::EAGAIN),
        _ => raw::write(fd, bytes),
    }
}

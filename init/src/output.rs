//! Writing for a process that must not be blocked, signalled or ended by what it says.

use crate::raw;
use rsyscall::Errno;
use rsyscall::near::{self, PollFd, Timespec};
use rsyscall::sys::stdio::Output;
use rsyscall::sysif::Local;

/// Writes once, if that is possible without sleeping, and returns how much.
///
/// From Linux 6.4 the kernel itself promises that for pipes. For terminals and sockets, and before, it is asked first
/// whether there is room for `PIPE_BUF` (4096) bytes, which holds unless another process fills it up in between; more
/// are not written.
///
/// `SIGPIPE` and `SIGXFSZ` are the caller's to block; a signalfd reads them with the caller's own pid as the sender.
///
/// System calls: `pwritev2`; where that cannot promise it `ppoll`, `write`.
///
/// # Errors
///
/// `EAGAIN`: no room now. `EPIPE`: no reader. `EBADF`, `EIO`, `ENOSPC`, `EFBIG` and what else a write can fail with.
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

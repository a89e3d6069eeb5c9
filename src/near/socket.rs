//! Connected stream sockets: creating a pair, sending, receiving, shutting down.

use super::FileDescriptor;
use crate::arch::this::FIONREAD;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};
use core::mem::MaybeUninit;

// `include/linux/socket.h`, `include/linux/net.h`, `include/uapi/asm-generic/fcntl.h`; the same on all architectures of
// this crate.
const AF_UNIX: u32 = 1;
const SOCK_STREAM: u32 = 1;
const SOCK_CLOEXEC: u32 = 0o2000000;

/// `MSG_PEEK`: the data stays in the receive queue.
pub(crate) const MSG_PEEK: u32 = 0x2;
/// `MSG_DONTWAIT`: fail with `EAGAIN` instead of blocking, for this call only.
pub(crate) const MSG_DONTWAIT: u32 = 0x40;
/// `MSG_WAITALL`: block until the buffer is full, the stream ends, or a signal handler has run.
pub(crate) const MSG_WAITALL: u32 = 0x100;
/// `MSG_NOSIGNAL`: fail with `EPIPE` without raising `SIGPIPE`.
pub(crate) const MSG_NOSIGNAL: u32 = 0x4000;

/// Creates a pair of connected Unix stream sockets, both closed by `execve`.
///
/// System calls: `socketpair`.
///
/// # Errors
///
/// `EMFILE`, `ENFILE`: the per-process or system-wide limit of file descriptors is reached. `ENOMEM`.
///
/// # Source
///
/// [socketpair(2)](https://man7.org/linux/man-pages/man2/socketpair.2.html).
#[must_use = "unused, the file descriptors stay open: they have no owner"]
pub fn socketpair_stream<S: SyscallInterface>(sysif: &S) -> Result<[FileDescriptor; 2], S::Error> {
    let mut pair = [MaybeUninit::uninit(); 8];
    let kind = SOCK_STREAM | SOCK_CLOEXEC;
    // SAFETY: the call writes two `int`s, for which the memory is large enough, and only creates file descriptors.
    unsafe { sysif.syscall(nr::SOCKETPAIR, [AF_UNIX.into(), kind.into(), Arg::Word(0), Arg::Out(&mut pair)]) }?;
    // SAFETY: the call succeeded, so all eight bytes are written, and any eight bytes are two `int`s.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; 8], [FileDescriptor; 2]>(pair) })
}

/// Sends `bytes` by one call, and returns how many of them were sent.
///
/// System calls: `sendto`.
///
/// # Errors
///
/// `EPIPE`: the peer has closed its end (`SIGPIPE` is raised too, unless the flags contain `MSG_NOSIGNAL`). `EAGAIN`,
/// `EINTR`, `ENOTSOCK` and others: [sendto(2)](https://man7.org/linux/man-pages/man2/sendto.2.html).
///
/// # Safety
///
/// `fd` is open in the interface's table, and the caller may send through it.
#[inline]
pub unsafe fn sendto<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    bytes: &[u8],
    flags: u32,
) -> Result<usize, S::Error> {
    let (len, none) = (bytes.len(), || Arg::Word(0));
    // SAFETY: the caller may send through it; the memory is readable for the whole call. No address is passed.
    unsafe { sysif.syscall(nr::SENDTO, [fd.into(), Arg::In(bytes), Arg::Word(len), flags.into(), none(), none()]) }
}

/// Receives into `buffer` by one call, and returns how many bytes were received; 0 is the end of the stream.
///
/// System calls: `recvfrom`.
///
/// # Errors
///
/// `ECONNRESET`: the peer closed its end with unread data. `EAGAIN`, `EINTR`, `ENOTSOCK` and others:
/// [recvfrom(2)](https://man7.org/linux/man-pages/man2/recv.2.html).
///
/// # Safety
///
/// `fd` is open in the interface's table, and the caller may receive from it.
#[inline]
pub unsafe fn recvfrom<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    buffer: &mut [MaybeUninit<u8>],
    flags: u32,
) -> Result<usize, S::Error> {
    let (len, none) = (buffer.len(), || Arg::Word(0));
    // SAFETY: the caller may receive from it; the memory is ours to write for the whole call. No address is requested.
    unsafe {
        sysif.syscall_within(
            0..=len,
            nr::RECVFROM,
            [fd.into(), Arg::Out(buffer), Arg::Word(len), flags.into(), none(), none()],
        )
    }
}

/// Which directions of a stream to shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Writing: the peer reads the data that was sent, and then the end of the stream.
    Write = 1,
    /// Reading and writing.
    Both = 2,
}

/// Shuts down one direction of the stream, or both, for all its file descriptors.
///
/// System calls: `shutdown`.
///
/// # Errors
///
/// `ENOTCONN`: the stream is not connected any more. `ENOTSOCK`: not a socket.
///
/// # Safety
///
/// `fd` is open in the interface's table, and the caller may shut down the stream.
///
/// # Source
///
/// [shutdown(2)](https://man7.org/linux/man-pages/man2/shutdown.2.html).
pub unsafe fn shutdown<S: SyscallInterface>(sysif: &S, fd: FileDescriptor, how: Shutdown) -> Result<(), S::Error> {
    // SAFETY: two words and no memory; the caller may end the stream.
    unsafe { sysif.syscall(nr::SHUTDOWN, [fd.into(), Arg::from(how as u32)]) }.map(drop)
}

/// Sets the receive timeout, after which a receive fails with `EAGAIN`. Zero is no timeout. The kernel counts in ticks,
/// and a long timeout may expire up to an eighth too late.
///
/// System calls: `setsockopt(SO_RCVTIMEO)`.
///
/// # Errors
///
/// `EDOM`: more than 999 999 microseconds. `ENOPROTOOPT`: Linux before 5.1. `ENOTSOCK`: not a socket.
///
/// # Safety
///
/// `fd` is open in the interface's table, and the caller may receive from it.
///
/// # Source
///
/// [socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html); `include/uapi/asm-generic/socket.h`.
#[inline]
pub(crate) unsafe fn set_receive_timeout<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    seconds: i64,
    microseconds: i64,
) -> Result<(), S::Error> {
    const SOL_SOCKET: u32 = 1;
    /// With 64-bit seconds, and the same value on all architectures of this crate.
    const SO_RCVTIMEO_NEW: u32 = 66;
    // SAFETY: the same size: two integers and no padding, all initialised.
    let time = unsafe { core::mem::transmute::<[i64; 2], [u8; 16]>([seconds, microseconds]) };
    let len = Arg::Word(time.len());
    // SAFETY: the caller may receive from it; the call reads a time of this length.
    unsafe {
        sysif.syscall(nr::SETSOCKOPT, [fd.into(), SOL_SOCKET.into(), SO_RCVTIMEO_NEW.into(), Arg::In(&time), len])
    }
    .map(drop)
}

/// Returns how many bytes can be read.
///
/// System calls: `ioctl(FIONREAD)`.
///
/// # Errors
///
/// `EBADF`. `ENOTTY`, `EINVAL`: the kind of file does not support it.
///
/// # Safety
///
/// `fd` is open in the interface's table.
///
/// # Source
///
/// [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html), `SIOCINQ`.
pub unsafe fn bytes_available<S: SyscallInterface>(sysif: &S, fd: FileDescriptor) -> Result<u32, S::Error> {
    let mut count = [MaybeUninit::uninit(); 4];
    // SAFETY: the call writes one `int`, for which the memory is large enough, and changes nothing.
    unsafe { sysif.syscall(nr::IOCTL, [fd.into(), FIONREAD.into(), Arg::Out(&mut count)]) }?;
    // SAFETY: the call succeeded, so all four bytes are written, and any four bytes are a number; it is never negative.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; 4], u32>(count) })
}

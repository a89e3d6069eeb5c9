//! Connected stream sockets: a pair of them, sending and receiving, and the end of either direction.

use super::FileDescriptor;
use crate::arch::this::FIONREAD;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};
use core::mem::MaybeUninit;

// `include/linux/socket.h`, `include/linux/net.h`, `include/uapi/asm-generic/fcntl.h`; the same on all three
// architectures.
const AF_UNIX: u32 = 1;
const SOCK_STREAM: u32 = 1;
const SOCK_CLOEXEC: u32 = 0o2000000;

/// `MSG_PEEK`: what is received stays there.
pub(crate) const MSG_PEEK: u32 = 0x2;
/// `MSG_DONTWAIT`: `EAGAIN` instead of a sleep, for this call only.
pub(crate) const MSG_DONTWAIT: u32 = 0x40;
/// `MSG_WAITALL`: sleep until the buffer is full, the stream ends, or a signal handler has run.
pub(crate) const MSG_WAITALL: u32 = 0x100;
/// `MSG_NOSIGNAL`: `EPIPE` without `SIGPIPE`.
pub(crate) const MSG_NOSIGNAL: u32 = 0x4000;

/// Makes a pair of connected stream sockets, both closed by `execve`.
///
/// System calls: `socketpair`.
///
/// # Errors
///
/// `EMFILE`, `ENFILE`: the process's or the system's descriptors are used up. `ENOMEM`.
///
/// # Source
///
/// [socketpair(2)](https://man7.org/linux/man-pages/man2/socketpair.2.html).
#[must_use = "unused, these file descriptors stay open for ever"]
pub fn socketpair_stream<S: SyscallInterface>(sysif: &S) -> Result<[FileDescriptor; 2], S::Error> {
    let mut pair = [MaybeUninit::uninit(); 8];
    let kind = SOCK_STREAM | SOCK_CLOEXEC;
    // SAFETY: the call writes two `int`s, for which the memory is large enough, and only makes new descriptors.
    unsafe { sysif.syscall(nr::SOCKETPAIR, [AF_UNIX.into(), kind.into(), Arg::Word(0), Arg::Out(&mut pair)]) }?;
    // SAFETY: the call succeeded, so all eight bytes are written, and any eight bytes are two `int`s.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; 8], [FileDescriptor; 2]>(pair) })
}

/// Sends once, and returns how many bytes at the beginning of `bytes` were sent.
///
/// System calls: `sendto`.
///
/// # Errors
///
/// `EPIPE`: the other end is gone (and `SIGPIPE` unless the flags hold `MSG_NOSIGNAL`). `EAGAIN`, `EINTR`, `ENOTSOCK`
/// and others: [sendto(2)](https://man7.org/linux/man-pages/man2/sendto.2.html).
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
    // SAFETY: the caller may send through it; the memory is readable for the whole call. No address is named.
    unsafe { sysif.syscall(nr::SENDTO, [fd.into(), Arg::In(bytes), Arg::Word(len), flags.into(), none(), none()]) }
}

/// Receives once, and returns how many bytes at the beginning of `buffer` were written; 0 is the end of the stream.
///
/// System calls: `recvfrom`.
///
/// # Errors
///
/// `ECONNRESET`: the other end went away without reading all. `EAGAIN`, `EINTR`, `ENOTSOCK` and others:
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
    // SAFETY: the caller may receive from it; the memory is ours to write for the whole call. No address is asked for.
    unsafe {
        sysif.syscall_within(
            0..=len,
            nr::RECVFROM,
            [fd.into(), Arg::Out(buffer), Arg::Word(len), flags.into(), none(), none()],
        )
    }
}

/// Ends one direction of a stream, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Nothing more is sent: the other end reads what is on its way, and then the end.
    Write = 1,
    /// Nothing more in either direction.
    Both = 2,
}

/// Ends one direction of the stream, or both, for every descriptor of it.
///
/// System calls: `shutdown`.
///
/// # Errors
///
/// `ENOTCONN`: the other end is gone. `ENOTSOCK`: not a socket.
///
/// # Safety
///
/// `fd` is open in the interface's table, and the caller may end the stream.
///
/// # Source
///
/// [shutdown(2)](https://man7.org/linux/man-pages/man2/shutdown.2.html).
pub unsafe fn shutdown<S: SyscallInterface>(sysif: &S, fd: FileDescriptor, how: Shutdown) -> Result<(), S::Error> {
    // SAFETY: two words and no memory; the caller may end the stream.
    unsafe { sysif.syscall(nr::SHUTDOWN, [fd.into(), Arg::from(how as u32)]) }.map(drop)
}

/// Limits how long a receive blocks: it fails with `EAGAIN` then. Zero is no limit. The kernel counts in ticks, and is
/// up to an eighth too late for a long one.
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
    /// With 64-bit seconds, and the same number on all architectures of this crate.
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

/// Returns how many bytes have arrived and were not read.
///
/// System calls: `ioctl(FIONREAD)`.
///
/// # Errors
///
/// `EBADF`. `ENOTTY`, `EINVAL`: not a kind of file that counts them.
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
    // SAFETY: the call writes one `int`, for which the memory is large enough, and only asks.
    unsafe { sysif.syscall(nr::IOCTL, [fd.into(), FIONREAD.into(), Arg::Out(&mut count)]) }?;
    // SAFETY: the call succeeded, so all four bytes are written, and any four bytes are a number; it is never negative.
    Ok(unsafe { core::mem::transmute::<[MaybeUninit<u8>; 4], u32>(count) })
}

//! File descriptors sent over a Unix socket (`SCM_RIGHTS`), to share an eventfd with another process.
//!
//! ```
//! use core::mem::MaybeUninit;
//! use rsyscall::fd::OwnedFd;
//! use rsyscall::sys::socket::{recv_fd, send_fd};
//! use rsyscall::sysif::Local;
//! use rsyscall::{EventFd, EventfdFlags, near};
//!
//! // SAFETY: created in this line, and used by nothing else.
//! let [here, there] = near::socketpair_stream(&Local)?.map(|fd| unsafe { OwnedFd::from_raw_fd(fd.0) });
//! let bell = EventFd::new(0, EventfdFlags::empty())?;
//! send_fd(&here, b"bell", bell.as_owned_fd())?;
//!
//! let mut bytes = [MaybeUninit::uninit(); 16];
//! let received = recv_fd(&there, &mut bytes)?;
//! assert_eq!(received.bytes, b"bell");
//! let theirs = EventFd::from(received.fd.expect("one was sent"));
//! theirs.write(3)?;
//! assert_eq!(bell.read()?, 3);
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! Both processes then have a file descriptor of the same open file description, and each closes its own.
//! [`given`](crate::given) says what that means for an eventfd.

use crate::arch::syscall3;
use crate::fd::OwnedFd;
use crate::{Errno, nr};
use core::marker::PhantomData;
use core::mem::MaybeUninit;

// `include/linux/socket.h`.
const SOL_SOCKET: i32 = 1;
const SCM_RIGHTS: i32 = 1;
const MSG_CTRUNC: u32 = 8;
const MSG_NOSIGNAL: u32 = 0x4000;
const MSG_CMSG_CLOEXEC: u32 = 0x4000_0000;

/// `struct iovec`.
#[repr(C)]
struct Slice {
    base: usize,
    len: usize,
}

/// `struct cmsghdr`, with one file descriptor.
#[repr(C)]
#[derive(Clone, Copy)]
struct Control {
    len: usize,
    level: i32,
    kind: i32,
    fd: i32,
}

impl Control {
    /// `CMSG_LEN(4)`, and not `CMSG_SPACE(4)`, which is rounded up: the kernel would put a second file descriptor into
    /// the padding.
    const LEN: usize = core::mem::offset_of!(Self, fd) + size_of::<i32>();
}

/// `struct user_msghdr`, its pointers as exposed addresses.
#[repr(C)]
struct Message<'a> {
    name: usize,
    name_len: u32,
    slices: usize,
    slices_len: usize,
    control: usize,
    control_len: usize,
    flags: u32,
    pointed_to: PhantomData<&'a mut ()>,
}

impl<'a> Message<'a> {
    fn new(slice: &'a mut Slice, control: &'a mut Control) -> Self {
        Self {
            name: 0,
            name_len: 0,
            slices: core::ptr::from_mut(slice).expose_provenance(),
            slices_len: 1,
            control: core::ptr::from_mut(control).expose_provenance(),
            control_len: Control::LEN,
            flags: 0,
            pointed_to: PhantomData,
        }
    }

    /// Calls `sendmsg` or `recvmsg`.
    ///
    /// # Safety
    ///
    /// The call is one of the two, and may access the memory of the slice accordingly.
    unsafe fn transfer(&mut self, nr: usize, socket: &OwnedFd, flags: u32) -> Result<usize, Errno> {
        let message = core::ptr::from_mut(self).expose_provenance();
        #[expect(clippy::cast_sign_loss, reason = "an open file descriptor is not negative")]
        let socket = socket.as_raw_fd() as usize;
        // SAFETY: the socket is open, and the message refers to memory that lives as long as the message.
        Errno::from_ret(unsafe { syscall3(nr, socket, message, flags as usize) })
    }
}

/// Sends `bytes` and a duplicate of `fd`. Returns the number of bytes sent; the file descriptor is attached to the
/// first byte.
///
/// The receiver owns the duplicate, even while it is in transit: closing `fd` does not affect it. If it is never
/// received, the kernel closes it.
///
/// System calls: `sendmsg` with `MSG_NOSIGNAL`.
///
/// # Errors
///
/// `EINVAL`: `bytes` is empty; a stream would then carry no file descriptor. `EPIPE`: the peer has closed its end.
/// `EAGAIN`, `EINTR`. `ENOTSOCK`, `EOPNOTSUPP`, `ENOTCONN`: not a connected Unix socket. `ETOOMANYREFS`: this user has
/// more file descriptors in transit than its limit of open file descriptors. `EMSGSIZE`: too long for one datagram.
///
/// # Source
///
/// [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html),
/// [sendmsg(2)](https://man7.org/linux/man-pages/man2/sendmsg.2.html).
#[inline]
#[doc(alias = "SCM_RIGHTS", alias = "sendmsg")]
pub fn send_fd(socket: &OwnedFd, bytes: &[u8], fd: &OwnedFd) -> Result<usize, Errno> {
    if bytes.is_empty() {
        return Err(Errno::EINVAL);
    }
    let mut slice = Slice { base: bytes.as_ptr().expose_provenance(), len: bytes.len() };
    let mut control = Control { len: Control::LEN, level: SOL_SOCKET, kind: SCM_RIGHTS, fd: fd.as_raw_fd() };
    let mut message = Message::new(&mut slice, &mut control);
    // SAFETY: `sendmsg` only reads the memory.
    unsafe { message.transfer(nr::SENDMSG, socket, MSG_NOSIGNAL) }
}

/// The result of [`recv_fd`].
#[derive(Debug)]
#[must_use = "dropped, it closes the file descriptor"]
pub struct Received<'a> {
    /// The bytes, at the beginning of the caller's memory; empty at the end of the stream.
    pub bytes: &'a mut [u8],
    /// The file descriptor, if one was sent with the bytes. `execve` closes it.
    pub fd: Option<OwnedFd>,
    /// Whether control data was discarded: more than one file descriptor was sent, and the kernel has closed the
    /// others; or the per-process limit of file descriptors is reached; or the socket also receives credentials
    /// (`SO_PASSCRED`).
    pub truncated: bool,
}

/// Receives bytes and the file descriptor that was sent with them, if any. It receives at most one at a time, and
/// leaves no other open.
///
/// The sender chooses the kind of the file descriptor: it is only known to be open.
///
/// System calls: `recvmsg` with `MSG_CMSG_CLOEXEC`.
///
/// # Errors
///
/// `ECONNRESET`: the peer has closed its end without reading all data. `EAGAIN`, `EINTR`. `ENOTSOCK`: not a socket.
///
/// # Source
///
/// [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html),
/// [recvmsg(2)](https://man7.org/linux/man-pages/man2/recvmsg.2.html), `net/core/scm.c`, `scm_detach_fds`.
#[inline]
#[doc(alias = "SCM_RIGHTS", alias = "recvmsg")]
pub fn recv_fd<'a>(socket: &OwnedFd, bytes: &'a mut [MaybeUninit<u8>]) -> Result<Received<'a>, Errno> {
    let mut slice = Slice { base: bytes.as_mut_ptr().expose_provenance(), len: bytes.len() };
    let mut control = Control { len: 0, level: 0, kind: 0, fd: -1 };
    let mut message = Message::new(&mut slice, &mut control);
    // SAFETY: `recvmsg` writes the bytes and the control message; the message has the lengths of both.
    let received = unsafe { message.transfer(nr::RECVMSG, socket, MSG_CMSG_CLOEXEC) }?;
    let (flags, control_len) = (message.flags, message.control_len);
    // SAFETY: the kernel has written it through its exposed address, and its fields are integers.
    let Control { len, level, kind, fd } = unsafe { (&raw const control).read_volatile() };
    let came = control_len >= Control::LEN && (len, level, kind) == (Control::LEN, SOL_SOCKET, SCM_RIGHTS);
    // SAFETY: the kernel just created it for this process, and nothing else uses it.
    let fd = came.then(|| unsafe { OwnedFd::from_raw_fd(fd) });
    let (bytes, _) = bytes.split_at_mut_checked(received).ok_or(Errno::EIO)?;
    let bytes = core::ptr::from_mut(bytes) as *mut [u8];
    // SAFETY: the kernel has written `received` bytes at the beginning, and they are borrowed for `'a`.
    let bytes = unsafe { &mut *bytes };
    Ok(Received { bytes, fd, truncated: flags & MSG_CTRUNC != 0 })
}

//! `ppoll`: waiting until one of some file descriptors is ready.

use super::{FileDescriptor, SignalSet, Timespec, signal_set};
use crate::sysif::{Arg, SyscallInterface};
use crate::{Errno, nr};
use core::ptr::slice_from_raw_parts_mut;

/// One entry of a poll, `struct pollfd`: the file descriptor, the requested events, the returned events.
///
/// ```
/// use rsyscall::near::{FileDescriptor, PollFd};
///
/// let entry = PollFd { fd: FileDescriptor(3), events: PollFd::IN, revents: 0 };
/// assert_eq!(entry.events, 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct PollFd {
    /// The file descriptor; a negative one is ignored.
    pub fd: FileDescriptor,
    /// The requested events.
    pub events: i16,
    /// The returned events, including those that are always reported.
    pub revents: i16,
}

static_assertions::assert_eq_size!(PollFd, [u8; 8]);

impl PollFd {
    /// An entry that is ignored.
    pub const UNUSED: Self = Self { fd: FileDescriptor(-1), events: 0, revents: 0 };
    /// Data can be read: `POLLIN`.
    #[doc(alias = "POLLIN")]
    pub const IN: i16 = 0x1;
    /// Data can be written: `POLLOUT`.
    #[doc(alias = "POLLOUT")]
    pub const OUT: i16 = 0x4;
    /// Urgent data can be read, or there is another exceptional condition: `POLLPRI`.
    #[doc(alias = "POLLPRI")]
    pub const PRI: i16 = 0x2;
    /// The peer has closed its end, or shut down writing: `POLLRDHUP`.
    #[doc(alias = "POLLRDHUP")]
    pub const RDHUP: i16 = 0x2000;
    /// An error condition, always reported: `POLLERR`.
    #[doc(alias = "POLLERR")]
    pub const ERR: i16 = 0x8;
    /// The peer has closed its end, always reported: `POLLHUP`.
    #[doc(alias = "POLLHUP")]
    pub const HUP: i16 = 0x10;
    /// The file descriptor is not open, always reported: `POLLNVAL`.
    #[doc(alias = "POLLNVAL")]
    pub const NVAL: i16 = 0x20;
}

/// Blocks until an entry is ready or the timeout expires; without a timeout, until an entry is ready. Returns how many
/// are ready: 0 on timeout.
///
/// The kernel never restarts the call after a signal handler.
///
/// With a `mask` the thread has this signal mask for the duration of the call. The kernel replaces and restores the
/// mask atomically with the wait: a signal that is blocked outside and unblocked by `mask` makes this call or the next
/// one fail with `EINTR`.
///
/// System calls: `ppoll`.
///
/// ```
/// use rsyscall::near::{self, FileDescriptor, PollFd};
/// use rsyscall::sysif::Local;
///
/// let mut nothing = [PollFd { fd: FileDescriptor(-1), events: PollFd::IN, revents: 0 }];
/// assert_eq!(near::ppoll(&Local, &mut nothing, Some(near::Timespec::ZERO), None), Ok(0));
/// ```
///
/// # Errors
///
/// `EINTR`: a signal handler ran. `EINVAL`: more entries than `RLIMIT_NOFILE`. `ENOMEM`.
///
/// # Source
///
/// [ppoll(2)](https://man7.org/linux/man-pages/man2/ppoll.2.html).
#[inline]
pub fn ppoll<S: SyscallInterface>(
    sysif: &S,
    entries: &mut [PollFd],
    timeout: Option<Timespec>,
    mask: Option<SignalSet>,
) -> Result<usize, S::Error> {
    let count = entries.len();
    let bytes = slice_from_raw_parts_mut(entries.as_mut_ptr().cast::<u8>(), size_of_val(entries));
    // SAFETY: the same memory for the same borrow; no byte of an entry is padding, and any bytes are an entry again.
    let bytes = unsafe { &mut *bytes };
    // A copy, as the kernel writes the remaining time back into the timeout.
    let mut left = timeout.map(Timespec::to_bytes);
    let timeout = left.as_mut().map_or(Arg::Word(0), |left| Arg::InOut(left));
    let mask = mask.map(SignalSet::to_bytes);
    let mask = Arg::in_or_null(mask.as_ref());
    // SAFETY: the entries and the timeout are ours to write for the whole call; polling a file descriptor does nothing
    // to it. The mask has the size that is passed; it lasts no longer than the call, and the soundness of the handlers
    // that run is the responsibility of the code that installed them.
    unsafe {
        sysif.syscall(nr::PPOLL, [Arg::InOut(bytes), Arg::Word(count), timeout, mask, Arg::Word(signal_set::SIZE)])
    }
}

/// Blocks until the file descriptor is readable, and returns 1, or until the timeout expires, and returns 0. Never
/// restarted by the kernel after a signal handler. Unlike `ppoll` it does not depend on `RLIMIT_NOFILE`.
///
/// System calls: `pselect6`.
///
/// # Errors
///
/// `EINTR`: a signal handler ran. `EBADF`: it is not open. `EINVAL`, without a system call: the file descriptor is
/// negative, or not below 1024 (`FD_SETSIZE`).
///
/// # Source
///
/// [select(2)](https://man7.org/linux/man-pages/man2/select.2.html).
pub(crate) fn pselect6_readable<S: SyscallInterface>(
    sysif: &S,
    fd: FileDescriptor,
    timeout: Option<Timespec>,
) -> Result<usize, S::Error> {
    const BITS: usize = usize::BITS as usize;
    let Ok(fd) = usize::try_from(fd.0) else { return Err(Errno::EINVAL.into()) };
    // The kernel's `fd_set`: words with a bit for each file descriptor.
    let mut set = [[0; size_of::<usize>()]; 1024 / BITS];
    let Some(word) = set.get_mut(fd.wrapping_div(BITS)) else { return Err(Errno::EINVAL.into()) };
    *word = (1_usize << fd.wrapping_rem(BITS)).to_ne_bytes();
    let count = fd.wrapping_add(1);
    let mut left;
    let time = match timeout {
        Some(timeout) => {
            left = timeout.to_bytes();
            Arg::InOut(&mut left)
        }
        None => Arg::Word(0),
    };
    let (none, set) = (Arg::Word(0), Arg::InOut(set.as_flattened_mut()));
    // SAFETY: the set has a bit for each of `count` file descriptors, and like the time is ours to write for the whole
    // call; waiting for a file descriptor does nothing to it.
    unsafe { sysif.syscall(nr::PSELECT6, [Arg::Word(count), set, none, Arg::Word(0), time, Arg::Word(0)]) }
}

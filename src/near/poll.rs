//! `ppoll`: waiting until one of some numbers is ready.

use super::{FileDescriptor, Timespec};
use crate::sysif::{Arg, SyscallInterface};
use core::ptr::slice_from_raw_parts_mut;
use sc::nr;

/// One entry of a poll: which number, what is asked, what was found. `struct pollfd`.
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
    /// The number; a negative one is passed over.
    pub fd: FileDescriptor,
    /// What is asked.
    pub events: i16,
    /// What was found, the always reported ones included.
    pub revents: i16,
}

static_assertions::assert_eq_size!(PollFd, [u8; 8]);

impl PollFd {
    /// There is something to read: `POLLIN`.
    #[doc(alias = "POLLIN")]
    pub const IN: i16 = 0x1;
    /// There is room to write: `POLLOUT`.
    #[doc(alias = "POLLOUT")]
    pub const OUT: i16 = 0x4;
    /// An error condition, always reported: `POLLERR`.
    #[doc(alias = "POLLERR")]
    pub const ERR: i16 = 0x8;
    /// The other end is gone, always reported: `POLLHUP`.
    #[doc(alias = "POLLHUP")]
    pub const HUP: i16 = 0x10;
    /// The number is not open, always reported: `POLLNVAL`.
    #[doc(alias = "POLLNVAL")]
    pub const NVAL: i16 = 0x20;
}

/// Waits until an entry is ready or the time is over, with the signal mask as it is. Answers how many entries were found
/// ready; 0 is the end of the time. Without a time it waits for ever. Never restarted by the kernel after a signal handler.
///
/// System calls: `ppoll`.
///
/// ```
/// use rsyscall::near::{self, FileDescriptor, PollFd};
/// use rsyscall::sysif::Local;
///
/// let mut nothing = [PollFd { fd: FileDescriptor(-1), events: PollFd::IN, revents: 0 }];
/// assert_eq!(near::ppoll(&Local, &mut nothing, Some(near::Timespec::ZERO)), Ok(0));
/// ```
///
/// # Errors
///
/// `EINTR`: a signal handler ran. `EINVAL`: more entries than the process may have descriptors. `ENOMEM`.
///
/// Source: [ppoll(2)](https://man7.org/linux/man-pages/man2/ppoll.2.html).
#[inline]
pub fn ppoll<S: SyscallInterface>(
    sysif: &S,
    entries: &mut [PollFd],
    time: Option<Timespec>,
) -> Result<usize, S::Error> {
    let count = entries.len();
    let bytes = slice_from_raw_parts_mut(entries.as_mut_ptr().cast::<u8>(), size_of_val(entries));
    // SAFETY: the same memory for the same borrow; no byte of an entry is padding, and any bytes are an entry again.
    let bytes = unsafe { &mut *bytes };
    // The kernel writes what is left back into the time, so it is given a copy that it may write.
    let mut left;
    let time = match time {
        Some(time) => {
            left = time.to_bytes();
            Arg::InOut(&mut left)
        }
        None => Arg::Word(0),
    };
    let no_mask = Arg::Word(0);
    // SAFETY: the entries and the time are ours to write for the whole call; polling a number does nothing to it.
    unsafe { sysif.syscall(nr::PPOLL, [Arg::InOut(bytes), Arg::Word(count), time, no_mask, Arg::Word(8)]) }
}

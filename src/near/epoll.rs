//! `epoll_create1`, `epoll_ctl` and `epoll_pwait`, and their types.

use super::{FileDescriptor, NEW_FD, SignalSet, assume_init, flags, signal_set};
use crate::arch::this::EpollData;
use crate::nr;
use crate::sysif::{Arg, SyscallInterface};
use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::slice_from_raw_parts_mut;

flags! {
    /// Flags of a new epoll file descriptor.
    ///
    /// ```
    /// assert_eq!(rsyscall::near::EpollFlags::CLOEXEC.bits(), 0o2000000);
    /// ```
    ///
    /// # Source
    ///
    /// [epoll_create(2)](https://man7.org/linux/man-pages/man2/epoll_create.2.html).
    pub struct EpollFlags: u32 {
        /// The file descriptor is closed by `execve`. Owned file descriptors always have it.
        #[doc(alias = "EPOLL_CLOEXEC")]
        const CLOEXEC = 0o2000000;
    }
}

flags! {
    /// Requested events, returned events, and flags of how they are reported.
    ///
    /// Without [`ET`](Self::ET) an event is level-triggered: every wait returns it for as long as the condition lasts.
    /// Bits without a name can be passed too (`from_bits_retain`).
    ///
    /// ```
    /// use rsyscall::sys::epoll::EpollEvents;
    ///
    /// assert_eq!((EpollEvents::IN | EpollEvents::ET).bits(), 0x8000_0001);
    /// ```
    ///
    /// # Source
    ///
    /// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html); `include/uapi/linux/eventpoll.h`.
    pub struct EpollEvents: u32 {
        /// Data can be read. An eventfd: its count is above 0.
        #[doc(alias = "EPOLLIN")]
        const IN = 0x1;
        /// Urgent data can be read, or there is another exceptional condition.
        #[doc(alias = "EPOLLPRI")]
        const PRI = 0x2;
        /// Data can be written. An eventfd: at least 1 can be added.
        #[doc(alias = "EPOLLOUT")]
        const OUT = 0x4;
        /// An error condition, always reported.
        #[doc(alias = "EPOLLERR")]
        const ERR = 0x8;
        /// The peer has closed its end, always reported. A pidfd: the process was reaped (Linux 6.9).
        #[doc(alias = "EPOLLHUP")]
        const HUP = 0x10;
        /// The peer has closed its end, or shut down writing.
        #[doc(alias = "EPOLLRDHUP")]
        const RDHUP = 0x2000;
        /// If several epolls watch the file, one or more of them are woken instead of all. It is valid only when
        /// adding, and only with `IN`, `OUT`, `ERR`, `HUP` and `ET`. Linux 4.5.
        #[doc(alias = "EPOLLEXCLUSIVE")]
        const EXCLUSIVE = 1 << 28;
        /// After one event the file descriptor is disabled until it is modified.
        #[doc(alias = "EPOLLONESHOT")]
        const ONESHOT = 1 << 30;
        /// Edge-triggered: a wait returns an event once when it occurs (for an eventfd: at every write), not for as
        /// long as the condition lasts.
        #[doc(alias = "EPOLLET")]
        const ET = 1 << 31;
    }
}

/// An operation of `epoll_ctl`.
///
/// ```
/// assert_eq!(rsyscall::near::EpollOp::Modify as u32, 3);
/// ```
///
/// # Source
///
/// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum EpollOp {
    /// Adds a file descriptor.
    #[doc(alias = "EPOLL_CTL_ADD")]
    Add = 1,
    /// Removes a file descriptor.
    #[doc(alias = "EPOLL_CTL_DEL")]
    Delete = 2,
    /// Changes the requested events; events that are ready now are reported again.
    #[doc(alias = "EPOLL_CTL_MOD")]
    Modify = 3,
}

/// An event: the event bits, and 64 bits of user data. `struct epoll_event`.
///
/// The fields are private: on x86_64 the kernel packs the structure into twelve bytes, and a reference to a field would
/// not be aligned.
///
/// ```
/// use rsyscall::sys::epoll::{EpollEvents, EpollEvent};
///
/// let event = EpollEvent::new(EpollEvents::IN, 7);
/// assert_eq!((event.events(), event.data()), (EpollEvents::IN, 7));
/// ```
///
/// # Source
///
/// [epoll_event(3type)](https://man7.org/linux/man-pages/man3/epoll_event.3type.html); `EPOLL_PACKED` in
/// `include/uapi/linux/eventpoll.h`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
#[doc(alias = "epoll_event")]
pub struct EpollEvent {
    events: u32,
    data: EpollData,
}

pub(crate) const EVENT_SIZE: usize = size_of::<EpollEvent>();
static_assertions::const_assert_eq!(core::mem::offset_of!(EpollEvent, data), EVENT_SIZE - 8);

impl EpollEvent {
    /// Creates an event from its bits and user data.
    #[inline(always)]
    pub const fn new(events: EpollEvents, data: u64) -> Self {
        Self { events: events.bits(), data: EpollData(data) }
    }

    /// Returns the event bits. `ERR` and `HUP` are reported even if not requested.
    #[inline(always)]
    pub const fn events(self) -> EpollEvents {
        EpollEvents::from_bits_retain(self.events)
    }

    /// Returns the user data, as passed when the file descriptor was added or modified.
    #[inline(always)]
    pub const fn data(self) -> u64 {
        self.data.0
    }

    /// Returns the event as the kernel's structure, with padding initialised.
    #[inline(always)]
    fn to_bytes(self) -> [u8; EVENT_SIZE] {
        let bytes =
            Bytes { events: self.events.to_ne_bytes(), padding: [0; EVENT_SIZE - 12], data: self.data().to_ne_bytes() };
        // SAFETY: the same size, and all of its bytes are initialised: its fields are bytes, and fill it.
        unsafe { core::mem::transmute::<Bytes, [u8; EVENT_SIZE]>(bytes) }
    }
}

/// An event with explicit padding, as `repr(C)` lays it out: each field is bytes, and follows the one before.
#[repr(C)]
struct Bytes {
    events: [u8; 4],
    padding: [u8; EVENT_SIZE - 12],
    data: [u8; 8],
}

static_assertions::assert_eq_size!(Bytes, EpollEvent);
static_assertions::const_assert_eq!(core::mem::offset_of!(Bytes, data), core::mem::offset_of!(EpollEvent, data));

impl fmt::Debug for EpollEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpollEvent").field("events", &self.events()).field("data", &self.data()).finish()
    }
}

/// Creates an epoll file descriptor, with exactly these flags.
///
/// The file descriptor has no owner; programs use [`Epoll::new`](crate::sys::epoll::Epoll::new).
///
/// System calls: `epoll_create1`.
///
/// # Errors
///
/// `EINVAL`: a flag that the kernel does not know. `EMFILE`, `ENFILE`: the per-process or system-wide limit of file
/// descriptors is reached. `ENOMEM`.
///
/// # Source
///
/// [epoll_create(2)](https://man7.org/linux/man-pages/man2/epoll_create.2.html).
#[inline(always)]
#[must_use = "unused, the file descriptor stays open: it has no owner"]
pub fn epoll_create1<S: SyscallInterface>(sysif: &S, flags: EpollFlags) -> Result<FileDescriptor, S::Error> {
    // SAFETY: one word and no memory; the call only creates a file descriptor, whatever the word is.
    unsafe { sysif.syscall_within(NEW_FD, nr::EPOLL_CREATE1, [flags.bits().into()]) }.map(FileDescriptor::new)
}

/// Adds, modifies or removes an entry in the interest list of `epoll`. The event is ignored when removing.
///
/// System calls: `epoll_ctl`.
///
/// # Errors
///
/// `EEXIST`: `fd` is added already. `ENOENT`: `fd` to modify or delete is not there. `EPERM`: the kind of `fd` does not
/// support epoll. `EINVAL`: `epoll` is not an epoll file descriptor, or is `fd` itself, or `EXCLUSIVE` is not allowed
/// here. `ELOOP`: a cycle of epolls, or too deep a nesting. `ENOSPC`: `/proc/sys/fs/epoll/max_user_watches`. `ENOMEM`.
/// `EBADF`.
///
/// # Safety
///
/// Both are open in the interface's table, and the caller may use them.
///
/// # Source
///
/// [epoll_ctl(2)](https://man7.org/linux/man-pages/man2/epoll_ctl.2.html).
#[inline(always)]
pub unsafe fn epoll_ctl<S: SyscallInterface>(
    sysif: &S,
    epoll: FileDescriptor,
    op: EpollOp,
    fd: FileDescriptor,
    event: EpollEvent,
) -> Result<(), S::Error> {
    let event = event.to_bytes();
    // SAFETY: the caller may use both; the event is as long as the kernel's and readable for the whole call. It is
    // always passed: Linux before 2.6.9 reads it even to delete.
    unsafe { sysif.syscall(nr::EPOLL_CTL, [epoll.into(), (op as u32).into(), fd.into(), Arg::In(&event)]) }.map(drop)
}

/// Blocks until there is an event or `timeout` milliseconds have passed (negative: without limit). Returns the events:
/// the beginning of `events`, now initialised; none on timeout.
///
/// The kernel never restarts the call after a signal handler.
///
/// The mask is as in [`ppoll`](super::ppoll).
///
/// System calls: `epoll_pwait`.
///
/// # Errors
///
/// `EINTR`: a signal handler ran. `EINVAL`: `epoll` is not an epoll file descriptor, or `events` is empty. `EBADF`.
///
/// # Safety
///
/// `epoll` is open in the interface's table, and the caller may use it.
///
/// # Source
///
/// [epoll_wait(2)](https://man7.org/linux/man-pages/man2/epoll_wait.2.html).
#[inline(always)]
pub unsafe fn epoll_pwait<'e, S: SyscallInterface>(
    sysif: &S,
    epoll: FileDescriptor,
    events: &'e mut [MaybeUninit<EpollEvent>],
    timeout: i32,
    mask: Option<SignalSet>,
) -> Result<&'e mut [EpollEvent], S::Error> {
    /// `EP_MAX_EVENTS` in `fs/eventpoll.c`: more fail with `EINVAL`. Memory beyond is not used.
    const MAX: usize = i32::MAX as usize / EVENT_SIZE;
    let count = events.len().min(MAX);
    let bytes = slice_from_raw_parts_mut(events.as_mut_ptr().cast::<MaybeUninit<u8>>(), count.wrapping_mul(EVENT_SIZE));
    // SAFETY: the same memory or the beginning of it, for the same borrow; whatever its bytes are, it stays
    // maybe-uninit.
    let bytes = unsafe { &mut *bytes };
    let mask = mask.map(SignalSet::to_bytes);
    let mask = Arg::in_or_null(mask.as_ref());
    let args = [epoll.into(), Arg::Out(bytes), Arg::Word(count), timeout.into(), mask, Arg::Word(signal_set::SIZE)];
    // SAFETY: the caller may use the descriptor; the memory has room for `count` events and is ours to write for the
    // whole call. The mask is as in `ppoll`.
    let reported = unsafe { sysif.syscall_within(0..=count, nr::EPOLL_PWAIT, args) }?;
    // SAFETY: at most as many as there is room for, and the call has written them.
    Ok(unsafe { assume_init(events, reported) })
}

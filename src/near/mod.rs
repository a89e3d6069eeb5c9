//! For calls that the typed layers do not cover: functions that make one system call each, with file descriptors, pids
//! and addresses that have no owner.
//!
//! A near value means something only in one process: a file descriptor in its table, a pid in its pid namespace, an
//! address in its address space. The value does not record which process that is. It is `Copy`, and dropping it does
//! nothing. Functions pass flags unchanged. Most of them are unsafe, because using a file descriptor that another owner
//! may close is unsafe. Programs normally use [`fd`](crate::fd) and [`sys`](crate::sys).
//!
//! ```
//! use rsyscall::near::{self, EventfdFlags};
//! use rsyscall::sysif::Local;
//!
//! let fd = near::eventfd(&Local, 7, EventfdFlags::CLOEXEC)?;
//! // SAFETY: created a line above, and used by nothing else.
//! unsafe { near::close(&Local, fd) }?;
//! # Ok::<(), rsyscall::Errno>(())
//! ```

mod epoll;
mod eventfd;
pub(crate) mod fcntl;
mod flags;
mod futex;
mod io;
mod memory;
mod pidfd;
mod poll;
mod process;
mod signal;
mod signal_set;
mod signalfd;
mod socket;
mod table;
mod time;
mod wait;

#[cfg(feature = "fake")]
pub(crate) use epoll::EVENT_SIZE;
pub use epoll::{EpollEvent, EpollEvents, EpollFlags, EpollOp, epoll_create1, epoll_ctl, epoll_pwait};
pub use eventfd::{EventfdFlags, eventfd};
pub use fcntl::{dup_cloexec, is_cloexec, is_nonblocking, set_cloexec, set_nonblocking};
pub(crate) use flags::flags;
pub(crate) use futex::{futex_wait, futex_wake};
pub use io::{close, read, read_nowait, write};
pub(crate) use io::{read_exact, write_exact};
pub(crate) use memory::{fresh_memory, madvise_dontfork, mmap_shared_anonymous};
pub use memory::{mmap_anonymous, munmap};
pub(crate) use pidfd::pidfd_open_thread;
pub use pidfd::{pidfd_getfd, pidfd_open, pidfd_send_signal_to_group};
pub(crate) use poll::pselect6_readable;
pub use poll::{PollFd, ppoll};
pub(crate) use process::{
    CLONE_FILES, CLONE_PIDFD, clone_fork, find_thread, gettid, parent_death_signal, set_parent_death_signal,
    unshare_files,
};
pub use process::{exit_group, getpid, getppid};
pub(crate) use signal::{
    LAST_SIGNAL, SIG_BLOCK, SIG_UNBLOCK, SIGCHLD, SIGKILL, SIGPIPE, SIGSTOP, SIGURG, SignalAction, change_signal_mask,
    replace_signal_action, set_signal_action, set_signal_mask, signal_action, take_pending_signal,
};
pub use signal::{kill, pidfd_send_signal};
pub use signal_set::SignalSet;
pub use signalfd::signalfd;
pub(crate) use signalfd::{SFD_CLOEXEC, SFD_NONBLOCK};
pub(crate) use socket::{MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, MSG_WAITALL, set_receive_timeout};
pub use socket::{Shutdown, bytes_available, recvfrom, sendto, shutdown, socketpair_stream};
pub(crate) use table::descriptor_limit;
pub use table::{close_range, dup3};
pub use time::{Timespec, clock_monotonic};
pub(crate) use wait::{WALL, WCONTINUED, WEXITED, WNOHANG, WNOTHREAD, WNOWAIT, WSTOPPED, WaitId, WaitInfo, waitid};

use crate::sysif::Arg;
use core::mem::MaybeUninit;
use core::ops::RangeInclusive;
use core::ptr::slice_from_raw_parts_mut;

/// A file descriptor of some table.
///
/// ```
/// use rsyscall::near::FileDescriptor;
/// use std::os::fd::AsRawFd;
///
/// assert_eq!(FileDescriptor(std::io::stderr().as_raw_fd()), FileDescriptor(2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct FileDescriptor(pub i32);

/// A pid of some pid namespace.
///
/// ```
/// use rsyscall::near::{self, Process};
/// use rsyscall::sysif::Local;
///
/// assert_eq!(near::getpid(&Local)?, Process(std::process::id() as i32));
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Process(pub i32);

/// An address of some address space: an integer, not a pointer.
///
/// ```
/// use rsyscall::near;
/// use rsyscall::sysif::Local;
///
/// let page = near::mmap_anonymous(&Local, 4096)?;
/// assert_eq!(page.0 % 4096, 0);
/// // SAFETY: mapped two lines above, and used by nothing else.
/// unsafe { near::munmap(&Local, page, 4096) }?;
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Address(pub usize);

impl From<FileDescriptor> for Arg<'_> {
    #[inline(always)]
    fn from(fd: FileDescriptor) -> Self {
        Self::from(fd.0)
    }
}

impl From<Process> for Arg<'_> {
    #[inline(always)]
    fn from(process: Process) -> Self {
        Self::from(process.0)
    }
}

impl From<Address> for Arg<'_> {
    #[inline(always)]
    fn from(address: Address) -> Self {
        Self::Word(address.0)
    }
}

/// The range of file descriptors that a call returns. A broken interface might return something else, from which no
/// owned file descriptor must be created.
const NEW_FD: RangeInclusive<usize> = 0..=i32::MAX as usize;

/// Returns the beginning of memory, which a call has written.
///
/// # Safety
///
/// The memory has at least `len` elements, and the first `len` are initialised.
#[inline(always)]
pub(crate) unsafe fn assume_init<T>(memory: &mut [MaybeUninit<T>], len: usize) -> &mut [T] {
    let written = slice_from_raw_parts_mut(memory.as_mut_ptr().cast::<T>(), len);
    // SAFETY: initialised, and borrowed as the memory itself is.
    unsafe { &mut *written }
}

impl FileDescriptor {
    /// Converts the return value of a call, within [`NEW_FD`].
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it is at most `i32::MAX`")]
    fn new(ret: usize) -> Self {
        Self(ret as i32)
    }
}

//! The system calls that each part of the crate makes, for a seccomp filter.
//!
//! A filter that allows a list and kills on any other call lets the whole part run; without any one of the list's calls
//! some of the part dies. Both are tested. What a program's own code and its other parts call comes on top: lists may
//! overlap.
//!
//! ```
//! use rsyscall::nr::{self, used_by};
//!
//! let allowed: Vec<usize> = [used_by::EPOLL, used_by::EVENTFD, used_by::TASK].concat();
//! assert!(allowed.contains(&nr::EPOLL_PWAIT));
//! assert!(!allowed.contains(&nr::EXECVE));
//! ```
//!
//! # Source
//!
//! [seccomp(2)](https://man7.org/linux/man-pages/man2/seccomp.2.html).

use super::*;

/// Every method of [`EventFd`](crate::EventFd) and of its descriptor.
///
/// A filter that lets `preadv2` fail with `ENOSYS` instead needs nothing else: `ppoll` and `read` do its work.
pub const EVENTFD: &[usize] = &[EVENTFD2, READ, WRITE, PREADV2, PPOLL, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE];

/// Every method of [`PollSet`](crate::sys::poll::PollSet).
pub const POLL: &[usize] = &[PPOLL, CLOCK_GETTIME];

/// Every method of [`Epoll`](crate::sys::epoll::Epoll) and of its descriptor.
pub const EPOLL: &[usize] = &[EPOLL_CREATE1, EPOLL_CTL, EPOLL_PWAIT, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE];

/// Every method of [`Notifier`](crate::Notifier).
pub const NOTIFIER: &[usize] = &[EVENTFD2, FUTEX, CLOCK_GETTIME, WRITE, PREADV2, CLOSE];

/// Every method of [`Reactor`](crate::reactor::Reactor), and its futures for an [`EventFd`](crate::EventFd).
pub const REACTOR: &[usize] =
    &[EVENTFD2, FCNTL, EPOLL_CREATE1, EPOLL_CTL, EPOLL_PWAIT, CLOCK_GETTIME, WRITE, PREADV2, CLOSE];

/// [`Current::exit`](crate::Task::exit).
pub const TASK: &[usize] = &[EXIT_GROUP];

/// [`remote::fork`](crate::remote::fork()) and [`Connection`](crate::remote::Connection), in both processes; what the
/// task is used for comes on top, such as [`EVENTFD`].
///
/// Kernels before 6.9 need the last six too.
pub const FORK: &[usize] = &[
    SOCKETPAIR,
    GETTID,
    PIDFD_OPEN,
    PIDFD_SEND_SIGNAL,
    MMAP,
    MUNMAP,
    MADVISE,
    RT_SIGPROCMASK,
    RT_SIGACTION,
    CLONE,
    CLOSE,
    CLOSE_RANGE,
    FCNTL,
    PRCTL,
    PPOLL,
    SENDTO,
    RECVFROM,
    SHUTDOWN,
    EXIT_GROUP,
    GETPID,
    GETPPID,
    KILL,
    TGKILL,
    WAITID,
    PRLIMIT64,
];

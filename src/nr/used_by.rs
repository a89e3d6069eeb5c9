//! The system calls that each part of the crate makes, for a seccomp filter.
//!
//! A filter that allows a list and kills on any other call lets the whole part run; without any one of the list's calls
//! some of the part dies. Both are tested. What a program's own code and its other parts call comes on top: lists may
//! overlap.
//!
//! Left out is what is called only in the place of a call that was refused, such as `pselect6` where `ppoll` fails.
//! What only older kernels need stands at the end of its list.
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

/// Every function of [`sys::signal`](crate::sys::signal).
pub const SIGNAL: &[usize] = &[RT_SIGPROCMASK, RT_SIGACTION, KILL];

/// Every method of [`SignalFd`](crate::sys::signalfd::SignalFd) and of its descriptor; to block signals takes
/// [`SIGNAL`].
pub const SIGNALFD: &[usize] = &[SIGNALFD4, READ, PPOLL, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE];

/// Every function of [`sys::wait`](crate::sys::wait).
pub const WAIT: &[usize] = &[WAITID];

/// Every method of [`PidFd`](crate::sys::pidfd::PidFd) and of its descriptor.
///
/// Kernels before 6.9 need the last one too.
pub const PIDFD: &[usize] =
    &[PIDFD_OPEN, PIDFD_SEND_SIGNAL, PIDFD_GETFD, WAITID, PPOLL, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE, KILL];

/// Every method of [`sys::stdio`](crate::sys::stdio).
pub const STDIO: &[usize] = &[READ, WRITE];

/// Whatever [`start!`](crate::start!) does before and after `main`: the standard descriptors, the relocation,
/// [`ListenFds`](crate::sys::listen_fds::ListenFds), an error or a panic that is printed, and the end. A filter that is
/// installed before the program is executed needs `execve` besides.
pub const START: &[usize] = &[MPROTECT, FCNTL, OPENAT, GETPID, CLOSE, WRITE, EXIT_GROUP];

/// Every method of [`Notifier`](crate::Notifier).
pub const NOTIFIER: &[usize] = &[EVENTFD2, FUTEX, CLOCK_GETTIME, WRITE, PREADV2, CLOSE];

/// Every method of [`Reactor`](crate::reactor::Reactor), its futures for an [`EventFd`](crate::EventFd), and its
/// [`StaticNotifier`](crate::notify::StaticNotifier) with the wakers of that.
pub const REACTOR: &[usize] =
    &[EVENTFD2, FCNTL, EPOLL_CREATE1, EPOLL_CTL, EPOLL_PWAIT, CLOCK_GETTIME, WRITE, PREADV2, CLOSE];

/// [`Current::exit`](crate::Task::exit).
pub const TASK: &[usize] = &[EXIT_GROUP];

/// [`remote::serve`](crate::remote::serve()) and
/// [`install_interrupt_handler`](crate::remote::install_interrupt_handler), whatever the stream's flags and the action
/// of `SIGPIPE`; what is requested comes on top.
pub const SERVE: &[usize] = &[FCNTL, RT_SIGACTION, RT_SIGPROCMASK, RT_SIGTIMEDWAIT, RECVFROM, SENDTO, PPOLL];

/// Every method of a [`Connection`](crate::remote::Connection) to a server that was not forked, and of its pipelines,
/// in the client.
pub const CONNECTION: &[usize] = &[SENDTO, RECVFROM, RECVMSG, PPOLL, CLOCK_GETTIME, SETSOCKOPT, SHUTDOWN, CLOSE];

/// [`remote::fork`](crate::remote::fork()) and its [`Connection`](crate::remote::Connection), in both processes; what
/// the task is used for comes on top, such as [`EVENTFD`].
///
/// Kernels before 6.9 need the last six too.
pub const FORK: &[usize] = &[
    SOCKETPAIR,
    GETTID,
    PIDFD_OPEN,
    PIDFD_SEND_SIGNAL,
    PIDFD_GETFD,
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
    SETSOCKOPT,
    CLOCK_GETTIME,
    EXIT_GROUP,
    GETPID,
    GETPPID,
    KILL,
    TGKILL,
    WAITID,
    PRLIMIT64,
];

//! For seccomp filters: the system calls that each part of the crate makes.
//!
//! Under a filter that allows the list of a part and kills on any other call, everything in that part works. Each call
//! of the list is needed by something in the part. Both are tested. A program adds the calls of its own code and of the
//! other parts that it uses; lists may overlap.
//!
//! The lists do not contain calls that are made only after another one was refused, such as `pselect6` if `ppoll`
//! fails. Calls that only older kernels need are at the end of a list.
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

/// The calls of all methods of [`EventFd`](crate::EventFd) and of its file descriptor.
///
/// A filter may also let `preadv2` fail with `ENOSYS`: `ppoll` and `read` replace it.
pub const EVENTFD: &[usize] = &[EVENTFD2, READ, WRITE, PREADV2, PPOLL, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE];

/// The calls of all methods of [`PollSet`](crate::sys::poll::PollSet).
pub const POLL: &[usize] = &[PPOLL, CLOCK_GETTIME];

/// The calls of all methods of [`Epoll`](crate::sys::epoll::Epoll) and of its file descriptor.
pub const EPOLL: &[usize] = &[EPOLL_CREATE1, EPOLL_CTL, EPOLL_PWAIT, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE];

/// The calls of all functions of [`sys::signal`](crate::sys::signal).
pub const SIGNAL: &[usize] = &[RT_SIGPROCMASK, RT_SIGACTION, KILL];

/// The calls of all methods of [`SignalFd`](crate::sys::signalfd::SignalFd) and of its file descriptor. Blocking
/// signals needs [`SIGNAL`] too.
pub const SIGNALFD: &[usize] = &[SIGNALFD4, READ, PPOLL, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE];

/// The calls of all functions of [`sys::wait`](crate::sys::wait).
pub const WAIT: &[usize] = &[WAITID];

/// The calls of all methods of [`PidFd`](crate::sys::pidfd::PidFd) and of its file descriptor.
///
/// The last one is needed only before Linux 6.9.
pub const PIDFD: &[usize] =
    &[PIDFD_OPEN, PIDFD_SEND_SIGNAL, PIDFD_GETFD, WAITID, PPOLL, CLOCK_GETTIME, FCNTL, IOCTL, CLOSE, KILL];

/// The calls of all methods of [`sys::stdio`](crate::sys::stdio).
pub const STDIO: &[usize] = &[READ, WRITE];

/// The calls that [`start!`](crate::start!) makes before and after `main`: for the standard descriptors, the
/// relocation, [`ListenFds`](crate::sys::listen_fds::ListenFds), printing an error or a panic, and the exit.
///
/// A filter that is installed before the program is executed needs `execve` too.
pub const START: &[usize] = &[MPROTECT, FCNTL, OPENAT, GETPID, CLOSE, WRITE, EXIT_GROUP];

/// The calls of all methods of [`Notifier`](crate::Notifier).
pub const NOTIFIER: &[usize] = &[EVENTFD2, FUTEX, CLOCK_GETTIME, WRITE, PREADV2, CLOSE];

/// The calls of all methods of [`Reactor`](crate::reactor::Reactor), of its futures for an [`EventFd`](crate::EventFd),
/// and of its [`StaticNotifier`](crate::notify::StaticNotifier) with its wakers.
pub const REACTOR: &[usize] =
    &[EVENTFD2, FCNTL, EPOLL_CREATE1, EPOLL_CTL, EPOLL_PWAIT, CLOCK_GETTIME, WRITE, PREADV2, CLOSE];

/// The call of [`Current::exit`](crate::Current::exit).
pub const TASK: &[usize] = &[EXIT_GROUP];

/// The calls of [`remote::serve`](crate::remote::serve()) and
/// [`install_interrupt_handler`](crate::remote::install_interrupt_handler), for any flags of the stream and any action
/// of `SIGPIPE`.
///
/// Add the calls that clients request.
pub const SERVE: &[usize] = &[FCNTL, RT_SIGACTION, RT_SIGPROCMASK, RT_SIGTIMEDWAIT, RECVFROM, SENDTO, PPOLL];

/// The calls of all methods of a [`Connection`](crate::remote::Connection) to a server that was not forked, and of its
/// pipelines, in the client.
pub const CONNECTION: &[usize] = &[SENDTO, RECVFROM, RECVMSG, PPOLL, CLOCK_GETTIME, SETSOCKOPT, SHUTDOWN, CLOSE];

/// The calls of [`remote::fork`](crate::remote::fork()) and its [`Connection`](crate::remote::Connection), in both
/// processes.
///
/// Add the calls that are made through the task, such as [`EVENTFD`].
///
/// The last six are needed only before Linux 6.9.
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

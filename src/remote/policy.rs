//! Which calls a server executes.

use crate::arch::this::MMAP_BY_POINTER;
use crate::nr;

/// Which calls a server executes; others fail with `EPERM`.
///
/// This contains mistakes: a client that requests what it was never meant to request is told so. It is no boundary
/// against malice: the calls that move memory can overwrite the server itself. That boundary is
/// [seccomp](https://man7.org/linux/man-pages/man2/seccomp.2.html), which the kernel keeps.
///
/// A client that moves memory needs `recvfrom` and `sendto`, and `mmap` unless it was given scratch space. A
/// [`Connection`](super::Connection) finds out before it moves anything: where they are refused, calls with memory fail
/// with `EPERM` and the stream stays in step. Another client that does not look, and sends memory behind a refused
/// `recvfrom`, ends the server with [`OutOfStep`](super::ServeError::OutOfStep).
///
/// ```
/// use rsyscall::remote::Policy;
///
/// assert!(Policy::EVENTFD.allows(rsyscall::nr::EVENTFD2));
/// assert!(!Policy::EVENTFD.allows(rsyscall::nr::KILL));
/// assert!(Policy::Everything.allows(rsyscall::nr::KILL));
///
/// use rsyscall::nr::used_by;
///
/// let waits = Policy::Any(&[used_by::EPOLL, used_by::EVENTFD]);
/// assert!(waits.allows(rsyscall::nr::EVENTFD2) && waits.allows(rsyscall::nr::EPOLL_CTL));
/// assert!(!waits.allows(rsyscall::nr::KILL) && !Policy::Any(&[]).allows(rsyscall::nr::READ));
/// ```
#[derive(Debug, Clone, Copy)]
pub enum Policy<'a> {
    /// Every call.
    Everything,
    /// The calls of these numbers, whatever their arguments. The whole word counts: a number with higher bits set is
    /// another.
    Only(&'a [usize]),
    /// The calls of any of these lists, such as those of [`nr::used_by`].
    Any(&'a [&'a [usize]]),
}

/// The calls of an eventfd, those that move memory, and those that make it.
macro_rules! eventfd_and {
    ($($memory:ident)*) => {
        &[
            nr::EVENTFD2,
            nr::READ,
            nr::WRITE,
            nr::CLOSE,
            nr::PREADV2,
            nr::PPOLL,
            nr::CLOCK_GETTIME,
            nr::FCNTL,
            nr::IOCTL,
            nr::RECVFROM,
            nr::SENDTO,
            $(nr::$memory,)*
        ]
    };
}

impl Policy<'static> {
    /// What every method of an [`EventFd`](crate::EventFd) needs, and the memory for it.
    pub const EVENTFD: Self =
        Self::Only(if MMAP_BY_POINTER { eventfd_and!(SHMGET SHMAT SHMCTL MUNMAP) } else { eventfd_and!(MMAP MUNMAP) });
}

impl Policy<'_> {
    /// Returns whether a call of this number is executed.
    #[inline]
    pub fn allows(&self, nr: usize) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(list) => list.contains(&nr),
            Self::Any(lists) => lists.iter().any(|list| list.contains(&nr)),
        }
    }
}

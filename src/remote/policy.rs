//! Restricting the calls that a server executes.

use crate::arch::this::MMAP_BY_POINTER;
use crate::nr;

/// The calls that a server executes; others fail with `EPERM`.
///
/// A policy catches mistakes of a client. It is no security boundary: the calls that transfer memory can overwrite the
/// server itself. For a security boundary use [seccomp](https://man7.org/linux/man-pages/man2/seccomp.2.html), which
/// the kernel enforces.
///
/// A client that transfers memory needs `recvfrom` and `sendto`, and `mmap` unless it has scratch space. A
/// [`Connection`](super::Connection) checks that before it transfers anything: if they are not allowed, calls with
/// memory fail with `EPERM` and the connection stays usable. Another client that sends memory after a `recvfrom` that
/// is not allowed ends the server with [`OutOfStep`](super::ServeError::OutOfStep).
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
    /// All calls.
    Everything,
    /// The calls with these numbers, whatever their arguments. The whole word is compared, upper bits included.
    Only(&'a [usize]),
    /// The calls in any of these lists, such as those of [`nr::used_by`].
    Any(&'a [&'a [usize]]),
}

/// The calls of an eventfd, those that transfer memory, and those that allocate it.
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
    /// The calls of all methods of an [`EventFd`](crate::EventFd), and of the memory for them.
    pub const EVENTFD: Self =
        Self::Only(if MMAP_BY_POINTER { eventfd_and!(SHMGET SHMAT SHMCTL MUNMAP) } else { eventfd_and!(MMAP MUNMAP) });
}

impl Policy<'_> {
    /// Returns whether a call with this number is executed.
    #[inline]
    pub fn allows(&self, nr: usize) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(list) => list.contains(&nr),
            Self::Any(lists) => lists.iter().any(|list| list.contains(&nr)),
        }
    }
}

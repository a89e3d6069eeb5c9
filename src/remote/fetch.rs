//! Duplicating a file descriptor of another process into this one.

use super::connection::Connection;
use super::peer::Peer;
use crate::far::FdTable;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor};
use crate::sysif::{Error, Local};
use crate::task::{Current, Task};
use crate::{Errno, EventFd};

impl OwnedFd<&Task<Connection>> {
    /// Duplicates the file descriptor into this process, where it is used by local calls. Both share the open file
    /// description, and are closed separately.
    ///
    /// For a process that was [forked](super::fork()) here it uses `pidfd_getfd`. If that fails (Linux before 5.6; a
    /// seccomp filter, such as that of a container without `CAP_SYS_PTRACE`), and for other servers, the process sends
    /// the file descriptor over the connection (`SCM_RIGHTS`). If that fails too, the file descriptor can still be used
    /// through its task.
    ///
    /// System calls: `pidfd_getfd`; or `ppoll`, `recvmsg`, and there `recvfrom`, `sendmsg`. `fcntl(F_DUPFD_CLOEXEC)` if
    /// the table is this process's own.
    ///
    /// ```
    /// use rsyscall::{EventfdFlags, EventfdTask, remote};
    ///
    /// let forked = remote::fork([])?;
    /// let there = forked.task.eventfd(0, EventfdFlags::empty())?;
    /// let here = there.fetch()?;
    /// there.write(2)?;
    /// assert_eq!(here.read(), Ok(2));
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `EMFILE`: no file descriptor is free in this process. `EBUSY`: it would have to be sent over the connection, on
    /// which calls of a [`Pipeline`](super::Pipeline) are pending. `EPERM`: a [`Policy`](super::Policy) does not allow
    /// `sendmsg`. `EINVAL`, `EOPNOTSUPP`: the stream is not a Unix socket. [`Error::NotSent`], [`Error::Hangup`].
    ///
    /// # Source
    ///
    /// [pidfd_getfd(2)](https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html),
    /// [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html).
    #[doc(alias = "pidfd_getfd", alias = "SCM_RIGHTS")]
    #[inline]
    pub fn fetch(&self) -> Result<OwnedFd, Error> {
        let task = self.task();
        if task.fd_table() == FdTable::CURRENT {
            // SAFETY: the handle owns it in this very table.
            let fd = unsafe { near::dup_cloexec(&Local, self.near()) }?;
            // SAFETY: the kernel just created it for us.
            return Ok(unsafe { OwnedFd::adopt(Current, fd) });
        }
        task.sysif().fetch(self.near())
    }
}

impl EventFd<&Task<Connection>> {
    /// Duplicates the file descriptor into this process, as [`OwnedFd::fetch`] does. The counter is shared.
    ///
    /// System calls: those of [`OwnedFd::fetch`].
    ///
    /// # Errors
    ///
    /// Those of [`OwnedFd::fetch`].
    #[inline]
    pub fn fetch(&self) -> Result<EventFd, Error> {
        self.as_owned_fd().fetch().map(EventFd::from)
    }
}

impl Connection {
    #[inline]
    fn fetch(&self, fd: FileDescriptor) -> Result<OwnedFd, Error> {
        let Some(mut exchange) = self.exchange() else { return Err(Error::NotSent) };
        exchange.check()?;
        if let Some(pidfd) = exchange.peer().and_then(Peer::pidfd) {
            // SAFETY: the pidfd is open, and the owner of the handle requests the duplicate.
            match unsafe { near::pidfd_getfd(&Local, pidfd, fd) } {
                // SAFETY: the kernel just created it for us.
                Ok(fd) => return Ok(unsafe { OwnedFd::adopt(Current, fd) }),
                Err(errno @ (Errno::EMFILE | Errno::ENFILE)) => return Err(errno.into()),
                // Not supported or not allowed: use the connection instead.
                Err(_) => {}
            }
        }
        let deadline = exchange.begin(self.timeout());
        exchange.receive_fd(fd, deadline)
    }
}

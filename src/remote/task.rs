//! Unsharing the descriptor table of another process.

use super::connection::Connection;
use super::exec::not_sent;
use super::kept::{Kept, has_duplicates};
use crate::Errno;
use crate::far::FdTable;
use crate::fd::{OwnedFd, ReplaceError, Token};
use crate::near::{self, FileDescriptor};
use crate::sysif::Error;
use crate::task::{FdTableMismatch, FileDescriptorTask, Task};

impl Task<Connection> {
    /// Gives the process its own descriptor table, if it shared one. The new table has only the file descriptors in
    /// `inherit`, and 0, 1 and 2 unless they are `CLOEXEC`.
    ///
    /// The old table is unchanged for the other processes that share it. Handles of this task have to
    /// [move](OwnedFd::move_to) to another task of the old table first, and may be inherited from there.
    ///
    /// System calls: there, `close_range`, `unshare`, `fcntl(F_GETFD)`, `close`.
    ///
    /// ```
    /// use rsyscall::{Current, EventFd, EventfdFlags, EventfdTask, remote};
    ///
    /// let mut forked = remote::fork_sharing_files()?;
    /// let here = forked.task.eventfd(0, EventfdFlags::empty())?.move_to(Current).unwrap();
    /// let [token] = forked.task.unshare_files([here.as_owned_fd()]).unwrap();
    /// let there = EventFd::from(token.attach(&forked.task).unwrap());
    /// there.write(3)?;
    /// assert_eq!(here.read()?, 3);
    /// assert!(here.move_to(&forked.task).is_err());
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FdTableMismatch`]: a file descriptor of another table. `EINVAL`: `inherit` has a file descriptor twice.
    /// `ENOSYS`: Linux before 5.9. After these three nothing has changed. `ENOMEM`, `EMFILE`; [errors of the
    /// interface](crate::sysif#errors-of-the-interface).
    #[doc(alias = "unshare", alias = "CLONE_FILES")]
    #[inline]
    pub fn unshare_files<T: FileDescriptorTask, const N: usize>(
        &mut self,
        inherit: [&OwnedFd<T>; N],
    ) -> Result<[Token; N], ReplaceError<Error>> {
        for fd in &inherit {
            FdTableMismatch::check(self.fd_table, fd.task().fd_table())?;
        }
        self.unshare_keeping(&inherit.map(OwnedFd::near)).map_err(ReplaceError::Call)?;
        let table = self.fd_table;
        // SAFETY: copies of open file descriptors; this process alone has that table, and none is there twice.
        Ok(inherit.map(|fd| unsafe { Token::new(fd.near(), table) }))
    }

    #[inline]
    fn unshare_keeping(&mut self, inherit: &[FileDescriptor]) -> Result<(), Error> {
        if has_duplicates(inherit) {
            return Err(Errno::EINVAL.into());
        }
        // An empty range, to check in advance whether the kernel supports the call.
        // SAFETY: no file descriptor has this value.
        unsafe { near::close_range(&self.sysif, u32::MAX, u32::MAX) }.map_err(not_sent)?;
        // In another table this file descriptor has another meaning.
        let here = self.fd_table == FdTable::CURRENT;
        let client = here.then(|| FileDescriptor(self.sysif.as_raw_fd()));
        let kept = Kept { server: self.sysif.server(), client, inherit };
        // SAFETY: the task has no handles now: they borrow it.
        unsafe { near::unshare_files(&self.sysif) }?;
        self.fd_table = FdTable::new();
        self.sysif.unshared();
        // SAFETY: copies of what others own in the old table; this task has no handles now.
        unsafe { kept.close_others(&self.sysif) }.map_err(|error| match error {
            // The table is unshared, so a part was executed.
            Error::NotSent => Error::Hangup,
            error => error,
        })
    }
}

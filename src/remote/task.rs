//! What a task does to its own process: it gives it a table, a program, or an end.

use super::connection::Connection;
use super::exchange::Outgoing;
use super::fork::{FIRST, Gaps, has_twins};
use super::stream::Disconnect;
use super::wire::Request;
use crate::Errno;
use crate::far::FdTable;
use crate::fd::{OwnedFd, ReplaceError, Token};
use crate::near::{self, FileDescriptor};
use crate::nr;
use crate::sysif::{Error, ErrorWith};
use crate::task::{FdTableMismatch, FileDescriptorTask, Task};
use core::ffi::CStr;

impl Task<Connection> {
    /// Ends the process. The lowest eight bits of `status` are what its parent is told.
    ///
    /// System calls: there, `exit_group`.
    ///
    /// ```
    /// use rsyscall::remote::{self, ExitStatus};
    ///
    /// let mut forked = remote::fork([])?;
    /// forked.task.exit(3)?;
    /// assert_eq!(forked.child.wait()?, ExitStatus::Exited(3));
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// Its handles cannot outlive it:
    ///
    /// ```compile_fail,E0505
    /// # use rsyscall::{EventfdFlags, EventfdTask, remote};
    /// # let forked = remote::fork([])?;
    /// let bell = forked.task.eventfd(0, EventfdFlags::empty())?;
    /// forked.task.exit(0)?;
    /// bell.write(1)?;
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NotSent`]. The end of the connection is what is wanted here, and no error.
    #[doc(alias = "exit_group")]
    #[inline]
    pub fn exit(self, status: i32) -> Result<(), Error> {
        // SAFETY: the process runs nothing but the server's loop, and its handles are gone.
        match unsafe { near::exit_group(self.sysif(), status) } {
            Ok(()) => Ok(()),
            Err(Error::Hangup) if self.sysif().disconnect() == Some(Disconnect::Ended) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Replaces the process's program.
    ///
    /// The program has the numbers that are not `CLOEXEC`: make one so with [`OwnedFd::set_cloexec`] and give it away with
    /// [`OwnedFd::into_raw_fd`], or put it where the program expects it with [`OwnedFd::dup2`]. The process stays the same: its
    /// [`Child`](super::Child) still waits for it. A shared table is copied first, as `execve` does in any case.
    ///
    /// System calls: there, `execve`; if the table is shared also `unshare`, `close`.
    ///
    /// ```
    /// use rsyscall::remote::{self, ExitStatus};
    ///
    /// let mut forked = remote::fork([])?;
    /// forked.task.exec(c"/bin/sh", &[c"sh", c"-c", c"exit 5"], &[])?;
    /// assert_eq!(forked.child.wait()?, ExitStatus::Exited(5));
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The task comes back. `ENOENT`, `EACCES`, `ENOEXEC`, `E2BIG` and others: [execve(2)](https://man7.org/linux/man-pages/man2/execve.2.html).
    /// [`Error::NotSent`]. The end of the connection is what is wanted here, and no error.
    #[doc(alias = "execve")]
    #[expect(clippy::result_large_err, reason = "the task comes back by value: there is nothing to box it in")]
    #[inline]
    pub fn exec(mut self, path: &CStr, argv: &[&CStr], envp: &[&CStr]) -> Result<(), ErrorWith<Self, Error>> {
        match self.try_exec(path, argv, envp) {
            Ok(()) | Err(Error::Hangup) => Ok(()),
            Err(error) => Err(ErrorWith::new(self, error)),
        }
    }

    #[inline]
    fn try_exec(&mut self, path: &CStr, argv: &[&CStr], envp: &[&CStr]) -> Result<(), Error> {
        if self.sysif.is_shared() {
            // The program's table would be a copy anyway. It is made now, while this process can still let go of its own
            // copy of the server's end: only then does the stream end with the exec.
            self.unshare()?;
            // SAFETY: the copy of our end in the child's table, which nobody uses.
            unsafe { near::close(&self.sysif, FileDescriptor(self.sysif.as_raw_fd())) }?;
        }
        self.sysif.exec(path, argv, envp)
    }

    /// Gives the process a descriptor table of its own, if it shared one, with the descriptors in `inherit` and no other but
    /// the numbers 0, 1 and 2.
    ///
    /// The old table is not changed: it keeps what is open in it, for those who share it. Handles of this task have to
    /// [move](OwnedFd::move_to) to another task of the old table first, and may be inherited from there.
    ///
    /// System calls: there, `close_range`, `unshare`.
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
    /// A descriptor of another table. `EINVAL`: one is named twice. `ENOSYS`: Linux before 5.9. In these cases nothing has
    /// happened. `ENOMEM`, `EMFILE`; what the connection adds.
    #[doc(alias = "unshare", alias = "CLONE_FILES")]
    #[inline]
    pub fn unshare_files<T: FileDescriptorTask, const N: usize>(
        &mut self,
        inherit: [&OwnedFd<T>; N],
    ) -> Result<[Token; N], ReplaceError<Error>> {
        for fd in &inherit {
            FdTableMismatch::check(self.fd_table, fd.task().fd_table())?;
        }
        self.unshare_numbers(&inherit.map(OwnedFd::near)).map_err(ReplaceError::Call)?;
        let table = self.fd_table;
        // SAFETY: the copies of open numbers; this process alone has that table, and no number is there twice.
        Ok(inherit.map(|fd| unsafe { Token::new(fd.near(), table) }))
    }

    #[inline]
    fn unshare_numbers(&mut self, keep: &[FileDescriptor]) -> Result<(), Error> {
        if has_twins(keep) {
            return Err(Errno::EINVAL.into());
        }
        // Of no number, to see whether the kernel has it before it is too late.
        // SAFETY: no number is as high.
        unsafe { near::close_range(&self.sysif, u32::MAX, u32::MAX) }?;
        self.unshare()?;
        let server = [self.sysif.server()];
        for (first, last) in (Gaps { next: Some(FIRST.unsigned_abs()), stays: &server, more: keep }) {
            // SAFETY: copies of what others own in the old table; this task has no handles now.
            unsafe { near::close_range(&self.sysif, first, last) }?;
        }
        Ok(())
    }

    #[inline]
    fn unshare(&mut self) -> Result<(), Error> {
        // SAFETY: the task has no handles now: they borrow it.
        unsafe { near::unshare_files(&self.sysif) }?;
        self.fd_table = FdTable::new();
        self.sysif.unshared();
        Ok(())
    }
}

impl Connection {
    #[inline]
    fn exec(&self, path: &CStr, argv: &[&CStr], envp: &[&CStr]) -> Result<(), Error> {
        let deadline = self.deadline();
        let strings = || core::iter::once(path).chain(argv.iter().copied()).chain(envp.iter().copied());
        let text = strings().map(size).fold(0, usize::saturating_add);
        // Two vectors, each with a null at its end, and then all strings.
        let vectors = argv.len().saturating_add(envp.len()).saturating_add(2).saturating_mul(size_of::<usize>());
        let len = vectors.saturating_add(text);
        let Some(mut exchange) = self.exchange() else { return Err(Error::NotSent) };
        exchange.check()?;
        exchange.reserve(len, deadline)?;
        let base = exchange.scratch_address();
        let first = base.wrapping_add(vectors);
        let envp_at = base.wrapping_add(argv.len().wrapping_add(1).wrapping_mul(size_of::<usize>()));
        let request = Request { nr: nr::EXECVE, args: [first, base, envp_at, 0, 0, 0] };
        let memory = |outgoing: &mut Outgoing<'_>| {
            let mut at = first.wrapping_add(size(path));
            for vector in [argv, envp] {
                for string in vector {
                    outgoing.write(&at.to_ne_bytes())?;
                    at = at.wrapping_add(size(string));
                }
                outgoing.write(&0_usize.to_ne_bytes())?;
            }
            strings().try_for_each(|string| outgoing.write(string.to_bytes_with_nul()))
        };
        exchange.call_without_return(len, memory, request, deadline, |_| None)
    }
}

/// How much room a string takes.
#[inline]
fn size(string: &CStr) -> usize {
    string.count_bytes().saturating_add(1)
}

//! Eventfds and the tasks of one table: the methods of [`OwnedFd`](crate::fd::OwnedFd), without a change of type.

use super::EventFd;
use crate::fd::{Lent, MoveError, OwnedFd, Token};
use crate::task::{FdTableMismatch, FileDescriptorTask};

impl<T: FileDescriptorTask> EventFd<T> {
    /// Lends the eventfd to another task of the same table. This handle still owns it.
    ///
    /// System calls: none.
    ///
    /// ```
    /// use rsyscall::{Current, EventFd, EventfdFlags};
    ///
    /// let bell = EventFd::new(0, EventfdFlags::empty())?;
    /// bell.for_task(Current).unwrap().write(2)?;
    /// assert_eq!(bell.read()?, 2);
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FdTableMismatch`]: the task has another table.
    pub fn for_task<U: FileDescriptorTask>(&self, task: U) -> Result<Lent<'_, EventFd<U>>, FdTableMismatch> {
        FdTableMismatch::check(task.fd_table(), self.task().fd_table())?;
        // SAFETY: open in that table; what is lent does not close it, and does not outlive the borrow.
        Ok(Lent::new(unsafe { EventFd::adopt(task, self.near()) }))
    }

    /// Moves the eventfd to another task of the same table, which then uses and closes it.
    ///
    /// System calls: none.
    ///
    /// # Errors
    ///
    /// [`FdTableMismatch`]: the task has another table, or a failed call may still be executed on the file descriptor
    /// ([`may_still_execute`](crate::sysif::SyscallInterface::may_still_execute)). The error returns the handle.
    #[doc(alias = "move")]
    pub fn move_to<U: FileDescriptorTask>(self, task: U) -> Result<EventFd<U>, MoveError<Self>> {
        self.into_owned_fd().move_to(task).map(EventFd::from).map_err(|error| error.map(Self::from))
    }

    /// Converts the eventfd into a [`Token`]: its file descriptor without a task, to which another task of the table is
    /// attached.
    pub fn detach(self) -> Token {
        OwnedFd::from(self).detach()
    }
}

//! Eventfds and the tasks of one table: what [`OwnedFd`](crate::fd::OwnedFd) does, with the kind kept.

use super::EventFd;
use crate::fd::{Lent, MoveError, OwnedFd, Token};
use crate::task::{FdTableMismatch, FileDescriptorTask};

impl<T: FileDescriptorTask> EventFd<T> {
    /// The same eventfd, used through another task of the same table while this handle still owns it.
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
    /// The task has another table.
    pub fn for_task<U: FileDescriptorTask>(&self, task: U) -> Result<Lent<'_, EventFd<U>>, FdTableMismatch> {
        FdTableMismatch::check(task.fd_table(), self.task().fd_table())?;
        // SAFETY: open in that table; what is lent does not close it, and does not outlive the borrow.
        Ok(Lent::new(unsafe { EventFd::adopt(task, self.near()) }))
    }

    /// The same eventfd, from now on used and closed through another task of the same table.
    ///
    /// System calls: none.
    ///
    /// # Errors
    ///
    /// The task has another table: the handle comes back.
    #[doc(alias = "move")]
    pub fn move_to<U: FileDescriptorTask>(self, task: U) -> Result<EventFd<U>, MoveError<Self>> {
        self.into_owned_fd().move_to(task).map(EventFd::from).map_err(|error| error.map(Self::from))
    }

    /// The number without the task, for another task of the table.
    pub fn detach(self) -> Token {
        OwnedFd::from(self).detach()
    }
}

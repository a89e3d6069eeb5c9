//! File descriptors without a task.

use super::number::Number;
use super::{MoveError, OwnedFd};
use crate::far::FdTable;
use crate::near::FileDescriptor;
use crate::task::{FdTableMismatch, FileDescriptorTask};
use core::fmt;

/// An owned file descriptor of a table, without a task: [`attach`](Self::attach) creates a handle from it.
///
/// It represents what a child inherits, before the task of the child exists. One token becomes one handle, so nothing
/// is inherited twice. Dropping it closes nothing: the file descriptor stays open until its table is freed.
///
/// ```
/// use rsyscall::{Current, EventFd, EventfdFlags};
///
/// let token = EventFd::new(6, EventfdFlags::empty())?.into_owned_fd().detach();
/// let bell = EventFd::from(token.attach(Current).unwrap());
/// assert_eq!(bell.read()?, 6);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// ```compile_fail,E0382
/// # use rsyscall::{Current, EventFd, EventfdFlags};
/// # let token = EventFd::new(6, EventfdFlags::empty())?.into_owned_fd().detach();
/// let one = token.attach(Current);
/// let two = token.attach(Current);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[must_use = "unused, the file descriptor stays open for as long as its table"]
#[doc(alias = "inherit")]
pub struct Token {
    number: Number,
    table: FdTable,
}

impl Token {
    /// # Safety
    ///
    /// It is open in that table, and from now on only this value owns it.
    pub(crate) unsafe fn new(fd: FileDescriptor, table: FdTable) -> Self {
        // SAFETY: an open file descriptor is not negative.
        let number = unsafe { Number::new(fd) };
        Self { number, table }
    }

    /// Returns the file descriptor.
    pub fn near(&self) -> FileDescriptor {
        self.number.get()
    }

    /// Returns the table of the file descriptor.
    pub fn fd_table(&self) -> FdTable {
        self.table
    }

    /// Creates a handle that uses and closes the file descriptor through this task.
    ///
    /// System calls: none.
    ///
    /// # Errors
    ///
    /// [`FdTableMismatch`]: the task has another table. The error returns the token.
    pub fn attach<T: FileDescriptorTask>(self, task: T) -> Result<OwnedFd<T>, MoveError<Self>> {
        match FdTableMismatch::check(task.fd_table(), self.table) {
            // SAFETY: open in that table, and the token, the only owner, is consumed.
            Ok(()) => Ok(unsafe { OwnedFd::adopt(task, self.near()) }),
            Err(mismatch) => Err(MoveError::new(self, mismatch)),
        }
    }
}

impl<T: FileDescriptorTask> OwnedFd<T> {
    /// Converts the handle into a [`Token`], the file descriptor without its task, to which another task of the table
    /// is attached.
    ///
    /// While a failed call may still be executed on the file descriptor
    /// ([`may_still_execute`](crate::sysif::SyscallInterface::may_still_execute)), [`attach`](Token::attach) fails.
    #[inline]
    pub fn detach(self) -> Token {
        let table = self.table();
        let fd = FileDescriptor(self.into_raw_fd());
        // SAFETY: this value owned it, and is consumed.
        unsafe { Token::new(fd, table) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("fd", &self.near().0).field("table", &self.table).finish()
    }
}

//! File descriptors without a task.

use super::number::Number;
use super::{MoveError, OwnedFd};
use crate::far::FdTable;
use crate::near::FileDescriptor;
use crate::task::{FdTableMismatch, FileDescriptorTask};
use core::fmt;

/// An owned file descriptor of some table, without a task: [`attach`](Self::attach) gives it one.
///
/// It is what a child inherits, for its task does not exist before it. One token becomes one handle, so nothing is
/// inherited twice. Dropped, it closes nothing: the file descriptor stays open until its table ends.
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
    /// It is open in that table, and this value is from now on the only one that owns it.
    pub(crate) unsafe fn new(fd: FileDescriptor, table: FdTable) -> Self {
        // SAFETY: an open file descriptor is not negative.
        let number = unsafe { Number::new(fd) };
        Self { number, table }
    }

    /// Returns the file descriptor.
    pub fn near(&self) -> FileDescriptor {
        self.number.get()
    }

    /// Returns the table that it is in.
    pub fn fd_table(&self) -> FdTable {
        self.table
    }

    /// Returns a handle that is used and closed through this task.
    ///
    /// System calls: none.
    ///
    /// # Errors
    ///
    /// The task has another table. The error gives the token back.
    pub fn attach<T: FileDescriptorTask>(self, task: T) -> Result<OwnedFd<T>, MoveError<Self>> {
        match FdTableMismatch::check(task.fd_table(), self.table) {
            // SAFETY: open in that table, and the token, the only owner, is gone.
            Ok(()) => Ok(unsafe { OwnedFd::adopt(task, self.near()) }),
            Err(mismatch) => Err(MoveError::new(self, mismatch)),
        }
    }
}

impl<T: FileDescriptorTask> OwnedFd<T> {
    /// Returns the file descriptor without its task, for another task of the table. For as long as a call that failed
    /// may still be executed on it, it is for none.
    #[inline]
    pub fn detach(self) -> Token {
        let table = self.table();
        let fd = FileDescriptor(self.into_raw_fd());
        // SAFETY: this value owned it, and is gone.
        unsafe { Token::new(fd, table) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("fd", &self.near().0).field("table", &self.table).finish()
    }
}

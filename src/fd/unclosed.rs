//! File descriptors whose close was not carried out.
//!
//! A task whose interface has ended can close nothing. Where its table ends with its process, the kernel closes them.
//! Where other tasks share the table the file descriptor stays open, and one of them has to close it.

use super::{Token, is_doubtful};
use crate::Errno;
use crate::far::FdTable;
use crate::near::{self, FileDescriptor};
use crate::sysif::{ErrorWith, SyscallError};
use crate::task::FileDescriptorTask;
use core::cell::Cell;
use core::fmt;

/// A file descriptor whose `close` was not carried out, or may not have been.
#[derive(Debug)]
#[must_use = "if its table is shared, the file descriptor stays open"]
pub struct Unclosed {
    token: Token,
    doubtful: bool,
}

impl Unclosed {
    /// Returns whether the close may have been made after all: then the file descriptor may be another owner's by now.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Returns the file descriptor.
    pub fn near(&self) -> FileDescriptor {
        self.token.near()
    }

    /// Returns the table that it is in.
    pub fn fd_table(&self) -> FdTable {
        self.token.fd_table()
    }

    /// Returns the file descriptor, to be attached to another task of its table and closed.
    ///
    /// # Errors
    ///
    /// [`Doubtful`]. The error gives the value back.
    pub fn token(self) -> Result<Token, ErrorWith<Self, Doubtful>> {
        if self.doubtful { Err(ErrorWith::new(self, Doubtful)) } else { Ok(self.token) }
    }

    /// Returns the file descriptor, doubtful or not.
    ///
    /// # Safety
    ///
    /// The close was not made and will not be: the process that was asked has ended, and the number is still what it
    /// was.
    pub unsafe fn token_unchecked(self) -> Token {
        self.token
    }
}

/// The `close` of a file descriptor may have been made after all, so that it may be another owner's by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Doubtful;

impl fmt::Display for Doubtful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whether the file descriptor was closed is not known")
    }
}

impl core::error::Error for Doubtful {}

/// Never equal: no kernel has refused anything.
impl PartialEq<Errno> for Doubtful {
    fn eq(&self, _: &Errno) -> bool {
        false
    }
}

/// Keeps file descriptors that were not closed until another task of their table closes them.
///
/// ```no_run
/// use rsyscall::fd::UnclosedList;
/// use rsyscall::{Current, EventfdFlags, EventfdTask, remote};
///
/// let unclosed = UnclosedList::<8>::new();
/// let forked = remote::fork_sharing_files()?;
/// let task = unclosed.keep_for(&forked.task);
/// let bell = task.eventfd(0, EventfdFlags::empty())?;
/// forked.child.kill()?;
/// drop(bell); // the child can no longer close it ...
/// assert_eq!(unclosed.reap(Current), Ok(1)); // ... but here
/// # Ok::<(), rsyscall::sysif::Error>(())
/// ```
pub struct UnclosedList<const N: usize> {
    slots: [Cell<Option<Unclosed>>; N],
    lost: Cell<usize>,
}

impl<const N: usize> UnclosedList<N> {
    /// Creates a list with room for `N`.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: [const { Cell::new(None) }; N], lost: Cell::new(0) }
    }

    /// Returns the task, with this list as the place where its handles leave what they could not close.
    pub const fn keep_for<T: FileDescriptorTask>(&self, task: T) -> WithUnclosed<'_, T, N> {
        WithUnclosed { task, unclosed: self }
    }

    /// Returns how many there was no room for.
    pub fn lost(&self) -> usize {
        self.lost.get()
    }

    /// Removes one and returns it.
    pub fn pop(&self) -> Option<Unclosed> {
        self.slots.iter().find_map(Cell::take)
    }

    /// Puts one in, if there is room.
    fn push(&self, unclosed: Unclosed) {
        for slot in &self.slots {
            let there = slot.take();
            if there.is_none() {
                slot.set(Some(unclosed));
                return;
            }
            slot.set(there);
        }
        self.lost.set(self.lost.get().saturating_add(1));
    }

    /// Closes those of the task's table through it, and returns how many. Doubtful ones stay: only the caller can know
    /// more about them ([`pop`](Self::pop)).
    ///
    /// System calls: `close` for each.
    ///
    /// # Errors
    ///
    /// The task's interface has ended too. What is not closed stays in the list.
    #[doc(alias = "run_fd_table_gc")]
    pub fn reap<T: FileDescriptorTask>(&self, task: T) -> Result<usize, T::Error> {
        let mut closed = 0_usize;
        for slot in &self.slots {
            match slot.take() {
                Some(unclosed) if !unclosed.doubtful && unclosed.fd_table() == task.fd_table() => {
                    // SAFETY: it owned the file descriptor, and is gone unless the close was not carried out.
                    if let Err(error) = unsafe { near::close(task.sysif(), unclosed.near()) } {
                        if error.errno().is_none() {
                            let doubtful = is_doubtful(task.sysif(), &error);
                            slot.set(Some(Unclosed { doubtful, ..unclosed }));
                            return Err(error);
                        }
                    }
                    closed = closed.saturating_add(1);
                }
                other => slot.set(other),
            }
        }
        Ok(closed)
    }
}

impl<const N: usize> fmt::Debug for UnclosedList<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnclosedList").field("room", &N).field("lost", &self.lost()).finish_non_exhaustive()
    }
}

impl<const N: usize> Default for UnclosedList<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// A task whose handles leave what they could not close in an [`UnclosedList`]. Created by [`UnclosedList::keep_for`].
pub struct WithUnclosed<'a, T, const N: usize> {
    task: T,
    unclosed: &'a UnclosedList<N>,
}

impl<T: Copy, const N: usize> Copy for WithUnclosed<'_, T, N> {}
impl<T: Copy, const N: usize> Clone for WithUnclosed<'_, T, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for WithUnclosed<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WithUnclosed").field(&self.task).finish()
    }
}

// SAFETY: interface and table are those of the wrapped task, which fulfils the contract, and a copy wraps a copy of it.
// What was not closed is kept as it is, doubtful or not.
unsafe impl<T: FileDescriptorTask, const N: usize> FileDescriptorTask for WithUnclosed<'_, T, N> {
    type Interface = T::Interface;
    type Error = T::Error;

    fn sysif(&self) -> &T::Interface {
        self.task.sysif()
    }

    fn fd_table(&self) -> FdTable {
        self.task.fd_table()
    }

    unsafe fn unclosed(&self, fd: FileDescriptor, doubtful: bool) {
        // SAFETY: owned in the task's table until a close, as this function asks.
        self.unclosed.push(Unclosed { token: unsafe { Token::new(fd, self.fd_table()) }, doubtful });
    }
}

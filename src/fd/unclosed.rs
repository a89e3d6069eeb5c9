//! File descriptors whose close was not carried out.
//!
//! A task whose interface has ended, because its process or its connection has, can close nothing. If its table belongs
//! to its process alone, the kernel closes the file descriptors when the process ends. If other tasks share the table,
//! a file descriptor stays open until one of them closes it.

use super::{Token, is_doubtful};
use crate::Errno;
use crate::far::FdTable;
use crate::near::{self, FileDescriptor};
use crate::sysif::{ErrorWith, SyscallError};
use crate::task::FileDescriptorTask;
use core::cell::Cell;
use core::fmt;

/// A file descriptor whose `close` was not made, or may not have been made.
#[derive(Debug)]
#[must_use = "if its table is shared, the file descriptor stays open"]
pub struct Unclosed {
    token: Token,
    doubtful: bool,
}

impl Unclosed {
    /// Returns whether the close may have been made: then the file descriptor may be reused by another owner.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Returns the file descriptor.
    pub fn near(&self) -> FileDescriptor {
        self.token.near()
    }

    /// Returns the table of the file descriptor.
    pub fn fd_table(&self) -> FdTable {
        self.token.fd_table()
    }

    /// Converts it into a token, which another task of its table can [`attach`](Token::attach) and close.
    ///
    /// # Errors
    ///
    /// [`Doubtful`]: the close may have been made. The error returns the value.
    pub fn token(self) -> Result<Token, ErrorWith<Self, Doubtful>> {
        if self.doubtful { Err(ErrorWith::new(self, Doubtful)) } else { Ok(self.token) }
    }

    /// Converts it into a token, even if it is doubtful.
    ///
    /// # Safety
    ///
    /// The close was not made and will not be: the process that it was sent to has ended, and the file descriptor still
    /// refers to the same open file description.
    pub unsafe fn token_unchecked(self) -> Token {
        self.token
    }
}

/// The `close` of a file descriptor may have been made, so that it may be reused by another owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Doubtful;

impl fmt::Display for Doubtful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whether the file descriptor was closed is not known")
    }
}

impl core::error::Error for Doubtful {}

/// Always `false`: no system call was made.
impl PartialEq<Errno> for Doubtful {
    fn eq(&self, _: &Errno) -> bool {
        false
    }
}

/// A list of file descriptors that were not closed, for another task of their table to close.
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
/// drop(bell); // the child can no longer close it
/// assert_eq!(unclosed.reap(Current), Ok(1)); // closes it here
/// # Ok::<(), rsyscall::sysif::Error>(())
/// ```
pub struct UnclosedList<const N: usize> {
    slots: [Cell<Option<Unclosed>>; N],
    lost: Cell<usize>,
}

impl<const N: usize> UnclosedList<N> {
    /// Creates a list with a capacity of `N`.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: [const { Cell::new(None) }; N], lost: Cell::new(0) }
    }

    /// Wraps a task so that its handles put the file descriptors that they could not close into this list.
    pub const fn keep_for<T: FileDescriptorTask>(&self, task: T) -> WithUnclosed<'_, T, N> {
        WithUnclosed { task, unclosed: self }
    }

    /// Returns how many file descriptors did not fit.
    pub fn lost(&self) -> usize {
        self.lost.get()
    }

    /// Removes a file descriptor from the list and returns it, or `None` if the list is empty.
    pub fn pop(&self) -> Option<Unclosed> {
        self.slots.iter().find_map(Cell::take)
    }

    /// Adds a file descriptor, or counts it as lost if the list is full.
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

    /// Closes, through the task, the listed file descriptors that are in its table, and returns their number. Doubtful
    /// ones remain in the list: only the caller can decide about them ([`pop`](Self::pop)).
    ///
    /// System calls: `close` for each.
    ///
    /// # Errors
    ///
    /// [`NotSent`](crate::sysif::Error::NotSent), [`Hangup`](crate::sysif::Error::Hangup): the interface of this task
    /// has ended too. File descriptors that are not closed remain in the list.
    #[doc(alias = "run_fd_table_gc")]
    pub fn reap<T: FileDescriptorTask>(&self, task: T) -> Result<usize, T::Error> {
        let mut closed = 0_usize;
        for slot in &self.slots {
            match slot.take() {
                Some(unclosed) if !unclosed.doubtful && unclosed.fd_table() == task.fd_table() => {
                    // SAFETY: the value owns the file descriptor, and is dropped unless the close was not made.
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

/// A task with an [`UnclosedList`] for the file descriptors that its handles could not close. Created by
/// [`UnclosedList::keep_for`].
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
// What was not closed is stored unchanged, doubtful or not.
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
        // SAFETY: owned in the task's table until a close, as this function requires.
        self.unclosed.push(Unclosed { token: unsafe { Token::new(fd, self.fd_table()) }, doubtful });
    }
}

//! For code that is generic over the process it acts in, and for handles of file descriptors in other processes.
//!
//! ```
//! use rsyscall::{Current, EventfdFlags, EventfdTask};
//!
//! fn counted<T: EventfdTask>(task: T) -> Result<u64, T::Error> {
//!     let bell = task.eventfd(3, EventfdFlags::empty())?;
//!     bell.read()
//! }
//! assert_eq!(counted(Current)?, 3);
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! A task is an interface to a process, together with the identities of its descriptor table, address space and pid
//! namespace. A handle, such as an [`EventFd`](crate::EventFd), is a file descriptor together with its task, which
//! determines the table of the file descriptor.

use crate::Errno;
use crate::far::{AddressSpace, FdTable, PidNamespace};
use crate::near;
use crate::sysif::{ErrorWith, Local, SyscallError, SyscallInterface};
use core::fmt;

/// A task through which file descriptors are created and used.
///
/// It is copied into every handle: [`Current`] is zero-sized, any other task is used by reference. A custom task wraps
/// another one and forwards to it:
///
/// ```
/// use rsyscall::far::FdTable;
/// use rsyscall::task::FileDescriptorTask;
/// use rsyscall::{Current, EventfdFlags, EventfdTask, near};
///
/// /// The same task, with a name.
/// #[derive(Clone, Copy)]
/// struct Named<T>(T, &'static str);
///
/// // SAFETY: the interface and the table are those of a task that fulfils the contract, and so does each copy of it.
/// unsafe impl<T: FileDescriptorTask> FileDescriptorTask for Named<T> {
///     type Interface = T::Interface;
///     type Error = T::Error;
///     fn sysif(&self) -> &T::Interface {
///         self.0.sysif()
///     }
///     fn fd_table(&self) -> FdTable {
///         self.0.fd_table()
///     }
///     unsafe fn unclosed(&self, fd: near::FileDescriptor, doubtful: bool) {
///         // SAFETY: the same table; the rest is guaranteed by the caller.
///         unsafe { self.0.unclosed(fd, doubtful) }
///     }
/// }
///
/// let bell = Named(Current, "main").eventfd(1, EventfdFlags::empty())?;
/// assert_eq!(bell.move_to(Current).unwrap().read()?, 1);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Safety
///
/// Safe code relies on an implementation to use and close file descriptors. From the first use of a task until its last
/// copy is dropped (a copy lives in every handle, in what [`OwnedFd::for_task`] lends, and in the handle's drop), it
/// and all of its copies, made by `Copy` or by `Clone`:
///
/// * return the same [`fd_table`](Self::fd_table) each time, in every thread.
/// * return interfaces that make calls in processes which use exactly that descriptor table: a file descriptor that is
///   open in a table is the same open file for every task with that table, and for no task with another.
///   [`FdTable::CURRENT`] is the table of this process. [`OwnedFd::move_to`], [`OwnedFd::for_task`], [`Token::attach`],
///   [`OwnedFd::dup3`], [`UnclosedList::reap`], [`Epoll`], [`PollSet`] and the calls that pass file descriptors to a
///   child compare only tables;
/// * return interfaces that close a file descriptor only on request. If the interface is a [`Connection`], return the
///   same one each time: [`Pipeline`] compares its address. It relies on this: a file descriptor that is owned by a
///   task with that connection and a table other than [`FdTable::CURRENT`] is closed only through that connection.
///
/// [`unclosed`](Self::unclosed) neither uses nor closes a file descriptor whose close may have been made, since the
/// file descriptor may be reused by another owner, and closes any other at most once.
///
/// [`OwnedFd::for_task`]: crate::fd::OwnedFd::for_task
/// [`OwnedFd::move_to`]: crate::fd::OwnedFd::move_to
/// [`OwnedFd::dup3`]: crate::fd::OwnedFd::dup3
/// [`Token::attach`]: crate::fd::Token::attach
/// [`UnclosedList::reap`]: crate::fd::UnclosedList::reap
/// [`Epoll`]: crate::sys::epoll::Epoll
/// [`PollSet`]: crate::sys::poll::PollSet
/// [`Connection`]: crate::remote::Connection
/// [`Pipeline`]: crate::remote::Pipeline
pub unsafe trait FileDescriptorTask: Copy {
    /// The interface to the task's process.
    type Interface: SyscallInterface<Error = Self::Error>;
    /// The error type of its calls: an [`Errno`] for this process, a [`sysif::Error`](crate::sysif::Error) for others.
    type Error: SyscallError;

    /// Returns the interface to the task's process.
    fn sysif(&self) -> &Self::Interface;

    /// Returns the identity of the task's file descriptor table.
    fn fd_table(&self) -> FdTable;

    /// Handles a file descriptor that the task's interface could not close any more. If `doubtful`, the close may have
    /// been made.
    ///
    /// The default does nothing, which is correct if the table belongs to the task's process alone: it is freed with
    /// the process.
    ///
    /// # Safety
    ///
    /// The file descriptor was owned in the task's table until that close, and its owner was dropped.
    #[inline]
    unsafe fn unclosed(&self, fd: near::FileDescriptor, doubtful: bool) {
        let _ = (fd, doubtful);
    }
}

/// A file descriptor and a task have different tables: in the task's table, the file descriptor is not open, or belongs
/// to another owner.
///
/// Only the identities of the tables are compared, without a system call, so this never equals an [`Errno`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "FDTableMismatchError")]
pub struct FdTableMismatch {
    /// The task's table.
    pub task: FdTable,
    /// The file descriptor's table.
    pub descriptor: FdTable,
}

impl FdTableMismatch {
    pub(crate) fn check(task: FdTable, descriptor: FdTable) -> Result<(), Self> {
        if task == descriptor { Ok(()) } else { Err(Self { task, descriptor }) }
    }
}

impl fmt::Display for FdTableMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file descriptor is not in the task's table")
    }
}

impl core::error::Error for FdTableMismatch {}

/// Always `false`: no system call was made.
impl PartialEq<Errno> for FdTableMismatch {
    fn eq(&self, _: &Errno) -> bool {
        false
    }
}

impl<T> From<ErrorWith<T, Self>> for FdTableMismatch {
    fn from(error: ErrorWith<T, Self>) -> Self {
        error.into_error()
    }
}

/// The current process, as a zero-sized task.
///
/// ```
/// use rsyscall::task::{Current, FileDescriptorTask};
/// use rsyscall::{EventfdFlags, EventfdTask, far::FdTable};
///
/// assert_eq!(Current.fd_table(), FdTable::CURRENT);
/// assert_eq!(Current.eventfd(7, EventfdFlags::empty())?.read()?, 7);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Current;

impl Current {
    /// Terminates the process with all its threads. Its parent gets the lowest eight bits of `status`.
    ///
    /// Destructors do not run.
    ///
    /// System calls: `exit_group`.
    ///
    /// ```no_run
    /// rsyscall::Current.exit(0)
    /// ```
    ///
    /// # Source
    ///
    /// [exit_group(2)](https://man7.org/linux/man-pages/man2/exit_group.2.html).
    #[inline(always)]
    #[doc(alias = "exit_group")]
    pub fn exit(self, status: i32) -> ! {
        loop {
            // SAFETY: as with `core::mem::forget` and `std::process::exit`, no safe code may rely on a destructor to
            // run. The call returns only if a seccomp filter refuses it: then it is repeated.
            let _refused = unsafe { near::exit_group(&Local, status) };
        }
    }
}

// SAFETY: every copy is this process, whose table is `FdTable::CURRENT` from its start to its end.
unsafe impl FileDescriptorTask for Current {
    type Interface = Local;
    type Error = Errno;

    #[inline(always)]
    fn sysif(&self) -> &Local {
        &Local
    }

    #[inline(always)]
    fn fd_table(&self) -> FdTable {
        FdTable::CURRENT
    }
}

/// An interface to a process, and the identities of its table, address space and pid namespace.
///
/// The creator of the task provides them; the kernel is never queried.
///
/// ```
/// use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventfdFlags, EventfdTask, Task, near};
///
/// let pid = near::Process(std::process::id() as i32);
/// // SAFETY: `Local` is this process, and these are its tables.
/// let task = unsafe { Task::new(Local, pid, FdTable::CURRENT, AddressSpace::CURRENT, PidNamespace::CURRENT) };
/// let fd = task.eventfd(1, EventfdFlags::SEMAPHORE)?;
/// assert_eq!(fd.read()?, 1);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug)]
pub struct Task<S> {
    pub(crate) sysif: S,
    process: near::Process,
    pub(crate) fd_table: FdTable,
    address_space: AddressSpace,
    pidns: PidNamespace,
}

impl<S: SyscallInterface> Task<S> {
    /// Creates a task from its interface and the identities of its process.
    ///
    /// # Safety
    ///
    /// The process behind the interface has this table, this address space and this pid namespace, and keeps them for
    /// as long as the task is used: handles move between tasks of equal tables.
    #[inline]
    pub const unsafe fn new(
        sysif: S,
        process: near::Process,
        fd_table: FdTable,
        address_space: AddressSpace,
        pidns: PidNamespace,
    ) -> Self {
        Self { sysif, process, fd_table, address_space, pidns }
    }

    /// Returns the interface to the process.
    #[inline]
    pub const fn sysif(&self) -> &S {
        &self.sysif
    }

    /// Returns the pid of the process in its [pid namespace](Self::pidns).
    #[inline]
    #[doc(alias = "near_process")]
    pub const fn process(&self) -> near::Process {
        self.process
    }

    /// Returns the identity of the process's file descriptor table.
    #[inline]
    pub const fn fd_table(&self) -> FdTable {
        self.fd_table
    }

    /// Returns the identity of the process's address space.
    #[inline]
    pub const fn address_space(&self) -> AddressSpace {
        self.address_space
    }

    /// Returns the identity of the process's pid namespace.
    #[inline]
    pub const fn pidns(&self) -> PidNamespace {
        self.pidns
    }
}

// SAFETY: every copy is a reference to one task, and while it is borrowed neither its interface nor its table changes;
// that the process has that table is guaranteed by the caller of `Task::new`.
unsafe impl<S: SyscallInterface> FileDescriptorTask for &Task<S> {
    type Interface = S;
    type Error = S::Error;

    #[inline(always)]
    fn sysif(&self) -> &S {
        &self.sysif
    }

    #[inline(always)]
    fn fd_table(&self) -> FdTable {
        self.fd_table
    }

    /// Closes the file descriptor locally if the table is that of this process.
    #[inline]
    unsafe fn unclosed(&self, fd: near::FileDescriptor, doubtful: bool) {
        if self.fd_table == FdTable::CURRENT && !doubtful {
            // Ignored, as in any drop.
            // SAFETY: open in this process's table, and without an owner now.
            let _ignored = unsafe { near::close(&Local, fd) };
        }
    }
}

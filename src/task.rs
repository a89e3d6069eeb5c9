//! Whose process, which tables.
//!
//! A task is an interface to a process together with what is known of that process. A handle is a file descriptor
//! together with its task, which says in which table it is looked up.

use crate::Errno;
use crate::far::{AddressSpace, FdTable, PidNamespace};
use crate::near;
use crate::sysif::{ErrorWith, Local, SyscallError, SyscallInterface};
use core::fmt;

/// A task through which file descriptors are created and used.
///
/// It is copied into every handle: [`Current`] has no size, any other task is used by reference. A task of one's own
/// wraps another and forwards to it:
///
/// ```
/// use rsyscall::far::FdTable;
/// use rsyscall::task::FileDescriptorTask;
/// use rsyscall::{Current, EventfdFlags, EventfdTask, near};
///
/// /// The same task, under a name of its own.
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
///         // SAFETY: the same table, and the caller's promise.
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
/// Safe code uses and closes file descriptors on the word of an implementation. From the moment when a task is first
/// used until its last copy is gone (a copy lives in every handle, in what [`OwnedFd::for_task`] lends, and in the
/// handle's drop), it and all of its copies, made by `Copy` or by `Clone`:
///
/// * return the same [`fd_table`](Self::fd_table) each time, in whichever thread they are asked;
/// * return interfaces that carry calls to processes which use exactly that descriptor table: a file descriptor that is
///   open in a table is the same open file to every task that names the table, and to no task that names another.
///   [`FdTable::CURRENT`] is the table of this process. [`OwnedFd::move_to`], [`OwnedFd::for_task`],
///   [`Token::attach`], [`OwnedFd::dup3`], [`UnclosedList::reap`], [`Epoll`], [`PollSet`] and the calls that give a
///   child its descriptors compare nothing but tables;
/// * return interfaces that close a file descriptor only when they are asked to, and where the interface is a
///   [`Connection`] one and the same: [`Pipeline`] recognises it by its address, and relies on it that what a task with
///   that interface and a table other than [`FdTable::CURRENT`] owns is closed through that connection alone.
///
/// [`unclosed`](Self::unclosed) neither uses nor closes a file descriptor whose close is in doubt, since it may belong
/// to another owner by then, and closes any other at most once.
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
    /// How its calls fail.
    type Error: SyscallError;

    /// Returns the interface to the task's process.
    fn sysif(&self) -> &Self::Interface;

    /// Returns the table that the task's file descriptors are in.
    fn fd_table(&self) -> FdTable;

    /// Takes a file descriptor whose `close` the task's interface no longer carried. If `doubtful`, the close may have
    /// been made after all.
    ///
    /// The default does nothing, which is right where the table is the task's alone: the table ends with its process.
    ///
    /// # Safety
    ///
    /// The file descriptor was owned in the task's table until that close, and its owner is gone.
    #[inline]
    unsafe fn unclosed(&self, fd: near::FileDescriptor, doubtful: bool) {
        let _ = (fd, doubtful);
    }
}

/// A file descriptor and a task have different tables: in the task's, the number is not open, or another owner's.
///
/// The identities are compared, without a system call; so it never equals an [`Errno`].
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

/// Never equal: no system call was made.
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

/// The process that this code runs in, with no size and nothing to set up.
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
    /// Ends the process, every thread of it. Its parent sees the lowest eight bits of `status`.
    ///
    /// Destructors do not run. System calls: `exit_group`.
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
            // run. It comes back only where a seccomp policy refuses it: then there is nothing better than to ask
            // again.
            let _refused = unsafe { near::exit_group(&Local, status) };
        }
    }
}

// SAFETY: every copy is this process, whose table is `FdTable::CURRENT` from its beginning to its end.
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

/// An interface to a process and what is known of the process.
///
/// The table, the address space and the pid namespace are those that the creator of the process knows it to have; the
/// kernel is never asked.
///
/// ```
/// use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventfdFlags, EventfdTask, Task, near};
///
/// let me = near::Process(std::process::id() as i32);
/// // SAFETY: `Local` is this process, and these are its tables.
/// let task = unsafe { Task::new(Local, me, FdTable::CURRENT, AddressSpace::CURRENT, PidNamespace::CURRENT) };
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
    /// Creates a task from its parts.
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

    /// Returns the pid of the process, as its own pid namespace has it.
    #[inline]
    #[doc(alias = "near_process")]
    pub const fn process(&self) -> near::Process {
        self.process
    }

    /// Returns the file descriptor table.
    #[inline]
    pub const fn fd_table(&self) -> FdTable {
        self.fd_table
    }

    /// Returns the address space.
    #[inline]
    pub const fn address_space(&self) -> AddressSpace {
        self.address_space
    }

    /// Returns the pid namespace.
    #[inline]
    pub const fn pidns(&self) -> PidNamespace {
        self.pidns
    }
}

// SAFETY: every copy is a reference to one task, and while it is borrowed neither its interface nor its table changes;
// that the process has that table is what the caller of `Task::new` vouched for.
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

    /// This process closes what is also in its own table.
    #[inline]
    unsafe fn unclosed(&self, fd: near::FileDescriptor, doubtful: bool) {
        if self.fd_table == FdTable::CURRENT && !doubtful {
            // Ignored, as in any drop.
            // SAFETY: open in this process's table, and without an owner now.
            let _ignored = unsafe { near::close(&Local, fd) };
        }
    }
}

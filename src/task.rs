//! Whose process, which tables.
//!
//! A task is an interface to a process together with what is known of that process. A handle is a number together with its
//! task: that is what makes a number mean something.
//!
//! Uses [`sysif`](crate::sysif), [`near`] and [`far`](crate::far).

use crate::far::{AddressSpace, FdTable, PidNamespace};
use crate::near;
use crate::sysif::{Local, SyscallError, SyscallInterface};
use core::fmt;

/// A task through which descriptors are made and used.
///
/// It is copied into every handle: [`Current`] has no size, any other task is used by reference.
pub trait FileDescriptorTask: Copy {
    /// The interface to the task's process.
    type Interface: SyscallInterface<Error = Self::Error>;
    /// How its calls fail.
    type Error: SyscallError;

    /// The interface to the task's process.
    fn sysif(&self) -> &Self::Interface;

    /// The table that the task's descriptors are in.
    fn fd_table(&self) -> FdTable;

    /// Told of a number whose close the task's interface no longer carried; if `doubtful`, the close may have been made after
    /// all. Where the table is the task's alone nothing is to be done: it ends with its process.
    ///
    /// # Safety
    ///
    /// The number was owned in the task's table until that close, and its owner is gone.
    #[inline]
    unsafe fn unclosed(&self, fd: near::FileDescriptor, doubtful: bool) {
        let _ = (fd, doubtful);
    }
}

/// A descriptor and a task have different tables: there the number is nothing, or a stranger's.
///
/// It is found by comparing identities, without a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "FDTableMismatchError")]
pub struct FdTableMismatch {
    /// The task's table.
    pub task: FdTable,
    /// The descriptor's table.
    pub descriptor: FdTable,
}

impl FdTableMismatch {
    pub(crate) fn check(task: FdTable, descriptor: FdTable) -> Result<(), Self> {
        if task == descriptor { Ok(()) } else { Err(Self { task, descriptor }) }
    }
}

impl fmt::Display for FdTableMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the descriptor is not in the task's table")
    }
}

impl core::error::Error for FdTableMismatch {}

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
    /// Ends the process, every thread of it. The lowest eight bits of `status` are what its parent is told.
    ///
    /// Destructors do not run. System calls: `exit_group`.
    ///
    /// ```no_run
    /// rsyscall::Current.exit(0)
    /// ```
    ///
    /// Source: [exit_group(2)](https://man7.org/linux/man-pages/man2/exit_group.2.html).
    #[inline(always)]
    #[doc(alias = "exit_group")]
    pub fn exit(self, status: i32) -> ! {
        loop {
            // SAFETY: as with `core::mem::forget` and `std::process::exit`, no safe code may rely on a destructor to run.
            // It comes back only where a seccomp policy refuses it: then there is nothing better than to ask again.
            let _refused = unsafe { near::exit_group(&Local, status) };
        }
    }
}

impl FileDescriptorTask for Current {
    type Interface = Local;
    type Error = crate::Errno;

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
/// The tables and namespaces are what we believe: we made the process, and we update them when it changes. They are never
/// read back.
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
    /// A task from its parts.
    ///
    /// # Safety
    ///
    /// The process behind the interface has this table, this address space and this pid namespace, and keeps them for as
    /// long as the task is used: handles move between tasks of equal tables.
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

    /// The interface to the process.
    #[inline]
    pub const fn sysif(&self) -> &S {
        &self.sysif
    }

    /// The process, as its pid namespace numbers it.
    #[inline]
    #[doc(alias = "near_process")]
    pub const fn process(&self) -> near::Process {
        self.process
    }

    /// The descriptor table.
    #[inline]
    pub const fn fd_table(&self) -> FdTable {
        self.fd_table
    }

    /// The address space.
    #[inline]
    pub const fn address_space(&self) -> AddressSpace {
        self.address_space
    }

    /// The pid namespace.
    #[inline]
    pub const fn pidns(&self) -> PidNamespace {
        self.pidns
    }
}

impl<S: SyscallInterface> FileDescriptorTask for &Task<S> {
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
            // SAFETY: open in this process's table, and nobody owns it any more.
            let _ignored = unsafe { near::close(&Local, fd) };
        }
    }
}

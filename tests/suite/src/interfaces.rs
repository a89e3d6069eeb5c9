//! An interface that stands between a case and its task, so that a case of one thread can be interrupted and overtaken.

use rsyscall::far::FdTable;
use rsyscall::sysif::{Arg, Features, SyscallInterface};
use rsyscall::task::FileDescriptorTask;
use rsyscall::{Errno, EventfdTask};

/// A task behind another interface: a function receives the number of each system call before the call is made.
#[derive(Clone, Copy)]
pub(crate) struct Through<'a, T> {
    pub(crate) task: T,
    /// Runs before a call; `Some` is the result, and the call is not made.
    pub(crate) before: &'a dyn Fn(usize) -> Option<Errno>,
    pub(crate) known: Option<&'a Features>,
}

// SAFETY: the table is the task's, and so is the process that the calls go to; copies share them.
unsafe impl<T: EventfdTask> FileDescriptorTask for Through<'_, T> {
    type Interface = Self;
    type Error = T::Error;

    fn sysif(&self) -> &Self {
        self
    }

    fn fd_table(&self) -> FdTable {
        self.task.fd_table()
    }
}

// SAFETY: calls are made unchanged by the task's own interface, or fail as a kernel may let them fail.
unsafe impl<T: EventfdTask> SyscallInterface for Through<'_, T> {
    type Error = T::Error;

    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, T::Error> {
        match (self.before)(nr) {
            Some(errno) => Err(errno.into()),
            // SAFETY: passed on unchanged.
            None => unsafe { self.task.sysif().syscall(nr, args) },
        }
    }

    fn features(&self) -> Option<&Features> {
        self.known
    }
}

/// Counts down; returns whether the count was above 0.
pub(crate) fn one_less(left: &core::cell::Cell<u32>) -> bool {
    let less = left.get().checked_sub(1);
    left.set(less.unwrap_or(0));
    less.is_some()
}

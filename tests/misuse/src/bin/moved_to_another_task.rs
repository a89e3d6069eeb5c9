//! A descriptor of some task is not one of the current process: there the same file descriptor may be another file.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::sysif::Local;
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask, Task, near};

fn ring(bell: &EventFd<Current>) -> Result<(), Errno> {
    bell.write(1)
}

fn main() -> Result<(), Errno> {
    let (table, space, pids) = (FdTable::new(), AddressSpace::new(), PidNamespace::new());
    // SAFETY: never run.
    let task = unsafe { Task::new(Local, near::Process(1), table, space, pids) };
    #[cfg(not(fixed))]
    let bell = EventfdTask::eventfd(&task, 0, EventfdFlags::empty())?;
    #[cfg(fixed)]
    let bell = Current.eventfd(0, EventfdFlags::empty())?;
    let _ = &task;
    ring(&bell) //~ error[E0308]
}

//! A descriptor cannot outlive the task through which it is closed.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::sysif::Local;
use rsyscall::{Errno, EventfdFlags, EventfdTask, Task, near};

fn task() -> Task<Local> {
    // SAFETY: `Local` is this process, and these are its tables.
    unsafe { Task::new(Local, near::Process(1), FdTable::CURRENT, AddressSpace::CURRENT, PidNamespace::CURRENT) }
}

fn main() -> Result<(), Errno> {
    #[cfg(fixed)]
    let task = task();
    let bell = {
        #[cfg(not(fixed))]
        let task = task();
        EventfdTask::eventfd(&task, 0, EventfdFlags::empty())? //~ error[E0597]
    };
    bell.write(1)
}

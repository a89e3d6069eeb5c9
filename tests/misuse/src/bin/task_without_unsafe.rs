//! Declaring the tables of a process requires a promise.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::sysif::Local;
use rsyscall::{Task, near};

fn main() {
    let (me, table, space, pids) = (near::Process(1), FdTable::CURRENT, AddressSpace::CURRENT, PidNamespace::CURRENT);
    #[cfg(not(fixed))]
    let task = Task::new(Local, me, table, space, pids); //~ error[E0133]
    #[cfg(fixed)]
    // SAFETY: `Local` is this process, and these are its tables.
    let task = unsafe { Task::new(Local, me, table, space, pids) };
    drop(task);
}

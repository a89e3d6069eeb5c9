//! Handles move between tasks that name the same table, so declaring the table of a task requires a promise.

use rsyscall::far::FdTable;
use rsyscall::sysif::Local;
use rsyscall::task::FileDescriptorTask;
use rsyscall::{Current, Errno, EventFd, EventfdFlags};

#[derive(Clone, Copy)]
struct Wrapped;

#[cfg(not(fixed))]
impl FileDescriptorTask for Wrapped {
    //~^ error[E0200]
    type Interface = Local;
    type Error = Errno;
    fn sysif(&self) -> &Local {
        &Local
    }
    fn fd_table(&self) -> FdTable {
        FdTable::CURRENT
    }
}

#[cfg(fixed)]
// SAFETY: `Local` is this process, and this is its table.
unsafe impl FileDescriptorTask for Wrapped {
    type Interface = Local;
    type Error = Errno;
    fn sysif(&self) -> &Local {
        &Local
    }
    fn fd_table(&self) -> FdTable {
        FdTable::CURRENT
    }
}

fn main() {
    let bell = EventFd::new(1, EventfdFlags::empty()).unwrap();
    assert!(bell.for_task(Wrapped).is_ok() && bell.for_task(Current).is_ok());
}

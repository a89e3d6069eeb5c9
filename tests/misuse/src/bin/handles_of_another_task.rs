//! Which types have descriptors of a task is this crate's promise: those of std have them of the current process, and
//! no task of one's own can say that they have them of it.

use rsyscall::far::FdTable;
use rsyscall::sys::pollable::{OwnHandles, PollTask};
use rsyscall::task::FileDescriptorTask;
use rsyscall::{Current, Errno, sysif::Local};

#[derive(Clone, Copy)]
struct Mine;

// SAFETY: `Local` is this process, and this is its table.
unsafe impl FileDescriptorTask for Mine {
    type Interface = Local;
    type Error = Errno;
    fn sysif(&self) -> &Local {
        &Local
    }
    fn fd_table(&self) -> FdTable {
        Current.fd_table()
    }
}

impl PollTask for Mine {
    #[cfg(not(fixed))]
    type Handles = rsyscall::sys::pollable::CurrentHandles; //~ error[E0277]
    #[cfg(fixed)]
    type Handles = OwnHandles;
}

fn main() {
    let _used = core::any::type_name::<OwnHandles>();
}

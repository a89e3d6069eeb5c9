//! An interface that threads cannot share keeps its descriptors in one thread.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::sysif::{Arg, Local, SyscallInterface};
use rsyscall::{Errno, EventfdFlags, EventfdTask, Task, near};

#[cfg(not(fixed))]
type Count = std::cell::Cell<usize>;
#[cfg(fixed)]
type Count = std::sync::atomic::AtomicUsize;

struct Counting(#[allow(dead_code)] Count);

// SAFETY: every call is made, unchanged, by `Local`.
unsafe impl SyscallInterface for Counting {
    type Error = Errno;
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
        // SAFETY: passed on unchanged.
        unsafe { Local.syscall(nr, args) }
    }
}

fn main() -> Result<(), Errno> {
    let me = near::Process(1);
    // SAFETY: `Counting` is this process, and these are its tables.
    let task = unsafe {
        Task::new(Counting(Count::new(0)), me, FdTable::CURRENT, AddressSpace::CURRENT, PidNamespace::CURRENT)
    };
    let bell = task.eventfd(0, EventfdFlags::empty())?;
    std::thread::scope(|scope| {
        scope.spawn(|| bell.write(1)); //~ error[E0277]
    });
    Ok(())
}

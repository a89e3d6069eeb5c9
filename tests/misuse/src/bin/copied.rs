//! An owned descriptor is not `Copy`.

use rsyscall::{Errno, EventFd, EventfdFlags};

fn twice<V: Copy>(value: V) -> [V; 2] {
    [value, value]
}

fn main() -> Result<(), Errno> {
    let bell = EventFd::new(0, EventfdFlags::empty())?;
    #[cfg(not(fixed))]
    let _both: [EventFd; 2] = twice(bell); //~ error[E0277]
    #[cfg(fixed)]
    let _both: [rsyscall::near::FileDescriptor; 2] = twice(bell.near());
    Ok(())
}

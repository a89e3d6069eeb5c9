//! The guard of blocked signals must be used: dropped at once, it unblocks them.
#![deny(unused_must_use)]

use rsyscall::sys::signal::{SignalSet, SignalTask};
use rsyscall::{Current, Errno};

fn main() -> Result<(), Errno> {
    #[cfg(not(fixed))]
    Current.block_signals(SignalSet::ALL)?; //~ error: unused `Blocked` that must be used
    #[cfg(fixed)]
    let _blocked = Current.block_signals(SignalSet::ALL)?;
    Ok(())
}

//! Signals that are unblocked at once were not meant to be blocked.
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

//! A signal mask belongs to the thread that changed it.

use rsyscall::sys::signal::{SignalSet, SignalTask};
use rsyscall::{Current, Errno};

fn main() -> Result<(), Errno> {
    let blocked = Current.block_signals(SignalSet::EMPTY)?;
    #[cfg(not(fixed))]
    std::thread::spawn(move || drop(blocked)); //~ error[E0277]
    #[cfg(fixed)]
    drop(blocked);
    Ok(())
}

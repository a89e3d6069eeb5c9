//! The alternatives. Each peer does an operation as its own user would write it, with the fewest checks of a careful
//! user, and returns its own error.

#[macro_use]
mod instruction;

pub mod asm;
pub mod bare;
pub mod futex;
pub mod libc;
pub mod mio;
pub mod nix;
pub mod pipe;
pub mod polling;
pub mod rsyscall;
pub mod rustix;
pub mod sc;
pub mod sets;
pub mod syscalls;
pub mod vmm;

use std::fmt::Debug;
use std::time::Duration;

pub trait Peer: Sized {
    /// Its name in the tables.
    const NAME: &'static str;
    type Error: Debug;
}

// The kernel's values, the same for all architectures here.
pub const SEMAPHORE: u32 = 1;
pub const NONBLOCK: u32 = 0o4000;
const CLOEXEC: u32 = 0o2000000;

/// A count that some add to and others take. `make` adds `CLOEXEC`; it is closed on drop.
pub trait Counter: Peer + Send + Sync {
    fn make(initval: u32, flags: u32) -> Result<Self, Self::Error>;
    fn write(&self, value: u64) -> Result<(), Self::Error>;
    fn read(&self) -> Result<u64, Self::Error>;
}

/// Reads one that was created with `NONBLOCK`.
pub trait NonBlocking: Counter {
    fn read_or_none(&self) -> Result<Option<u64>, Self::Error>;
}

/// Reads without waiting one that was created without `NONBLOCK`, and stays so.
pub trait TryRead: Counter {
    fn try_read(&self) -> Result<Option<u64>, Self::Error>;
}

/// Reads one that was created without `NONBLOCK`, and waits with a timeout.
pub trait Timeout: Counter {
    fn wait_timeout(&self, timeout: Duration) -> Result<Option<u64>, Self::Error>;
}

/// A second descriptor for the same count.
pub trait Duplicate: Counter {
    fn duplicate(&self) -> Result<Self, Self::Error>;
}

/// One thread waits, another wakes it.
pub trait Bell: Peer + Send + Sync {
    /// The part of the waiting thread.
    type Waiter: Send;
    fn make() -> Result<(Self, Self::Waiter), Self::Error>;
    fn ring(&self) -> Result<(), Self::Error>;
    fn wait(&self, waiter: &mut Self::Waiter) -> Result<(), Self::Error>;
}

/// One thread waits for any of many counters.
pub trait Set: Peer {
    fn make(count: usize) -> Result<Self, Self::Error>;
    fn write(&self, which: usize) -> Result<(), Self::Error>;
    /// Waits for one, reads it, and returns which it was.
    fn wait(&mut self) -> Result<usize, Self::Error>;
}

impl<C: Counter> Bell for C {
    type Waiter = ();

    fn make() -> Result<(Self, ()), C::Error> {
        Ok((C::make(0, 0)?, ()))
    }

    #[inline(always)]
    fn ring(&self) -> Result<(), C::Error> {
        self.write(1)
    }

    #[inline(always)]
    fn wait(&self, (): &mut ()) -> Result<(), C::Error> {
        self.read().map(drop)
    }
}

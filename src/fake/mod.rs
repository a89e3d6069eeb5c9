//! A kernel to test against: eventfds and what belongs to them, in memory, with faults on demand.
//!
//! A [`Kernel`] answers system calls as Linux does, without Linux: a descriptor table with limits, counters, flags,
//! duplicates, polls, a clock. Code that is written for any task can be tested on what is hard to come by otherwise: a
//! full table, an interrupted call, an old kernel, an answer that is too short. It needs no std, allocates nothing, and
//! any number of kernels live side by side.
//!
//! Code under test is generic over its task:
//!
//! ```
//! use rsyscall::fake::{Blocked, Fault, Kernel, Storage, Wake, nr};
//! use rsyscall::{Errno, EventfdFlags, EventfdTask, near};
//!
//! /// Waits for a ring of a new bell.
//! fn rung<T: EventfdTask>(task: T) -> Result<u64, T::Error> {
//!     let bell = task.eventfd(0, EventfdFlags::empty())?;
//!     bell.wait()
//! }
//!
//! // Somebody rings while the code sleeps.
//! let ring = |kernel: &Kernel<'_>, blocked: Blocked| {
//!     let bell = blocked.fd().unwrap();
//!     // SAFETY: the number is open: somebody sleeps on it.
//!     unsafe { near::write(kernel, bell, &1_u64.to_ne_bytes()) }.unwrap();
//!     Wake::Retry
//! };
//! let mut storage = Storage::<4>::new();
//! let task = Kernel::new(&mut storage).with_on_block(&ring).into_task();
//! let kernel = task.sysif();
//!
//! assert_eq!(rung(&task), Ok(1));
//!
//! // A signal handler runs while it sleeps: `wait` tries again, and nothing is lost.
//! kernel.inject(Fault::error(Errno::EINTR).of(nr::READ))?;
//! kernel.forget_calls();
//! assert_eq!(rung(&task), Ok(1));
//! let calls: Vec<String> = kernel.calls().map(|call| call.to_string()).collect();
//! assert_eq!(calls, [
//!     "eventfd2(0, 0x80000) = 0",
//!     "read(0, [8 bytes], 8) = -1 EINTR",
//!     "read(0, [8 bytes], 8) = 8", // it slept, and meanwhile:
//!     "write(0, [8 bytes], 8) = 8",
//!     "close(0) = 0",
//! ]);
//!
//! // The table is full, and nothing is left open.
//! kernel.set_limit(0);
//! assert_eq!(rung(&task), Err(Errno::EMFILE));
//! assert_eq!(kernel.descriptors().count(), 0);
//! # Ok::<(), Errno>(())
//! ```
//!
//! # What it knows
//!
//! `eventfd2`, `read`, `write`, `readv`, `preadv2`, `pread64`, `pwrite64`, `pwritev2` and `lseek` (of which an eventfd
//! has nothing), `close`, `dup`, `dup2` (x86_64), `dup3`, `fcntl` (`F_DUPFD`, `F_DUPFD_CLOEXEC`, `F_GETFD`, `F_SETFD`,
//! `F_GETFL`, `F_SETFL`), `ioctl` (`FIONBIO`, `FIOCLEX`, `FIONCLEX`), `ppoll`, `epoll_create1`, `epoll_ctl`,
//! `epoll_pwait`, `clock_gettime` (the monotonic clocks), `prlimit64` (`RLIMIT_NOFILE`), `uname`. Anything else is
//! `ENOSYS`. The errors and their order are those of Linux 6.18; with [`with_version`](Kernel::with_version), those of
//! an older one.
//!
//! It has one process, process 1, whose children are what a test says of them ([`add_child`](Kernel::add_child)), and
//! no threads: a call that would sleep asks the test what happens meanwhile ([`with_on_block`](Kernel::with_on_block)).
//!
//! # Memory
//!
//! A fake kernel reaches only memory that an [`Arg`](crate::sysif::Arg) names, and only to its end, whatever length
//! another register claims: what lies behind is not mapped, and touching it is `EFAULT`. So is a
//! [`Word`](crate::sysif::Arg::Word) where an address is expected, after the checks that the real kernel makes before
//! it touches the address.

mod calls;
mod clock;
mod counter;
mod epoll;
mod fault;
mod fcntl;
mod io;
mod log;
mod memory;
mod poll;
mod processes;
mod ready;
mod sleep;
mod storage;
mod table;
mod uname;
mod watch;

pub use fault::Fault;
pub use log::{Call, Register};
pub use sleep::{Blocked, OnBlock, Wake};
pub use storage::Storage;

/// System call numbers, as [`Fault::of`] and [`Call::nr`] have them.
#[doc(no_inline)]
pub use crate::nr;

use crate::Errno;
use crate::far::{AddressSpace, FdTable, PidNamespace};
use crate::near::{FileDescriptor, Process};
use crate::sysif::Features;
use crate::task::Task;
use core::cell::Cell;
use core::fmt;
use core::time::Duration;
use fault::Faults;
use log::Log;
use processes::Processes;
use table::{Kind, Table, number};

/// A kernel with one process, in memory that the caller gives. The [module](self) says how it is used.
///
/// It belongs to one thread.
pub struct Kernel<'a> {
    table: Table<'a>,
    log: Log<'a>,
    faults: Faults,
    on_block: Cell<Option<OnBlock<'a>>>,
    blocked: Cell<Option<Blocked>>,
    version: (u16, u16),
    clock: Cell<Duration>,
    call_time: Duration,
    /// How often something was added to an epoll or became ready in one: the order in which epoll reports.
    edges: Cell<u64>,
    known: Features,
    processes: Processes,
}

impl<'a> Kernel<'a> {
    /// A kernel in which nothing is open and nothing has happened. What the storage held before is forgotten.
    pub fn new<const NUMBERS: usize, const DESCRIPTIONS: usize, const CALLS: usize, const WATCHES: usize>(
        storage: &'a mut Storage<NUMBERS, DESCRIPTIONS, CALLS, WATCHES>,
    ) -> Self {
        Self {
            table: Table::new(&storage.slots, &storage.descriptions, &storage.watches),
            log: Log::new(&storage.calls),
            faults: Faults::default(),
            on_block: Cell::new(None),
            blocked: Cell::new(None),
            version: (6, 18),
            clock: Cell::new(Duration::ZERO),
            call_time: Duration::ZERO,
            edges: Cell::new(0),
            known: Features::new(),
            processes: Processes::new(),
        }
    }

    /// A kernel that behaves as this version of Linux. It matters at 5.8 (`RWF_NOWAIT` for eventfds), 6.0 (`lseek`) and
    /// 6.9 (a `write` is exactly eight bytes long, no longer at least); without it, it is 6.18.
    ///
    /// ```
    /// use rsyscall::fake::{Kernel, Storage};
    /// use rsyscall::{EventfdFlags, EventfdTask};
    ///
    /// let mut storage = <Storage>::new();
    /// let old = Kernel::new(&mut storage).with_version(5, 4).into_task();
    /// let bell = old.eventfd(1, EventfdFlags::empty())?;
    /// assert_eq!(bell.try_read()?, Some(1)); // in another way
    /// assert!(old.sysif().calls().any(|call| call.to_string().starts_with("ppoll")));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[must_use]
    pub fn with_version(self, major: u16, minor: u16) -> Self {
        Self { version: (major, minor), ..self }
    }

    /// A kernel that asks what happens while a call sleeps. Without it nothing ever happens ([`Wake::Nothing`]).
    #[must_use]
    pub fn with_on_block(self, on_block: OnBlock<'a>) -> Self {
        self.on_block.set(Some(on_block));
        self
    }

    /// The task of the kernel's one process.
    ///
    /// It is safe, as [`Task::new`] is not, because the kernel and everything in it is new with it: no other task has
    /// its table, and its numbers and addresses mean nothing elsewhere.
    ///
    /// ```
    /// use rsyscall::fake::{Kernel, Storage};
    /// use rsyscall::{EventfdFlags, EventfdTask};
    ///
    /// let mut storage = <Storage>::new();
    /// let task = Kernel::new(&mut storage).into_task();
    /// let bell = task.eventfd(0, EventfdFlags::empty())?;
    /// bell.write(3)?;
    /// assert_eq!(task.sysif().count(bell.near()), Some(3));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    pub fn into_task(self) -> Task<Self> {
        let process = Process(1);
        // SAFETY: the process that the kernel pretends to have has these, and nothing else has: they are new.
        unsafe { Task::new(self, process, FdTable::new(), AddressSpace::new(), PidNamespace::new()) }
    }

    /// Asks for a fault.
    ///
    /// # Errors
    ///
    /// `ENOSPC`: eight are waiting already.
    pub fn inject(&self, fault: Fault) -> Result<(), Errno> {
        self.faults.add(fault)
    }

    /// Takes back all faults that have not happened, and those that happen always.
    pub fn forget_faults(&self) {
        self.faults.clear();
    }

    /// Sets `RLIMIT_NOFILE`, at most the table's size: a number at or above it is not given out. What is open stays
    /// open.
    pub fn set_limit(&self, limit: usize) {
        self.table.set_limit(limit);
    }

    /// The time of its monotonic clock, which starts at 0. It is moved by [`advance`](Self::advance), by a poll that
    /// sleeps until its deadline, and by [`with_call_time`](Self::with_call_time).
    pub fn now(&self) -> Duration {
        self.clock.get()
    }

    /// A kernel in which every call takes so long on its clock. Without it calls take no time: then a
    /// [`wait_timeout`](crate::EventFd::wait_timeout) that is interrupted [always](Fault::always) never ends.
    #[must_use]
    pub fn with_call_time(self, duration: Duration) -> Self {
        Self { call_time: duration, ..self }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.advance_to(self.after(duration));
    }

    /// What the last call that had to sleep waited for.
    ///
    /// ```
    /// use rsyscall::fake::{Blocked, Kernel, Storage};
    /// use rsyscall::{Errno, EventfdFlags, EventfdTask};
    ///
    /// let mut storage = <Storage>::new();
    /// let task = Kernel::new(&mut storage).into_task();
    /// let bell = task.eventfd(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.read(), Err(Errno::EDEADLK)); // nobody is there to wake it
    /// assert_eq!(task.sysif().blocked(), Some(Blocked::Read(bell.near())));
    /// # Ok::<(), Errno>(())
    /// ```
    pub fn blocked(&self) -> Option<Blocked> {
        self.blocked.get()
    }

    /// The last calls, as many as the storage keeps, in the order in which they began.
    pub fn calls(&self) -> impl Iterator<Item = Call> + use<'_, 'a> {
        self.log.calls()
    }

    /// How many calls were made, those included that the storage no longer keeps.
    pub fn calls_made(&self) -> usize {
        self.log.made()
    }

    /// Empties the log.
    pub fn forget_calls(&self) {
        self.log.clear();
    }

    /// The numbers that are open, from the lowest: what a test looks at for a leak.
    pub fn descriptors(&self) -> impl Iterator<Item = FileDescriptor> + 'a {
        self.table.numbers().map(number)
    }

    /// What an eventfd counts; nothing is taken. `None` if the number is no open eventfd.
    pub fn count(&self, fd: FileDescriptor) -> Option<u64> {
        let open = usize::try_from(fd.0).ok().and_then(|number| self.table.open(number).ok());
        match open?.description.kind {
            Kind::Eventfd(counter) => Some(counter.count),
            Kind::Epoll | Kind::Signalfd(_) | Kind::Pidfd(_) => None,
        }
    }

    fn is_at_least(&self, major: u16, minor: u16) -> bool {
        self.version >= (major, minor)
    }
}

impl fmt::Debug for Kernel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("version", &self.version).field("now", &self.now()).finish_non_exhaustive()
    }
}

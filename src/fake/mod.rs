//! For unit tests of code that makes system calls: a kernel in memory, in which the test injects errors and controls
//! the clock, signals and children.
//!
//! A [`Kernel`] implements system calls as Linux does, without Linux: a descriptor table with limits, eventfds, flags,
//! duplicates, polls, signals, children, a clock. It produces what is hard to get otherwise: a full table, an
//! interrupted call, an old kernel, a short read. It needs no std and does not allocate. Kernels are independent of
//! each other.
//!
//! The code under test is generic over its task:
//!
//! ```
//! use rsyscall::fake::{Blocked, Fault, Kernel, Storage, Wake, nr};
//! use rsyscall::{Errno, EventfdFlags, EventfdTask, near};
//!
//! /// Waits for a write to a new eventfd.
//! fn wait_for_write<T: EventfdTask>(task: T) -> Result<u64, T::Error> {
//!     let bell = task.eventfd(0, EventfdFlags::empty())?;
//!     bell.wait()
//! }
//!
//! // Another process writes to the eventfd while the code sleeps.
//! let on_block = |kernel: &Kernel<'_>, blocked: Blocked| {
//!     let bell = blocked.fd().unwrap();
//!     // SAFETY: the file descriptor is open: a call sleeps on it.
//!     unsafe { near::write(kernel, bell, &1_u64.to_ne_bytes()) }.unwrap();
//!     Wake::Retry
//! };
//! let mut storage = Storage::<4>::new();
//! let task = Kernel::new(&mut storage).with_on_block(&on_block).into_task();
//! let kernel = task.sysif();
//!
//! assert_eq!(wait_for_write(&task), Ok(1));
//!
//! // A signal handler interrupts the sleep: `wait` retries, and no write is lost.
//! kernel.inject(Fault::error(Errno::EINTR).of(nr::READ))?;
//! kernel.forget_calls();
//! assert_eq!(wait_for_write(&task), Ok(1));
//! let calls: Vec<String> = kernel.calls().map(|call| call.to_string()).collect();
//! assert_eq!(calls, [
//!     "eventfd2(0, 0x80000) = 0",
//!     "read(0, [8 bytes], 8) = -1 EINTR",
//!     "read(0, [8 bytes], 8) = 8", // it sleeps, and meanwhile:
//!     "write(0, [8 bytes], 8) = 8",
//!     "close(0) = 0",
//! ]);
//!
//! // The table is full, and no file descriptor leaks.
//! kernel.set_limit(0);
//! assert_eq!(wait_for_write(&task), Err(Errno::EMFILE));
//! assert_eq!(kernel.descriptors().count(), 0);
//! # Ok::<(), Errno>(())
//! ```
//!
//! # Supported calls
//!
//! `eventfd2`, `read`, `write`, `readv`, `preadv2`, `pread64`, `pwrite64`, `pwritev2` and `lseek` (which fail, as on an
//! eventfd of Linux), `close`, `dup`, `dup2` (x86_64), `dup3`, `fcntl` (`F_DUPFD`, `F_DUPFD_CLOEXEC`, `F_GETFD`,
//! `F_SETFD`, `F_GETFL`, `F_SETFL`), `ioctl` (`FIONBIO`, `FIOCLEX`, `FIONCLEX`), `ppoll`, `epoll_create1`, `epoll_ctl`,
//! `epoll_pwait`, `clock_gettime` (the monotonic clocks), `prlimit64` (`RLIMIT_NOFILE`), `uname`, `getpid`, `gettid`,
//! `kill`, `tgkill`, `rt_sigaction`, `rt_sigprocmask`, `signalfd4`, `waitid`, `pidfd_open`, `pidfd_send_signal`. Any
//! other call fails with `ENOSYS`. The errors and their order are those of Linux 6.18, or of the version given to
//! [`with_version`](Kernel::with_version).
//!
//! It has one process, process 1, and no threads. The test adds children ([`add_child`](Kernel::add_child)). A call
//! that would sleep asks the test what happens meanwhile ([`with_on_block`](Kernel::with_on_block)).
//!
//! # Memory
//!
//! A fake kernel accesses only memory that an [`Arg`](crate::sysif::Arg) names, and only to its end, whatever length
//! another register claims. Memory beyond the end counts as not mapped: a call that would access it fails with
//! `EFAULT`. So does a call with a [`Word`](crate::sysif::Arg::Word) where an address is expected, after the checks
//! that the real kernel makes before it accesses the address.

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

/// System call numbers, for [`Fault::of`] and [`Call::nr`].
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
use table::{Kind, Table, file_descriptor};

/// A kernel with one process, in memory that the caller provides. The [module](self) shows its use.
///
/// It is used by one thread (`!Sync`).
pub struct Kernel<'a> {
    table: Table<'a>,
    log: Log<'a>,
    faults: Faults,
    on_block: Cell<Option<OnBlock<'a>>>,
    blocked: Cell<Option<Blocked>>,
    version: (u16, u16),
    clock: Cell<Duration>,
    call_time: Duration,
    /// Counts additions to an epoll and transitions to ready: the order in which epoll reports.
    edges: Cell<u64>,
    known: Features,
    processes: Processes,
}

impl<'a> Kernel<'a> {
    /// Creates a kernel without open file descriptors and without logged calls. Earlier contents of the storage are
    /// discarded.
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

    /// Sets the version of Linux whose behaviour the kernel has; the default is 6.18. Behaviour changes at 5.4
    /// (`P_PIDFD`), 5.8 (`RWF_NOWAIT` for eventfds), 6.0 (`lseek`) and 6.9 (a `write` of more than eight bytes fails,
    /// and `PIDFD_SIGNAL_PROCESS_GROUP` exists).
    ///
    /// ```
    /// use rsyscall::fake::{Kernel, Storage};
    /// use rsyscall::{EventfdFlags, EventfdTask};
    ///
    /// let mut storage = <Storage>::new();
    /// let old = Kernel::new(&mut storage).with_version(5, 4).into_task();
    /// let bell = old.eventfd(1, EventfdFlags::empty())?;
    /// assert_eq!(bell.try_read()?, Some(1)); // by other calls
    /// assert!(old.sysif().calls().any(|call| call.to_string().starts_with("ppoll")));
    /// # Ok::<(), rsyscall::Errno>(())
    /// ```
    #[must_use]
    pub fn with_version(self, major: u16, minor: u16) -> Self {
        Self { version: (major, minor), ..self }
    }

    /// Sets a function that is called when a call would sleep, and that decides what happens meanwhile. Without it
    /// nothing ever wakes a call ([`Wake::Nothing`]).
    #[must_use]
    pub fn with_on_block(self, on_block: OnBlock<'a>) -> Self {
        self.on_block.set(Some(on_block));
        self
    }

    /// Returns the task of the kernel's one process.
    ///
    /// Unlike [`Task::new`] it is safe: the kernel and its process are consumed by this task, so no other task has its
    /// table, and its file descriptors and addresses mean nothing elsewhere.
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
        // SAFETY: the process that the kernel simulates has these, and nothing else has: they are new.
        unsafe { Task::new(self, process, FdTable::new(), AddressSpace::new(), PidNamespace::new()) }
    }

    /// Adds a fault to apply to later calls.
    ///
    /// # Errors
    ///
    /// `ENOSPC`: eight faults are pending already.
    pub fn inject(&self, fault: Fault) -> Result<(), Errno> {
        self.faults.add(fault)
    }

    /// Removes all faults, including those that are applied to every call.
    pub fn forget_faults(&self) {
        self.faults.clear();
    }

    /// Sets `RLIMIT_NOFILE`: new file descriptors are below it, and open ones stay open. A limit above the table's size
    /// has the effect of that size.
    pub fn set_limit(&self, limit: usize) {
        self.table.set_limit(limit);
    }

    /// Returns the time of its monotonic clock, which starts at 0. The clock is advanced by [`advance`](Self::advance),
    /// by a poll that sleeps until its deadline, and by [`with_call_time`](Self::with_call_time).
    pub fn now(&self) -> Duration {
        self.clock.get()
    }

    /// Sets how long every call takes on the kernel's clock. The default is zero: then a
    /// [`wait_timeout`](crate::EventFd::wait_timeout) that is interrupted [always](Fault::always) never ends.
    #[must_use]
    pub fn with_call_time(self, duration: Duration) -> Self {
        Self { call_time: duration, ..self }
    }

    /// Advances the clock.
    pub fn advance(&self, duration: Duration) {
        self.advance_to(self.after(duration));
    }

    /// Returns what the last call that had to sleep waited for.
    ///
    /// ```
    /// use rsyscall::fake::{Blocked, Kernel, Storage};
    /// use rsyscall::{Errno, EventfdFlags, EventfdTask};
    ///
    /// let mut storage = <Storage>::new();
    /// let task = Kernel::new(&mut storage).into_task();
    /// let bell = task.eventfd(0, EventfdFlags::empty())?;
    /// assert_eq!(bell.read(), Err(Errno::EDEADLK)); // no other process can wake it
    /// assert_eq!(task.sysif().blocked(), Some(Blocked::Read(bell.near())));
    /// # Ok::<(), Errno>(())
    /// ```
    pub fn blocked(&self) -> Option<Blocked> {
        self.blocked.get()
    }

    /// Returns the last calls, as many as the storage keeps, in the order in which they began.
    pub fn calls(&self) -> impl Iterator<Item = Call> + use<'_, 'a> {
        self.log.calls()
    }

    /// Returns the number of calls made, including those that the storage no longer keeps.
    pub fn calls_made(&self) -> usize {
        self.log.made()
    }

    /// Removes all calls from the log.
    pub fn forget_calls(&self) {
        self.log.clear();
    }

    /// Returns the open file descriptors, lowest first: for tests of leaks.
    pub fn descriptors(&self) -> impl Iterator<Item = FileDescriptor> + 'a {
        self.table.open_indices().map(file_descriptor)
    }

    /// Returns the count of an eventfd, without reading it. `None` if the file descriptor is not an open eventfd.
    pub fn count(&self, fd: FileDescriptor) -> Option<u64> {
        let open = usize::try_from(fd.0).ok().and_then(|index| self.table.open(index).ok());
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

//! Linux eventfd without libc.
//!
//! An [`EventFd`] is a 64-bit counter in the kernel, with which threads and processes wake each other: a write adds to
//! the counter, a read returns and resets it, and a reader of 0 can block, poll, or continue. This crate makes system
//! calls with its own assembly. It needs neither libc, nor an allocator, nor std.
//!
//! # Wait
//!
//! ```
//! use core::time::Duration;
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! let bell = EventFd::new(0, EventfdFlags::empty())?;
//! bell.write(2)?;
//! bell.write(3)?;
//! assert_eq!(bell.read()?, 5); // would block at 0
//! assert_eq!(bell.try_read()?, None); // never blocks
//! assert_eq!(bell.wait_timeout(Duration::from_millis(1))?, None);
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! # Wake another thread
//!
//! ```
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! let done = EventFd::new(0, EventfdFlags::empty())?;
//! std::thread::scope(|scope| {
//!     scope.spawn(|| done.write(1));
//!     assert_eq!(done.wait()?, 1);
//!     Ok::<(), rsyscall::Errno>(())
//! })?;
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! A [`Notifier`] is for threads that wake each other often: it makes a system call only if the waiter sleeps.
//!
//! # Wait for several
//!
//! [`sys::poll`] suits a few file descriptors, [`sys::epoll`] many. Both also wait for signals ([`sys::signalfd`]) and
//! processes ([`sys::pidfd`]).
//!
//! ```
//! use core::mem::MaybeUninit;
//! use rsyscall::sys::epoll::{Epoll, EpollEvents};
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! let work = EventFd::new(0, EventfdFlags::empty())?;
//! let stop = EventFd::new(0, EventfdFlags::empty())?;
//! let epoll = Epoll::new()?;
//! epoll.add(&work, EpollEvents::IN, 1)?;
//! epoll.add(&stop, EpollEvents::IN, 2)?;
//!
//! stop.write(1)?;
//! let mut memory = [MaybeUninit::uninit(); 8];
//! for event in epoll.wait(&mut memory)? {
//!     match event.data() {
//!         1 => println!("{} new jobs", work.read()?),
//!         _ => println!("stopped"),
//!     }
//! }
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! # Async
//!
//! [`reactor`] has futures that wait for file descriptors, and an executor for one thread.
//!
//! ```
//! use rsyscall::notify::StaticNotifier;
//! use rsyscall::reactor::{Reactor, WaitSlot};
//! use rsyscall::{EventFd, EventfdFlags};
//!
//! static WAKE: StaticNotifier = StaticNotifier::new();
//!
//! let slots = [const { WaitSlot::new() }; 4];
//! let reactor = Reactor::new(&WAKE, &slots)?;
//! let bell = EventFd::new(4, EventfdFlags::empty())?;
//! let doubled = reactor.block_on(async { reactor.next(&bell).await.map(|count| count * 2) })?;
//! assert_eq!(doubled, Ok(8));
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! # In another process
//!
//! [`remote`] makes system calls in another process. The types are the same.
//!
//! ```
//! use rsyscall::{EventFd, EventfdFlags, remote};
//!
//! let bell = EventFd::new(0, EventfdFlags::empty())?;
//! let forked = remote::fork([bell.as_owned_fd()])?; // a child that inherits the eventfd
//! let [token] = forked.inherited; // the child's file descriptor
//! let inherited = EventFd::from(token.attach(&forked.task).unwrap());
//! inherited.write(7)?; // the child executes `write`
//! assert_eq!(bell.read()?, 7);
//! # Ok::<(), rsyscall::sysif::Error>(())
//! ```
//!
//! # In a unit test
//!
//! A *task* is the process in which calls are made, as a value: [`Current`] is this process. Code that is generic over
//! its [task](EventfdTask) also runs on a kernel in memory, with the errors that the test chooses (feature `fake`).
//!
//! ```
//! # #[cfg(feature = "fake")]
//! # {
//! use rsyscall::fake::{Fault, Kernel, Storage, nr};
//! use rsyscall::{Errno, EventfdFlags, EventfdTask};
//!
//! fn permits<T: EventfdTask>(task: T) -> Result<u64, T::Error> {
//!     task.eventfd(3, EventfdFlags::empty())?.wait()
//! }
//!
//! let mut storage = Storage::<4>::new();
//! let task = Kernel::new(&mut storage).into_task();
//! task.sysif().inject(Fault::error(Errno::EINTR).of(nr::READ))?; // a signal handler ends the first read
//! assert_eq!(permits(&task), Ok(3));
//! # }
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! # Layers
//!
//! Each layer uses only the layers below it. System calls are made through a trait, [`sysif::SyscallInterface`], so the
//! same typed layer works in this process at the cost of the bare instruction, in another process, or on a fake kernel.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mod@start`] | the entry of a program without libc: [`start!`] |
//! | `interop` (feature `std`) | the traits of std for file descriptors, streams and errors |
//! | [`reactor`] | futures that wait for file descriptors |
//! | [`notify`] | notifications without a system call: [`Notifier`] |
//! | [`remote`] | tasks that are other processes |
//! | `fake` (feature `fake`) | a kernel in memory, for unit tests |
//! | [`sys`] | typed system interfaces, named as their C headers are: [`sys::eventfd`], [`sys::signalfd`] … |
//! | [`deadline`] | deadlines, and waits until then |
//! | [`fd`] | owned file descriptors |
//! | [`task`] | the process in which a call is made, and its tables: [`Task`], [`Current`] |
//! | [`near`], [`far`] | file descriptors and pids without an owner; identities of tables and namespaces |
//! | [`sysif`] | the trait through which system calls are made |
//! | [`errno`] | errors of the kernel |
//! | [`nr`] | system call numbers |
//! | [`arch`] | the system call instruction |
//!
//! [`given`] lists what KVM, io_uring and other receivers keep of an eventfd that is passed to them. [`migration`]
//! lists the calls of `libc`, nix, rustix, vmm-sys-util and Python's rsyscall with their counterparts.
//!
//! # Features
//!
//! Both are off by default, and neither adds a dependency.
//!
//! * `std`: `AsFd` and related traits, so that tokio, mio and others can wait for an eventfd, conversions from and to
//!   the `OwnedFd` of std, `io::Read` and `io::Write` for `&EventFd`, and `io::Error` from every error.
//! * `fake`: the module `fake`.
//!
//! # Platforms
//!
//! Linux: x86_64 from 2.6.30, aarch64 from 3.7, riscv64 from 4.15, s390x from 4.3, loongarch64 from 5.19, powerpc64le
//! from 3.13, arm (A32, Thumb-2, from armv5te on) and x86 from 5.1, the first version with 64-bit times on them. Other
//! targets fail to compile, with the reason. The minimum Rust version is 1.85, on powerpc64le 1.95. The README lists
//! the kernels on which each was tested.
//!
//! # Stability
//!
//! All modules but three follow [semantic versioning](https://semver.org): until 1.0, a breaking change increments the
//! minor version. [`remote`], `fake` and [`near`] may change in any version: `remote` because attacks by hostile peers
//! may require it, `fake` because it follows the kernel, `near` because it follows the needs of the layers above.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[path = "../arch/mod.rs"]
pub mod arch;
pub mod deadline;
pub mod errno;
#[cfg(feature = "fake")]
pub mod fake;
pub mod far;
pub mod fd;
#[cfg(feature = "std")]
mod interop;
#[doc = include_str!("given.md")]
pub mod given {}
#[doc = include_str!("migration.md")]
pub mod migration {}
pub mod near;
pub mod notify;
pub mod nr;
pub mod reactor;
pub mod start;
pub mod sys;
pub mod sysif;
pub mod task;

// After the others: the documentation has methods in the order of the modules, and these are the last to read.
pub mod remote;

pub use errno::Errno;
pub use notify::Notifier;
pub use sys::eventfd::{EventFd, EventfdFlags, EventfdTask};
pub use task::{Current, Task};

/// Compiles and runs the README's program with std.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;

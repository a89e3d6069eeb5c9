//! For code that is generic over what it polls: the types that [`Epoll`], [`PollSet`](super::poll::PollSet) and the
//! reactor accept.
//!
//! ```
//! use rsyscall::sys::epoll::{Epoll, EpollEvents};
//! use rsyscall::sys::pollable::Pollable;
//! use rsyscall::{Errno, EventFd, EventfdFlags};
//!
//! fn watch(epoll: &Epoll, fd: &impl Pollable) -> Result<(), Errno> {
//!     epoll.add(fd, EpollEvents::IN, 0)
//! }
//! watch(&Epoll::new()?, &EventFd::new(0, EventfdFlags::empty())?)?;
//! # Ok::<(), Errno>(())
//! ```
//!
//! With feature `std` these are all types that implement `AsFd`, besides the types of this crate. One implementation
//! for all `F: AsFd` and one for `EventFd<T>` of every task would overlap for `EventFd<Current>`. Therefore a task has
//! an associated type, [`Handles`], with the types that can be polled by it, and only that of the current process
//! includes the types of std. Code that is generic over its task relies on the supertraits of [`Handles`], which hold
//! with `std` and without.

use super::epoll::Epoll;
use super::eventfd::EventFd;
use super::pidfd::PidFd;
use super::signalfd::SignalFd;
use crate::far::FdTable;
use crate::fd::{BorrowedFd, Lent, OwnedFd, WithUnclosed};
use crate::near::FileDescriptor;
use crate::sysif::SyscallInterface;
use crate::task::{Current, FileDescriptorTask, Task};
use core::marker::PhantomData;
use sealed::{Lend, Names, Own};

/// A file descriptor that can be polled by an [`Epoll`], a [`PollSet`](super::poll::PollSet) or a
/// [`Reactor`](crate::reactor::Reactor).
///
/// It is implemented for the types of this crate that have a file descriptor of the task `T`: [`OwnedFd`],
/// [`BorrowedFd`], [`EventFd`], [`Epoll`], [`SignalFd`], [`PidFd`], and [`Lent`] handles. In the current process it is
/// also implemented for [`Notifier`](crate::Notifier) and for [`Connection`](crate::remote::Connection), neither of
/// which implements `AsFd`.
///
/// With feature `std` it is implemented, in the current process, for all types that implement `AsFd`: sockets, files,
/// pipes, and `Box`, `Rc` and `Arc` of them. Without it, use [`BorrowedFd::borrow_raw`] for a file descriptor of
/// another crate.
///
/// The trait is sealed: this crate guarantees that the file descriptor stays open for as long as the value is borrowed.
///
/// ```
/// use core::mem::MaybeUninit;
/// use rsyscall::fd::BorrowedFd;
/// use rsyscall::sys::epoll::{Epoll, EpollEvents};
/// use rsyscall::{Current, near};
///
/// let epoll = Epoll::new()?;
/// let (mine, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
/// // SAFETY: `mine` is open for as long as this value is used.
/// let fd = unsafe { BorrowedFd::borrow_raw(Current, near::FileDescriptor(std::os::fd::AsRawFd::as_raw_fd(&mine))) };
/// epoll.add(&fd, EpollEvents::IN, 7)?; // with feature `std`: epoll.add(&mine, …)
/// drop(theirs);
/// let mut memory = [MaybeUninit::uninit(); 1];
/// assert_eq!(epoll.wait(&mut memory)?[0].data(), 7);
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be waited for by `{T}`",
    label = "has no file descriptor of `{T}` that rsyscall knows",
    note = "with feature `std` of rsyscall, everything that is `AsFd` can be waited for by `Current`",
    note = "without it, name the file descriptor: `unsafe {{ BorrowedFd::borrow_raw(Current, FileDescriptor(fd)) }}`",
    note = "a file descriptor of another task is waited for by an `Epoll` or a `PollSet` of that task"
)]
pub trait Pollable<T: PollTask = Current>: Lend<T> {}

impl<T: PollTask, F: ?Sized> Pollable<T> for F where T::Handles: Names<F, T> {}

impl<T: PollTask, F: ?Sized> Lend<T> for F
where
    T::Handles: Names<F, T>,
{
    #[inline(always)]
    fn lend(&self) -> PolledFd<'_> {
        T::Handles::name(self)
    }
}

/// A task whose file descriptors can be polled. It is implemented for all tasks of this crate.
///
/// A task of another crate implements it with [`OwnHandles`]. Generic code needs it as a bound:
///
/// ```
/// use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
/// use rsyscall::sys::pollable::{OwnHandles, PollTask};
/// use rsyscall::{Current, EventfdFlags};
///
/// /// Creates an eventfd and polls it, in the process of any task.
/// fn woken<T: PollTask>(task: T) -> Result<usize, T::Error> {
///     use rsyscall::EventfdTask;
///     let bell = task.eventfd(1, EventfdFlags::empty())?;
///     let mut memory = [PollFd::UNUSED; 1];
///     let mut set = PollSet::new(task, &mut memory);
///     set.add(&bell, PollEvents::IN)?;
///     set.wait()
/// }
/// assert_eq!(woken(Current), Ok(1));
/// ```
pub trait PollTask: FileDescriptorTask {
    /// The types that have a file descriptor of this task: [`OwnHandles`], for every task but the current process.
    type Handles: Handles<Self>;
}

/// The types of this crate that have a file descriptor.
#[derive(Debug, Clone, Copy)]
pub struct OwnHandles;

/// The types of this crate that have a file descriptor; with feature `std` also all types that implement `AsFd`.
#[derive(Debug, Clone, Copy)]
pub struct CurrentHandles;

impl PollTask for Current {
    type Handles = CurrentHandles;
}

impl<T: FileDescriptorTask, const N: usize> PollTask for WithUnclosed<'_, T, N> {
    type Handles = OwnHandles;
}

impl<S: SyscallInterface> PollTask for &Task<S> {
    type Handles = OwnHandles;
}

/// Types that have a file descriptor of the task `T`: at least these, on which generic code relies.
pub trait Handles<T: PollTask>:
    Names<OwnedFd<T>, T>
    + Names<EventFd<T>, T>
    + Names<Epoll<T>, T>
    + Names<SignalFd<T>, T>
    + Names<PidFd<T>, T>
    + for<'fd> Names<BorrowedFd<'fd, T>, T>
    + for<'fd> Names<Lent<'fd, OwnedFd<T>>, T>
    + for<'fd> Names<Lent<'fd, EventFd<T>>, T>
{
}

impl<T: PollTask> Handles<T> for OwnHandles {}
impl Handles<Current> for CurrentHandles {}

impl<T: PollTask, F: Own<T> + ?Sized> Names<F, T> for OwnHandles {
    #[inline(always)]
    fn name(fd: &F) -> PolledFd<'_> {
        fd.number()
    }
}

#[cfg(not(feature = "std"))]
impl<F: Own<Current> + ?Sized> Names<F, Current> for CurrentHandles {
    #[inline(always)]
    fn name(fd: &F) -> PolledFd<'_> {
        fd.number()
    }
}

/// A file descriptor and its table, for the lifetime of a borrow. Other crates cannot access the file descriptor: it is
/// only polled.
#[derive(Debug, Clone, Copy)]
pub struct PolledFd<'fd> {
    pub(crate) fd: FileDescriptor,
    pub(crate) table: FdTable,
    pub(crate) owner: PhantomData<&'fd ()>,
}

impl<'fd> PolledFd<'fd> {
    /// Creates it for a file descriptor of the current process.
    #[inline(always)]
    pub(crate) const fn current(fd: FileDescriptor) -> Self {
        Self { fd, table: FdTable::CURRENT, owner: PhantomData }
    }
}

impl<T: FileDescriptorTask> Own<T> for OwnedFd<T> {
    #[inline(always)]
    fn number(&self) -> PolledFd<'_> {
        PolledFd { fd: self.near(), table: self.task().fd_table(), owner: PhantomData }
    }
}

impl<T: FileDescriptorTask> Own<T> for BorrowedFd<'_, T> {
    #[inline(always)]
    fn number(&self) -> PolledFd<'_> {
        PolledFd { fd: self.near(), table: self.task().fd_table(), owner: PhantomData }
    }
}

macro_rules! kinds {
    ($($kind:ident)*) => {$(
        impl<T: FileDescriptorTask> Own<T> for $kind<T> {
            #[inline(always)]
            fn number(&self) -> PolledFd<'_> {
                self.as_owned_fd().number()
            }
        }
    )*};
}

kinds! { EventFd Epoll SignalFd PidFd }

impl<T: FileDescriptorTask, F: Own<T>> Own<T> for Lent<'_, F> {
    #[inline(always)]
    fn number(&self) -> PolledFd<'_> {
        F::number(self)
    }
}

pub(crate) mod sealed {
    use super::PolledFd;

    /// The method of [`Pollable`](super::Pollable), which other crates cannot call.
    pub trait Lend<T> {
        fn lend(&self) -> PolledFd<'_>;
    }

    /// The types `F` that have a file descriptor of the task `T`.
    pub trait Names<F: ?Sized, T> {
        fn name(fd: &F) -> PolledFd<'_>;
    }

    /// A type of this crate that has a file descriptor of the task `T`.
    pub trait Own<T> {
        /// Returns the file descriptor, which stays open for as long as the borrow lasts.
        fn number(&self) -> PolledFd<'_>;
    }
}

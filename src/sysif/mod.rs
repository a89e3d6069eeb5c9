//! For code that needs another way to make system calls: [`SyscallInterface`], the trait through which the typed layer
//! makes every call.
//!
//! A system call is a number and up to six arguments, and returns one word. [`Local`] executes it in this process, with
//! the instruction alone. Other interfaces send it to another process, or emulate a kernel.
//!
//! ```
//! use rsyscall::nr;
//! use rsyscall::sysif::{Local, SyscallInterface};
//!
//! // SAFETY: `getppid` has no arguments and no effect.
//! let parent = unsafe { Local.syscall(nr::GETPPID, []) }?;
//! assert!(i32::try_from(parent).is_ok());
//! # Ok::<(), rsyscall::Errno>(())
//! ```
//!
//! # Errors of the interface
//!
//! A call fails with an errno if the kernel refuses it. An interface to another process can also fail by itself:
//! [`Error::NotSent`] if the call was not made, [`Error::Hangup`] if its result is lost. The documentation of each item
//! calls these the *errors of the interface*. [`Local`] has none.

mod arg;
mod error;
mod local;

pub use arg::{Arg, OutSlice};
pub use error::{Error, ErrorWith, SyscallError};
pub use local::{Local, Unusable};

use crate::Errno;
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicBool, Ordering};

/// Makes system calls in one process.
///
/// A submitted call cannot be withdrawn: [`syscall`](Self::syscall) returns when the call is complete, or when its
/// result is lost. `EINTR` is an ordinary result, and the way to cancel a blocking call.
///
/// ```
/// use core::cell::Cell;
/// use rsyscall::sysif::{Arg, Local, SyscallInterface};
/// use rsyscall::{Errno, near};
///
/// /// Counts the calls.
/// struct Counting(Cell<usize>);
///
/// // SAFETY: every call is made, unchanged, by `Local`.
/// unsafe impl SyscallInterface for Counting {
///     type Error = Errno;
///     unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
///         self.0.set(self.0.get() + 1);
///         // SAFETY: the same contract.
///         unsafe { Local.syscall(nr, args) }
///     }
/// }
///
/// let counting = Counting(Cell::new(0));
/// let fd = near::eventfd(&counting, 0, rsyscall::EventfdFlags::empty())?;
/// // SAFETY: created a line above, and closed only here.
/// unsafe { near::close(&counting, fd)? };
/// assert_eq!(counting.0.get(), 2);
/// # Ok::<(), Errno>(())
/// ```
///
/// # Safety
///
/// The typed layer relies on what an implementation returns and writes:
///
/// * `Ok(n)` means that the kernel of the process completed the call with the result `n`. An [`Errno`] in `Err` means
///   that the kernel refused the call.
/// * An [`Error`](Self::Error) that was created from an [`Errno`] returns it by [`errno`](SyscallError::errno). Any
///   other error for which [`is_not_sent`](SyscallError::is_not_sent) is true means that the call was not made and will
///   not be. [`may_still_execute`](Self::may_still_execute) is true for as long as any other failed call may yet be
///   made. Owners rely on these two when they close a file descriptor in place of the interface.
/// * In each argument, the bytes that were written according to the result are initialised in the caller's memory.
/// * Initialised bytes remain initialised, including those beyond what was written: [`Arg::Out`] may be a caller's
///   `&mut [u8]`, as in [`std::io::Read`]. An implementation may overwrite any byte of it, but only with an initialised
///   one.
/// * After the function returns, the implementation does not access the arguments' memory.
/// * Where the call is made in this address space, memory is passed as pointers that stay valid until it returns.
/// * It synchronises memory as the kernel does: what happened before a write that a read observes happened before that
///   read.
///
/// # Source
///
/// [syscall(2)](https://man7.org/linux/man-pages/man2/syscall.2.html),
/// [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html) on `EINTR`.
///
/// [`std::io::Read`]: https://doc.rust-lang.org/std/io/trait.Read.html
pub unsafe trait SyscallInterface {
    /// The error of a call, which at least represents a refusal by the kernel.
    type Error: SyscallError;

    /// Makes one system call. It has at most six arguments: a seventh does not compile.
    ///
    /// # Errors
    ///
    /// Those of the kernel, and those of the interface.
    ///
    /// # Safety
    ///
    /// The number and the arguments are those of a call that is sound to make in that process. Words that the kernel
    /// interprets as an address are [`Arg::In`], [`Arg::Out`], [`Arg::InOut`] or [`Arg::OutVec`], so that an interface
    /// to another address space can transfer the memory. An [`Arg::Word`] is passed unchanged.
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Self::Error>;

    /// Makes a call whose valid results lie in a range, such as the eight bytes of a counter or a new file descriptor.
    /// Any other result fails with `EIO`.
    ///
    /// An implementation in which each instruction counts can use this range check in place of the error check.
    ///
    /// # Errors
    ///
    /// Those of [`syscall`](Self::syscall), and `EIO` for a result outside the range.
    ///
    /// # Safety
    ///
    /// As for [`syscall`](Self::syscall), and the range ends at or below `isize::MAX`.
    #[inline(always)]
    unsafe fn syscall_within<const N: usize>(
        &self,
        range: RangeInclusive<usize>,
        nr: usize,
        args: [Arg<'_>; N],
    ) -> Result<usize, Self::Error> {
        // SAFETY: the caller fulfils the contract of `syscall`.
        match unsafe { self.syscall(nr, args) } {
            Ok(ret) if range.contains(&ret) => Ok(ret),
            Ok(_) => Err(Errno::EIO.into()),
            Err(error) => Err(error),
        }
    }

    /// Returns what is cached about the kernel behind this interface, if the interface has a cache. With a cache a
    /// missing feature is tried once instead of at each call.
    #[inline(always)]
    fn features(&self) -> Option<&Features> {
        None
    }

    /// Returns whether a failed call may still be executed, in a file descriptor table that other tasks share. While it
    /// is true, owners close no file descriptor through this interface, nor in place of it.
    #[inline(always)]
    fn may_still_execute(&self) -> bool {
        false
    }
}

// SAFETY: the same interface, by reference.
unsafe impl<S: SyscallInterface> SyscallInterface for &S {
    type Error = S::Error;

    #[inline(always)]
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Self::Error> {
        // SAFETY: the same contract.
        unsafe { S::syscall(self, nr, args) }
    }

    #[inline(always)]
    unsafe fn syscall_within<const N: usize>(
        &self,
        range: RangeInclusive<usize>,
        nr: usize,
        args: [Arg<'_>; N],
    ) -> Result<usize, Self::Error> {
        // SAFETY: the same contract.
        unsafe { S::syscall_within(self, range, nr, args) }
    }

    #[inline(always)]
    fn features(&self) -> Option<&Features> {
        S::features(self)
    }

    #[inline(always)]
    fn may_still_execute(&self) -> bool {
        S::may_still_execute(self)
    }
}

/// What an interface has cached about its kernel.
///
/// ```
/// use rsyscall::sysif::Features;
///
/// static FEATURES: Features = Features::new();
/// assert!(!FEATURES.lacks_nowait());
/// ```
#[derive(Debug, Default)]
pub struct Features {
    // Relaxed throughout: the values guard no other memory, and setting one twice is harmless.
    lacks_nowait: AtomicBool,
    has_nowait: AtomicBool,
}

impl Features {
    /// Creates an empty cache.
    pub const fn new() -> Self {
        Self { lacks_nowait: AtomicBool::new(false), has_nowait: AtomicBool::new(false) }
    }

    /// Returns whether `preadv2` with `RWF_NOWAIT` was found to be missing for eventfds (Linux before 5.8, qemu-user
    /// before 10).
    #[inline(always)]
    pub fn lacks_nowait(&self) -> bool {
        self.lacks_nowait.load(Ordering::Relaxed)
    }

    /// Records that `preadv2` with `RWF_NOWAIT` is missing for eventfds.
    ///
    /// ```
    /// use rsyscall::sysif::Features;
    ///
    /// let features = Features::new();
    /// features.learn_lacks_nowait();
    /// assert!(features.lacks_nowait());
    /// ```
    #[cold]
    pub fn learn_lacks_nowait(&self) {
        self.lacks_nowait.store(true, Ordering::Relaxed);
    }

    /// Returns whether an eventfd was found to have it, after a file descriptor of unknown kind failed with
    /// `EOPNOTSUPP`.
    #[inline]
    pub(crate) fn has_nowait(&self) -> bool {
        self.has_nowait.load(Ordering::Relaxed)
    }

    #[cold]
    pub(crate) fn learn_has_nowait(&self) {
        self.has_nowait.store(true, Ordering::Relaxed);
    }
}

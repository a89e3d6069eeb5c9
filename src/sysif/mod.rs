//! The interface through which system calls are made.
//!
//! A system call is a message to some process: a number and up to six arguments, and one word in return. What carries
//! it is a [`SyscallInterface`]. [`Local`] is this process, at the cost of the instruction alone; others carry the
//! message further, or pretend to be a kernel.

mod arg;
mod error;
mod local;

pub use arg::{Arg, OutSlice};
pub use error::{Error, ErrorWith, SyscallError};
pub use local::{Local, Unusable};

use crate::Errno;
use core::ops::RangeInclusive;
use core::sync::atomic::{AtomicBool, Ordering};

/// Carries system calls to one process.
///
/// A call is atomic once submitted: [`syscall`](Self::syscall) returns when the call is complete, or when it is known
/// that its result will never be known. `EINTR` is an ordinary result, and the way in which a blocking call is
/// cancelled.
///
/// ```
/// use core::cell::Cell;
/// use rsyscall::sysif::{Arg, Local, SyscallInterface};
/// use rsyscall::{Errno, near};
///
/// /// Counts the calls that pass through it.
/// struct Counting(Cell<usize>);
///
/// // SAFETY: every call is made, unchanged, by `Local`.
/// unsafe impl SyscallInterface for Counting {
///     type Error = Errno;
///     unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
///         self.0.set(self.0.get() + 1);
///         // SAFETY: handed on as it came.
///         unsafe { Local.syscall(nr, args) }
///     }
/// }
///
/// let counting = Counting(Cell::new(0));
/// let fd = near::eventfd(&counting, 0, rsyscall::EventfdFlags::empty())?;
/// // SAFETY: made a line above, and closed only here.
/// unsafe { near::close(&counting, fd)? };
/// assert_eq!(counting.0.get(), 2);
/// # Ok::<(), Errno>(())
/// ```
///
/// # Safety
///
/// The typed layer relies on what an implementation returns and writes:
///
/// * `Ok(n)` means that the kernel of the process completed the call with the result `n`; an [`Errno`] in `Err`, that
///   it refused the call.
/// * An [`Error`](Self::Error) is made from an [`Errno`] and says so by [`errno`](SyscallError::errno); if it is
///   another and [`is_not_sent`](SyscallError::is_not_sent), the call was not made and never will be.
///   [`may_still_execute`](Self::may_still_execute) is true for as long as any other failed call may yet be made:
///   owners close a file descriptor in the interface's stead on these two.
/// * Of every argument, the bytes that this result says were written are now initialised in the caller's memory.
/// * Initialised bytes stay initialised, those beyond what was written too: [`Arg::Out`] may be a caller's `&mut [u8]`,
///   as in [`std::io::Read`], of which an implementation may overwrite any byte, but only by an initialised one.
/// * Once the function has returned, the implementation does not touch the arguments' memory again.
/// * Where the call is made in this address space, memory is passed as pointers that stay valid until it returns.
/// * Whatever it is made of, it synchronises as the kernel does: what happened before a write that a read observes
///   happened before that read.
///
/// # Source
///
/// [syscall(2)](https://man7.org/linux/man-pages/man2/syscall.2.html),
/// [signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html) on `EINTR`.
///
/// [`std::io::Read`]: https://doc.rust-lang.org/std/io/trait.Read.html
pub unsafe trait SyscallInterface {
    /// How a call can fail: at least by the kernel's refusal.
    type Error: SyscallError;

    /// Makes one system call. No more than six arguments: a seventh does not compile.
    ///
    /// # Errors
    ///
    /// The kernel's, and whatever can go wrong on the way to it.
    ///
    /// # Safety
    ///
    /// The number and the arguments must be those of a call that is sound to make in that process. Words that the
    /// kernel takes for an address are [`Arg::In`], [`Arg::Out`], [`Arg::InOut`] or [`Arg::OutVec`], so that an
    /// interface to another address space can move the memory; a [`Arg::Word`] is taken as it is.
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Self::Error>;

    /// Makes a call whose only right results lie in a range, such as the eight bytes of a counter or the number of a
    /// new descriptor: any other is `EIO`.
    ///
    /// An implementation for which a comparison counts can put this one in the place of the error test.
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
        // SAFETY: the caller's promise is the one that `syscall` asks for.
        match unsafe { self.syscall(nr, args) } {
            Ok(ret) if range.contains(&ret) => Ok(ret),
            Ok(_) => Err(Errno::EIO.into()),
            Err(error) => Err(error),
        }
    }

    /// What has been learnt of the kernel behind this interface, if it remembers: a missing feature is then tried once
    /// and not at every call.
    #[inline(always)]
    fn features(&self) -> Option<&Features> {
        None
    }

    /// Returns whether a call that has failed may still be executed, in a file descriptor table that others share.
    /// While it may, owners close no file descriptor through this interface, nor in its stead.
    #[inline(always)]
    fn may_still_execute(&self) -> bool {
        false
    }
}

// SAFETY: the same interface, borrowed.
unsafe impl<S: SyscallInterface> SyscallInterface for &S {
    type Error = S::Error;

    #[inline(always)]
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Self::Error> {
        // SAFETY: handed on as it came.
        unsafe { S::syscall(self, nr, args) }
    }

    #[inline(always)]
    unsafe fn syscall_within<const N: usize>(
        &self,
        range: RangeInclusive<usize>,
        nr: usize,
        args: [Arg<'_>; N],
    ) -> Result<usize, Self::Error> {
        // SAFETY: handed on as it came.
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

/// What an interface has learnt of its kernel.
///
/// ```
/// use rsyscall::sysif::Features;
///
/// static FEATURES: Features = Features::new();
/// assert!(!FEATURES.lacks_nowait());
/// ```
#[derive(Debug, Default)]
pub struct Features {
    // Relaxed throughout: the value guards no other memory, and to learn it twice does no harm.
    lacks_nowait: AtomicBool,
    has_nowait: AtomicBool,
}

impl Features {
    /// Nothing learnt yet.
    pub const fn new() -> Self {
        Self { lacks_nowait: AtomicBool::new(false), has_nowait: AtomicBool::new(false) }
    }

    /// Whether `preadv2` with `RWF_NOWAIT` was found to be missing for eventfds (Linux before 5.8, qemu-user before
    /// 10).
    #[inline(always)]
    pub fn lacks_nowait(&self) -> bool {
        self.lacks_nowait.load(Ordering::Relaxed)
    }

    /// Remembers that it is missing.
    ///
    /// ```
    /// use rsyscall::sysif::Features;
    ///
    /// let known = Features::new();
    /// known.learn_lacks_nowait();
    /// assert!(known.lacks_nowait());
    /// ```
    #[cold]
    pub fn learn_lacks_nowait(&self) {
        self.lacks_nowait.store(true, Ordering::Relaxed);
    }

    /// Whether it was proved to be there, when a descriptor that is no eventfd made that doubtful.
    #[inline]
    pub(crate) fn has_nowait(&self) -> bool {
        self.has_nowait.load(Ordering::Relaxed)
    }

    #[cold]
    pub(crate) fn learn_has_nowait(&self) {
        self.has_nowait.store(true, Ordering::Relaxed);
    }
}

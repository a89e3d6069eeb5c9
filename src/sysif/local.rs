//! The two interfaces without state: [`Local`] and [`Unusable`].

use super::{Arg, Error, Features, SyscallInterface};
use crate::arch::{syscall0, syscall1, syscall2, syscall3, syscall4, syscall5, syscall6};
use crate::errno::Errno;
use crate::nr;
#[cfg(not(miri))]
use core::arch::asm;
use core::ops::RangeInclusive;

/// The current process: each call is the bare instruction.
///
/// Under Miri, which cannot execute the instruction, each call fails with `ENOSYS`. Code that is generic over its task
/// is tested there with a [fake kernel](https://docs.rs/rsyscall/latest/rsyscall/fake).
///
/// ```
/// use rsyscall::sysif::{Local, SyscallInterface};
///
/// // SAFETY: `getppid` has no arguments and no effect.
/// let parent = unsafe { Local.syscall(rsyscall::nr::GETPPID, []) };
/// assert!(parent.is_ok());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

static FEATURES: Features = Features::new();

impl Local {
    /// Returns the kernel's result unchanged.
    ///
    /// # Safety
    ///
    /// As for [`SyscallInterface::syscall`].
    #[inline(always)]
    unsafe fn raw<const N: usize>(nr: usize, mut args: [Arg<'_>; N]) -> usize {
        const { assert!(N <= 6, "a system call has at most six arguments") };
        if cfg!(miri) {
            return Errno::ENOSYS.into_ret();
        }
        // All of this is constant when the caller is compiled: what remains is one `syscallN`.
        match args.as_mut_slice() {
            // SAFETY: the caller of `syscall` guarantees that the call is sound, and memory is passed as pointers that
            // outlive it.
            [] => unsafe { syscall0(nr) },
            // SAFETY: as above.
            [a] => unsafe { syscall1(nr, a.word()) },
            // SAFETY: as above.
            [a, b] => unsafe { syscall2(nr, a.word(), b.word()) },
            // SAFETY: as above.
            [a, b, c] => unsafe { syscall3(nr, a.word(), b.word(), c.word()) },
            // SAFETY: as above.
            [a, b, c, d] => unsafe { syscall4(nr, a.word(), b.word(), c.word(), d.word()) },
            // SAFETY: as above.
            [a, b, c, d, e] => unsafe { syscall5(nr, a.word(), b.word(), c.word(), d.word(), e.word()) },
            // SAFETY: as above.
            [a, b, c, d, e, f] => unsafe { syscall6(nr, a.word(), b.word(), c.word(), d.word(), e.word(), f.word()) },
            // Unreachable by the assertion; the errno for a call that the kernel does not have.
            _ => Errno::ENOSYS.into_ret(),
        }
    }
}

// SAFETY: the kernel itself makes the call, in this address space, and its memory accesses are stated by the assembly.
unsafe impl SyscallInterface for Local {
    type Error = Errno;

    #[inline(always)]
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
        // SAFETY: the same contract.
        Errno::from_ret(unsafe { Self::raw(nr, args) })
    }

    #[inline(always)]
    unsafe fn syscall_within<const N: usize>(
        &self,
        range: RangeInclusive<usize>,
        nr: usize,
        args: [Arg<'_>; N],
    ) -> Result<usize, Errno> {
        // SAFETY: the same contract.
        let ret = unsafe { Self::raw(nr, args) };
        // The only comparison: no error lies in a range that ends at or below `isize::MAX`.
        if range.contains(&ret) {
            return Ok(ret);
        }
        // `EAGAIN` is a common result of a nonblocking read: it costs a comparison here, and no function call.
        if nr == nr::READ {
            let ret = opaque(ret);
            return Err(if ret == Errno::EAGAIN.into_ret() { Errno::EAGAIN } else { outside::<N>(ret) });
        }
        Err(outside::<N>(ret))
    }

    #[inline(always)]
    fn features(&self) -> Option<&Features> {
        Some(&FEATURES)
    }
}

/// Returns the word, opaque to the compiler, which would otherwise move the following comparison before the branch.
#[inline(always)]
fn opaque(word: usize) -> usize {
    #[cfg(miri)]
    return word;
    #[cfg(not(miri))]
    {
        let same;
        // SAFETY: no instruction, only a comment that names the register.
        unsafe { asm!("/* {0} */", inlateout(reg) word => same, options(pure, nomem, nostack, preserves_flags)) };
        same
    }
}

/// Decodes a result that is not in its range.
///
/// Never inlined: otherwise the compiler would decode the error on the success path. It is generic, although one
/// instance would suffice, so that it is compiled with its caller and removed if the caller ignores the error.
#[cold]
#[inline(never)]
fn outside<const N: usize>(ret: usize) -> Errno {
    Errno::from_ret(ret).err().unwrap_or(Errno::EIO)
}

/// No process: each call fails with [`Error::NotSent`].
///
/// A placeholder where an interface is required and none exists yet, or none any more.
///
/// ```
/// use rsyscall::sysif::{Error, Unusable};
/// use rsyscall::{EventfdFlags, near};
///
/// assert_eq!(near::eventfd(&Unusable, 0, EventfdFlags::empty()), Err(Error::NotSent));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Unusable;

// SAFETY: it never returns that a call was completed.
unsafe impl SyscallInterface for Unusable {
    type Error = Error;

    #[inline]
    unsafe fn syscall<const N: usize>(&self, _nr: usize, _args: [Arg<'_>; N]) -> Result<usize, Error> {
        Err(Error::NotSent)
    }
}

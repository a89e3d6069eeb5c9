//! `eventfd2`, and its flags.

use super::{FileDescriptor, NEW_FD, flags};
use crate::nr;
use crate::sysif::SyscallInterface;

flags! {
    /// Flags of a new eventfd; without any it is a blocking counter.
    ///
    /// Bits without a name can be passed too (`from_bits_retain`); the kernel fails with `EINVAL`.
    ///
    /// ```
    /// use rsyscall::EventfdFlags;
    ///
    /// let flags = EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE;
    /// assert_eq!(flags.bits(), 0x801);
    /// assert!(EventfdFlags::empty().is_empty());
    /// ```
    ///
    /// # Source
    ///
    /// [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html); `include/uapi/linux/eventfd.h`.
    #[doc(alias = "EFD", alias = "EfdFlags", alias = "EFD_NONE")]
    pub struct EventfdFlags: u32 {
        /// A read takes one unit instead of the whole count.
        #[doc(alias = "EFD_SEMAPHORE")]
        const SEMAPHORE = 1;
        /// A read of a zero counter, and a write that would overflow it, fail with `EAGAIN` instead of blocking. The
        /// flag belongs to the open file description: every duplicate shares it.
        #[doc(alias = "EFD_NONBLOCK")]
        const NONBLOCK = 0o4000;
        /// The file descriptor is closed by `execve`. Duplicates do not share it. Owned file descriptors always have
        /// it.
        #[doc(alias = "EFD_CLOEXEC")]
        const CLOEXEC = 0o2000000;
    }
}

/// Creates an eventfd whose counter starts at `initval`, with exactly these flags.
///
/// The file descriptor has no owner: it stays open until [`close`](super::close), and without [`EventfdFlags::CLOEXEC`]
/// an executed program inherits it. Programs use [`EventFd::new`](crate::EventFd::new).
///
/// System calls: `eventfd2`.
///
/// ```
/// use rsyscall::sysif::Local;
/// use rsyscall::{EventfdFlags, near};
///
/// let fd = near::eventfd(&Local, 7, EventfdFlags::CLOEXEC)?;
/// // SAFETY: created a line above, and used by nothing else.
/// unsafe { near::close(&Local, fd)? };
/// # Ok::<(), rsyscall::Errno>(())
/// ```
///
/// # Errors
///
/// `EINVAL`: a flag that the kernel does not know. `EMFILE`, `ENFILE`: the per-process or system-wide limit of file
/// descriptors is reached. `ENOMEM`. `ENOSYS`: Linux before 2.6.27, or without eventfd. `EPERM` or others: a seccomp
/// policy.
///
/// # Source
///
/// [eventfd(2)](https://man7.org/linux/man-pages/man2/eventfd.2.html).
#[inline(always)]
#[must_use = "unused, the file descriptor stays open: it has no owner"]
pub fn eventfd<S: SyscallInterface>(sysif: &S, initval: u32, flags: EventfdFlags) -> Result<FileDescriptor, S::Error> {
    // SAFETY: two words and no memory; the call only creates a file descriptor, whatever the words are.
    unsafe { sysif.syscall_within(NEW_FD, nr::EVENTFD2, [initval.into(), flags.bits().into()]) }
        .map(FileDescriptor::new)
}

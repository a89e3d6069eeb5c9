//! System calls that cases need and the crate does not wrap, made through the task's interface.
//!
//! All are sound to offer as safe functions: the memory they name is borrowed for the call, a new file descriptor is
//! returned owned, and a call that only queries a file descriptor may name any.

use core::ffi::CStr;
use core::mem::MaybeUninit;
use rsyscall::Errno;
use rsyscall::EventfdTask;
use rsyscall::fd::OwnedFd;
use rsyscall::near::FileDescriptor;
use rsyscall::nr;
use rsyscall::sysif::{Arg, Local, OutSlice, SyscallInterface};

// `include/uapi/asm-generic/fcntl.h`, `include/uapi/linux/fcntl.h`.
const AT_FDCWD: i32 = -100;
const F_GETFD: u32 = 1;
const F_GETFL: u32 = 3;
const F_SETFL: u32 = 4;
const F_DUPFD: u32 = 0;
pub(crate) const O_RDWR: usize = 2;
pub(crate) const O_NONBLOCK: usize = 0o4000;
pub(crate) const O_CLOEXEC: u32 = 0o2000000;
/// `include/uapi/linux/fs.h`.
pub(crate) const RWF_NOWAIT: usize = 8;

/// Takes ownership of a file descriptor that a call returned.
fn owned<T: EventfdTask>(task: T, ret: usize) -> Result<OwnedFd<T>, T::Error> {
    let fd = i32::try_from(ret).map_err(|_| Errno::EIO)?;
    // SAFETY: the call that returned it created it for this caller.
    Ok(unsafe { OwnedFd::adopt(task, FileDescriptor(fd)) })
}

/// `fcntl(F_GETFL)`, every bit of it.
pub(crate) fn getfl<T: EventfdTask>(task: T, fd: FileDescriptor) -> Result<usize, T::Error> {
    // SAFETY: words only; a query.
    unsafe { task.sysif().syscall(nr::FCNTL, [fd.into(), F_GETFL.into()]) }
}

/// `fcntl(F_SETFL)`.
pub(crate) fn setfl<T: EventfdTask>(fd: &OwnedFd<T>, flags: usize) -> Result<(), T::Error> {
    // SAFETY: words only, for a descriptor that is borrowed.
    unsafe { fd.task().sysif().syscall(nr::FCNTL, [fd.near().into(), F_SETFL.into(), Arg::Word(flags)]) }.map(drop)
}

/// `fcntl(F_GETFD)`, every bit of it.
pub(crate) fn getfd<T: EventfdTask>(task: T, fd: FileDescriptor) -> Result<usize, T::Error> {
    // SAFETY: words only; a query.
    unsafe { task.sysif().syscall(nr::FCNTL, [fd.into(), F_GETFD.into()]) }
}

/// `dup`.
pub(crate) fn dup<T: EventfdTask>(fd: &OwnedFd<T>) -> Result<OwnedFd<T>, T::Error> {
    // SAFETY: words only; a duplicate of a descriptor that is borrowed.
    owned(fd.task(), unsafe { fd.task().sysif().syscall(nr::DUP, [fd.near().into()]) }?)
}

/// `fcntl(F_DUPFD)`: the lowest free file descriptor that is at least `from`.
pub(crate) fn dup_from<T: EventfdTask>(task: T, fd: FileDescriptor, from: u32) -> Result<OwnedFd<T>, T::Error> {
    // SAFETY: words only; a duplicate takes nothing from the owner of `fd`.
    owned(task, unsafe { task.sysif().syscall(nr::FCNTL, [fd.into(), F_DUPFD.into(), from.into()]) }?)
}

/// `dup3` onto a file descriptor that the caller owns and keeps.
pub(crate) fn dup3<T: EventfdTask>(fd: &OwnedFd<T>, onto: &OwnedFd<T>, flags: u32) -> Result<(), T::Error> {
    dup3_onto(fd, onto.near(), flags)
}

/// `dup3` onto any file descriptor.
pub(crate) fn dup3_onto<T: EventfdTask>(fd: &OwnedFd<T>, onto: FileDescriptor, flags: u32) -> Result<(), T::Error> {
    let args = [fd.near().into(), onto.into(), flags.into()];
    // SAFETY: words only; the caller may replace `onto`.
    unsafe { fd.task().sysif().syscall(nr::DUP3, args) }.map(drop)
}

/// `lseek`.
pub(crate) fn lseek<T: EventfdTask>(fd: &OwnedFd<T>, offset: i32, whence: u32) -> Result<usize, T::Error> {
    // SAFETY: words only, for a descriptor that is borrowed.
    unsafe { fd.task().sysif().syscall(nr::LSEEK, [fd.near().into(), offset.into(), whence.into()]) }
}

/// `pread64`.
pub(crate) fn pread<T: EventfdTask>(fd: &OwnedFd<T>, buffer: &mut [u8], offset: usize) -> Result<usize, T::Error> {
    let len = buffer.len();
    let [one, two, three] = position(offset);
    let args = [fd.near().into(), Arg::InOut(buffer), Arg::Word(len), one, two, three];
    // SAFETY: the descriptor and the memory are borrowed for the call.
    unsafe { fd.task().sysif().syscall(nr::PREAD64, args) }
}

/// The words of a 64-bit position. Where a word has 32 bits there are two, low and high, on arm in an even pair of
/// registers.
fn position<'a>(offset: usize) -> [Arg<'a>; 3] {
    if cfg!(target_arch = "arm") { [0, offset, 0] } else { [offset, 0, 0] }.map(Arg::Word)
}

/// `pwrite64`.
pub(crate) fn pwrite<T: EventfdTask>(fd: &OwnedFd<T>, buffer: &[u8], offset: usize) -> Result<usize, T::Error> {
    let [one, two, three] = position(offset);
    let args = [fd.near().into(), Arg::In(buffer), Arg::Word(buffer.len()), one, two, three];
    // SAFETY: the descriptor and the memory are borrowed for the call.
    unsafe { fd.task().sysif().syscall(nr::PWRITE64, args) }
}

/// `read` into memory whose previous contents can be inspected afterwards.
pub(crate) fn read_over<T: EventfdTask>(fd: &OwnedFd<T>, buffer: &mut [u8]) -> Result<usize, T::Error> {
    let len = buffer.len();
    // SAFETY: the descriptor and the memory are borrowed for the call.
    unsafe { fd.task().sysif().syscall(nr::READ, [fd.near().into(), Arg::InOut(buffer), Arg::Word(len)]) }
}

/// `read` with an unmapped address.
pub(crate) fn read_nowhere<T: EventfdTask>(fd: &OwnedFd<T>, len: usize) -> Result<usize, T::Error> {
    // SAFETY: nothing is mapped in the first page, so nothing can be overwritten.
    unsafe { fd.task().sysif().syscall(nr::READ, [fd.near().into(), Arg::Word(1), Arg::Word(len)]) }
}

/// `write` from an unmapped address.
pub(crate) fn write_nowhere<T: EventfdTask>(fd: &OwnedFd<T>, len: usize) -> Result<usize, T::Error> {
    // SAFETY: the memory is only read, and nothing is mapped in the first page.
    unsafe { fd.task().sysif().syscall(nr::WRITE, [fd.near().into(), Arg::Word(1), Arg::Word(len)]) }
}

/// `readv` into two pieces.
pub(crate) fn readv<T: EventfdTask>(fd: &OwnedFd<T>, first: &mut [u8], second: &mut [u8]) -> Result<usize, T::Error> {
    let (a, b) = (first.len(), second.len());
    let mut pieces = ([MaybeUninit::uninit(); 16], [MaybeUninit::uninit(); 16]);
    let (Some(one), Some(two)) = (pieces.0.get_mut(..a), pieces.1.get_mut(..b)) else {
        return Err(Errno::E2BIG.into());
    };
    one.fill(MaybeUninit::new(0));
    two.fill(MaybeUninit::new(0));
    let mut vector = [OutSlice::new(one), OutSlice::new(two)];
    let args = [fd.near().into(), Arg::OutVec(&mut vector), Arg::Word(2)];
    // SAFETY: the descriptor is borrowed for the call, the vector and its memory are local.
    let ret = unsafe { fd.task().sysif().syscall(nr::READV, args) }?;
    for (into, from) in first.iter_mut().zip(pieces.0).chain(second.iter_mut().zip(pieces.1)) {
        // SAFETY: filled with zeros above.
        *into = unsafe { from.assume_init() };
    }
    Ok(ret)
}

/// `pwritev2` of eight zero bytes, at the file position.
pub(crate) fn pwritev2_zero<T: EventfdTask>(fd: &OwnedFd<T>, flags: usize) -> Result<usize, T::Error> {
    /// The position −1 is two words where a word has 32 bits.
    const HERE_HIGH: usize = if usize::BITS == 32 { usize::MAX } else { 0 };
    let mut zero = [MaybeUninit::new(0); 8];
    let mut vector = [OutSlice::new(&mut zero)];
    let vector = Arg::OutVec(&mut vector);
    let args = [fd.near().into(), vector, Arg::Word(1), Arg::Word(usize::MAX), Arg::Word(HERE_HIGH), Arg::Word(flags)];
    // SAFETY: the descriptor is borrowed for the call, the vector and its memory are local; they are only read.
    unsafe { fd.task().sysif().syscall(nr::PWRITEV2, args) }
}

/// `eventfd2` with the whole width of both registers.
pub(crate) fn eventfd2<T: EventfdTask>(task: T, initval: usize, flags: usize) -> Result<OwnedFd<T>, T::Error> {
    // SAFETY: words only; the call only creates a file descriptor.
    owned(task, unsafe { task.sysif().syscall(nr::EVENTFD2, [Arg::Word(initval), Arg::Word(flags)]) }?)
}

/// `pipe2` with `O_CLOEXEC`: the read end and the write end.
pub(crate) fn pipe<T: EventfdTask>(task: T) -> Result<(OwnedFd<T>, OwnedFd<T>), T::Error> {
    let mut ends = [0; 8];
    // SAFETY: the call writes two `int`s, for which the memory is large enough.
    unsafe { task.sysif().syscall(nr::PIPE2, [Arg::InOut(&mut ends), O_CLOEXEC.into()]) }?;
    let [a, b, c, d, e, f, g, h] = ends;
    let fd = |bytes| FileDescriptor(i32::from_ne_bytes(bytes));
    // SAFETY: the call just created it for this caller.
    let reader = unsafe { OwnedFd::adopt(task, fd([a, b, c, d])) };
    // SAFETY: the call just created it for this caller.
    let writer = unsafe { OwnedFd::adopt(task, fd([e, f, g, h])) };
    Ok((reader, writer))
}

/// The lowest file descriptor that is free at the moment.
pub(crate) fn lowest_free<T: EventfdTask>(task: T) -> Result<FileDescriptor, T::Error> {
    // SAFETY: words only; the call only creates a file descriptor.
    let probe = owned(task, unsafe { task.sysif().syscall(nr::EVENTFD2, [Arg::Word(0), Arg::Word(0)]) }?)?;
    let lowest = probe.near();
    probe.close().map(|()| lowest)
}

// Epoll: `include/uapi/linux/eventpoll.h`.
pub(crate) const EPOLLIN: u32 = 0x1;
pub(crate) const EPOLLOUT: u32 = 0x4;
pub(crate) const EPOLLET: u32 = 1 << 31;
const EPOLL_CTL_ADD: u32 = 1;
const EPOLL_CTL_MOD: u32 = 3;
/// The size of `struct epoll_event`.
const EPOLL_EVENT: usize = size_of::<rsyscall::near::EpollEvent>();

/// An epoll descriptor that watches one eventfd.
pub(crate) struct Epoll<T: EventfdTask>(OwnedFd<T>);

impl<T: EventfdTask> Epoll<T> {
    /// `epoll_create1`, and `fd` added with these events.
    pub(crate) fn watching(fd: &OwnedFd<T>, events: u32) -> Result<Self, T::Error> {
        let task = fd.task();
        // SAFETY: words only; the call only creates a file descriptor.
        let epoll = owned(task, unsafe { task.sysif().syscall(nr::EPOLL_CREATE1, [O_CLOEXEC.into()]) }?)?;
        let epoll = Self(epoll);
        epoll.control(EPOLL_CTL_ADD, fd, events)?;
        Ok(epoll)
    }

    /// `EPOLL_CTL_MOD`.
    pub(crate) fn modify(&self, fd: &OwnedFd<T>, events: u32) -> Result<(), T::Error> {
        self.control(EPOLL_CTL_MOD, fd, events)
    }

    fn control(&self, operation: u32, fd: &OwnedFd<T>, events: u32) -> Result<(), T::Error> {
        let mut event = [0; EPOLL_EVENT];
        for (byte, of) in event.iter_mut().zip(events.to_ne_bytes()) {
            *byte = of;
        }
        let args = [self.0.near().into(), operation.into(), fd.near().into(), Arg::In(&event)];
        // SAFETY: both descriptors are borrowed for the call; it reads one event, which the memory is.
        unsafe { self.0.task().sysif().syscall(nr::EPOLL_CTL, args) }.map(drop)
    }

    /// The events of the watched file descriptor, without waiting; 0 if none are reported.
    pub(crate) fn events(&self) -> Result<u32, T::Error> {
        let mut events = [0; EPOLL_EVENT];
        let (one, at_once, no_mask) = (Arg::Word(1), Arg::Word(0), Arg::Word(0));
        let args = [self.0.near().into(), Arg::InOut(&mut events), one, at_once, no_mask, Arg::Word(8)];
        // SAFETY: the call writes at most one event, for which the memory is large enough.
        let count = unsafe { self.0.task().sysif().syscall(nr::EPOLL_PWAIT, args) }?;
        let mut bits = [0; 4];
        for (byte, of) in bits.iter_mut().zip(events) {
            *byte = of;
        }
        Ok(if count == 0 { 0 } else { u32::from_ne_bytes(bits) })
    }
}

/// `openat` for reading.
pub(crate) fn open<T: EventfdTask>(task: T, path: &CStr) -> Result<OwnedFd<T>, T::Error> {
    let args = [AT_FDCWD.into(), Arg::In(path.to_bytes_with_nul()), O_CLOEXEC.into()];
    // SAFETY: the path is read for the call only; the call only creates a file descriptor.
    owned(task, unsafe { task.sysif().syscall(nr::OPENAT, args) }?)
}

/// Whether a path can be opened for reading.
pub(crate) fn can_open<T: EventfdTask>(task: T, path: &CStr) -> bool {
    open(task, path).is_ok()
}

/// `readlinkat`.
pub(crate) fn readlink<'b, T: EventfdTask>(task: T, path: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], T::Error> {
    let len = buffer.len();
    let path = Arg::In(path.to_bytes_with_nul());
    // SAFETY: the path and the buffer are borrowed for the call.
    let ret = unsafe {
        task.sysif().syscall(nr::READLINKAT, [AT_FDCWD.into(), path, Arg::InOut(&mut *buffer), Arg::Word(len)])
    }?;
    buffer.get(..ret).ok_or_else(|| Errno::EIO.into())
}

/// `uname`'s release, as major and minor.
pub(crate) fn kernel_version<T: EventfdTask>(task: T) -> Result<(u32, u32), T::Error> {
    // `struct new_utsname`: six fields of 65 bytes; the third is the release.
    let mut names = [0; 390];
    // SAFETY: the call writes one structure, for which the memory is large enough.
    unsafe { task.sysif().syscall(nr::UNAME, [Arg::InOut(&mut names)]) }?;
    let mut numbers = names.get(130..195).unwrap_or_default().split(|byte| !byte.is_ascii_digit()).map(|digits| {
        digits.iter().fold(0_u32, |number, digit| number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0')))
    });
    Ok((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
}

// `include/uapi/asm-generic/resource.h`.
pub(crate) const RLIMIT_FSIZE: u32 = 1;
pub(crate) const RLIMIT_NOFILE: u32 = 7;

/// A limit of the task's process: soft and hard, as `struct rlimit64`.
pub(crate) fn limit<T: EventfdTask>(task: T, resource: u32) -> Result<[u64; 2], T::Error> {
    let mut old = [0; 16];
    prlimit(task, resource, Arg::Word(0), Arg::InOut(&mut old))?;
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = old;
    Ok([u64::from_ne_bytes([a, b, c, d, e, f, g, h]), u64::from_ne_bytes([i, j, k, l, m, n, o, p])])
}

/// Sets a limit of the task's process.
pub(crate) fn set_limit<T: EventfdTask>(task: T, resource: u32, limit: [u64; 2]) -> Result<(), T::Error> {
    let mut new = [0; 16];
    for (byte, of) in new.iter_mut().zip(limit.into_iter().flat_map(u64::to_ne_bytes)) {
        *byte = of;
    }
    prlimit(task, resource, Arg::In(&new), Arg::Word(0))
}

fn prlimit<'a, T: EventfdTask>(task: T, resource: u32, new: Arg<'a>, old: Arg<'a>) -> Result<(), T::Error> {
    let this_process = Arg::Word(0);
    // SAFETY: reads or writes sixteen bytes, which both callers provide; a limit does not affect open file descriptors.
    unsafe { task.sysif().syscall(nr::PRLIMIT64, [this_process, resource.into(), new, old]) }.map(drop)
}

/// `memfd_create`, closed by `execve`.
pub(crate) fn memfd<T: EventfdTask>(task: T) -> Result<OwnedFd<T>, T::Error> {
    /// `include/uapi/linux/memfd.h`.
    const MFD_CLOEXEC: u32 = 1;
    // SAFETY: the name is read for the call only; the call only creates a file descriptor.
    owned(task, unsafe { task.sysif().syscall(nr::MEMFD_CREATE, [Arg::In(b"case\0"), MFD_CLOEXEC.into()]) }?)
}

/// Duplicates a file descriptor of the task's own table with `pidfd_getfd`.
pub(crate) fn pidfd_getfd<T: EventfdTask>(task: T, fd: FileDescriptor) -> Result<OwnedFd<T>, T::Error> {
    // SAFETY: no argument; a query.
    let pid = unsafe { task.sysif().syscall(nr::GETPID, []) }?;
    // SAFETY: words only; the call only creates a file descriptor.
    let pidfd = owned(task, unsafe { task.sysif().syscall(nr::PIDFD_OPEN, [Arg::Word(pid), Arg::Word(0)]) }?)?;
    // SAFETY: words only; a duplicate takes nothing from the owner of `fd`.
    owned(task, unsafe { task.sysif().syscall(nr::PIDFD_GETFD, [pidfd.near().into(), fd.into(), Arg::Word(0)]) }?)
}

/// Two words of this process's memory that are 0, shared with children, and never unmapped.
pub(crate) fn shared_words() -> Result<[*const u32; 2], Errno> {
    // `include/uapi/asm-generic/mman-common.h`, `include/uapi/linux/mman.h`.
    const PROT_READ_WRITE: u32 = 0x1 | 0x2;
    const MAP_SHARED_ANONYMOUS: u32 = 0x1 | 0x20;
    const PAGE: usize = 4096;
    let (anywhere, no_file, offset) = (0, usize::MAX, 0);
    let words = [anywhere, PAGE, PROT_READ_WRITE as usize, MAP_SHARED_ANONYMOUS as usize, no_file, offset];
    let page = if cfg!(target_arch = "s390x") {
        let bytes = words.map(usize::to_ne_bytes);
        // SAFETY: no address is requested, so no existing mapping is touched; the call reads the six words.
        unsafe { Local.syscall(nr::MMAP, [Arg::In(bytes.as_flattened())]) }
    } else {
        // SAFETY: no address is requested, so no existing mapping is touched.
        unsafe { Local.syscall(nr::MMAP, words.map(Arg::Word)) }
    }?;
    let first = core::ptr::with_exposed_provenance::<u32>(page);
    // On separate cache lines.
    Ok([first, first.wrapping_add(16)])
}

/// Forks a child that runs `work`; its exit status is 0 if `work` returned true.
///
/// # Safety
///
/// The task is in this process, and `work` makes system calls and nothing else: the child has one thread, and a lock
/// that another thread of the parent held stays locked.
pub(crate) unsafe fn fork<T: EventfdTask>(task: T, work: impl FnOnce() -> bool) -> Result<Child<T>, T::Error> {
    /// `include/uapi/asm-generic/signal.h`.
    const SIGCHLD: u32 = 17;
    let zero = || Arg::Word(0);
    let (flags, stack) = (Arg::from(SIGCHLD), zero());
    let (first, second) = if cfg!(target_arch = "s390x") { (stack, flags) } else { (flags, stack) };
    // SAFETY: without CLONE_VM this is `fork`: the child continues here with a copy of the memory, on a copy of this
    // stack.
    let pid = unsafe { task.sysif().syscall(nr::CLONE, [first, second, zero(), zero(), zero()]) }?;
    if pid == 0 {
        let status = if work() { 0 } else { 1 };
        loop {
            // SAFETY: no other code relies on this copy of the process.
            let _gone = unsafe { task.sysif().syscall(nr::EXIT_GROUP, [Arg::Word(status)]) };
        }
    }
    Ok(Child { task, pid })
}

/// A child to wait for.
#[must_use = "an unreaped child stays a zombie"]
pub(crate) struct Child<T> {
    task: T,
    pid: usize,
}

impl<T: EventfdTask> Child<T> {
    /// Waits until it has ended, and returns whether its status was 0.
    pub(crate) fn succeeded(self) -> Result<bool, T::Error> {
        let mut status = [0; 4];
        let args = [Arg::Word(self.pid), Arg::InOut(&mut status), Arg::Word(0), Arg::Word(0)];
        // SAFETY: the call writes one `int`, for which the memory is large enough.
        unsafe { self.task.sysif().syscall(nr::WAIT4, args) }?;
        Ok(status == [0; 4])
    }
}

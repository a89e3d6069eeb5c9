//! The system calls that the crate `rsyscall` does not have, one function each. All calls of this package are made
//! here.

use crate::strings::Strings;
use core::ffi::CStr;
use rsyscall::fd::OwnedFd;
use rsyscall::near::{FileDescriptor, Process, SignalSet};
use rsyscall::sysif::{Arg, Local, SyscallInterface};
use rsyscall::{Current, Errno, nr};

// `include/uapi/linux/sched.h`.
const CLONE_PIDFD: u64 = 0x1000;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const SIGCHLD: u32 = 17;

// `include/uapi/asm-generic/fcntl.h`; the first four are the same on every architecture of `rsyscall`.
const O_RDWR: u32 = 2;
const O_NOCTTY: u32 = 0o400;
const O_NONBLOCK: u32 = 0o4000;
const O_CLOEXEC: u32 = 0o2_000_000;
const O_PATH: u32 = 0o10_000_000;
const AT_FDCWD: i32 = -100;

/// Returns the word that is passed to the kernel.
#[inline(always)]
fn word(arg: Arg<'_>) -> usize {
    match arg {
        Arg::Word(word) => word,
        Arg::In(memory) => memory.as_ptr().expose_provenance(),
        Arg::Out(memory) => memory.as_mut_ptr().expose_provenance(),
        Arg::InOut(memory) => memory.as_mut_ptr().expose_provenance(),
        Arg::OutVec(vector) => vector.as_mut_ptr().expose_provenance(),
    }
}

/// Makes a call whose result is only success or an error.
///
/// # Safety
///
/// As [`SyscallInterface::syscall`].
#[inline(always)]
unsafe fn call(nr: usize, [a, b, c, d]: [Arg<'_>; 4]) -> Result<(), Errno> {
    /// Not inlined: decoding the error is larger than the call.
    #[inline(never)]
    unsafe fn words(a: usize, b: usize, c: usize, d: usize, nr: usize) -> Result<(), Errno> {
        // SAFETY: guaranteed by the caller.
        unsafe { Local.syscall(nr, [Arg::Word(a), Arg::Word(b), Arg::Word(c), Arg::Word(d)]) }.map(drop)
    }
    // SAFETY: guaranteed by the caller; memory is passed as pointers that are valid for the whole call.
    unsafe { words(word(a), word(b), word(c), word(d), nr) }
}

/// An argument that is zero, or that the call does not have.
#[inline(always)]
fn none<'a>() -> Arg<'a> {
    Arg::Word(0)
}

/// Converts a returned pid.
fn process(ret: usize) -> Result<Process, Errno> {
    i32::try_from(ret).map(Process).map_err(|_| Errno::EIO)
}

/// Takes ownership of a returned file descriptor.
fn owned(ret: usize) -> Result<OwnedFd, Errno> {
    let fd = i32::try_from(ret).map_err(|_| Errno::EIO)?;
    // SAFETY: the call has just opened it.
    Ok(unsafe { OwnedFd::adopt(Current, FileDescriptor(fd)) })
}

/// A null-terminated string.
fn string(string: &CStr) -> Arg<'_> {
    Arg::In(string.to_bytes_with_nul())
}

/// The memory to which `clone` writes a pidfd.
pub(crate) struct Pidfd([u8; 4]);

impl Pidfd {
    pub(crate) const fn none() -> Self {
        Self((-1_i32).to_ne_bytes())
    }

    /// Returns the pidfd, if one was written.
    ///
    /// # Safety
    ///
    /// This process is the parent.
    pub(crate) unsafe fn into_owned_fd(self) -> Option<OwnedFd> {
        let fd = i32::from_ne_bytes(self.0);
        // SAFETY: `clone` has opened it, and this consumes its number.
        (fd >= 0).then(|| unsafe { OwnedFd::adopt(Current, FileDescriptor(fd)) })
    }
}

/// Creates a child with default signal handlers, and suspends this thread until the child executes a program or ends.
/// Linux 5.5. Returns the child's pid, and 0 in the child, which has a copy of the memory.
///
/// # Safety
///
/// The child must not wait for what another thread holds, and must not return to the caller's caller.
#[inline(never)]
pub(crate) unsafe fn clone3_vfork(pidfd: &mut Pidfd) -> Result<Process, Errno> {
    // `struct clone_args`: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
    let flags = CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
    let address = (&raw mut pidfd.0).expose_provenance() as u64;
    let args: [u64; 8] = [flags, address, 0, 0, SIGCHLD as u64, 0, 0, 0];
    // SAFETY: integers without padding, read as bytes.
    let bytes = unsafe { core::mem::transmute::<[u64; 8], [u8; 64]>(args) };
    // SAFETY: the call reads the structure, whose length it gets, and writes four bytes at the address in it, which is
    // exposed, and borrowed for longer than the call. The child has a copy of the memory, this stack included, so both
    // return from here; the caller is responsible for what the child does.
    unsafe { Local.syscall(nr::CLONE3, [Arg::In(&bytes), Arg::Word(64)]) }.and_then(process)
}

/// `fork`, with a pidfd or without.
///
/// # Safety
///
/// As [`clone3_vfork`].
#[inline(never)]
pub(crate) unsafe fn fork(pidfd: Option<&mut Pidfd>) -> Result<Process, Errno> {
    let (flags, pidfd) = match pidfd {
        Some(pidfd) => (SIGCHLD | 0x1000, Arg::InOut(&mut pidfd.0)),
        None => (SIGCHLD, none()),
    };
    let (flags, stack) = (Arg::from(flags), none());
    #[cfg(target_arch = "s390x")]
    let (flags, stack) = (stack, flags);
    // SAFETY: the call writes at most the four bytes. The child has a copy of the memory, this stack included, so both
    // return from here; the caller is responsible for what the child does.
    unsafe { Local.syscall(nr::CLONE, [flags, stack, pidfd, none(), none()]) }.and_then(process)
}

/// Creates a close-on-exec pipe: the read end, and the write end.
pub(crate) fn pipe(nonblocking: bool) -> Result<[OwnedFd; 2], Errno> {
    let flags = if nonblocking { O_CLOEXEC | O_NONBLOCK } else { O_CLOEXEC };
    let mut ends = [0_u8; 8];
    // SAFETY: the call writes two file descriptors of four bytes each.
    unsafe { Local.syscall(nr::PIPE2, [Arg::InOut(&mut ends), flags.into()]) }?;
    // SAFETY: the same size, and any bytes are integers.
    let ends = unsafe { core::mem::transmute::<[u8; 8], [i32; 2]>(ends) };
    // SAFETY: the call has just opened both.
    let own = |fd| unsafe { OwnedFd::adopt(Current, FileDescriptor(fd)) };
    Ok([own(ends[0]), own(ends[1])])
}

/// Sends a signal to the process of a pidfd, or to its group (Linux 6.9).
pub(crate) fn pidfd_send_signal(pidfd: FileDescriptor, signal: u32, to_group: bool) -> Result<(), Errno> {
    /// `PIDFD_SIGNAL_PROCESS_GROUP`, `include/uapi/linux/pidfd.h`.
    const GROUP: u32 = 4;
    let flags = if to_group { GROUP } else { 0 };
    // SAFETY: words and no memory. A signal breaks no memory, as in `SignalTask::send_signal`.
    unsafe { call(nr::PIDFD_SEND_SIGNAL, [pidfd.into(), signal.into(), Arg::Word(0), flags.into()]) }
}

/// The `idtype` of `waitid`: `include/uapi/linux/wait.h`.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Process = 1,
    Group = 2,
    PidFd = 3,
}

pub(crate) const WNOHANG: u32 = 1;
pub(crate) const WSTOPPED: u32 = 2;
pub(crate) const WEXITED: u32 = 4;
pub(crate) const WNOWAIT: u32 = 0x0100_0000;

/// `waitid` without a `siginfo_t`.
#[inline(never)]
pub(crate) fn waitid(kind: Kind, id: i32, options: u32) -> Result<(), Errno> {
    let args = [(kind as u32).into(), id.into(), none(), options.into(), none()];
    // SAFETY: words, and no memory: nothing is written where the pointer is null. That it may free a pid breaks no
    // memory.
    unsafe { Local.syscall(nr::WAITID, args) }.map(drop)
}

/// Checks whether there is a child, running or a zombie. `ECHILD`: none. `EINVAL`: by pidfd before Linux 5.4.
pub(crate) fn find_child(kind: Kind, id: i32) -> Result<(), Errno> {
    waitid(kind, id, WNOHANG | WEXITED | WNOWAIT)
}

/// Reads a report of eight bytes; `None` at the end of file.
pub(crate) fn read_report(pipe: &OwnedFd) -> Result<Option<u64>, Errno> {
    let mut bytes = [0_u8; 8];
    // SAFETY: owned, so open, for as long as the borrow lasts; the memory has the length that is passed.
    let read = unsafe { Local.syscall(nr::READ, [pipe.near().into(), Arg::InOut(&mut bytes), Arg::Word(8)]) }?;
    Ok((read == 8).then(|| u64::from_ne_bytes(bytes)))
}

/// Writes a report into the pipe.
pub(crate) fn write_report(fd: FileDescriptor, report: u64) {
    let bytes = report.to_ne_bytes();
    // Ignored: there is no other way to report it.
    // SAFETY: the child's own copy of a file descriptor that is open; the memory has the length that is passed.
    let _ignored = unsafe { Local.syscall(nr::WRITE, [fd.into(), Arg::In(&bytes), Arg::Word(8)]) };
}

/// Executes a program. It returns only on failure.
#[inline(never)]
pub(crate) fn execve(path: &CStr, arguments: Strings<'_>, environment: Strings<'_>) -> Errno {
    // Lists of pointers are words here: an `Arg` names bytes, and this call is made in this address space only.
    let (arguments, environment) = (arguments.as_ptr().expose_provenance(), environment.as_ptr().expose_provenance());
    // SAFETY: a string, and two lists of strings with a null pointer at the end, as `Strings` guarantees.
    let ret = unsafe { Local.syscall(nr::EXECVE, [string(path), Arg::Word(arguments), Arg::Word(environment)]) };
    ret.err().unwrap_or(Errno::EIO)
}

/// Sets the thread's signal mask.
pub(crate) fn set_mask(mask: SignalSet) -> Result<(), Errno> {
    /// `include/uapi/asm-generic/signal-defs.h`.
    const SIG_SETMASK: u32 = 2;
    let set = mask.bits().to_ne_bytes();
    // SAFETY: eight bytes are read. Safe code cannot rely on a signal for its soundness.
    unsafe { call(nr::RT_SIGPROCMASK, [SIG_SETMASK.into(), Arg::In(&set), Arg::Word(0), Arg::Word(8)]) }
}

pub(crate) fn setsid() -> Result<(), Errno> {
    // SAFETY: no argument, and no memory.
    unsafe { call(nr::SETSID, [none(), none(), none(), none()]) }
}

/// Makes the process the leader of a new process group.
pub(crate) fn setpgid() -> Result<(), Errno> {
    // SAFETY: two words and no memory.
    unsafe { call(nr::SETPGID, [Arg::Word(0), Arg::Word(0), none(), none()]) }
}

pub(crate) fn getpgid() -> Result<Process, Errno> {
    // SAFETY: a word and no memory.
    unsafe { Local.syscall(nr::GETPGID, [Arg::Word(0)]) }.and_then(process)
}

pub(crate) fn getsid() -> Result<Process, Errno> {
    // SAFETY: a word and no memory.
    unsafe { Local.syscall(nr::GETSID, [Arg::Word(0)]) }.and_then(process)
}

pub(crate) fn prctl(option: u32, argument: u32) -> Result<(), Errno> {
    // SAFETY: words and no memory, of the two options with which this is called.
    unsafe { call(nr::PRCTL, [option.into(), argument.into(), none(), none()]) }
}

/// A `prctl` that writes an `int`.
pub(crate) fn prctl_get(option: u32) -> Result<i32, Errno> {
    let mut bytes = [0; 4];
    // SAFETY: the call writes four bytes, for which the memory is large enough.
    unsafe { call(nr::PRCTL, [option.into(), Arg::InOut(&mut bytes), none(), none()]) }?;
    Ok(i32::from_ne_bytes(bytes))
}

pub(crate) fn chdir(path: &CStr) -> Result<(), Errno> {
    // SAFETY: a string.
    unsafe { call(nr::CHDIR, [string(path), none(), none(), none()]) }
}

pub(crate) fn fchdir(fd: FileDescriptor) -> Result<(), Errno> {
    // SAFETY: a word and no memory.
    unsafe { call(nr::FCHDIR, [fd.into(), none(), none(), none()]) }
}

/// Opens the working directory with `O_PATH`, which needs no read permission.
pub(crate) fn open_working_directory() -> Result<OwnedFd, Errno> {
    /// `arch/*/include/uapi/asm/fcntl.h`.
    const O_DIRECTORY: u32 = if cfg!(any(target_arch = "arm", target_arch = "aarch64", target_arch = "powerpc64")) {
        0o40_000
    } else {
        0o200_000
    };
    open(c".", O_PATH | O_DIRECTORY | O_CLOEXEC)
}

/// Opens a terminal, without making it the controlling one.
pub(crate) fn open_terminal(path: &CStr) -> Result<OwnedFd, Errno> {
    open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
}

fn open(path: &CStr, flags: u32) -> Result<OwnedFd, Errno> {
    // SAFETY: a string; the call makes a new file descriptor.
    unsafe { Local.syscall(nr::OPENAT, [AT_FDCWD.into(), string(path), flags.into(), Arg::Word(0)]) }.and_then(owned)
}

/// Makes `to` a duplicate of `from`, not close-on-exec.
///
/// # Safety
///
/// Nothing in the process owns `to`, or what it stands for is not used any more.
pub(crate) unsafe fn dup_onto(from: FileDescriptor, to: i32) -> Result<(), Errno> {
    /// `include/uapi/asm-generic/fcntl.h`.
    const F_SETFD: u32 = 2;
    if from.0 == to {
        // SAFETY: words and no memory.
        return unsafe { call(nr::FCNTL, [from.into(), F_SETFD.into(), Arg::Word(0), none()]) };
    }
    // SAFETY: words and no memory; the caller is responsible for the target.
    unsafe { call(nr::DUP3, [from.into(), to.into(), Arg::Word(0), none()]) }
}

/// Makes `to`, which is not open, a duplicate of `from`, not close-on-exec. `EBUSY`: it is open.
pub(crate) fn dup_to_free(from: FileDescriptor, to: i32) -> Result<(), Errno> {
    let copy = dup_above(from, to)?;
    if copy.0 != to {
        // SAFETY: just created, and used by nothing else.
        drop(unsafe { OwnedFd::adopt(Current, copy) });
        return Err(Errno::EBUSY);
    }
    // SAFETY: only its flag is changed.
    unsafe { dup_onto(copy, to) }
}

/// Duplicates a file descriptor to the lowest free one from `lowest` on, close-on-exec.
pub(crate) fn dup_above(fd: FileDescriptor, lowest: i32) -> Result<FileDescriptor, Errno> {
    /// `include/uapi/linux/fcntl.h`.
    const F_DUPFD_CLOEXEC: u32 = 1030;
    // SAFETY: words and no memory.
    let ret = unsafe { Local.syscall(nr::FCNTL, [fd.into(), F_DUPFD_CLOEXEC.into(), lowest.into()]) }?;
    i32::try_from(ret).map(FileDescriptor).map_err(|_| Errno::EIO)
}

/// An `ioctl` of a terminal that takes a word.
pub(crate) fn ioctl_word(fd: FileDescriptor, request: u32, word: usize) -> Result<(), Errno> {
    // SAFETY: words and no memory, of the requests with which this is called.
    unsafe { call(nr::IOCTL, [fd.into(), request.into(), Arg::Word(word), none()]) }
}

/// An `ioctl` of a terminal that takes a process group, or returns one.
pub(crate) fn ioctl_group(fd: FileDescriptor, request: u32, group: Process) -> Result<Process, Errno> {
    let mut bytes = group.0.to_ne_bytes();
    // SAFETY: the call reads or writes four bytes, for which the memory is large enough.
    unsafe { call(nr::IOCTL, [fd.into(), request.into(), Arg::InOut(&mut bytes), none()]) }?;
    Ok(Process(i32::from_ne_bytes(bytes)))
}

pub(crate) fn reboot(command: u32) -> Result<(), Errno> {
    // `include/uapi/linux/reboot.h`.
    let magic = [0xfee1_dead_u32, 672_274_793];
    // SAFETY: words and no memory.
    unsafe { call(nr::REBOOT, [magic[0].into(), magic[1].into(), command.into(), Arg::Word(0)]) }
}

pub(crate) fn sync() {
    // It cannot fail.
    // SAFETY: no argument, and no memory.
    let _ignored = unsafe { Local.syscall(nr::SYNC, []) };
}

/// Writes without blocking. `EAGAIN`: it would block. `EOPNOTSUPP`, `ENOSYS`: not supported.
pub(crate) fn write_nowait(fd: FileDescriptor, bytes: &[u8]) -> Result<usize, Errno> {
    /// `include/uapi/linux/fs.h`.
    const RWF_NOWAIT: usize = 8;
    // `struct iovec`. A word here: an `Arg` has no vector that is only read, and this call is made in this address
    // space only.
    let vector = [bytes.as_ptr().expose_provenance(), bytes.len()];
    let vector = (&raw const vector).expose_provenance();
    let at = || Arg::Word(usize::MAX);
    let args = [fd.into(), Arg::Word(vector), Arg::Word(1), at(), at(), Arg::Word(RWF_NOWAIT)];
    // SAFETY: the vector and the bytes in it are borrowed for the call, and only read.
    unsafe { Local.syscall(nr::PWRITEV2, args) }
}

/// `write`.
pub(crate) fn write(fd: FileDescriptor, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the bytes are borrowed for the call, and only read.
    unsafe { Local.syscall(nr::WRITE, [fd.into(), Arg::In(bytes), Arg::Word(bytes.len())]) }
}

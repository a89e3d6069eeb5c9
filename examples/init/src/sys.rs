//! The calls that an init needs and an eventfd does not: processes, signals, and the machine's end.

use core::ffi::{CStr, c_char};
use rsyscall::arch::{syscall0, syscall1, syscall2, syscall3, syscall4, syscall5};
use rsyscall::near::{self, FileDescriptor, SignalSet};
use rsyscall::nr;
use rsyscall::sysif::Local;
use rsyscall::{Current, Errno, fd::OwnedFd};

pub const SIGINT: u32 = 2;
pub const SIGKILL: u32 = 9;
pub const SIGTERM: u32 = 15;
pub const SIGCHLD: u32 = 17;
pub const SIGCONT: u32 = 18;

/// Everyone: whom `kill` and `wait` take as −1.
pub const ALL: i32 = -1;

fn word(number: i32) -> usize {
    number as usize
}

/// Writes to a descriptor of the three that every program has, as far as it is there.
pub fn print(fd: i32, text: &[u8]) {
    // SAFETY: nothing in this program closes it or makes another of that number; if it was never open, nothing is printed.
    let _nobody_to_tell = unsafe { near::write(&Local, FileDescriptor(fd), text) };
}

/// This process's number.
pub fn getpid() -> i32 {
    // SAFETY: takes nothing and only answers.
    unsafe { syscall0(nr::GETPID) as i32 }
}

/// The number of this process's parent.
pub fn getppid() -> i32 {
    // SAFETY: takes nothing and only answers.
    unsafe { syscall0(nr::GETPPID) as i32 }
}

/// Whether the kernel's own thread keeper is process 2: then this pid namespace is the machine's. Its group is 0, which in
/// a namespace of a container no process has that was started there.
pub fn is_machine() -> bool {
    // SAFETY: takes a number and only answers.
    getpid() == 1 && unsafe { syscall1(nr::GETPGID, 2) } == 0
}

/// Blocks exactly these signals.
pub fn block(signals: SignalSet) {
    const SIG_SETMASK: usize = 2;
    let set = signals.bits();
    // SAFETY: the set is eight bytes, and nothing in this program waits for a handler to run.
    unsafe { syscall4(nr::RT_SIGPROCMASK, SIG_SETMASK, (&raw const set).expose_provenance(), 0, 8) };
}

/// A descriptor from which these signals are read; they must be blocked.
pub fn signalfd(signals: SignalSet) -> Result<OwnedFd, Errno> {
    const SFD_CLOEXEC_NONBLOCK: usize = 0o2004000;
    let set = signals.bits();
    // SAFETY: the set is eight bytes; −1 asks for a new descriptor.
    let fd =
        unsafe { syscall4(nr::SIGNALFD4, word(-1), (&raw const set).expose_provenance(), 8, SFD_CLOEXEC_NONBLOCK) };
    // SAFETY: the kernel just made it for us.
    Errno::from_ret(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// The next signal, if there is one.
pub fn next_signal(signalfd: &OwnedFd) -> Option<u32> {
    // `struct signalfd_siginfo`, of which the first word is the signal's number.
    let mut info = [const { core::mem::MaybeUninit::<u8>::uninit() }; 128];
    // SAFETY: it is open, and reading it is what it is for.
    let info = unsafe { near::read(&Local, signalfd.near(), &mut info) }.ok()?;
    info.first_chunk().copied().map(u32::from_ne_bytes)
}

/// A descriptor that is readable when the process has ended. Linux 5.3.
pub fn pidfd_open(process: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: two numbers; a new descriptor.
    let fd = unsafe { syscall2(nr::PIDFD_OPEN, word(process), 0) };
    // SAFETY: the kernel just made it for us.
    Errno::from_ret(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Starts a child that runs `body` and ends with what it returns; the number of the child.
pub fn fork(body: impl FnOnce() -> i32) -> Result<i32, Errno> {
    // SAFETY: no flag but the signal at the end: the child has a copy of everything, this stack included, and goes on here
    // by itself. This program has one thread, so no lock is held by another.
    let child = unsafe { syscall5(nr::CLONE, SIGCHLD as usize, 0, 0, 0, 0) };
    match Errno::from_ret(child)? {
        0 => Current.exit(body()),
        child => Ok(child as i32),
    }
}

/// A session of its own: signals of the terminal's group no longer reach it.
pub fn setsid() {
    // SAFETY: takes nothing; of what it changes nothing is relied on.
    unsafe { syscall0(nr::SETSID) };
}

/// Becomes another program. It comes back only with an error.
///
/// # Safety
///
/// Both are lists of strings, with zero at the end.
pub unsafe fn execve(path: &CStr, arguments: *const *const c_char, environment: *const *const c_char) -> Errno {
    let path = path.as_ptr().expose_provenance();
    let (arguments, environment) = (arguments.expose_provenance(), environment.expose_provenance());
    // SAFETY: a string, and by the caller's promise two lists.
    let answer = unsafe { syscall3(nr::EXECVE, path, arguments, environment) };
    Errno::from_ret(answer).err().unwrap_or(Errno::EIO)
}

/// How a process ended.
#[derive(Clone, Copy)]
pub struct Status(u32);

impl Status {
    /// As a shell says it: the exit status, or 128 and the signal.
    pub fn code(self) -> i32 {
        let signal = self.0 & 0x7f;
        (if signal == 0 { self.0 >> 8 & 0xff } else { 128 + signal }) as i32
    }
}

/// Takes leave of a child that has ended: its number and how it ended, or `None` if there are children and none has ended.
/// `ECHILD` if there is no child at all.
pub fn reap() -> Result<Option<(i32, Status)>, Errno> {
    const WNOHANG: usize = 1;
    let mut status = 0_u32;
    // SAFETY: the status is a word that the call may write.
    let child = unsafe { syscall4(nr::WAIT4, word(ALL), (&raw mut status).expose_provenance(), WNOHANG, 0) };
    Ok(match Errno::from_ret(child)? {
        0 => None,
        child => Some((child as i32, Status(status))),
    })
}

/// Sends a signal to a process, or to [`ALL`]: everyone in this pid namespace but this process itself.
pub fn kill(process: i32, signal: u32) -> Result<(), Errno> {
    // SAFETY: two numbers; whom it may reach is the caller's business.
    Errno::from_ret(unsafe { syscall2(nr::KILL, word(process), signal as usize) }).map(drop)
}

/// From now on orphaned descendants become children of this process, as they do of PID 1.
pub fn become_subreaper() {
    const PR_SET_CHILD_SUBREAPER: usize = 36;
    // SAFETY: two numbers.
    unsafe { syscall5(nr::PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// Switches the machine off.
pub fn power_off() {
    // `include/uapi/linux/reboot.h`: the two magic numbers and LINUX_REBOOT_CMD_POWER_OFF.
    // SAFETY: four words; every process has ended, and what was written to files is on its way by `sync`.
    unsafe { syscall4(nr::REBOOT, 0xfee1_dead, 672_274_793, 0x4321_fedc, 0) };
}

/// Writes everything to the disks.
pub fn sync() {
    // SAFETY: takes nothing.
    unsafe { syscall0(nr::SYNC) };
}

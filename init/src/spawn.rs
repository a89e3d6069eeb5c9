//! Starting a program in a child, and replacing this process by one.

use crate::child::Child;
use crate::path;
use crate::raw::{self, Kind, Pidfd};
use crate::strings::{Placeholder, Strings};
use crate::tty::{self, Descriptor};
use core::ffi::{CStr, c_char};
use core::fmt;
use core::ptr::null;
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor, PollFd, Process, SignalSet, Timespec};
use rsyscall::sys::pidfd::{PidFd, PidfdTask};
use rsyscall::sys::signal::{Disposition, Preset, Signal, SignalTask};
use rsyscall::sysif::Local;
use rsyscall::{Current, Errno};

/// What is executed.
#[derive(Debug, Clone, Copy)]
pub enum Program<'a> {
    /// This file.
    Path(&'a CStr),
    /// This name, searched for in the directories of `path`, which are separated by colons, unless it contains a slash:
    /// as `execvp` does, see [`path::search`].
    Search {
        /// The name.
        name: &'a CStr,
        /// The directories: the value of `PATH`.
        path: &'a [u8],
    },
}

/// A program to start: [`spawn()`] runs it in a child, [`exec`] replaces the caller by it.
///
/// ```
/// use rsyscall::near::SignalSet;
/// use rsyscall::sys::wait::ExitStatus;
/// use rsyscall_init::{Command, Program, StringList, Strings};
///
/// let mut arguments = StringList::<4>::new();
/// for argument in [c"sh", c"-c", c"exit 3"] {
///     arguments.push(argument)?;
/// }
/// let command = Command {
///     arguments: arguments.as_strings(),
///     ..Command::new(Program::Search { name: c"sh", path: b"/usr/bin:/bin" })
/// };
/// let mut child = rsyscall_init::spawn(&command).unwrap();
/// assert_eq!(child.wait()?, ExitStatus::Exited(3));
/// # Ok::<(), rsyscall::Errno>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Command<'a> {
    /// What is executed.
    pub program: Program<'a>,
    /// Its arguments; the first is `argv[0]`.
    pub arguments: Strings<'a>,
    /// Its environment.
    pub environment: Strings<'a>,
    /// Its signal mask. A caller that blocks signals for its own use passes the mask that it started with.
    pub mask: SignalSet,
    /// The signals that are set to their default action. A signal with a handler always is; an ignored one stays
    /// ignored unless it is in this set.
    pub default: SignalSet,
    /// The signals that are set to be ignored.
    pub ignore: SignalSet,
    /// The interpreter for a file that fails with `ENOEXEC` (a script without `#!`), such as `/bin/sh` for `execvp`.
    /// With `None` the error is `ENOEXEC`.
    ///
    /// The interpreter's arguments are the file and the program's arguments. With more than 254 of them the error is
    /// `E2BIG`.
    pub interpreter: Option<&'a CStr>,
    /// What the child does before `execve`, in this order.
    pub steps: &'a [Step<'a>],
}

impl<'a> Command<'a> {
    /// Creates a command without arguments, environment and steps, with no signal blocked.
    #[inline]
    pub const fn new(program: Program<'a>) -> Self {
        Self {
            program,
            arguments: Strings::EMPTY,
            environment: Strings::EMPTY,
            mask: SignalSet::EMPTY,
            default: SignalSet::EMPTY,
            ignore: SignalSet::EMPTY,
            interpreter: None,
            steps: &[],
        }
    }
}

/// An operation of the child before `execve`, with all signals blocked. No step opens a file, because that could block.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Step<'a> {
    /// Does nothing: for a step that depends on a condition.
    Nothing,
    /// Makes the child the leader of a new session, without a terminal (`setsid`). Its process group is then orphaned:
    /// Ctrl-Z does not stop it.
    NewSession,
    /// Makes the child the leader of a new process group (`setpgid`).
    NewGroup,
    /// Makes a terminal the controlling terminal of its session (`TIOCSCTTY`). `EPERM`: it is not a session leader, or
    /// has a terminal already, or another session has this one. `ENOTTY`: not a terminal.
    ControllingTerminal(Descriptor<'a>),
    /// Makes its group the foreground process group of the terminal (`TIOCSPGRP`). `ENOTTY`: not the controlling
    /// terminal.
    Foreground(Descriptor<'a>),
    /// Changes its working directory to an open one (`fchdir`).
    Directory(&'a OwnedFd),
    /// Changes its working directory (`chdir`).
    ChangeDirectory(&'a CStr),
    /// Makes `to` a duplicate of `from`, inherited by the program. Two steps with the same target, or a `from` that an
    /// earlier step has replaced, fail with `EINVAL` before a child is created.
    Descriptor {
        /// What is duplicated.
        from: &'a OwnedFd,
        /// The file descriptor that the program has.
        to: i32,
    },
    /// Sends the child this signal when the *thread* that started it ends (`PR_SET_PDEATHSIG`). `ESRCH`: the parent has
    /// already ended. Executing a set-user-ID program, or one with file capabilities, clears the setting.
    DieWithParent(Signal),
    /// Writes its pid into an environment variable.
    OwnPid(&'a Placeholder),
}

/// The operation at which starting a program failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// No child was created. `EAGAIN`, `ENOMEM`, `EMFILE`, `ENFILE`: try again later.
    Clone,
    /// The step with this index in [`Command::steps`].
    Step(u32),
    /// `execve`. `ENOENT`: not found. `EACCES`: no permission. `ENOEXEC`: unknown format.
    Exec,
}

/// Why a program was not started. No zombie and no file descriptor is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpawnError {
    /// The operation that failed.
    pub at: At,
    /// Its error.
    pub errno: Errno,
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Clone => write!(f, "clone: {}", self.errno),
            At::Step(step) => write!(f, "step {step}: {}", self.errno),
            At::Exec => write!(f, "execve: {}", self.errno),
        }
    }
}

impl core::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.errno)
    }
}

impl SpawnError {
    const EXEC: u32 = u32::MAX;

    /// Encodes it for the pipe: the step, and the error.
    fn report(self) -> u64 {
        let at = match self.at {
            At::Clone | At::Exec => Self::EXEC,
            At::Step(step) => step,
        };
        u64::from(at) << 32 | u64::from(self.errno.raw().unsigned_abs())
    }

    fn from_report(report: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = report.to_le_bytes();
        let at = match u32::from_le_bytes([e, f, g, h]) {
            Self::EXEC => At::Exec,
            step => At::Step(step),
        };
        Self { at, errno: Errno::from_raw(i32::from_le_bytes([a, b, c, d])).unwrap_or(Errno::EIO) }
    }
}

/// Starts a program in a child.
///
/// When it returns, `execve` has succeeded, or the error has the step that failed. The caller's signal handlers never
/// run in the child: they are reset before any signal is unblocked there. The child has a copy of the caller's memory
/// and runs code of this crate only. The program inherits the file descriptors that are not close-on-exec, and those of
/// steps.
///
/// The calling thread is suspended until `execve` has succeeded or failed: also while `execve` blocks (FUSE, NFS
/// without its server) or the child is stopped. Other threads continue.
///
/// Without `clone3` and `CLONE_CLEAR_SIGHAND` (before Linux 5.5, under qemu-user or gVisor, or by a seccomp filter) it
/// forks, and waits for the end of a pipe that `execve` closes. A child that another thread has forked meanwhile
/// inherits the pipe, and blocks the caller until it calls `execve` or ends.
///
/// System calls: `pipe2`, `rt_sigprocmask`, `clone3`, `read`, `close`; as a fork `clone`, `rt_sigaction`, `pidfd_open`;
/// after a failure `waitid`. With [`Step::DieWithParent`] also `getpid`, `pidfd_open`, `ppoll`.
///
/// # Errors
///
/// See [`At`]. `EINVAL` at a step before a child is created: [`Step::Descriptor`].
///
/// # Source
///
/// [clone(2)](https://man7.org/linux/man-pages/man2/clone.2.html),
/// [execve(2)](https://man7.org/linux/man-pages/man2/execve.2.html).
pub fn spawn(command: &Command<'_>) -> Result<Child, SpawnError> {
    check(command.steps)?;
    spawn_with::<true>(command, command.steps)
}

/// Starts a program as [`spawn()`] does, with these steps instead of those of the command.
///
/// It is less code, because it supports only the steps of job control ([`NewSession`](Step::NewSession),
/// [`NewGroup`](Step::NewGroup), [`ControllingTerminal`](Step::ControllingTerminal), [`Foreground`](Step::Foreground)),
/// [`Directory`](Step::Directory) and [`Nothing`](Step::Nothing).
///
/// System calls: those of [`spawn()`].
///
/// # Errors
///
/// See [`At`]. `EINVAL` at a step: it is not supported.
#[inline(never)]
pub fn spawn_job(command: &Command<'_>, steps: &[Step<'_>]) -> Result<Child, SpawnError> {
    spawn_with::<false>(command, steps)
}

/// `ALL`: with all steps, otherwise with those of [`spawn_job`].
fn spawn_with<const ALL: bool>(command: &Command<'_>, steps: &[Step<'_>]) -> Result<Child, SpawnError> {
    let none = |errno| SpawnError { at: At::Clone, errno };
    let parent = if ALL { parent(steps).map_err(none)? } else { None };
    // No handler of the caller may run in the child, and no step may be interrupted.
    let blocked = Current.block_signals(SignalSet::ALL).map_err(none)?;
    let mut way = Way::Suspended;
    let started = loop {
        let started = start::<ALL>(command, steps, &parent, way);
        way = match (started, way.next()) {
            // The errors of kernels, emulators and seccomp filters that do not support it.
            (Err(SpawnError { at: At::Clone, errno: Errno::ENOSYS | Errno::EINVAL | Errno::EPERM }), Some(next)) => {
                next
            }
            (started, _) => break started,
        };
    };
    drop(blocked);
    started
}

/// Replaces the caller by a program, after the steps. It returns only on failure; steps that succeeded, signal actions
/// and the signal mask are not undone.
///
/// For process 1 that executes another init, for example after `switch_root`. The target of a [`Step::Descriptor`]
/// is standard input, output or error, or is not open; otherwise it fails with `EBUSY`, as it may have an owner.
///
/// System calls: `execve`, and those of the steps.
pub fn exec(command: &Command<'_>) -> SpawnError {
    if let Err(error) = check(command.steps) {
        return error;
    }
    run::<true>(command, command.steps, None, None)
}

/// Checks the steps before a child is created.
fn check(steps: &[Step<'_>]) -> Result<(), SpawnError> {
    for (n, step) in (0..).zip(steps) {
        let (used, target) = match step {
            Step::ControllingTerminal(fd) | Step::Foreground(fd) => (fd.near().0, None),
            Step::Directory(fd) => (fd.as_raw_fd(), None),
            Step::Descriptor { from, to } => (from.as_raw_fd(), Some(*to)),
            _ => continue,
        };
        let before = steps.get(..n as usize).unwrap_or_default();
        if replaces(before, used) || target.is_some_and(|fd| fd < 0 || replaces(before, fd)) {
            return Err(SpawnError { at: At::Step(n), errno: Errno::EINVAL });
        }
    }
    Ok(())
}

/// Returns whether a file descriptor is the target of one of the steps.
#[inline(never)]
fn replaces(steps: &[Step<'_>], fd: i32) -> bool {
    steps.iter().any(|step| matches!(step, Step::Descriptor { to, .. } if *to == fd))
}

/// For the child to detect that its parent has ended. In a new pid namespace `getppid` does not: it returns 0.
struct Parent {
    process: Process,
    pidfd: Option<PidFd>,
}

fn parent(steps: &[Step<'_>]) -> Result<Option<Parent>, Errno> {
    if !steps.iter().any(|step| matches!(step, Step::DieWithParent(_))) {
        return Ok(None);
    }
    let process = near::getpid(&Local)?;
    Ok(Some(Parent { process, pidfd: Current.pidfd_open(process).ok() }))
}

impl Parent {
    /// `ESRCH`: it has ended.
    fn lives(&self) -> Result<(), Errno> {
        let ended = match &self.pidfd {
            Some(pidfd) => {
                let mut entry = [PollFd { fd: pidfd.near(), events: PollFd::IN, revents: 0 }];
                near::ppoll(&Local, &mut entry, Some(Timespec::ZERO), None)? != 0
            }
            None => near::getppid(&Local)? != self.process,
        };
        if ended { Err(Errno::ESRCH) } else { Ok(()) }
    }
}

/// How a child is created.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// `vfork`: the calling thread is suspended until the child calls `execve` or ends. By then the pipe contains the
    /// report, if any: reading it does not block.
    Suspended,
    /// `fork`: reading the pipe blocks until `execve` or the child's end closes it.
    Fork,
    /// The same without a pidfd.
    ForkWithoutPidfd,
}

impl Way {
    /// Returns what is tried after this one failed.
    fn next(self) -> Option<Self> {
        match self {
            Self::Suspended => Some(Self::Fork),
            Self::Fork => Some(Self::ForkWithoutPidfd),
            Self::ForkWithoutPidfd => None,
        }
    }
}

#[inline(never)]
fn start<const ALL: bool>(
    command: &Command<'_>,
    steps: &[Step<'_>],
    parent: &Option<Parent>,
    way: Way,
) -> Result<Child, SpawnError> {
    let none = |errno| SpawnError { at: At::Clone, errno };
    let [reader, writer] = raw::pipe(way == Way::Suspended).map_err(none)?;
    let mut pidfd = Pidfd::none();
    let cloned = match way {
        // SAFETY: the child runs `begin`, which waits for nothing and does not return.
        Way::Suspended => unsafe { raw::clone3_vfork(&mut pidfd) },
        // SAFETY: as above.
        Way::Fork => unsafe { raw::fork(Some(&mut pidfd)) },
        // SAFETY: as above.
        Way::ForkWithoutPidfd => unsafe { raw::fork(None) },
    };
    let process = cloned.map_err(none)?;
    if process == Process(0) {
        begin::<ALL>(command, steps, parent, writer.near(), way == Way::Suspended);
    }
    drop(writer);
    // SAFETY: this is the parent.
    let pidfd = unsafe { pidfd.into_owned_fd() };
    let report = loop {
        match raw::read_report(&reader) {
            Err(Errno::EINTR) => {}
            report => break report,
        }
    };
    match report {
        Ok(Some(report)) => Err(failed(process, report)),
        // The pid of an unreaped child is not reused.
        _ => Ok(Child::new(process, pidfd.map(PidFd::from).or_else(|| Current.pidfd_open(process).ok()))),
    }
}

/// Reaps the child that has failed.
#[cold]
fn failed(process: Process, report: u64) -> SpawnError {
    // Other errors are ignored: where SIGCHLD is ignored there is no zombie.
    while raw::waitid(Kind::Process, process.0, raw::WEXITED) == Err(Errno::EINTR) {}
    SpawnError::from_report(report)
}

/// Runs in the child.
fn begin<const ALL: bool>(
    command: &Command<'_>,
    steps: &[Step<'_>],
    parent: &Option<Parent>,
    report: FileDescriptor,
    cleared: bool,
) -> ! {
    let kept = if ALL { keep(report, steps) } else { Ok(report) };
    let (report, error) = match kept {
        Ok(report) => (report, run::<ALL>(command, steps, parent.as_ref(), Some(cleared))),
        Err(errno) => (report, SpawnError { at: At::Step(0), errno }),
    };
    raw::write_report(report, error.report());
    Current.exit(127)
}

/// Moves the file descriptor of the report to where no step replaces it.
fn keep(report: FileDescriptor, steps: &[Step<'_>]) -> Result<FileDescriptor, Errno> {
    if !replaces(steps, report.0) {
        return Ok(report);
    }
    let mut highest = 0;
    for step in steps {
        if let Step::Descriptor { to, .. } = step {
            highest = highest.max(*to);
        }
    }
    raw::dup_above(report, highest.saturating_add(1))
}

/// Steps, signal actions, signal mask, `execve`. `cleared`: whether all handlers are reset already; `None`: for
/// [`exec`].
fn run<const ALL: bool>(
    command: &Command<'_>,
    steps: &[Step<'_>],
    parent: Option<&Parent>,
    cleared: Option<bool>,
) -> SpawnError {
    for (n, step) in (0..).zip(steps) {
        if let Err(errno) = take::<ALL>(step, parent, cleared.is_some()) {
            return SpawnError { at: At::Step(n), errno };
        }
    }
    let at_exec = |errno| SpawnError { at: At::Exec, errno };
    let mut number = 0_u32;
    while let Some(signal) = Signal::from_raw(number.wrapping_add(1)) {
        number = signal.raw();
        let ignore = command.ignore.has(signal);
        let set = ignore
            || command.default.has(signal)
            || cleared == Some(false) && Current.disposition(signal) == Ok(Disposition::Handler);
        if set {
            match dispose(signal, ignore) {
                // SIGKILL and SIGSTOP have none.
                Ok(()) | Err(Errno::EINVAL) => {}
                Err(errno) => return at_exec(errno),
            }
        }
    }
    if let Err(errno) = raw::set_mask(command.mask) {
        return at_exec(errno);
    }
    let (name, directories) = match command.program {
        Program::Path(path) => (path, None),
        Program::Search { name, path } => (name, Some(path)),
    };
    at_exec(path::search_in(name, directories, |path| execute(command, path)))
}

/// Sets the action of a signal: ignore or default.
#[inline(never)]
fn dispose(signal: Signal, ignore: bool) -> Result<(), Errno> {
    Current.set_disposition(signal, if ignore { Preset::Ignore } else { Preset::Default })
}

#[inline(never)]
fn take<const ALL: bool>(step: &Step<'_>, parent: Option<&Parent>, child: bool) -> Result<(), Errno> {
    match *step {
        Step::Nothing => Ok(()),
        Step::NewSession => raw::setsid(),
        Step::NewGroup => raw::setpgid(),
        Step::ControllingTerminal(terminal) => tty::make_controlling(terminal),
        Step::Foreground(terminal) => tty::set_foreground(terminal, near::getpid(&Local)?),
        Step::Directory(directory) => raw::fchdir(directory.near()),
        _ if !ALL => Err(Errno::EINVAL),
        Step::ChangeDirectory(directory) => raw::chdir(directory),
        // SAFETY: in the child what the target stood for is not used any more; standard streams have no owner, and stay
        // open.
        Step::Descriptor { from, to } if child || to <= 2 => unsafe { raw::dup_onto(from.near(), to) },
        Step::Descriptor { from, to } => raw::dup_to_free(from.near(), to),
        Step::DieWithParent(signal) => {
            crate::process::die_with_parent(Some(signal))?;
            parent.map_or(Ok(()), Parent::lives)
        }
        Step::OwnPid(placeholder) => {
            placeholder.fill(near::getpid(&Local)?.0);
            Ok(())
        }
    }
}

/// Executes a path, or after `ENOEXEC` the interpreter.
fn execute(command: &Command<'_>, path: &CStr) -> Errno {
    let errno = raw::execve(path, command.arguments, command.environment);
    match command.interpreter {
        Some(interpreter) if errno == Errno::ENOEXEC => interpret(command, interpreter, path),
        _ => errno,
    }
}

/// Executes the interpreter with the path before the arguments.
#[cold]
fn interpret(command: &Command<'_>, interpreter: &CStr, path: &CStr) -> Errno {
    const MAX: usize = 256;
    let mut list = [null::<c_char>(); MAX];
    let mut places = list.iter_mut();
    let mut put = |string: &CStr| match places.next() {
        Some(place) if places.len() > 0 => {
            *place = string.as_ptr();
            true
        }
        _ => false,
    };
    if !put(interpreter) || !put(path) || !command.arguments.iter().skip(1).all(&mut put) {
        return Errno::E2BIG;
    }
    // SAFETY: strings that are borrowed for longer than this call, and null pointers behind them.
    let arguments = unsafe { Strings::from_ptr(list.as_ptr()) };
    raw::execve(interpreter, arguments, command.environment)
}

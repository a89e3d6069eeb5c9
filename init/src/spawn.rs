//! Starting a program, and becoming one: what is to be done is data.

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
    /// This name, looked for in the directories of `path` (which are separated by colons) unless it contains a slash:
    /// as `execvp` does, see [`path::search`].
    Search {
        /// The name.
        name: &'a CStr,
        /// The directories: the value of `PATH`.
        path: &'a [u8],
    },
}

/// A program to start: [`spawn()`] makes a child of it, [`exec`] replaces the caller by it.
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
    /// Its arguments; the first is the name that it is told.
    pub arguments: Strings<'a>,
    /// Its environment.
    pub environment: Strings<'a>,
    /// Its signal mask. A caller that blocks signals for its own use names the mask that it had found.
    pub mask: SignalSet,
    /// Signals whose disposition becomes the default. Those with a handler always do; an ignored one otherwise stays
    /// ignored.
    pub default: SignalSet,
    /// Signals whose disposition becomes to ignore them.
    pub ignore: SignalSet,
    /// What executes a file that the kernel does not know how to (`ENOEXEC`: a script without `#!`), as `execvp` runs
    /// `/bin/sh`: its arguments are the file, and those of the program. `None`: `ENOEXEC` is told. With more than 254
    /// arguments it is `E2BIG`.
    pub interpreter: Option<&'a CStr>,
    /// What is done before, in this order.
    pub steps: &'a [Step<'a>],
}

impl<'a> Command<'a> {
    /// A program without arguments, environment and steps, with no signal blocked.
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

/// Something that is done before a program is executed, in the new process.
///
/// All signals are blocked meanwhile. No step opens a file, which could sleep.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Step<'a> {
    /// Does nothing: in the place of a step that is not always taken.
    Nothing,
    /// Makes it the leader of a session of its own, without a terminal (`setsid`). A group that only it is in is then
    /// orphaned: Ctrl-Z does not stop it.
    NewSession,
    /// Makes it the leader of a process group of its own (`setpgid`).
    NewGroup,
    /// Makes a terminal the controlling one of its session (`TIOCSCTTY`). `EPERM`: it does not lead a session, or has a
    /// terminal, or another session has this one. `ENOTTY`: not a terminal.
    ControllingTerminal(Descriptor<'a>),
    /// Makes its group the foreground of the terminal (`TIOCSPGRP`). `ENOTTY`: not the controlling terminal.
    Foreground(Descriptor<'a>),
    /// Changes its working directory to one that is open (`fchdir`).
    Directory(&'a OwnedFd),
    /// Changes its working directory (`chdir`).
    ChangeDirectory(&'a CStr),
    /// Makes `to` a duplicate of `from` that the program inherits. Two steps with one target, or a `from` that an
    /// earlier step has replaced, are `EINVAL`, and nothing is started.
    Descriptor {
        /// What is duplicated.
        from: &'a OwnedFd,
        /// The file descriptor that the program has.
        to: i32,
    },
    /// Sends it this signal when the *thread* that started it ends (`PR_SET_PDEATHSIG`). `ESRCH`: that process has
    /// already ended. A program with set-user-ID, or file capabilities, loses it.
    DieWithParent(Signal),
    /// Writes its pid into a variable of the environment.
    OwnPid(&'a Placeholder),
}

/// Where a start has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// No process was made. `EAGAIN`, `ENOMEM`, `EMFILE`, `ENFILE`: try again later.
    Clone,
    /// The step of this index.
    Step(u32),
    /// `execve`. `ENOENT`: not found. `EACCES`: may not be executed. `ENOEXEC`: not of a format that the kernel knows.
    Exec,
}

/// Why a program was not started: nothing of it is left, no zombie and no file descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpawnError {
    /// Where.
    pub at: At,
    /// Why.
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

    /// As a child tells it: the step, and the error.
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
/// When it returns, the program has been executed, or the error says what has failed and nothing is left. Handlers of
/// the caller never run in the child: they are made default before any signal is unblocked there. The child has a copy
/// of the caller's memory and runs code of this crate only; of the caller's file descriptors the program has those that
/// are not `CLOEXEC`, and those that steps name.
///
/// Until then the calling thread is suspended: an `execve` that blocks (from FUSE, or NFS without its server), or a
/// child that someone stops, suspends it for as long. Its other threads run on.
///
/// Where the kernel does not have `clone3` with `CLONE_CLEAR_SIGHAND` (before Linux 5.5, under qemu-user or gVisor, or
/// by a seccomp filter) it is a `fork`, and the error is told through a pipe that `execve` closes: there, the child of
/// another thread that has inherited the pipe, and neither executes nor ends, keeps the caller waiting.
///
/// System calls: `pipe2`, `rt_sigprocmask`, `clone3`, `read`, `close`; as a fork `clone`, `rt_sigaction`, `pidfd_open`;
/// after a failure `waitid`. With [`Step::DieWithParent`] also `getpid`, `pidfd_open`, `ppoll`.
///
/// # Errors
///
/// See [`At`]. `EINVAL` at a step, and nothing is started: [`Step::Descriptor`].
///
/// # Source
///
/// [clone(2)](https://man7.org/linux/man-pages/man2/clone.2.html),
/// [execve(2)](https://man7.org/linux/man-pages/man2/execve.2.html).
pub fn spawn(command: &Command<'_>) -> Result<Child, SpawnError> {
    check(command.steps)?;
    spawn_with::<true>(command, command.steps)
}

/// Starts a program as [`spawn()`] does, after these steps in the place of its own. It is less code: of the steps only those of job control
/// ([`NewSession`](Step::NewSession), [`NewGroup`](Step::NewGroup),
/// [`ControllingTerminal`](Step::ControllingTerminal), [`Foreground`](Step::Foreground)),
/// [`Directory`](Step::Directory) and [`Nothing`](Step::Nothing).
///
/// System calls: those of [`spawn()`].
///
/// # Errors
///
/// See [`At`]. `EINVAL` at a step: it is another one.
#[inline(never)]
pub fn spawn_job(command: &Command<'_>, steps: &[Step<'_>]) -> Result<Child, SpawnError> {
    spawn_with::<false>(command, steps)
}

/// `ALL`: all steps, otherwise those of [`spawn_job`].
fn spawn_with<const ALL: bool>(command: &Command<'_>, steps: &[Step<'_>]) -> Result<Child, SpawnError> {
    let none = |errno| SpawnError { at: At::Clone, errno };
    let parent = if ALL { parent(steps).map_err(none)? } else { None };
    // No handler of the caller may run in the child, and none of its steps may be interrupted.
    let blocked = Current.block_signals(SignalSet::ALL).map_err(none)?;
    let mut way = Way::Suspended;
    let started = loop {
        let started = start::<ALL>(command, steps, &parent, way);
        way = match (started, way.next()) {
            // What a kernel, an emulator or a filter says that does not have it.
            (Err(SpawnError { at: At::Clone, errno: Errno::ENOSYS | Errno::EINVAL | Errno::EPERM }), Some(next)) => {
                next
            }
            (started, _) => break started,
        };
    };
    drop(blocked);
    started
}

/// Replaces the caller by a program, after the steps; it returns only where that failed. Steps that were done stay
/// done, and so do dispositions that were set and the mask.
///
/// For process 1 that hands over to another, after `switch_root` say. The target of a [`Step::Descriptor`] is standard
/// input, output or error, or is not open: otherwise it is `EBUSY`, for it may have an owner.
///
/// System calls: `execve`, and those of the steps.
pub fn exec(command: &Command<'_>) -> SpawnError {
    if let Err(error) = check(command.steps) {
        return error;
    }
    run::<true>(command, command.steps, None, None)
}

/// Finds what cannot be done before anything is.
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

/// Whether a file descriptor is the target of one of the steps.
#[inline(never)]
fn replaces(steps: &[Step<'_>], fd: i32) -> bool {
    steps.iter().any(|step| matches!(step, Step::Descriptor { to, .. } if *to == fd))
}

/// How a child recognises that its parent has ended. (By `getppid` it would not in a new pid namespace, where it is 0.)
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

/// How a child is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The calling thread sleeps until the child has executed the program or ended. By then the pipe holds what it has
    /// told, if anything: it is not waited for, and no close matters.
    Suspended,
    /// A fork; the pipe is waited for, until `execve` or the child's end closes it.
    Fork,
    /// The same where there is no pidfd.
    ForkWithoutPidfd,
}

impl Way {
    /// What is tried where this one is refused.
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
        // An unreaped child holds its pid.
        _ => Ok(Child::new(process, pidfd.map(PidFd::from).or_else(|| Current.pidfd_open(process).ok()))),
    }
}

/// Reaps the child that has failed.
#[cold]
fn failed(process: Process, report: u64) -> SpawnError {
    // Any other error: where SIGCHLD is ignored there is no zombie.
    while raw::waitid(Kind::Process, process.0, raw::WEXITED) == Err(Errno::EINTR) {}
    SpawnError::from_report(report)
}

/// What the child does.
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

/// The file descriptor of the report, where no step replaces it.
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

/// Steps, dispositions, mask, `execve`. `cleared`: whether no handler is left; `None`: the caller itself is replaced.
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

/// Sets a disposition: to ignore the signal, or the default.
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

/// One attempt, and the interpreter for what the kernel does not know how to execute.
fn execute(command: &Command<'_>, path: &CStr) -> Errno {
    let errno = raw::execve(path, command.arguments, command.environment);
    match command.interpreter {
        Some(interpreter) if errno == Errno::ENOEXEC => interpret(command, interpreter, path),
        _ => errno,
    }
}

/// Executes the interpreter with the path in front of the arguments.
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

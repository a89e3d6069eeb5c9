//! The two calls that do not return on success: executing a program in another process, and its exit.

use super::child::sends_sigchld;
use super::connection::Connection;
use super::exchange::Outgoing;
use super::memory::Sink;
use super::peer::Peer;
use super::wire::Request;
use crate::Errno;
use crate::near::{self, LAST_SIGNAL, Process, SIGKILL, SIGPIPE, SIGSTOP, SignalAction, SignalSet, WNOTHREAD};
use crate::nr;
use crate::sysif::{Arg, Error, ErrorWith};
use crate::task::Task;
use core::ffi::CStr;

/// The signal state of an executed program, and whether it is killed with its parent.
///
/// ```
/// use rsyscall::near::SignalSet;
/// use rsyscall::remote::{self, ExecOptions, ExitStatus};
///
/// const SIGTERM: u32 = 15;
/// let options = ExecOptions::new().ignored_signals(SignalSet::EMPTY.with(SIGTERM));
/// let mut forked = remote::fork([])?;
/// forked.task.exec_with(&options, c"/bin/sh", &[c"sh", c"-c", c"kill -TERM $$; exit 3"], &[])?;
/// assert_eq!(forked.child.wait()?, ExitStatus::Exited(3));
/// # Ok::<(), rsyscall::sysif::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ExecOptions {
    mask: SignalSet,
    default: SignalSet,
    ignored: SignalSet,
    killed_with_parent: bool,
}

impl Default for ExecOptions {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl ExecOptions {
    /// Returns the options of [`Task::exec`]: no signal is blocked, `SIGPIPE` has its default action, other signals are
    /// ignored if the process ignores them, and the program is not killed with its parent.
    #[inline]
    pub const fn new() -> Self {
        Self {
            mask: SignalSet::EMPTY,
            default: SignalSet::EMPTY.with(SIGPIPE),
            ignored: SignalSet::EMPTY,
            killed_with_parent: false,
        }
    }

    /// Sets the signals that are blocked: none by default.
    #[doc(alias = "posix_spawnattr_setsigmask")]
    #[inline]
    #[must_use]
    pub const fn signal_mask(self, mask: SignalSet) -> Self {
        Self { mask, ..self }
    }

    /// Sets the signals that have their default action even if the process ignores them: `SIGPIPE` by default, which a
    /// server ignores. Signals with handlers have it in any case.
    #[doc(alias = "posix_spawnattr_setsigdefault")]
    #[inline]
    #[must_use]
    pub const fn default_signals(self, default: SignalSet) -> Self {
        Self { default, ..self }
    }

    /// Sets the signals that are ignored, with precedence over [`default_signals`](Self::default_signals): none by
    /// default.
    #[inline]
    #[must_use]
    pub const fn ignored_signals(self, ignored: SignalSet) -> Self {
        Self { ignored, ..self }
    }

    /// Sets whether the program is killed when the *thread* that forked the process ends (`PR_SET_PDEATHSIG`): not by
    /// default. The kernel clears the setting if the program is set-user-ID.
    #[doc(alias = "PR_SET_PDEATHSIG")]
    #[inline]
    #[must_use]
    pub const fn killed_with_parent(self, killed: bool) -> Self {
        Self { killed_with_parent: killed, ..self }
    }

    /// Returns the action to set for a signal; `None` leaves it unchanged.
    #[inline]
    const fn action(&self, signal: u32) -> Option<SignalAction> {
        match () {
            // Their actions cannot be changed.
            () if signal == SIGKILL || signal == SIGSTOP => None,
            () if self.ignored.contains(signal) => Some(SignalAction::ignore()),
            () if self.default.contains(signal) => Some(SignalAction::default_action()),
            () => None,
        }
    }
}

impl Task<Connection> {
    /// Replaces the process's program by another (`execve`).
    ///
    /// The program inherits the file descriptors that are not `CLOEXEC`. To pass one, clear the flag with
    /// [`OwnedFd::set_cloexec`](crate::fd::OwnedFd::set_cloexec) and release it with
    /// [`OwnedFd::into_raw_fd`](crate::fd::OwnedFd::into_raw_fd), or duplicate it to a fixed file descriptor with
    /// [`OwnedFd::dup2`](crate::fd::OwnedFd::dup2). `execve` copies a shared table. The process stays the same: its
    /// [`Child`](super::Child) still waits for it.
    ///
    /// The options are those of [`ExecOptions::new`]; [`exec_with`](Self::exec_with) takes others.
    ///
    /// System calls: there, `prctl`, `rt_sigaction`, `rt_sigprocmask`, `recvfrom`, `sendto`, `execve`, and `mmap`,
    /// `munmap` if the strings need more scratch space; here, for a forked process, `waitid`. A
    /// [timeout](Connection::set_timeout) limits each of them.
    ///
    /// ```
    /// use rsyscall::remote::{self, ExitStatus};
    ///
    /// let mut forked = remote::fork([])?;
    /// forked.task.exec(c"/bin/sh", &[c"sh", c"-c", c"exit 5"], &[])?;
    /// assert_eq!(forked.child.wait()?, ExitStatus::Exited(5));
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// # How success is detected
    ///
    /// A successful `execve` does not return: the stream ends. It also ends if the process is killed before, so for a
    /// server that was not forked `Ok` means that it has executed the program or has ended. For a forked process this
    /// also checks the exit signal, which `execve` sets to `SIGCHLD`: `Ok` means that the program was executed, and
    /// [`Error::Hangup`] that the process was killed before or that the timeout expired. (The check is impossible in
    /// qemu-user, whose `clone` supports only `SIGCHLD`, and if something else has reaped the process.)
    ///
    /// # The server is killed with the thread that forked it, the program is not
    ///
    /// **Until it has executed the program a forked process is killed when the thread that forked it ends** (see
    /// [`fork`](super::fork()) and [`ForkOptions`](super::ForkOptions)). Afterwards it outlives that thread and this
    /// process, unless [`ExecOptions::killed_with_parent`] is set.
    ///
    /// # Errors
    ///
    /// The error returns the task. `ENOENT`, `EACCES`, `ENOEXEC`, `E2BIG` and others:
    /// [execve(2)](https://man7.org/linux/man-pages/man2/execve.2.html). The process and its table are then unchanged.
    /// `EPERM`: a [`Policy`](super::Policy) does not allow one of the calls. `ECHILD`: a process that shares the table
    /// was reaped, or success cannot be detected by its exit signal. [`Error::NotSent`], [`Error::Hangup`].
    #[doc(alias = "execve")]
    #[expect(clippy::result_large_err, reason = "the task is returned by value: there is no allocator to box it")]
    #[inline]
    pub fn exec(self, path: &CStr, argv: &[&CStr], envp: &[&CStr]) -> Result<(), ErrorWith<Self, Error>> {
        self.exec_with(&ExecOptions::new(), path, argv, envp)
    }

    /// Replaces the process's program as [`exec`](Self::exec) does, with options.
    ///
    /// System calls: those of [`exec`](Self::exec).
    ///
    /// # Errors
    ///
    /// Those of [`exec`](Self::exec).
    #[expect(clippy::result_large_err, reason = "the task is returned by value: there is no allocator to box it")]
    #[inline]
    pub fn exec_with(
        self,
        options: &ExecOptions,
        path: &CStr,
        argv: &[&CStr],
        envp: &[&CStr],
    ) -> Result<(), ErrorWith<Self, Error>> {
        let process = self.process();
        execute(&self.sysif, process, options, path, [argv, envp]).map_err(|error| ErrorWith::new(self, error))
    }

    /// Terminates the process. Its parent gets the lowest eight bits of `status`.
    ///
    /// System calls: there, `exit_group`.
    ///
    /// ```
    /// use rsyscall::remote::{self, ExitStatus};
    ///
    /// let mut forked = remote::fork([])?;
    /// forked.task.exit(3)?;
    /// assert_eq!(forked.child.wait()?, ExitStatus::Exited(3));
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// Handles of the task cannot be used afterwards:
    ///
    /// ```compile_fail,E0505
    /// # use rsyscall::{EventfdFlags, EventfdTask, remote};
    /// # let forked = remote::fork([])?;
    /// let bell = forked.task.eventfd(0, EventfdFlags::empty())?;
    /// forked.task.exit(0)?;
    /// bell.write(1)?;
    /// # Ok::<(), rsyscall::sysif::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The error returns the task. [`Error::NotSent`]. [`Error::Hangup`]: it has not ended within the
    /// [timeout](Connection::set_timeout), or the stream has invalid data. `EPERM`: a [`Policy`](super::Policy) does
    /// not allow it. The end of the stream means success.
    #[doc(alias = "exit_group")]
    #[expect(clippy::result_large_err, reason = "the task is returned by value: there is no allocator to box it")]
    #[inline]
    pub fn exit(self, status: i32) -> Result<(), ErrorWith<Self, Error>> {
        exit(&self.sysif, status).map_err(|error| ErrorWith::new(self, error))
    }
}

#[inline]
fn exit(connection: &Connection, status: i32) -> Result<(), Error> {
    let Some(mut exchange) = connection.exchange() else { return Err(Error::NotSent) };
    exchange.check()?;
    let request = Request { nr: nr::EXIT_GROUP, args: [Arg::from(status).word(), 0, 0, 0, 0, 0] };
    let deadline = exchange.begin(connection.timeout());
    exchange.call_without_return(0, |_| Ok(()), request, deadline, |_| None)
}

/// The state to restore if an `execve` fails.
struct Before {
    death_signal: u32,
    mask: Option<SignalSet>,
    /// The signals whose previous actions are recorded.
    changed: SignalSet,
    actions: [SignalAction; LAST_SIGNAL as usize],
}

#[inline]
fn execute(
    connection: &Connection,
    process: Process,
    options: &ExecOptions,
    path: &CStr,
    vectors: [&[&CStr]; 2],
) -> Result<(), Error> {
    let mut before = Before {
        death_signal: near::parent_death_signal(connection).map_err(not_sent)?,
        mask: None,
        changed: SignalSet::EMPTY,
        actions: [SignalAction::default_action(); LAST_SIGNAL as usize],
    };
    let executed = match prepare(connection, options, &mut before) {
        Ok(()) => connection.exec(process, path, vectors),
        Err(error) => Err(not_sent(error)),
    };
    if matches!(executed, Err(Error::Os(_))) {
        // Ignored: it fails only if the connection has ended.
        let _ignored = restore(connection, &before);
    }
    executed
}

/// Maps the error of a call that prepares another one: the other one was not executed in any case.
#[inline]
pub(super) const fn not_sent(error: Error) -> Error {
    match error {
        Error::Hangup => Error::NotSent,
        error => error,
    }
}

#[inline]
fn prepare(connection: &Connection, options: &ExecOptions, before: &mut Before) -> Result<(), Error> {
    let death_signal = if options.killed_with_parent { SIGKILL } else { 0 };
    if death_signal != before.death_signal {
        // SAFETY: the caller's options request it.
        unsafe { near::set_parent_death_signal(connection, death_signal) }?;
    }
    for (signal, old) in (1..).zip(&mut before.actions) {
        let Some(action) = options.action(signal) else { continue };
        // SAFETY: the action is no handler, and the process runs no code that relies on one.
        *old = unsafe { near::replace_signal_action(connection, signal, action) }?;
        before.changed = before.changed.with(signal);
    }
    // SAFETY: the process runs nothing but the server's loop.
    before.mask = Some(unsafe { near::set_signal_mask(connection, options.mask) }?);
    Ok(())
}

/// Restores the state of the server after a failed `execve`.
#[cold]
#[inline]
fn restore(connection: &Connection, before: &Before) -> Result<(), Error> {
    for (signal, old) in (1..).zip(&before.actions) {
        if before.changed.contains(signal) {
            // SAFETY: the previous action.
            unsafe { near::set_signal_action(connection, signal, *old) }?;
        }
    }
    if let Some(mask) = before.mask {
        // SAFETY: the previous mask.
        unsafe { near::set_signal_mask(connection, mask) }?;
    }
    // SAFETY: the previous signal.
    unsafe { near::set_parent_death_signal(connection, before.death_signal) }
}

impl Connection {
    #[inline]
    fn exec(&self, process: Process, path: &CStr, [argv, envp]: [&[&CStr]; 2]) -> Result<(), Error> {
        let strings = || core::iter::once(path).chain(argv.iter().copied()).chain(envp.iter().copied());
        let text = strings().map(size).fold(0, usize::saturating_add);
        // Two vectors, each with a terminating null pointer, and then all strings.
        let vectors = argv.len().saturating_add(envp.len()).saturating_add(2).saturating_mul(size_of::<usize>());
        let len = vectors.saturating_add(text);
        let Some(mut exchange) = self.exchange() else { return Err(Error::NotSent) };
        let deadline = exchange.begin(self.timeout());
        exchange.check()?;
        // The wait options with which the exit signal shows a success, if any. If another thread traces the child, any
        // wait finds the child; a wait for this thread's own children (`WNOTHREAD`) does not, if this thread forked it.
        let probe = |peer: &Peer, options| peer.pidfd().and_then(|pidfd| sends_sigchld(Some(pidfd), process, options));
        let detectable = |peer| [0, WNOTHREAD].into_iter().find(|options| probe(peer, *options) == Some(false));
        let options = exchange.peer().and_then(detectable);
        if options.is_none() && exchange.peer().is_some_and(Peer::shares_table) {
            // Its stream does not end on success either.
            return Err(Errno::ECHILD.into());
        }
        exchange.reserve(len, deadline)?;
        let base = exchange.scratch_address();
        let first = base.wrapping_add(vectors);
        let envp_at = base.wrapping_add(argv.len().wrapping_add(1).wrapping_mul(size_of::<usize>()));
        let request = Request { nr: nr::EXECVE, args: [first, base, envp_at, 0, 0, 0] };
        let memory = |outgoing: &mut Outgoing<'_>| {
            let mut at = first.wrapping_add(size(path));
            for vector in [argv, envp] {
                for string in vector {
                    outgoing.write(&at.to_ne_bytes())?;
                    at = at.wrapping_add(size(string));
                }
                outgoing.write(&0_usize.to_ne_bytes())?;
            }
            strings().try_for_each(|string| outgoing.write(string.to_bytes_with_nul()))
        };
        let executed = |peer: &Peer| options.and_then(|options| probe(peer, options));
        exchange.call_without_return(len, memory, request, deadline, executed)
    }
}

/// Returns the size of a string with its terminating NUL.
#[inline]
fn size(string: &CStr) -> usize {
    string.count_bytes().saturating_add(1)
}

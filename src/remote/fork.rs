//! Forked servers.
//!
//! A forked child runs only the code below: no code of the program, no destructor, no signal handler of the program,
//! and nothing that allocates, locks or uses a thread-local. So [`fork`] is safe in a multi-threaded process.

use super::child::Child;
use super::connection::Connection;
use super::kept::{Kept, has_duplicates};
use super::page::Page;
use super::peer::{Peer, SharedFds};
use super::policy::Policy;
use super::scratch::Scratch;
use super::serve::{BlockedPipeSignal, ServeError, install_interrupt_handler, serve_claimed};
use crate::Errno;
use crate::far::{AddressSpace, FdTable, PidNamespace};
use crate::fd::{OwnedFd, Token};
use crate::near::{
    self, CLONE_FILES, CLONE_PIDFD, FileDescriptor, LAST_SIGNAL, PollFd, Process, SIGCHLD, SIGKILL, SIGPIPE, SIGURG,
    SignalAction, SignalSet, Timespec, WALL, WNOHANG, WNOWAIT, WaitId,
};
use crate::sys::wait::wait_end;
use crate::sysif::Local;
use crate::task::{Current, Task};

/// A forked child.
#[derive(Debug)]
#[must_use = "dropping it kills the child"]
pub struct Forked<const N: usize = 0> {
    /// The child as a task: system calls made through it are executed there.
    pub task: Task<Connection>,
    /// The child as a process.
    pub child: Child,
    /// The inherited file descriptors, in the order of the request; each becomes a handle of the new task.
    pub inherited: [Token; N],
}

/// Forks a child with its own descriptor table, which serves system calls.
///
/// The child has only these file descriptors: those in `inherit`, with the same values, and 0, 1 and 2 unless they are
/// `CLOEXEC`. Its memory is a copy, which only requested calls access. One page is shared with this process: it records
/// which requests were executed, and transfers the memory of calls. Signals with handlers have their default action in
/// the child, except `SIGURG`, which only [interrupts](Child::interrupt) calls, and `SIGPIPE`, which is ignored.
///
/// The child ends when the task is dropped. After `unshare(CLONE_NEWPID)` it is the first process of the new pid
/// namespace; [`Task::process`] and [`Task::pidns`] are its pid in the caller's namespace, and that namespace.
///
/// System calls: `socketpair`, `gettid`, `pidfd_open`, `mmap`, `rt_sigprocmask`, `clone`, `madvise`, `close`,
/// `fcntl(F_DUPFD_CLOEXEC)`; before Linux 6.9 `getpid`, and `waitid` where `clone` creates no pidfd; in the child
/// `prctl`, `ppoll` (before Linux 6.9 also `getppid`, `tgkill`), `madvise`, `rt_sigaction`, `rt_sigprocmask`,
/// `fcntl(F_GETFD)`, `close`, `close_range` (`prlimit64` before Linux 5.9), and those of [`serve`](super::serve()).
///
/// For a seccomp filter of both processes: [`nr::used_by::FORK`](crate::nr::used_by::FORK).
///
/// ```
/// use rsyscall::{EventfdFlags, EventfdTask, remote};
///
/// let forked = remote::fork([])?;
/// let bell = forked.task.eventfd(0, EventfdFlags::empty())?;
/// bell.write(2)?;
/// bell.write(3)?;
/// assert_eq!(bell.read()?, 5);
/// # Ok::<(), rsyscall::sysif::Error>(())
/// ```
///
/// An eventfd that both processes use:
///
/// ```
/// use rsyscall::{EventFd, EventfdFlags, remote};
///
/// let bell = EventFd::new(0, EventfdFlags::empty())?;
/// let forked = remote::fork([bell.as_owned_fd()])?;
/// let [token] = forked.inherited;
/// let there = EventFd::from(token.attach(&forked.task).unwrap());
/// there.write(7)?;
/// assert_eq!(bell.read()?, 7);
/// # Ok::<(), rsyscall::sysif::Error>(())
/// ```
///
/// # The child is killed with the thread that forked it
///
/// **When the thread that called this ends, the child is killed** (`PR_SET_PDEATHSIG`), even if this process and its
/// other threads continue. So fork in a thread that lives as long as the child should, not in a thread of a pool.
/// [`ForkOptions::outlive_thread`] changes that. A program that the child [executes](Task::exec) is not killed, unless
/// [`ExecOptions::killed_with_parent`](super::ExecOptions::killed_with_parent) is set. If a requested call changes the
/// user, the kernel clears the setting: the child then ends with its stream.
///
/// # Errors
///
/// `EINVAL`: `inherit` has a file descriptor twice. `EMFILE`, `ENFILE`: the per-process or system-wide limit of file
/// descriptors is reached. `EAGAIN`, `ENOMEM`: there are too many processes, or too little memory.
///
/// # Source
///
/// [clone(2)](https://man7.org/linux/man-pages/man2/clone.2.html),
/// [PR_SET_PDEATHSIG(2const)](https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html).
#[doc(alias = "clone", alias = "inherit")]
#[inline]
pub fn fork<const N: usize>(inherit: [&OwnedFd; N]) -> Result<Forked<N>, Errno> {
    ForkOptions::new().fork(inherit)
}

/// The lifetime of a forked child.
///
/// ```
/// use rsyscall::remote::ForkOptions;
/// use rsyscall::{EventfdFlags, EventfdTask};
///
/// let forked = std::thread::spawn(|| ForkOptions::new().outlive_thread(true).fork([])).join().unwrap()?;
/// // The child has outlived the thread.
/// let bell = forked.task.eventfd(3, EventfdFlags::empty())?;
/// assert_eq!(bell.read()?, 3);
/// # Ok::<(), rsyscall::sysif::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct ForkOptions {
    outlives_thread: bool,
}

impl ForkOptions {
    /// Returns the options of [`fork`]: the child is killed with the thread that forked it.
    #[inline]
    pub const fn new() -> Self {
        Self { outlives_thread: false }
    }

    /// Sets whether the child outlives the thread that forked it: not by default.
    ///
    /// If so, it ends with the task or with this process: when the last copy of the client's end of its stream is
    /// closed. A child that executes a call detects that when the call returns.
    #[inline]
    #[must_use]
    pub const fn outlive_thread(self, outlives: bool) -> Self {
        Self { outlives_thread: outlives }
    }

    /// Forks a child as [`fork`] does, with these options.
    ///
    /// System calls: those of [`fork`].
    ///
    /// # Errors
    ///
    /// Those of [`fork`].
    #[inline]
    pub fn fork<const N: usize>(&self, inherit: [&OwnedFd; N]) -> Result<Forked<N>, Errno> {
        let fds = inherit.map(OwnedFd::near);
        if has_duplicates(&fds) {
            return Err(Errno::EINVAL);
        }
        let table = FdTable::new();
        let Started { client, server, process, pidfd, scratch, page, .. } = start(Table::Copy(&fds), *self)?;
        let child = Child::new(process, pidfd);
        let peer = Peer::new(page, child.pidfd().map(OwnedFd::try_clone).transpose()?, None);
        let connection = Connection::new(client, server.near(), scratch, Some(peer));
        // The server's end is closed here, so that the stream ends when the child does.
        drop(server);
        Ok(Forked {
            task: task(connection, process, table),
            child,
            // SAFETY: the child's copies of open file descriptors; it alone has that table, and none is there twice.
            inherited: fds.map(|fd| unsafe { Token::new(fd, table) }),
        })
    }
}

/// Forks a child that shares this process's descriptor table and serves system calls.
///
/// File descriptors created through it belong to this process's table too: they [move](OwnedFd::move_to) between the
/// two without a system call. The rest is as for [`fork`], except for the end: the server's end of the stream is in
/// this process's table, so dropping the task waits for the child to end, and kills it if it is executing a call.
///
/// System calls: as [`fork`], with `clone(CLONE_FILES)`, and without closing anything in the child; at the end `ppoll`,
/// `pidfd_send_signal`.
///
/// ```
/// use rsyscall::{Current, EventfdFlags, EventfdTask, remote};
///
/// let forked = remote::fork_sharing_files()?;
/// let there = forked.task.eventfd(5, EventfdFlags::empty())?;
/// let here = there.move_to(Current).unwrap();
/// assert_eq!(here.read()?, 5);
/// # Ok::<(), rsyscall::sysif::Error>(())
/// ```
///
/// # The child is killed with the thread that forked it
///
/// As with [`fork`], and there is no option to change that: the stream does not end with this process, because the
/// child itself holds the client's end.
///
/// # Errors
///
/// Those of [`fork`]. `ENOSYS`: Linux before 5.3, which has no `pidfd_open`; before 5.2 the end of such a child cannot
/// be detected at all. `EINVAL`: qemu-user.
#[doc(alias = "CLONE_FILES")]
// `#[inline]` for programs that do not use it: otherwise its instance of the error path of three-argument calls is in
// every program (at opt-level 1, without LTO), even in those that ignore their errors.
#[inline]
pub fn fork_sharing_files() -> Result<Forked, Errno> {
    let Started { client, server, process, pidfd, scratch, page, parent } = start(Table::Shared, ForkOptions::new())?;
    let child = Child::new(process, pidfd);
    let alive = child.pidfd().ok_or(Errno::ENOSYS)?.try_clone()?;
    let server_fd = server.near();
    let shared = SharedFds { _server: server, _parent: parent.ok_or(Errno::ENOSYS)? };
    let connection = Connection::new(client, server_fd, scratch, Some(Peer::new(page, Some(alive), Some(shared))));
    Ok(Forked { task: task(connection, process, FdTable::CURRENT), child, inherited: [] })
}

#[inline]
fn task(connection: Connection, process: Process, table: FdTable) -> Task<Connection> {
    // SAFETY: the child that was just forked: its memory is a copy, its pid is one of our namespace, its table is the
    // caller's argument.
    unsafe { Task::new(connection, process, table, AddressSpace::new(), PidNamespace::CURRENT) }
}

/// The child's descriptor table.
#[derive(Clone, Copy)]
enum Table<'a> {
    /// Its own, with these file descriptors.
    Copy(&'a [FileDescriptor]),
    Shared,
}

struct Started {
    client: OwnedFd,
    server: OwnedFd,
    process: Process,
    pidfd: Option<OwnedFd>,
    scratch: Scratch,
    page: Page,
    /// The pidfd that the child may still use.
    parent: Option<OwnedFd>,
}

/// The length of the first scratch space of a child: a part of its stack, large enough for every call of an eventfd.
const SCRATCH: usize = 512;

/// The scratch space, aligned for its contents; `u64` has an alignment of 4 on x86.
#[repr(align(8))]
struct FirstScratch([u8; SCRATCH]);

#[inline]
fn start(table: Table<'_>, options: ForkOptions) -> Result<Started, Errno> {
    // SAFETY: just created, and used by nothing else.
    let [client, server] = near::socketpair_stream(&Local)?.map(|fd| unsafe { OwnedFd::adopt(Current, fd) });
    let parent = Parent::new()?;
    if parent.pidfd.is_none() && matches!(table, Table::Shared) {
        return Err(Errno::ENOSYS);
    }
    let page = Page::new()?;
    let mut scratch = FirstScratch([0; SCRATCH]);
    // The child never returns from this frame, so its copy of the array stays at this address.
    let scratch = Scratch::given((&raw mut scratch.0).expose_provenance(), SCRATCH);
    // No handler of the program may run in the child. All signals are blocked until it has none.
    // SAFETY: only for the duration of the fork, and restored below.
    let mask = unsafe { near::set_signal_mask(&Local, SignalSet::ALL) }?;
    let (cloned, pidfd) = clone(table);
    if cloned == Ok(Process(0)) {
        let child = ChildSetup { server: &server, client: &client, page: &page, parent: &parent, mask, table };
        Current.exit(i32::from(child.run(options).is_err()))
    }
    page.hide_from_children();
    // SAFETY: the previous mask.
    let unmasked = unsafe { near::set_signal_mask(&Local, mask) };
    let process = cloned?;
    // It does not fail, as the same call has just succeeded; if it does, the child ends with its stream.
    unmasked?;
    Ok(Started { client, server, process, pidfd, scratch, page, parent: parent.pidfd })
}

/// Forks, and returns also the pidfd, if the kernel supports it.
#[inline]
fn clone(table: Table<'_>) -> (Result<Process, Errno>, Option<OwnedFd>) {
    let files = if matches!(table, Table::Shared) { CLONE_FILES } else { 0 };
    let mut pidfd = (-1_i32).to_ne_bytes();
    // First without an exit signal, so that the program's waits for its own children do not reap the child.
    // SAFETY: the child runs `ChildSetup::run`, which waits for nothing of another thread, and ends. It shares no
    // memory but a page that nothing but the two of them uses.
    let mut cloned = unsafe { near::clone_fork(&Local, files | CLONE_PIDFD, &mut pidfd) };
    let mut raw = FileDescriptor(i32::from_ne_bytes(pidfd));
    if cloned == Err(Errno::EINVAL) {
        // qemu-user supports only `SIGCHLD`.
        // SAFETY: as above.
        cloned = unsafe { near::clone_fork(&Local, files | SIGCHLD, &mut pidfd) };
        if let Ok(process) = cloned {
            raw = open_child(process).unwrap_or(FileDescriptor(-1));
        }
    }
    let made = matches!(cloned, Ok(process) if process.0 > 0) && raw.0 >= 0;
    // SAFETY: just created, and used by nothing else.
    let pidfd = made.then(|| unsafe { OwnedFd::adopt(Current, raw) });
    (cloned, pidfd)
}

/// Opens a pidfd of a child that was just forked, where `clone` does not. Other threads may have reaped it already, but
/// there were too few forks since for the pid to be reused by another child.
#[cold]
#[inline]
fn open_child(process: Process) -> Option<FileDescriptor> {
    let pidfd = near::pidfd_open(&Local, process).ok()?;
    match wait_end(WaitId::PidFd, pidfd.0, WALL | WNOHANG | WNOWAIT) {
        Ok(_) => Some(pidfd),
        Err(_) => {
            // SAFETY: just created, and used by nothing else.
            let _ignored = unsafe { near::close(&Local, pidfd) };
            None
        }
    }
}

/// The state that the child starts with.
struct ChildSetup<'a> {
    server: &'a OwnedFd,
    client: &'a OwnedFd,
    page: &'a Page,
    parent: &'a Parent,
    /// The parent's signal mask.
    mask: SignalSet,
    table: Table<'a>,
}

impl ChildSetup<'_> {
    /// Runs the child, until the stream ends.
    #[inline]
    fn run(&self, options: ForkOptions) -> Result<(), ServeError> {
        self.become_server(options).map_err(ServeError::Os)?;
        // SAFETY: the client is the connection in the parent, whose calls are sound by their callers' contracts.
        match unsafe {
            serve_claimed(self.server, Policy::Everything, || self.page.claims().claim(), &BlockedPipeSignal::IGNORED)
        } {
            // The client was dropped before it received its response.
            Err(ServeError::Vanished) => Ok(()),
            ended => ended,
        }
    }

    #[inline]
    fn become_server(&self, options: ForkOptions) -> Result<(), Errno> {
        if !options.outlives_thread {
            // SAFETY: its effect is that of a kill by the parent.
            unsafe { near::set_parent_death_signal(&Local, SIGKILL) }?;
            if self.parent.has_ended()? {
                // It ended before the signal was set.
                return Err(Errno::ESRCH);
            }
        }
        self.page.hide_from_children();
        for signal in 1..=LAST_SIGNAL {
            if near::signal_action(&Local, signal).is_ok_and(|action| action.is_handler()) {
                // SAFETY: the default action of a signal whose handler belongs to a program that does not run here.
                unsafe { near::set_signal_action(&Local, signal, SignalAction::default_action()) }?;
            }
        }
        // Requested calls may write to the stream too after the client has closed its end.
        // SAFETY: the action is no handler, and this process runs no code that relies on one.
        unsafe { near::set_signal_action(&Local, SIGPIPE, SignalAction::ignore()) }?;
        install_interrupt_handler()?;
        // SAFETY: no handler is left but the one that does nothing.
        unsafe { near::set_signal_mask(&Local, self.mask.without(SIGURG)) }?;
        if let Table::Copy(inherit) = self.table {
            let kept = Kept { server: self.server.near(), client: Some(self.client.near()), inherit };
            // SAFETY: a copy of the table which no other code uses: every file descriptor is ours to close.
            unsafe { kept.close_others(&Local) }?;
        }
        Ok(())
    }
}

/// The thread that forks. Its child checks whether it ended before the child set its parent death signal.
struct Parent {
    /// The pidfd of the thread, or before Linux 6.9 of its process. `None` before Linux 5.3.
    pidfd: Option<OwnedFd>,
    /// The pid and the tid in their own namespace, unless the pidfd is the thread's.
    ids: Option<[Process; 2]>,
}

impl Parent {
    #[inline]
    fn new() -> Result<Self, Errno> {
        let thread = near::gettid(&Local)?;
        // SAFETY: just created, and used by nothing else.
        let adopt = |fd| unsafe { OwnedFd::adopt(Current, fd) };
        match near::pidfd_open_thread(&Local, thread) {
            Ok(fd) => return Ok(Self { pidfd: Some(adopt(fd)), ids: None }),
            Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)) => return Err(errno),
            Err(_) => {}
        }
        let process = near::getpid(&Local)?;
        let pidfd = match near::pidfd_open(&Local, process) {
            Ok(fd) => Some(adopt(fd)),
            Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM)) => return Err(errno),
            Err(_) => None,
        };
        Ok(Self { pidfd, ids: Some([process, thread]) })
    }

    /// Returns whether it has ended. In another pid namespace the parent has no pid: there only a pidfd shows its end,
    /// and before Linux 5.3 only the stream, which ends with the parent.
    #[inline]
    fn has_ended(&self) -> Result<bool, Errno> {
        if let Some(pidfd) = &self.pidfd {
            let mut entry = [PollFd { fd: pidfd.near(), events: PollFd::IN, revents: 0 }];
            // Without `ppoll` (a seccomp filter) a zombie parent counts as alive: then the child ends with the stream.
            // SAFETY: the pidfd is open, and signal 0 is none.
            let gone = || unsafe { near::pidfd_send_signal(&Local, pidfd.near(), 0) } == Err(Errno::ESRCH);
            if near::ppoll(&Local, &mut entry, Some(Timespec::ZERO), None).map_or_else(|_| gone(), |ready| ready != 0) {
                return Ok(true);
            }
        }
        let Some([process, thread]) = self.ids else { return Ok(false) };
        let parent = near::getppid(&Local)?;
        if parent == Process(0) {
            return Ok(false);
        }
        // The process may outlive the thread: then another of its threads is the parent now.
        Ok(parent != process || near::find_thread(&Local, process, thread) == Err(Errno::ESRCH))
    }
}

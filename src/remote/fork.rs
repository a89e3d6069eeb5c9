//! Children that serve.
//!
//! A forked child runs what is below and nothing else: no code of the program, no destructor, no handler of a signal, and
//! nothing that allocates, locks or uses a thread-local. That is why [`fork`] is safe in a process with many threads.

use super::child::Child;
use super::connection::Connection;
use super::page::Page;
use super::peer::{Peer, SharedFds};
use super::policy::Policy;
use super::scratch::Scratch;
use super::serve::{ServeError, serve_claimed};
use crate::Errno;
use crate::far::{AddressSpace, FdTable, PidNamespace};
use crate::fd::{OwnedFd, Token};
use crate::near::{
    self, CLONE_FILES, CLONE_PIDFD, FileDescriptor, LAST_SIGNAL, Process, SIGCHLD, SIGURG, SignalAction, SignalSet,
};
use crate::sysif::Local;
use crate::task::{Current, Task};

/// What comes of a fork.
#[derive(Debug)]
#[must_use = "dropped, the child is killed"]
pub struct Forked<const N: usize = 0> {
    /// The child as a task: system calls made through it are made there.
    pub task: Task<Connection>,
    /// The child as a process.
    pub child: Child,
    /// What it inherited, in the order asked for: each becomes one handle of the new task.
    pub inherited: [Token; N],
}

/// Makes a child with a descriptor table of its own, which serves system calls.
///
/// The child has what it is given and no other descriptor: duplicates, under the same numbers, of those in `inherit`, and
/// the numbers 0, 1 and 2 unless they are `CLOEXEC`. Its memory is a copy, which nothing but requested calls will touch.
/// Signals that had handlers have their default action there, apart from `SIGURG`, which does nothing but
/// [interrupt](Child::interrupt).
///
/// The child ends when the task is dropped, or when the *thread* that made it ends (`PR_SET_PDEATHSIG`), or this process.
///
/// System calls: `socketpair`, `getpid`, `rt_sigprocmask`, `clone`, `close`; in the child `prctl`, `getppid`,
/// `rt_sigaction`, `rt_sigprocmask`, `fcntl`, `close_range` (`prlimit64` and `close` before Linux 5.9), and those of
/// [`serve`](super::serve()).
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
/// An eventfd of both processes:
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
/// # Errors
///
/// `EINVAL`: a descriptor is named twice. `EMFILE`, `ENFILE`: the process's or the system's descriptors are used up.
/// `EAGAIN`, `ENOMEM`: the process's or the system's processes or memory are.
///
/// Source: [clone(2)](https://man7.org/linux/man-pages/man2/clone.2.html).
#[doc(alias = "clone", alias = "inherit")]
#[inline]
pub fn fork<const N: usize>(inherit: [&OwnedFd; N]) -> Result<Forked<N>, Errno> {
    let numbers = inherit.map(OwnedFd::near);
    if has_twins(&numbers) {
        return Err(Errno::EINVAL);
    }
    let table = FdTable::new();
    let Started { client, server, process, pidfd, scratch, page } = start(Table::Copy(&numbers))?;
    let child = Child::new(process, pidfd);
    let peer = Peer::new(page, child.pidfd().map(OwnedFd::try_clone).transpose()?, None);
    let connection = Connection::new(client, server.near(), scratch, Some(peer));
    // Here its end is closed, so that the stream ends when the child does.
    drop(server);
    Ok(Forked {
        task: task(connection, process, table),
        child,
        // SAFETY: the child's copies of open numbers; it alone has that table, and no number is there twice.
        inherited: numbers.map(|number| unsafe { Token::new(number, table) }),
    })
}

/// Makes a child that shares this process's descriptor table, and serves system calls.
///
/// Descriptors made through it are descriptors of this process too: they [move](OwnedFd::move_to) between the two without a
/// system call. Otherwise it is as [`fork`] says, but for its end: its number for the stream is in this process's table, so
/// dropping the task waits for the child to end, and kills it if it is still busy.
///
/// System calls: as [`fork`], with `clone(CLONE_FILES)`, and without closing anything in the child; `fcntl`; at the end
/// `ppoll`, `pidfd_send_signal`.
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
/// # Errors
///
/// Those of [`fork`]. `ENOSYS`: Linux before 5.2, where the end of such a child cannot be noticed. `EINVAL`: qemu-user.
#[doc(alias = "CLONE_FILES")]
// Inlined for those who do not use it: else its instance of the error path of three-argument calls is everybody's (at
// opt-level 1, without LTO), and stays in programs that do not look at their errors.
#[inline]
pub fn fork_sharing_files() -> Result<Forked, Errno> {
    let Started { client, server, process, pidfd, scratch, page } = start(Table::Shared)?;
    let child = Child::new(process, pidfd);
    let alive = child.pidfd().ok_or(Errno::ENOSYS)?.try_clone()?;
    let number = server.near();
    let connection = Connection::new(
        client,
        number,
        scratch,
        Some(Peer::new(page, Some(alive), Some(SharedFds { _server: server }))),
    );
    Ok(Forked { task: task(connection, process, FdTable::CURRENT), child, inherited: [] })
}

#[inline]
fn task(connection: Connection, process: Process, table: FdTable) -> Task<Connection> {
    // SAFETY: the child that was just made: its memory is a copy, its pid namespace ours, its table as its maker says.
    unsafe { Task::new(connection, process, table, AddressSpace::new(), PidNamespace::CURRENT) }
}

/// Whether a number is there twice.
#[inline]
pub(super) fn has_twins(numbers: &[FileDescriptor]) -> bool {
    numbers.iter().enumerate().any(|(index, number)| numbers.iter().take(index).any(|other| other == number))
}

/// Lets [`Child::interrupt`] (`SIGURG`) interrupt calls of this process, as in a forked child: for a server that was started
/// in another way.
///
/// It replaces the action of `SIGURG` for the whole process.
///
/// System calls: `rt_sigaction`.
///
/// # Errors
///
/// None from a kernel without a seccomp policy.
#[inline]
pub fn install_interrupt_handler() -> Result<(), Errno> {
    /// The handler does nothing: that a call was interrupted is all that is wanted of it.
    #[inline]
    extern "C" fn nothing(_signal: i32) {}
    // SAFETY: a function that does nothing, at any moment; the way back is the kernel's own protocol.
    unsafe { near::set_signal_action(&Local, SIGURG, SignalAction::handler(nothing)) }
}

/// What the child's descriptor table is.
#[derive(Clone, Copy)]
enum Table<'a> {
    /// Its own, with these numbers.
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
}

/// The first scratch space of a child, in words: a piece of its stack, large enough for every call of an eventfd.
const SCRATCH: usize = 64;

#[inline]
fn start(table: Table<'_>) -> Result<Started, Errno> {
    // SAFETY: just made, and known to nobody else.
    let [client, server] = near::socketpair_stream(&Local)?.map(|fd| unsafe { OwnedFd::adopt(Current, fd) });
    let parent = near::getpid(&Local)?;
    let mut scratch = [0_u64; SCRATCH];
    // In the child this frame is never left: what is here keeps its place, and the place is known here.
    let scratch = Scratch::given((&raw mut scratch).expose_provenance(), size_of_val(&scratch));
    let page = Page::new()?;
    // No handler of the program may run in the child. Until it has none, all signals wait.
    // SAFETY: for a moment, and put back below.
    let mask = unsafe { near::set_signal_mask(&Local, SignalSet::ALL) }?;
    let (cloned, pidfd) = clone(table);
    if cloned == Ok(Process(0)) {
        let ended = child(&server, &client, &page, parent, mask, table);
        Current.exit(i32::from(ended.is_err()))
    }
    // SAFETY: as it was.
    let unmasked = unsafe { near::set_signal_mask(&Local, mask) };
    let process = cloned?;
    page.hide_from_children();
    // It cannot fail, the same call having just worked; should it, the child ends with its stream.
    unmasked?;
    Ok(Started { client, server, process, pidfd, scratch, page })
}

/// Forks, in the best way that there is. Answers also the pidfd, if there is one.
#[inline]
fn clone(table: Table<'_>) -> (Result<Process, Errno>, Option<OwnedFd>) {
    let files = if matches!(table, Table::Shared) { CLONE_FILES } else { 0 };
    let mut pidfd = (-1_i32).to_ne_bytes();
    // First without a signal at its end: the program's own waits for its own children are not to find it.
    // SAFETY: the child runs `child` below, which waits for nothing of another thread, and ends. It shares no memory.
    let mut cloned = unsafe { near::clone_fork(&Local, files | CLONE_PIDFD, &mut pidfd) };
    if cloned == Err(Errno::EINVAL) {
        // qemu-user knows one way to fork.
        // SAFETY: as above.
        cloned = unsafe { near::clone_fork(&Local, files | SIGCHLD, &mut pidfd) };
    }
    let number = FileDescriptor(i32::from_ne_bytes(pidfd));
    let made = matches!(cloned, Ok(process) if process.0 > 0) && number.0 >= 0;
    // SAFETY: just made, and known to nobody else.
    let pidfd = made.then(|| unsafe { OwnedFd::adopt(Current, number) });
    (cloned, pidfd)
}

/// What the child does, until the stream ends.
#[inline]
fn child(
    server: &OwnedFd,
    client: &OwnedFd,
    page: &Page,
    parent: Process,
    mask: SignalSet,
    table: Table<'_>,
) -> Result<(), ServeError> {
    page.hide_from_children();
    become_server(server, client, parent, mask, table).map_err(ServeError::Os)?;
    // SAFETY: the client is the connection in the parent, whose calls are vouched for when they are made.
    match unsafe { serve_claimed(server, Policy::Everything, || page.claims().claim()) } {
        // Dropped before it was answered: the way of a client that does not care.
        Err(ServeError::Vanished) => Ok(()),
        ended => ended,
    }
}

#[inline]
fn become_server(
    server: &OwnedFd,
    client: &OwnedFd,
    parent: Process,
    mask: SignalSet,
    table: Table<'_>,
) -> Result<(), Errno> {
    near::die_with_parent(&Local)?;
    if near::getppid(&Local)? != parent {
        // It died before that was heard.
        return Err(Errno::ESRCH);
    }
    for signal in 1..=LAST_SIGNAL {
        if near::signal_action(&Local, signal).is_ok_and(|action| action.is_handler()) {
            // SAFETY: the default action of a signal whose handler belongs to a program that does not run here.
            unsafe { near::set_signal_action(&Local, signal, SignalAction::default_action()) }?;
        }
    }
    install_interrupt_handler()?;
    // SAFETY: no handler is left but the one that does nothing.
    unsafe { near::set_signal_mask(&Local, mask.without(SIGURG)) }?;
    if let Table::Copy(keep) = table {
        // SAFETY: a copy of the table which no code uses but this: every number is ours to close.
        unsafe { close_all_but(server.near(), client.near(), keep) }?;
    }
    Ok(())
}

/// Closes everything but what is to stay.
///
/// # Safety
///
/// No other number of the table is used afterwards.
#[inline]
unsafe fn close_all_but(server: FileDescriptor, client: FileDescriptor, keep: &[FileDescriptor]) -> Result<(), Errno> {
    let stays = |fd: FileDescriptor| fd == server || keep.contains(&fd);
    for standard in (0..FIRST).map(FileDescriptor) {
        // SAFETY: only asks; a number that is not open is an error, and stays.
        let cloexec = unsafe { near::is_cloexec(&Local, standard) } == Ok(true);
        if !stays(standard) && (cloexec || standard == client) {
            // SAFETY: the caller's promise.
            unsafe { near::close(&Local, standard) }?;
        }
    }
    let gaps = Gaps { next: Some(FIRST.unsigned_abs()), stays: &[server], more: keep };
    for (first, last) in gaps {
        // SAFETY: the caller's promise.
        match unsafe { near::close_range(&Local, first, last) } {
            Err(Errno::ENOSYS) => {
                // SAFETY: the caller's promise.
                unsafe { close_each(first, last) };
            }
            closed => closed?,
        }
    }
    Ok(())
}

/// The first number that is not one of the three every process begins with.
pub(super) const FIRST: i32 = 3;

/// Closes a range of numbers one by one, up to the limit of what can be open.
///
/// # Safety
///
/// As [`near::close_range`].
#[cold]
#[inline]
unsafe fn close_each(first: u32, last: u32) {
    let limit = near::descriptor_limit(&Local).unwrap_or(u32::MAX);
    for number in first..=last.min(limit) {
        let Ok(number) = i32::try_from(number) else { return };
        // Ignored: most are not open.
        // SAFETY: the caller's promise.
        let _ignored = unsafe { near::close(&Local, FileDescriptor(number)) };
    }
}

/// The ranges of numbers, from `next` on, without those that stay.
pub(super) struct Gaps<'a> {
    pub(super) next: Option<u32>,
    pub(super) stays: &'a [FileDescriptor],
    pub(super) more: &'a [FileDescriptor],
}

impl Iterator for Gaps<'_> {
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<(u32, u32)> {
        loop {
            let first = self.next?;
            let stays = self.stays.iter().chain(self.more).map(|fd| fd.0.unsigned_abs());
            let end = stays.filter(|number| *number >= first).min();
            self.next = end.and_then(|end| end.checked_add(1));
            match end {
                Some(end) if end == first => {}
                Some(end) => return Some((first, end.wrapping_sub(1))),
                None => return Some((first, u32::MAX)),
            }
        }
    }
}

//! The life cycle of a handle across tasks: table identity, moving, lending, inheriting, replacing, unsharing, unclosed
//! descriptors.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::{OwnedFd, ReplaceError, UnclosedList};
use rsyscall::near::{FileDescriptor, Process};
use rsyscall::remote::{self, Connection, ExitStatus, SubmitError};
use rsyscall::sysif::{Arg, Error, Local, SyscallInterface};
use rsyscall::task::FileDescriptorTask;
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask, Task, near};
use rsyscall_tests::{cannot, shares_files};
use std::cell::Cell;
use std::io::Read;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard};

const EMPTY: EventfdFlags = EventfdFlags::empty();

/// Cases that count open file descriptors of this process run one at a time.
static NUMBERS: Mutex<()> = Mutex::new(());

fn descriptors() -> MutexGuard<'static, ()> {
    NUMBERS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Counts the calls that are made through it.
struct Counting(Cell<usize>);

// SAFETY: every call is made, unchanged, by `Local`.
unsafe impl SyscallInterface for Counting {
    type Error = Errno;
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
        self.0.set(self.0.get() + 1);
        // SAFETY: passed on unchanged.
        unsafe { Local.syscall(nr, args) }
    }
}

fn counting(table: FdTable) -> Task<Counting> {
    let me = Process(std::process::id() as i32);
    // SAFETY: this process; a table that is claimed to be another only makes the crate stricter.
    unsafe { Task::new(Counting(Cell::new(0)), me, table, AddressSpace::CURRENT, PidNamespace::CURRENT) }
}

fn is_open<S: SyscallInterface>(sysif: &S, fd: i32) -> bool {
    // SAFETY: a query.
    unsafe { near::is_cloexec(sysif, FileDescriptor(fd)) }.is_ok()
}

/// Runs with a child that shares this process's table.
fn sharing(case: &str, run: impl FnOnce(remote::Forked)) {
    if !shares_files() {
        return cannot(case, "clone(CLONE_FILES) fails with EINVAL here");
    }
    run(remote::fork_sharing_files().unwrap());
}

#[test]
fn a_task_of_another_table_is_refused_without_a_call() {
    let mine = EventFd::new(1, EMPTY).unwrap();
    let unrelated = counting(FdTable::new());
    let mismatch = mine.for_task(&unrelated).map(drop).unwrap_err();
    assert_eq!((mismatch.task, mismatch.descriptor), (unrelated.fd_table(), FdTable::CURRENT));
    let (mine, why) = mine.move_to(&unrelated).unwrap_err().into_parts();
    assert_eq!(why, mismatch);
    let (token, why) = mine.detach().attach(&unrelated).unwrap_err().into_parts();
    assert_eq!(why, mismatch);
    let mine = token.attach(Current).unwrap();
    let theirs = unrelated.eventfd(0, EMPTY).unwrap();
    let calls = unrelated.sysif().0.get();
    assert!(matches!(mine.dup3(&mut theirs.into_owned_fd(), true), Err(ReplaceError::FdTableMismatch(_))));
    assert_eq!(unrelated.sysif().0.get(), calls + 1, "only the close of the target");
    assert_eq!(EventFd::from(mine).read(), Ok(1), "it is unchanged");
}

#[test]
fn handles_move_and_are_lent_within_a_table_without_a_call() {
    let task = counting(FdTable::CURRENT);
    let here = EventFd::new(2, EMPTY).unwrap();
    let fd = here.as_raw_fd();
    let there = here.move_to(&task).unwrap();
    {
        let lent = there.for_task(Current).unwrap();
        assert_eq!((there.as_raw_fd(), lent.as_raw_fd()), (fd, fd));
        assert_eq!(task.sysif().0.get(), 0);
        assert_eq!(lent.read(), Ok(2));
    }
    assert!(is_open(&Local, fd), "a lent descriptor is not closed");
    there.write(3).unwrap();
    assert_eq!(task.sysif().0.get(), 1);
    drop(there);
    assert_eq!(task.sysif().0.get(), 2, "closed through its last task");
}

#[test]
fn handles_move_between_this_process_and_a_child_that_shares_its_table() {
    sharing("moving to a child", |forked| {
        let there = forked.task.eventfd(5, EMPTY).unwrap();
        assert_eq!(there.is_cloexec(), Ok(true), "a task always adds CLOEXEC");
        let here = there.move_to(Current).unwrap();
        assert_eq!(here.read(), Ok(5));
        here.write(6).unwrap();
        let there = here.move_to(&forked.task).unwrap();
        assert_eq!(there.read(), Ok(6));
        assert_eq!(there.for_task(Current).unwrap().write(1), Ok(()));
        // Another task of the table could close it before a submitted call is executed.
        let mut slots = [remote::CallSlot::EMPTY; 1];
        let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
        assert_eq!(pipeline.read(&there), Err(SubmitError::Foreign));
    });
}

#[test]
fn a_child_has_the_inherited_descriptors_and_no_others() {
    let (bell, other) = (EventFd::new(0, EMPTY).unwrap(), EventFd::new(0, EMPTY).unwrap());
    let forked = remote::fork([bell.as_owned_fd()]).unwrap();
    let [token] = forked.inherited;
    let there = EventFd::from(token.attach(&forked.task).unwrap());
    assert_eq!(there.as_raw_fd(), bell.as_raw_fd());
    assert!(!is_open(forked.task.sysif(), other.as_raw_fd()));
    let mut open: Vec<_> = (3..200).filter(|fd| is_open(forked.task.sysif(), *fd)).collect();
    let mut expected = [there.as_raw_fd(), forked.task.sysif().activity_fd().0];
    open.sort_unstable();
    expected.sort_unstable();
    assert_eq!(open, expected);
    // Both ways.
    there.write(3).unwrap();
    assert_eq!(bell.read(), Ok(3));
    bell.write(4).unwrap();
    assert_eq!(there.read(), Ok(4));
    // Two handles of two tables: one is closed, the other stays usable.
    there.close().unwrap();
    assert!(!is_open(forked.task.sysif(), bell.as_raw_fd()));
    bell.write(1).unwrap();
}

#[test]
fn a_descriptor_is_inherited_once_and_by_its_own_child_only() {
    let bell = EventFd::new(0, EMPTY).unwrap();
    let twice = remote::fork([bell.as_owned_fd(), bell.as_owned_fd()]);
    assert_eq!(twice.map(drop), Err(Errno::EINVAL));
    let (one, two) = (remote::fork([bell.as_owned_fd()]).unwrap(), remote::fork([]).unwrap());
    let [token] = one.inherited;
    // The token is the first child's: neither the other nor this process can attach it.
    let token = token.attach(&two.task).unwrap_err().into_inner();
    let token = token.attach(Current).unwrap_err().into_inner();
    let there = EventFd::from(token.attach(&one.task).unwrap());
    assert!(there.move_to(&two.task).is_err());
}

#[test]
fn dup3_and_dup2_replace_a_descriptor() {
    let forked = remote::fork([]).unwrap();
    let bell = forked.task.eventfd(1, EMPTY).unwrap().into_owned_fd();
    let mut target = forked.task.eventfd(9, EMPTY).unwrap().into_owned_fd();
    bell.dup3(&mut target, true).unwrap();
    assert_eq!(target.is_cloexec(), Ok(true));
    bell.dup2(&mut target).unwrap();
    assert_eq!(target.is_cloexec(), Ok(false));
    assert_ne!(bell.as_raw_fd(), target.as_raw_fd());
    assert_eq!(EventFd::from(target).read(), Ok(1));
}

#[test]
fn a_descriptor_survives_exec_only_on_request() {
    let (mut reader, writer) = UnixStream::pair().unwrap();
    // SAFETY: std gives up ownership.
    let writer = unsafe { OwnedFd::from_raw_fd(writer.into_raw_fd()) };
    let bell = EventFd::new(0, EMPTY).unwrap();
    let forked = remote::fork([&writer, bell.as_owned_fd()]).unwrap();
    drop(writer);
    let [writer, bell_there] = forked.inherited;
    // It keeps FD_CLOEXEC, as every descriptor that was not made inheritable.
    let _kept_to_itself = bell_there.attach(&forked.task).unwrap().into_raw_fd();
    let writer = writer.attach(&forked.task).unwrap();
    writer.set_cloexec(false).unwrap();
    // Not all shells know file descriptors of two digits in a redirection.
    // SAFETY: the standard output of the child, in which nothing uses it.
    let mut stdout = unsafe { OwnedFd::adopt(&forked.task, near::FileDescriptor(1)) };
    writer.dup2(&mut stdout).unwrap();
    let _given_away = stdout.into_raw_fd();
    let script = format!(
        "test -e /proc/self/fd/{} && echo leaked; test -e /proc/self/fd/{} && echo kept",
        bell.as_raw_fd(),
        writer.into_raw_fd()
    );
    let script = std::ffi::CString::new(script).unwrap();
    match forked.task.exec(c"/bin/sh", &[c"sh", c"-c", &script], &[]) {
        Ok(()) => {
            let mut said = String::new();
            reader.read_to_string(&mut said).unwrap();
            assert_eq!(said, "kept\n");
            let mut child = forked.child;
            assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)));
        }
        Err(error) => {
            assert_eq!(error.into_error(), Error::Os(Errno::ENOEXEC));
            cannot("a descriptor through exec", "programs of this architecture do not run here by themselves");
        }
    }
}

#[test]
fn unsharing_splits_the_table_and_the_old_one_keeps_its_descriptors() {
    let _turn = descriptors();
    sharing("unsharing", |mut forked| {
        let old = forked.task.fd_table();
        assert_eq!(old, FdTable::CURRENT);
        let kept = forked.task.eventfd(0, EMPTY).unwrap().move_to(Current).unwrap();
        let left = forked.task.eventfd(0, EMPTY).unwrap().move_to(Current).unwrap();
        let twice = forked.task.unshare_files([kept.as_owned_fd(), kept.as_owned_fd()]);
        assert_eq!(twice.map(drop), Err(ReplaceError::Call(Error::Os(Errno::EINVAL))));
        let unrelated = counting(FdTable::new());
        let theirs = unrelated.eventfd(0, EMPTY).unwrap();
        let other = forked.task.unshare_files([theirs.as_owned_fd()]);
        assert!(matches!(other.map(drop), Err(ReplaceError::FdTableMismatch(_))));
        assert_eq!(forked.task.fd_table(), old);

        let [token] = forked.task.unshare_files([kept.as_owned_fd()]).unwrap();
        assert_ne!(forked.task.fd_table(), old);
        let there = EventFd::from(token.attach(&forked.task).unwrap());
        assert!(!is_open(forked.task.sysif(), left.as_raw_fd()));
        assert!(is_open(&Local, left.as_raw_fd()));
        there.write(2).unwrap();
        assert_eq!(kept.read(), Ok(2));
        there.close().unwrap();
        assert!(is_open(&Local, kept.as_raw_fd()));
        let (_kept, mismatch) = kept.move_to(&forked.task).unwrap_err().into_parts();
        assert_eq!(mismatch.descriptor, FdTable::CURRENT);
        // Its end is noticed like that of any other.
        forked.child.kill().unwrap();
        forked.child.wait().unwrap();
        assert!(forked.task.eventfd(0, EMPTY).is_err());
    });
}

#[test]
fn descriptors_that_a_dead_task_of_this_table_could_not_close_are_closed_here() {
    let _turn = descriptors();
    sharing("closing after a dead task", |forked| {
        let handles: Vec<_> = (0..5).map(|_| forked.task.eventfd(0, EMPTY).unwrap()).collect();
        let fds: Vec<_> = handles.iter().map(EventFd::as_raw_fd).collect();
        let mut child = forked.child;
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(fds.iter().all(|fd| is_open(&Local, *fd)));
        drop(handles);
        assert!(!fds.iter().any(|fd| is_open(&Local, *fd)));
    });
}

#[test]
fn unclosed_descriptors_are_kept_and_closed_through_another_task_of_the_table() {
    let _turn = descriptors();
    sharing("unclosed", |forked| {
        let living = remote::fork_sharing_files().unwrap();
        let unclosed = UnclosedList::<2>::new();
        let task = unclosed.keep_for(&forked.task);
        let (one, two, three) =
            (task.eventfd(0, EMPTY).unwrap(), task.eventfd(0, EMPTY).unwrap(), task.eventfd(0, EMPTY).unwrap());
        let fds = [one.as_raw_fd(), two.as_raw_fd()];
        forked.child.kill().unwrap();
        assert_eq!(one.close(), Err(Error::NotSent));
        drop(two);
        assert!(fds.iter().all(|fd| is_open(&Local, *fd)), "kept, not closed");
        // The list has room for two; a third is not kept, and is reported.
        let third = three.as_raw_fd();
        drop(three);
        assert_eq!(unclosed.lost(), 1);
        // A task of another table closes nothing; one of this table closes all.
        let unrelated = remote::fork([]).unwrap();
        assert_eq!(unclosed.reap(&unrelated.task), Ok(0));
        assert_eq!(unclosed.reap(&living.task), Ok(2));
        assert!(!fds.iter().any(|fd| is_open(&Local, *fd)));
        assert_eq!(unclosed.reap(Current), Ok(0));
        // SAFETY: this test's, and lost.
        unsafe { near::close(&Local, FileDescriptor(third)) }.unwrap();
    });
}

/// A task of this process's table, and the end of the stream where its server would be.
fn unserved() -> (Task<Connection>, UnixStream) {
    let (client, server) = UnixStream::pair().unwrap();
    // SAFETY: std gives up ownership; no server responds.
    let connection = unsafe { Connection::from_stream(OwnedFd::from_raw_fd(client.into_raw_fd()), FileDescriptor(0)) };
    // SAFETY: a server would be a thread, which shares this process's table; there is none.
    let task =
        unsafe { Task::new(connection, Process(1), FdTable::CURRENT, AddressSpace::CURRENT, PidNamespace::CURRENT) };
    (task, server)
}

#[test]
fn a_close_of_an_unclosed_descriptor_that_may_have_been_executed_is_not_repeated() {
    let _turn = descriptors();
    let unclosed = UnclosedList::<1>::new();
    let (gone, _) = unserved();
    let bell = EventFd::new(0, EMPTY).unwrap().move_to(unclosed.keep_for(&gone)).unwrap();
    let fd = bell.as_raw_fd();
    gone.sysif().shutdown();
    assert_eq!(bell.close(), Err(Error::NotSent));
    // This task certainly does not close it either: it stays unclosed.
    assert_eq!(unclosed.reap(&gone), Err(Error::NotSent));
    assert_eq!(unclosed.pop().map(|unclosed| unclosed.is_doubtful()), Some(false));
    // SAFETY: the unclosed descriptor owned it, and is gone.
    let bell = unsafe { EventFd::from_raw_fd(fd) }.move_to(unclosed.keep_for(&gone)).unwrap();
    assert_eq!(bell.close(), Err(Error::NotSent));
    // This one may have closed it.
    let (ending, mut server) = unserved();
    let thread = std::thread::spawn(move || server.read_exact(&mut [0; 56]).unwrap());
    assert_eq!(unclosed.reap(&ending), Err(Error::Hangup));
    thread.join().unwrap();
    assert_eq!(unclosed.reap(Current), Ok(0));
    assert!(unclosed.pop().unwrap().is_doubtful());
    // SAFETY: it was not closed, as only this test can know.
    unsafe { near::close(&Local, FileDescriptor(fd)) }.unwrap();
}

#[test]
fn a_close_that_may_have_been_executed_is_not_repeated() {
    let _turn = descriptors();
    let unclosed = UnclosedList::<2>::new();
    let (dead, mut server) = unserved();
    let bell = EventFd::new(0, EMPTY).unwrap().move_to(unclosed.keep_for(&dead)).unwrap();
    let fd = bell.near();
    // The server reads the request, executes it, and ends before it responds.
    let thread = std::thread::spawn(move || {
        server.read_exact(&mut [0; 56]).unwrap();
        // SAFETY: as requested.
        unsafe { near::close(&Local, fd) }.unwrap();
    });
    assert_eq!(bell.close(), Err(Error::Hangup));
    thread.join().unwrap();
    // Meanwhile the file descriptor is reused.
    let reused = EventFd::new(8, EMPTY).unwrap();
    assert_eq!(unclosed.reap(Current), Ok(0));
    assert_eq!(reused.read(), Ok(8));
    let unclosed = unclosed.pop().unwrap();
    assert!(unclosed.is_doubtful());
    assert_eq!((unclosed.near(), unclosed.fd_table()), (fd, FdTable::CURRENT));
    assert!(unclosed.token().is_err());
}

#[test]
fn generic_code_runs_here_in_a_child_and_through_a_borrowed_interface() {
    fn ring<T: EventfdTask>(task: T) -> Result<u64, T::Error> {
        let bell = task.eventfd(1, EventfdFlags::SEMAPHORE)?;
        bell.write(4)?;
        Ok(bell.read()? + bell.wait()?)
    }
    assert_eq!(ring(Current), Ok(2));
    let forked = remote::fork([]).unwrap();
    assert_eq!(ring(&forked.task), Ok(2));
    let unclosed = UnclosedList::<1>::new();
    assert_eq!(ring(unclosed.keep_for(&forked.task)), Ok(2));
    fn table<T: FileDescriptorTask>(task: T) -> FdTable {
        task.fd_table()
    }
    assert_ne!(table(&forked.task), table(Current));
}

/// An interface that ends, and may still execute its last call.
struct Stuck(Cell<bool>);

// SAFETY: no call is ever reported as completed, and it does not claim that none may follow.
unsafe impl SyscallInterface for Stuck {
    type Error = Error;
    unsafe fn syscall<const N: usize>(&self, _: usize, _: [Arg<'_>; N]) -> Result<usize, Error> {
        Err(Error::NotSent)
    }
    fn may_still_execute(&self) -> bool {
        self.0.get()
    }
}

#[test]
fn a_file_descriptor_moves_to_no_other_task_while_a_failed_call_may_still_be_executed() {
    let process = near::Process(1);
    // SAFETY: it makes no call, so any table is its own.
    let task = unsafe {
        Task::new(Stuck(Cell::new(false)), process, FdTable::CURRENT, AddressSpace::CURRENT, PidNamespace::CURRENT)
    };
    let unclosed = UnclosedList::<4>::new();
    let there = EventFd::new(1, EMPTY).unwrap().move_to(unclosed.keep_for(&task)).unwrap();
    let fd = there.near();
    task.sysif().0.set(true);
    let there = there.move_to(Current).unwrap_err().into_inner();
    let token = there.detach().attach(Current).unwrap_err().into_inner();
    // Dropped it closes nothing, and neither does its close.
    assert_eq!(token.near(), fd);
    // SAFETY: still open, and without an owner now.
    let there = unsafe { OwnedFd::adopt(unclosed.keep_for(&task), fd) };
    assert_eq!(there.close(), Err(Error::NotSent));
    assert_eq!(unclosed.reap(Current), Ok(0));
    let doubtful = unclosed.pop().unwrap();
    assert!(doubtful.is_doubtful());
    // SAFETY: the same descriptor, which no call has closed.
    let here = unsafe { EventFd::adopt(Current, doubtful.near()) };
    assert_eq!(here.read(), Ok(1));
    task.sysif().0.set(false);
    assert!(here.move_to(&task).unwrap().move_to(Current).is_ok());
}

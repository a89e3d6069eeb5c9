//! The process behind a connection: how it is forked, what it executes, how it is signalled and reaped, and what ends
//! it.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{FileDescriptor, Process, SignalSet};
use rsyscall::remote::{
    self, CallSlot, Connection, ExecOptions, ExitStatus, ForkOptions, Forked, Operand, Policy, Request, ServeError,
    serve,
};
use rsyscall::sys::signal::{Preset, Signal, SignalTask};
use rsyscall::sysif::{Arg, Error, Local, SyscallInterface};
use rsyscall::{Current, Errno, EventfdFlags, EventfdTask, Task, near, nr};
use rsyscall_tests::{cannot, emulated, shares_files};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use std::ffi::CStr;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for any machine, and short enough to end a test that hangs.
const LONG: Duration = Duration::from_secs(60);
const EMPTY: EventfdFlags = EventfdFlags::empty();

const KILLED: ExitStatus = ExitStatus::Killed { signal: Signal::KILL, core_dumped: false };

const SIGKILL: u32 = 9;
const SIGPIPE: u32 = 13;
const SIGTERM: u32 = 15;
const SIGSTOP: u32 = 19;

fn none<'a>() -> Arg<'a> {
    Arg::Word(0)
}

fn owned(stream: UnixStream) -> OwnedFd {
    // SAFETY: std gives up ownership.
    unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) }
}

/// A system call of this process.
fn call<const N: usize>(nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
    // SAFETY: each test makes calls that do not touch memory of others.
    unsafe { Local.syscall(nr, args) }
}

/// How a process ended.
#[derive(Debug, PartialEq)]
enum End {
    Exited(i32),
    Killed(i32),
}

/// Runs `work` in a process of its own, as its only thread, and ends with the returned status: `work` must not allocate
/// or panic.
fn alone(run: impl FnOnce() -> i32) -> End {
    const SIGCHLD: u32 = 17;
    let child = call(nr::CLONE, [SIGCHLD.into(), none(), none(), none(), none()]).unwrap();
    if child == 0 {
        // A child that hangs ends here, and not the test.
        // SAFETY: of this process, which has no handler for it.
        unsafe { libc::alarm(90) };
        Current.exit(run());
    }
    let mut status = [0; 4];
    call(nr::WAIT4, [Arg::Word(child), Arg::InOut(&mut status), none(), none()]).unwrap();
    let status = i32::from_ne_bytes(status);
    if status & 0x7f == 0 { End::Exited(status >> 8) } else { End::Killed(status & 0x7f) }
}

/// Runs `work` with a child that has a table of its own, and with one that shares this process's.
fn forked(case: &str, run: impl Fn(Forked)) {
    run(remote::fork([]).unwrap());
    if !shares_files() {
        return cannot(case, "clone(CLONE_FILES) fails with EINVAL here");
    }
    run(remote::fork_sharing_files().unwrap());
}

fn state(process: Process) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.0)).unwrap_or_default();
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap_or('X')
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn stop(child: &remote::Child) {
    child.signal(SIGSTOP).unwrap();
    until("it stops", || state(child.process()) == 'T');
}

/// Executes a script; `None` if programs of this architecture do not run here.
fn execute(case: &str, options: &ExecOptions, task: Task<Connection>, script: &CStr) -> Option<()> {
    match task.exec_with(options, c"/bin/sh", &[c"sh", c"-c", script], &[c"PATH=/bin:/usr/bin"]) {
        Ok(()) => Some(()),
        Err(error) if error == Errno::ENOEXEC => {
            cannot(case, "programs of this architecture do not run here by themselves");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

// exec and exit: their results.

/// A seccomp filter: this action for calls of this number, if the first argument has these bits.
fn filter(nr: usize, bits: u64, action: SeccompAction) -> BpfProgram {
    let condition =
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bits), bits).expect("a condition");
    let rules = if bits == 0 { vec![] } else { vec![SeccompRule::new(vec![condition]).expect("a rule")] };
    let architecture = TargetArch::try_from(std::env::consts::ARCH).expect("one that has filters");
    SeccompFilter::new([(nr as i64, rules)].into(), SeccompAction::Allow, action, architecture)
        .and_then(TryInto::try_into)
        .expect("a filter")
}

/// Runs `work` in a thread under filters; `false` if none can be installed.
fn filtered(case: &str, filters: &[BpfProgram], run: impl FnOnce() + Send) {
    thread::scope(|scope| {
        scope.spawn(|| {
            if filters.iter().any(|filter| seccompiler::apply_filter(filter).is_err()) {
                return cannot(case, "no seccomp filter can be installed here");
            }
            run();
        });
    });
}

// exec and exit: their results.

#[test]
fn exec_and_exit_do_not_succeed_if_the_response_is_late() {
    forked("late responses of a child that shares files", |Forked { task, child, .. }| {
        stop(&child);
        task.sysif().set_timeout(Some(Duration::from_millis(1)));
        // The calls that prepare it are late already.
        let error = task.exec(c"/no/such", &[c"x"], &[]).unwrap_err();
        assert_eq!(error.error(), &Error::NotSent);
        child.signal(SIGKILL).unwrap();
    });
    forked("a late end of a child that shares files", |Forked { task, child, .. }| {
        stop(&child);
        task.sysif().set_timeout(Some(Duration::from_millis(1)));
        assert!(matches!(task.exit(0).unwrap_err().error(), Error::Hangup | Error::NotSent));
        child.signal(SIGKILL).unwrap();
    });
}

/// A server that returns these bytes for the two calls, and success for all others.
fn lying_server(lie: Vec<u8>) -> Task<Connection> {
    let (client, mut server) = UnixStream::pair().unwrap();
    thread::spawn(move || {
        let mut request = [0; 56];
        while server.read_exact(&mut request).is_ok() {
            let words: Vec<_> = request.chunks(8).map(|word| usize::from_ne_bytes(word.try_into().unwrap())).collect();
            let len = words[3];
            let response = match words[0] {
                nr::MMAP => 4096_i64.to_ne_bytes().to_vec(),
                nr::RECVFROM if words[4] & 0x40 != 0 => (-11_i64).to_ne_bytes().to_vec(),
                nr::RECVFROM => {
                    server.read_exact(&mut vec![0; len]).unwrap();
                    len.to_ne_bytes().to_vec()
                }
                nr::SENDTO => [vec![0; len], len.to_ne_bytes().to_vec()].concat(),
                nr::EXECVE | nr::EXIT_GROUP => lie.clone(),
                _ => vec![0; 8],
            };
            if server.write_all(&response).is_err() || response.is_empty() {
                return;
            }
        }
    });
    // SAFETY: no response here breaks memory.
    let connection = unsafe { Connection::from_stream(owned(client), FileDescriptor(5)) };
    connection.set_timeout(Some(LONG));
    // SAFETY: it has a table of its own, if any.
    unsafe { Task::new(connection, Process(1), FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) }
}

#[test]
fn exec_and_exit_succeed_at_the_end_of_the_stream_and_never_by_a_response() {
    let word = |word: i64| word.to_ne_bytes().to_vec();
    for (lie, error) in [
        (word(0), Some(Error::Hangup)),
        (word(77), Some(Error::Hangup)),
        (word(i64::MIN), Some(Error::Hangup)),
        (word(-13), Some(Error::Os(Errno::EACCES))),
        (vec![], None),
    ] {
        let exec = lying_server(lie.clone()).exec(c"/bin/true", &[], &[]);
        assert_eq!(exec.err().map(|error| error.into_error()), error, "{lie:?}");
        let exit = lying_server(lie.clone()).exit(0);
        assert_eq!(exit.err().map(|error| error.into_error()), error, "{lie:?}");
    }
}

#[test]
fn exec_fails_with_hangup_if_the_process_is_killed_before_it_executes() {
    let case = "killed instead of executing";
    filtered(case, &[filter(nr::EXECVE, 0, SeccompAction::KillProcess)], || {
        forked("killed instead of executing, sharing files", |Forked { task, mut child, .. }| {
            task.sysif().set_timeout(Some(LONG));
            let result = task.exec(c"/bin/true", &[c"true"], &[]);
            assert_eq!(result.map_err(|error| error.into_error()), Err(Error::Hangup));
            assert_eq!(child.wait().unwrap().signal(), Signal::from_raw(31));
        });
    });
}

#[test]
fn exec_succeeds_while_the_program_runs() {
    forked("exec of a child that shares files", |Forked { task, mut child, .. }| {
        task.sysif().set_timeout(Some(LONG));
        let start = Instant::now();
        let Some(()) = execute("a program that runs on", &ExecOptions::new(), task, c"exec sleep 100") else { return };
        assert!(start.elapsed() < Duration::from_secs(50));
        assert_eq!(child.try_wait(), Ok(None), "the program runs after the end of the task");
        child.kill().unwrap();
        assert_eq!(child.wait(), Ok(KILLED));
    });
}

// exec: what a child keeps.

#[test]
fn a_failed_exec_leaves_the_process_and_its_table_unchanged() {
    if !shares_files() {
        return cannot("a failed exec that shares files", "clone(CLONE_FILES) fails with EINVAL here");
    }
    let mut other = remote::fork([]).unwrap();
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let Forked { task, child: _child, .. } = remote::fork_sharing_files().unwrap();
    let task = task.exec(c"/no/such", &[c"x"], &[]).unwrap_err().into_inner();
    // It keeps no copy: a stream ends, and so does another child.
    drop(writer);
    reader.set_read_timeout(Some(LONG)).unwrap();
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    drop(other.task);
    until("the other child ends", || other.child.try_wait().unwrap().is_some());
    // And it shares the table as before.
    assert_eq!(task.fd_table(), FdTable::CURRENT);
    assert_eq!(task.eventfd(3, EMPTY).unwrap().move_to(Current).unwrap().read(), Ok(3));
}

/// The blocked, ignored, caught and pending signals of a process: without `SigQ`, which counts the signals of the
/// user. Under qemu-user without those ignored and caught: it catches those that are ignored from the beginning too.
fn signals_of(process: Process) -> Vec<String> {
    let names = if emulated() { &["SigPnd", "SigBlk"][..] } else { &["SigPnd", "SigBlk", "SigIgn", "SigCgt"] };
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0)).unwrap();
    status.lines().filter(|line| names.iter().any(|name| line.starts_with(name))).map(String::from).collect()
}

#[test]
fn repeated_failed_execs_leak_nothing() {
    let long = std::ffi::CString::new(vec![b'x'; 200_000]).unwrap();
    forked("execs that fail", |Forked { mut task, child, .. }| {
        task.sysif().set_timeout(Some(LONG));
        task.sysif().reserve_scratch(250_000).unwrap();
        let own_table = task.fd_table() != FdTable::CURRENT;
        // In a table shared with this program, other tests open and close descriptors.
        let open =
            |process: Process| own_table.then(|| std::fs::read_dir(format!("/proc/{}/fd", process.0)).unwrap().count());
        let before = (signals_of(child.process()), open(child.process()), task.fd_table());
        for round in 0..30 {
            let (argument, path, errno) = match round % 3 {
                0 => (c"x", c"/no/such", Errno::ENOENT),
                1 => (c"x", c"/etc/passwd", Errno::EACCES),
                _ => (long.as_c_str(), c"/bin/true", Errno::E2BIG),
            };
            let failed = task.exec(path, &[argument], &[c"A=b"]).unwrap_err();
            assert_eq!(*failed.error(), Error::Os(errno));
            task = failed.into_inner();
        }
        assert_eq!((signals_of(child.process()), open(child.process()), task.fd_table()), before);
        assert_eq!(task.eventfd(3, EMPTY).unwrap().read(), Ok(3));
    });
}

#[test]
fn an_exec_whose_preparation_is_refused_half_way_undoes_what_it_has_prepared() {
    let all = [nr::PRCTL, nr::RT_SIGACTION, nr::RT_SIGPROCMASK, nr::RECVFROM, nr::SENDTO, nr::MMAP, nr::EXECVE];
    for missing in [nr::PRCTL, nr::RT_SIGACTION, nr::RT_SIGPROCMASK, nr::EXECVE] {
        let policy = all.map(|nr| if nr == missing { nr::GETPID } else { nr });
        let (client, server) = UnixStream::pair().unwrap();
        let (client, server) = (owned(client), owned(server));
        let number = server.near();
        // SAFETY: the child makes system calls and nothing else, and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            drop(client);
            // SAFETY: the client is this test.
            let served = unsafe { serve(&server, Policy::Only(&policy)) };
            Current.exit(if matches!(served, Ok(()) | Err(ServeError::Vanished)) { 0 } else { 1 });
        }
        drop(server);
        // SAFETY: `serve` is at the other end.
        let connection = unsafe { Connection::from_stream(client, number) };
        assert!(near::getpid(&connection).is_ok());
        let process = Process(pid);
        // SAFETY: a process of its own, with a table and memory of its own.
        let task =
            unsafe { Task::new(connection, process, FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) };
        let before = signals_of(process);
        // Each signal is changed, and then the mask.
        let options = ExecOptions::new().signal_mask(SignalSet::ALL).ignored_signals(SignalSet::ALL);
        let failed = task.exec_with(&options, c"/bin/true", &[c"true"], &[]).unwrap_err();
        assert_eq!(*failed.error(), Error::Os(Errno::EPERM), "without {:?}", nr::name(missing));
        assert_eq!(signals_of(process), before, "without {:?}", nr::name(missing));
        drop(failed);
        let mut status = 0;
        // SAFETY: the status is valid memory.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
        assert_eq!(status, 0);
    }
}

#[test]
fn exec_succeeds_if_the_program_is_reaped_at_once_and_fails_if_the_process_was_killed() {
    if !shares_files() {
        return cannot("a program that is reaped at once", "clone knows one way to fork here, with SIGCHLD");
    }
    // A process of its own, as it ignores SIGCHLD: the kernel reaps the executed program, whose pid is then gone.
    let outcome = |share: bool, kill: bool| {
        alone(|| {
            let ignored = Current.set_disposition(Signal::CHLD, Preset::Ignore);
            let forked = if share { remote::fork_sharing_files() } else { remote::fork([]) };
            let (Ok(()), Ok(Forked { task, mut child, .. })) = (ignored, forked) else { return 1 };
            if kill && child.kill().is_err() {
                return 2;
            }
            let executed = task.exec(c"/bin/true", &[c"true"], &[]).map_err(|failed| *failed.error());
            let waited = child.wait();
            match (kill, executed, waited) {
                (false, Ok(()), Err(Errno::ECHILD)) => 0,
                (false, Err(Error::Os(Errno::ENOEXEC)), _) => 0,
                (true, Err(Error::NotSent | Error::Hangup), Ok(KILLED)) => 0,
                _ => 3,
            }
        })
    };
    for share in [false, true] {
        for round in 0..10 {
            assert_eq!(outcome(share, round % 2 == 0), End::Exited(0), "shared: {share}, killed: {}", round % 2 == 0);
        }
    }
}

/// In a process of its own the client's end has a low file descriptor. A child must keep no copy of it: the stream
/// would not end with the client.
#[test]
fn a_child_does_not_keep_the_clients_end_of_the_stream() {
    if !shares_files() {
        return cannot("the client's end as file descriptor 0", "clone(CLONE_FILES) fails with EINVAL here");
    }
    // SAFETY: a query.
    let has = |task: &Task<Connection>, fd: i32| unsafe { near::is_cloexec(task.sysif(), FileDescriptor(fd)) }.is_ok();
    for closed in [0..1, 1..2, 2..3, 0..3] {
        // SAFETY: a process that uses none of them.
        let close = || closed.clone().for_each(|fd| _ = unsafe { near::close(&Local, FileDescriptor(fd)) });
        let unshared = alone(|| {
            close();
            let (Ok(other), Ok(mut forked)) = (remote::fork([]), remote::fork_sharing_files()) else { return 1 };
            let [others, own] = [&other, &forked].map(|forked| forked.task.sysif().as_raw_fd());
            if others > 2 || !has(&forked.task, others) || !has(&forked.task, own) {
                return 2;
            }
            if forked.task.unshare_files::<Current, 0>([]).is_err() {
                return 3;
            }
            i32::from(has(&forked.task, others) || has(&forked.task, own)) * 4
        });
        assert_eq!(unshared, End::Exited(0), "unshared, the other's end is {closed:?}");
        let unshared = alone(|| {
            close();
            let Ok(mut forked) = remote::fork_sharing_files() else { return 1 };
            let own = forked.task.sysif().as_raw_fd();
            if own > 2 || forked.task.unshare_files::<Current, 0>([]).is_err() {
                return 2;
            }
            i32::from(has(&forked.task, own)) * 3
        });
        assert_eq!(unshared, End::Exited(0), "unshared, its own end is {closed:?}");
        let forked = alone(|| {
            close();
            let (Ok(other), Ok(forked)) = (remote::fork([]), remote::fork([])) else { return 1 };
            let [others, own] = [&other, &forked].map(|forked| forked.task.sysif().as_raw_fd());
            i32::from(others > 2 || has(&forked.task, others) || own <= 2 && has(&forked.task, own))
        });
        assert_eq!(forked, End::Exited(0), "forked, {closed:?}");
    }
}

// What ends a child, and what does not.

#[test]
fn a_child_ends_with_the_thread_that_forked_it_unless_it_may_outlive_it() {
    let make = |options: ForkOptions| thread::spawn(move || options.fork([])).join().unwrap().unwrap();
    // If the thread ends before the child calls `prctl`, the child exits by itself.
    let ended = |status| matches!(status, Ok(KILLED | ExitStatus::Exited(1)));
    let mut tied = make(ForkOptions::new());
    assert!(ended(tied.child.wait()));
    let mut free = make(ForkOptions::new().outlive_thread(true));
    thread::sleep(Duration::from_millis(20));
    assert_eq!(free.task.eventfd(2, EMPTY).unwrap().read(), Ok(2));
    drop(free.task);
    assert_eq!(free.child.wait(), Ok(ExitStatus::Exited(0)));
    if shares_files() {
        let mut sharing = thread::spawn(remote::fork_sharing_files).join().unwrap().unwrap();
        assert!(ended(sharing.child.wait()));
    }
}

#[test]
fn a_child_that_outlives_its_thread_ends_with_its_process() {
    let pid = EventFdOfTwo::new();
    let maker = alone(|| {
        let Ok(forked) = ForkOptions::new().outlive_thread(true).fork([]) else { return 1 };
        pid.send(forked.child.process());
        // Nothing is dropped: as if it had been killed.
        core::mem::forget(forked);
        0
    });
    assert_eq!(maker, End::Exited(0));
    let server = pid.receive();
    until("it ends", || matches!(state(server), 'X' | 'Z'));
}

/// Passes a pid from one process to another.
struct EventFdOfTwo(rsyscall::EventFd);

impl EventFdOfTwo {
    fn new() -> Self {
        Self(rsyscall::EventFd::new(0, EMPTY).unwrap())
    }

    fn send(&self, process: Process) {
        let _written = self.0.write(process.0 as u64);
    }

    fn receive(&self) -> Process {
        Process(self.0.wait_timeout(LONG).unwrap().expect("a pid") as i32)
    }
}

#[test]
fn an_executed_program_ends_with_the_thread_that_forked_it_only_on_request() {
    let case = "a program beside a thread that ends";
    for (killed, status) in [(false, ExitStatus::Exited(6)), (true, KILLED)] {
        let options = ExecOptions::new().killed_with_parent(killed);
        let (made, child) = thread::spawn(move || {
            let Forked { task, child, .. } = remote::fork([]).unwrap();
            (execute(case, &options, task, c"sleep 0.2; exit 6"), child)
        })
        .join()
        .unwrap();
        let (Some(()), mut child) = (made, child) else { return };
        assert_eq!(child.wait(), Ok(status));
    }
}

#[test]
fn a_child_serves_under_a_seccomp_filter_without_ppoll() {
    const CASE: &str = "a filter without ppoll";
    for errno in [Errno::EPERM, Errno::ENOSYS, Errno::EINVAL] {
        let no_ppoll = [filter(nr::PPOLL, 0, SeccompAction::Errno(errno.raw() as u32))];
        filtered(CASE, &no_ppoll, || {
            let serve = |Forked { task, mut child, .. }: Forked| {
                task.sysif().set_timeout(Some(LONG));
                let bell = task.eventfd(3, EMPTY).unwrap();
                assert_eq!(bell.try_read(), Ok(Some(3)));
                assert_eq!(bell.try_read(), Ok(None));
                drop(bell);
                task.exit(4).unwrap();
                assert_eq!(child.wait(), Ok(ExitStatus::Exited(4)));
            };
            serve(remote::fork([]).unwrap());
            match remote::fork_sharing_files() {
                Ok(forked) => serve(forked),
                Err(_) => cannot(CASE, "clone(CLONE_FILES) fails with EINVAL here"),
            }
        });
    }
}

#[test]
fn a_child_serves_in_a_new_pid_namespace() {
    const CLONE_NEWPID: u32 = 0x2000_0000;
    let case = "a new pid namespace";
    let served = alone(|| {
        if call(nr::UNSHARE, [CLONE_NEWPID.into()]).is_err() {
            return 77;
        }
        let Ok(mut forked) = remote::fork([]) else { return 1 };
        // It is the first process there, and cannot see its parent.
        if near::getpid(forked.task.sysif()) != Ok(Process(1)) || near::getppid(forked.task.sysif()) != Ok(Process(0)) {
            return 2;
        }
        let Ok(bell) = forked.task.eventfd(3, EMPTY) else { return 3 };
        if bell.read() != Ok(3) {
            return 4;
        }
        drop(bell);
        drop(forked.task);
        i32::from(forked.child.wait() != Ok(ExitStatus::Exited(0)))
    });
    if served == End::Exited(77) {
        return cannot(case, "not allowed here");
    }
    assert_eq!(served, End::Exited(0));
    // It ends with its parent there too.
    if !shares_files() {
        return cannot("a parent that is killed in its pid namespace", "clone(CLONE_FILES) fails with EINVAL here");
    }
    let pid = EventFdOfTwo::new();
    let killed = alone(|| {
        let made = call(nr::UNSHARE, [CLONE_NEWPID.into()]).is_ok();
        let Ok(forked) = remote::fork_sharing_files() else { return 1 };
        if !made || forked.task.eventfd(0, EMPTY).is_err() {
            return 2;
        }
        pid.send(forked.child.process());
        let _dead = call(nr::KILL, [Arg::from(near::getpid(&Local).unwrap_or(Process(0))), SIGKILL.into()]);
        3
    });
    assert_eq!(killed, End::Killed(9));
    let server = pid.receive();
    until("it ends", || matches!(state(server), 'X' | 'Z'));
}

// Signals and waits.

#[test]
fn an_executed_program_reaped_elsewhere_is_not_signalled() {
    let case = "a program that another wait reaps";
    if !shares_files() {
        return cannot(case, "clone knows one way to fork here, with SIGCHLD");
    }
    let reaped = alone(|| {
        let Ok(Forked { task, mut child, .. }) = remote::fork([]) else { return 1 };
        // Before, an ordinary wait does not find it.
        if wait_for_any() != Err(Errno::ECHILD) {
            return 2;
        }
        match task.exec(c"/bin/sh", &[c"sh", c"-c", c"exit 5"], &[]) {
            Err(error) if error == Errno::ENOEXEC => return 77,
            Err(_) => return 3,
            Ok(()) => {}
        }
        if wait_for_any() != Ok(child.process().0 as usize) {
            return 4;
        }
        if child.kill() != Err(Errno::ESRCH) || child.wait() != Err(Errno::ECHILD) || child.try_wait().is_ok() {
            return 5;
        }
        0
    });
    if reaped == End::Exited(77) {
        return cannot(case, "programs of this architecture do not run here by themselves");
    }
    assert_eq!(reaped, End::Exited(0));
}

/// `wait4(-1)`.
fn wait_for_any() -> Result<usize, Errno> {
    call(nr::WAIT4, [Arg::from(-1_i32), none(), none(), none()])
}

#[test]
fn a_process_that_reuses_the_pid_of_a_child_reaped_elsewhere_is_neither_signalled_nor_reaped() {
    let case = "another process with the child's pid";
    if !shares_files() {
        return cannot(case, "clone knows one way to fork here, with SIGCHLD");
    }
    let left_alone = alone(|| {
        let Ok(Forked { task, mut child, .. }) = remote::fork([]) else { return 1 };
        match task.exec(c"/bin/sh", &[c"sh", c"-c", c"exit 5"], &[]) {
            Err(error) if error == Errno::ENOEXEC => return 77,
            Err(_) => return 2,
            Ok(()) => {}
        }
        let pid = child.process().0;
        if wait_for_any() != Ok(pid as usize) {
            return 3;
        }
        // `clone3` with `set_tid`: a child of this process like the other one, and its namesake.
        let set_tid = [pid];
        let mut arguments = [0_u64; 10];
        (arguments[4], arguments[8], arguments[9]) = (17, set_tid.as_ptr().expose_provenance() as u64, 1);
        // SAFETY: the structure is as long as is said; the child sleeps, and ends.
        let made = unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)) };
        match made {
            0 => loop {
                // SAFETY: sleeps.
                unsafe { libc::pause() };
            },
            made if made != i64::from(pid) => return 77,
            _ => {}
        }
        let alive = || {
            let args = [Arg::from(pid), none(), Arg::Word(1), none()];
            call(nr::WAIT4, args) == Ok(0)
        };
        let outcome = match () {
            () if child.kill() != Err(Errno::ESRCH) || child.interrupt() != Err(Errno::ESRCH) => 4,
            () if child.try_wait() != Err(Errno::ECHILD) || child.wait() != Err(Errno::ECHILD) => 5,
            () if !alive() => 6,
            () => {
                drop(child);
                thread::sleep(Duration::from_millis(5));
                i32::from(!alive()) * 7
            }
        };
        let _ended = call(nr::KILL, [Arg::from(pid), SIGKILL.into()]);
        outcome
    });
    match left_alone {
        End::Exited(77) => cannot(case, "a pid cannot be chosen here"),
        left_alone => assert_eq!(left_alone, End::Exited(0)),
    }
}

#[test]
fn without_a_pidfd_a_pid_that_another_wait_may_have_reaped_is_not_signalled() {
    const CLONE_PIDFD: u64 = 0x1000;
    let refused = |errno: Errno| SeccompAction::Errno(errno.raw() as u32);
    let filters = [
        filter(nr::CLONE, CLONE_PIDFD, refused(Errno::EINVAL)),
        filter(nr::PIDFD_OPEN, 0, refused(Errno::ENOSYS)),
        filter(nr::PIDFD_SEND_SIGNAL, 0, refused(Errno::ENOSYS)),
    ];
    filtered("children without pidfds", &filters, || {
        let Forked { task, mut child, .. } = remote::fork([]).unwrap();
        assert!(child.pidfd().is_none());
        assert_eq!(task.eventfd(4, EMPTY).unwrap().read(), Ok(4));
        child.kill().unwrap();
        assert_eq!(child.wait(), Ok(KILLED));
        assert_eq!(child.kill(), Err(Errno::ESRCH));
        assert_eq!(remote::fork_sharing_files().map(drop), Err(Errno::ENOSYS));
        // Its exit signal is `SIGCHLD`: it ends with its task, and a drop of the child alone does not kill.
        let Forked { task, child, .. } = remote::fork([]).unwrap();
        let process = child.process();
        drop(child);
        assert_eq!(task.eventfd(4, EMPTY).unwrap().read(), Ok(4));
        drop(task);
        let mut status = [0; 4];
        call(nr::WAIT4, [process.into(), Arg::InOut(&mut status), none(), none()]).unwrap();
        assert_eq!(status, [0; 4]);
        // Reaped elsewhere, the pid is not signalled.
        let Forked { task, child, .. } = remote::fork([]).unwrap();
        drop(task);
        call(nr::WAIT4, [child.process().into(), none(), none(), none()]).unwrap();
        let filter = filter(nr::KILL, 0, SeccompAction::KillProcess);
        let dropped = alone(move || {
            if seccompiler::apply_filter(&filter).is_err() {
                return 1;
            }
            if child.kill() != Err(Errno::ESRCH) {
                return 2;
            }
            drop(child);
            0
        });
        assert_eq!(dropped, End::Exited(0));
    });
}

#[test]
fn a_nonblocking_pidfd_makes_no_difference() {
    let Forked { task, mut child, .. } = remote::fork([]).unwrap();
    let Some(pidfd) = child.pidfd() else { return cannot("a nonblocking pidfd", "no pidfd") };
    pidfd.set_nonblocking(true).unwrap();
    assert_eq!(child.try_wait(), Ok(None));
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(20));
            drop(task);
        });
        assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)));
    });
}

#[test]
fn drop_does_not_block_on_a_child_that_may_not_be_signalled() {
    let case = "a child of another user";
    const NOBODY: u32 = 65534;
    let dropped = alone(|| {
        let Ok(Forked { task, child, .. }) = remote::fork([]) else { return 1 };
        match task.exec(c"/bin/sh", &[c"sh", c"-c", c"sleep 2"], &[c"PATH=/bin:/usr/bin"]) {
            Err(error) if error == Errno::ENOEXEC => return 77,
            Err(_) => return 2,
            Ok(()) => {}
        }
        // As if the program were set-user-ID: now they are of different users.
        if call(nr::SETRESUID, [NOBODY.into(), NOBODY.into(), NOBODY.into()]).is_err()
            || child.kill() != Err(Errno::EPERM)
        {
            return 77;
        }
        let start = Instant::now();
        drop(child);
        i32::from(start.elapsed() > Duration::from_secs(1))
    });
    match dropped {
        End::Exited(77) => cannot(case, "not allowed here"),
        dropped => assert_eq!(dropped, End::Exited(0)),
    }
}

// The signals of an executed program.

/// The lines of `/proc/self/status` about signals, as an executed program sees them: blocked, ignored, caught.
fn signals_of_a_program(options: &ExecOptions) -> Option<[u64; 3]> {
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let writer = owned(writer);
    let Forked { task, inherited: [token], mut child, .. } = remote::fork([&writer]).unwrap();
    drop(writer);
    {
        let writer = token.attach(&task).unwrap();
        // SAFETY: the child's standard output, which nothing there uses.
        unsafe { near::dup3(task.sysif(), writer.near(), FileDescriptor(1), false) }.unwrap();
    }
    match task.exec_with(options, c"/bin/cat", &[c"cat", c"/proc/self/status"], &[]) {
        Err(error) if error == Errno::ENOEXEC => return None,
        executed => executed.unwrap(),
    }
    let mut status = String::new();
    reader.read_to_string(&mut status).unwrap();
    assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)));
    Some(["SigBlk:", "SigIgn:", "SigCgt:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    }))
}

#[test]
fn an_executed_program_starts_with_an_empty_mask_and_the_default_action_of_sigpipe() {
    let case = "signals of a program";
    // A thread with something blocked, in a process that ignores SIGPIPE, as Rust's do.
    // SAFETY: of this thread.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, SIGTERM as i32);
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
    }
    let Some(inherited) = signals_of_a_program(&ExecOptions::new()) else {
        return cannot(case, "programs of this architecture do not run here by themselves");
    };
    // std's runtime ignores SIGPIPE, the executed program does not; glibc handles some signals of its own.
    let ignored_here = {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        SignalSet::from_bits(u64::from_str_radix(line.trim(), 16).unwrap())
    };
    assert!(ignored_here.contains(SIGPIPE));
    assert_eq!(inherited, [0, ignored_here.without(SIGPIPE).bits(), 0]);
    let set = |signals: &[u32]| signals.iter().fold(SignalSet::EMPTY, |set, signal| set.with(*signal));
    let options = ExecOptions::new().signal_mask(set(&[2, 10])).ignored_signals(set(&[SIGPIPE, SIGTERM, SIGKILL]));
    let [blocked, ignored, caught] = signals_of_a_program(&options).unwrap();
    assert_eq!(blocked, set(&[2, 10]).bits());
    assert_eq!(ignored, ignored_here.bits() | set(&[SIGTERM]).bits());
    assert_eq!(caught, 0);
    // Every signal at once, including those whose action cannot be changed.
    let options = ExecOptions::new().default_signals(SignalSet::ALL);
    // qemu-user keeps signal 32 for itself.
    let [blocked, ignored, caught] = signals_of_a_program(&options).unwrap();
    let kept = if emulated() { set(&[32]).bits() } else { 0 };
    assert_eq!([blocked, ignored & !kept, caught], [0, 0, 0]);
}

#[test]
fn a_failed_exec_leaves_the_server_unchanged() {
    let Forked { task, child, .. } = remote::fork([]).unwrap();
    // From here on it serves.
    near::getpid(task.sysif()).unwrap();
    let dies_with = |task: &Task<Connection>| {
        let mut signal = [0; 4];
        const PR_GET_PDEATHSIG: u32 = 2;
        // SAFETY: the call writes an `int`.
        let got = unsafe { task.sysif().syscall(nr::PRCTL, [PR_GET_PDEATHSIG.into(), Arg::InOut(&mut signal)]) };
        assert_eq!(got, Ok(0));
        u32::from_ne_bytes(signal)
    };
    let before = (signals_of(child.process()), dies_with(&task));
    assert_eq!(before.1, SIGKILL);
    let options = ExecOptions::new()
        .signal_mask(SignalSet::ALL)
        .ignored_signals(SignalSet::ALL)
        .default_signals(SignalSet::EMPTY);
    let task = task.exec_with(&options, c"/no/such", &[c"x"], &[]).unwrap_err().into_inner();
    assert_eq!((signals_of(child.process()), dies_with(&task)), before);
    // Its calls are interrupted as before.
    let bell = task.eventfd(0, EMPTY).unwrap();
    let mut slots = [CallSlot::EMPTY; 1];
    let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
    pipeline.read(&bell).unwrap();
    let result = loop {
        child.interrupt().unwrap();
        if let Some(completion) = pipeline.complete_timeout(&mut [], Duration::from_millis(5)) {
            break completion.result;
        }
    };
    assert_eq!(result, Err(Error::Os(Errno::EINTR)));
}

#[test]
fn the_interrupt_handler_runs_on_an_alternate_stack() {
    const SIGURG: i32 = 23;
    remote::install_interrupt_handler().unwrap();
    thread::spawn(|| {
        let mut stack = vec![0_u8; 1 << 16];
        let alternate = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: stack.len() };
        let mut old = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
        // SAFETY: memory that lives until the stack is restored.
        assert_eq!(unsafe { libc::sigaltstack(&alternate, &mut old) }, 0);
        // SAFETY: the handler does nothing.
        assert_eq!(unsafe { libc::raise(SIGURG) }, 0);
        // SAFETY: the previous stack.
        assert_eq!(unsafe { libc::sigaltstack(&old, std::ptr::null_mut()) }, 0);
        assert!(stack.iter().any(|byte| *byte != 0), "the kernel's frame was there");
    })
    .join()
    .unwrap();
}

// A server and its stream.

/// A stream, of which one end is to be served; in a process that runs nothing else.
fn pair() -> Option<(OwnedFd, OwnedFd)> {
    // SAFETY: just created, and not used elsewhere.
    near::socketpair_stream(&Local).ok().map(|[a, b]| unsafe { (OwnedFd::from_raw_fd(a.0), OwnedFd::from_raw_fd(b.0)) })
}

#[test]
fn serve_fails_without_spinning_if_it_cannot_wait_for_a_nonblocking_stream() {
    let ended = alone(|| {
        let Some((client, server)) = pair() else { return 1 };
        const RLIMIT_NOFILE: u32 = 7;
        let limits = [0; 16];
        let set = call(nr::PRLIMIT64, [none(), RLIMIT_NOFILE.into(), Arg::In(&limits), none()]);
        if server.set_nonblocking(true).is_err() || set.is_err() {
            return 2;
        }
        // SAFETY: the client is this process.
        let waiting = unsafe { serve(&server, Policy::Everything) };
        // During a memory transfer it cannot be waited for either, and the data is not parsed as a request.
        let mut memory = 0_u64;
        let address = (&raw mut memory).addr();
        let receive =
            Request { nr: nr::RECVFROM, args: [server.as_raw_fd() as usize, address, 8, 0x100, 0, 0] }.to_bytes();
        // SAFETY: open.
        let sent = unsafe { near::sendto(&Local, client.near(), &receive, 0) };
        // SAFETY: as above; eight bytes of a local variable.
        let moving = unsafe { serve(&server, Policy::Everything) };
        let error = Err(ServeError::Wait(Errno::EINVAL));
        i32::from(waiting != error || sent != Ok(56) || moving != error)
    });
    assert_eq!(ended, End::Exited(0));
}

#[test]
fn memory_that_was_not_received_is_not_parsed_as_requests() {
    let (mut client, server) = UnixStream::pair().unwrap();
    let server = owned(server);
    let bad = 8; // Not mapped.
    let receive = Request { nr: nr::RECVFROM, args: [server.as_raw_fd() as usize, bad, 56, 0x100, 0, 0] };
    // The bytes contain a request to end the process.
    let memory = Request { nr: nr::EXIT_GROUP, args: [1, 0, 0, 0, 0, 0] };
    for policy in [Policy::Everything, Policy::Only(&[nr::EXIT_GROUP])] {
        client.write_all(&[receive.to_bytes(), memory.to_bytes()].concat()).unwrap();
        // SAFETY: the requested call fails.
        assert_eq!(unsafe { serve(&server, policy) }, Err(ServeError::OutOfStep));
        let mut left = [0; 56];
        // SAFETY: open.
        let mut stream = std::mem::ManuallyDrop::new(unsafe { UnixStream::from_raw_fd(server.as_raw_fd()) });
        stream.set_nonblocking(true).unwrap();
        let _whether_the_kernel_took_it = stream.read(&mut left);
        stream.set_nonblocking(false).unwrap();
        let mut response = [0; 8];
        client.read_exact(&mut response).unwrap();
        assert!(i64::from_ne_bytes(response) < 0);
    }
}

/// The calls that can write to a stream without `MSG_NOSIGNAL`.
fn writes(stream: i32, memory: &'static [u8], vector: &'static [usize; 2]) -> [Request; 2] {
    let stream = stream as usize;
    [
        Request { nr: nr::WRITE, args: [stream, memory.as_ptr().expose_provenance(), memory.len(), 0, 0, 0] },
        Request { nr: nr::WRITEV, args: [stream, vector.as_ptr().expose_provenance(), 1, 0, 0, 0] },
    ]
}

static MEMORY: [u8; 1] = *b"!";

#[test]
fn sigpipe_is_blocked_for_requested_calls_but_not_for_an_executed_program() {
    let pattern = c"SigBlk:.0000000000000000";
    let argv = [c"grep".as_ptr(), c"-q".as_ptr(), pattern.as_ptr(), c"/proc/self/status".as_ptr(), std::ptr::null()];
    let argv = argv.as_ptr().expose_provenance();
    let exec = |path: &CStr| Request { nr: nr::EXECVE, args: [path.as_ptr().expose_provenance(), argv, 0, 0, 0, 0] };
    let (nothing, grep) = (exec(c"/no/such"), exec(c"/bin/grep"));
    let executed = alone(|| {
        // SAFETY: the default action, and a mask of this process.
        unsafe {
            libc::signal(SIGPIPE as i32, libc::SIG_DFL);
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            libc::sigprocmask(libc::SIG_SETMASK, &set, std::ptr::null_mut());
        }
        let (Some((client, server)), Some((broken, _))) = (pair(), pair()) else { return 1 };
        let memory = MEMORY.as_ptr().expose_provenance();
        let write = Request { nr: nr::WRITE, args: [broken.as_raw_fd() as usize, memory, 1, 0, 0, 0] };
        // Blocked after a failed `execve` as before, and the write is discarded before one that succeeds.
        for request in [nothing, write, grep] {
            // SAFETY: open.
            if unsafe { near::sendto(&Local, client.near(), &request.to_bytes(), 0) } != Ok(56) {
                return 2;
            }
        }
        // SAFETY: open.
        if unsafe { near::shutdown(&Local, client.near(), near::Shutdown::Write) }.is_err() {
            return 3;
        }
        // SAFETY: the requested calls are sound.
        if unsafe { serve(&server, Policy::Everything) } == Ok(()) { 77 } else { 4 }
    });
    if executed == End::Exited(77) {
        return cannot(
            "a program that is executed on request",
            "programs of this architecture do not run here by themselves",
        );
    }
    assert_eq!(executed, End::Exited(0));
}

#[test]
fn no_requested_write_to_the_stream_kills_a_server_whose_client_has_disconnected() {
    let vector: &'static [usize; 2] = Box::leak(Box::new([MEMORY.as_ptr().expose_provenance(), 1]));
    let default = || {
        // SAFETY: the default action.
        unsafe { libc::signal(SIGPIPE as i32, libc::SIG_DFL) };
    };
    for index in 0..2 {
        let ended = alone(|| {
            default();
            let Some((client, server)) = pair() else { return 1 };
            let request = writes(server.as_raw_fd(), &MEMORY, vector)[index].to_bytes();
            // SAFETY: open.
            if unsafe { near::sendto(&Local, client.near(), &request, 0) } != Ok(56) {
                return 2;
            }
            drop(client);
            // SAFETY: the request writes one byte.
            if unsafe { serve(&server, Policy::Everything) } != Err(ServeError::Vanished) {
                return 3;
            }
            // Afterwards the signal is as before: not blocked, not pending, the default action.
            // SAFETY: the default action.
            if unsafe { libc::signal(SIGPIPE as i32, libc::SIG_DFL) } != libc::SIG_DFL {
                return 4;
            }
            let mut mask = [0; 8];
            if call(nr::RT_SIGPROCMASK, [none(), none(), Arg::InOut(&mut mask), Arg::Word(8)]).is_err() {
                return 5;
            }
            i32::from(SignalSet::from_bits(u64::from_ne_bytes(mask)).contains(SIGPIPE)) * 6
        });
        assert_eq!(ended, End::Exited(0), "call {index}");
        let ended = alone(|| {
            default();
            let Ok(mut forked) = remote::fork([]) else { return 1 };
            let connection = forked.task.sysif();
            let request = writes(connection.activity_fd().0, &MEMORY, vector)[index];
            let mut slots = [CallSlot::EMPTY; 2];
            let Some(mut pipeline) = connection.pipeline(&mut slots) else { return 2 };
            let [stream, memory, count, ..] = request.args.map(Operand::Word);
            let pause = [0_u64.to_ne_bytes(), 50_000_000_u64.to_ne_bytes()];
            let pause: &[u8] = pause.as_flattened();
            // SAFETY: a pause, and a write of one byte, which the child has too.
            let submitted = unsafe {
                pipeline
                    .submit(
                        nr::CLOCK_NANOSLEEP,
                        [Operand::Word(1), Operand::Word(0), Operand::In(pause), Operand::Word(0)],
                    )
                    .is_ok()
                    && pipeline.submit(request.nr, [stream, memory, count]).is_ok()
            };
            if !submitted {
                return 3;
            }
            connection.shutdown();
            i32::from(forked.child.wait() != Ok(ExitStatus::Exited(0))) * 4
        });
        assert_eq!(ended, End::Exited(0), "call {index}, forked");
    }
}

/// Calls that write to a stream in other ways than those of `writes`, in a process of its own: on the stream's number
/// or on a duplicate of it. `message` is the memory of a `struct msghdr`, and behind it of its `struct iovec`.
fn other_writes(stream: i32, message: &mut [usize; 9]) -> Option<[Request; 5]> {
    let memory = MEMORY.as_ptr().expose_provenance();
    let mut ends = [0; 2];
    // SAFETY: a pipe, a file in memory and a duplicate, which live as long as this process.
    let (duplicate, file) = unsafe {
        if libc::pipe(ends.as_mut_ptr()) != 0 || libc::write(ends[1], MEMORY.as_ptr().cast(), 1) != 1 {
            return None;
        }
        let file = libc::memfd_create(c"one".as_ptr(), 0);
        if libc::pwrite(file, MEMORY.as_ptr().cast(), 1, 0) != 1 {
            return None;
        }
        (libc::dup(stream), file)
    };
    let at = message.as_mut_ptr().expose_provenance();
    *message = [0, 0, at + 7 * size_of::<usize>(), 1, 0, 0, 0, memory, 1];
    let request = |nr, fd: i32, [b, c, d, e]: [usize; 4]| Request { nr, args: [fd as usize, b, c, d, e, 0] };
    Some([
        request(nr::SENDMSG, stream, [at, 0, 0, 0]),
        request(nr::SENDTO, duplicate, [memory, 1, 0, 0]),
        request(nr::WRITE, duplicate, [memory, 1, 0, 0]),
        request(nr::SENDFILE, stream, [file as usize, 0, 1, 0]),
        request(nr::SPLICE, ends[0], [0, stream as usize, 0, 1]),
    ])
}

#[test]
fn no_other_way_to_write_to_the_stream_kills_a_server_whose_client_has_disconnected() {
    for index in 0..5 {
        let ended = alone(|| {
            // SAFETY: the default action.
            unsafe { libc::signal(SIGPIPE as i32, libc::SIG_DFL) };
            let (Some((client, server)), mut message) = (pair(), [0; 9]) else { return 1 };
            let Some(requests) = other_writes(server.as_raw_fd(), &mut message) else { return 2 };
            // Twice: a second signal comes while the first is pending.
            for _ in 0..2 {
                // SAFETY: open.
                if unsafe { near::sendto(&Local, client.near(), &requests[index].to_bytes(), 0) } != Ok(56) {
                    return 3;
                }
            }
            drop(client);
            // SAFETY: what is requested is to write one byte.
            if unsafe { serve(&server, Policy::Everything) } != Err(ServeError::Vanished) {
                return 4;
            }
            // None is left pending.
            let mut pending = [0; 8];
            if call(nr::RT_SIGPENDING, [Arg::InOut(&mut pending), Arg::Word(8)]).is_err() {
                return 5;
            }
            i32::from(u64::from_ne_bytes(pending) != 0) * 6
        });
        assert_eq!(ended, End::Exited(0), "call {index}");
    }
}

#[test]
fn a_server_in_one_thread_of_many_survives_a_client_that_disconnects_and_does_not_affect_the_others() {
    let vector: &'static [usize; 2] = Box::leak(Box::new([MEMORY.as_ptr().expose_provenance(), 1]));
    // SAFETY: the child begins a thread, for which the C library makes its allocator usable again, and ends.
    let child = unsafe { libc::fork() };
    let run = || {
        // SAFETY: the default action.
        unsafe { libc::signal(SIGPIPE as i32, libc::SIG_DFL) };
        let Some((client, server)) = pair() else { return 1 };
        for request in writes(server.as_raw_fd(), &MEMORY, vector) {
            // SAFETY: open.
            if unsafe { near::sendto(&Local, client.near(), &request.to_bytes(), 0) } != Ok(56) {
                return 2;
            }
        }
        drop(client);
        let thread = thread::spawn(move || {
            // SAFETY: what is requested is to write one byte.
            unsafe { serve(&server, Policy::Everything) }
        });
        let served = thread.join();
        // This thread blocks nothing, and nothing is pending for the process.
        let (mut mask, mut pending) = ([0; 8], [0; 8]);
        let asked = call(nr::RT_SIGPROCMASK, [none(), none(), Arg::InOut(&mut mask), Arg::Word(8)]).is_ok()
            && call(nr::RT_SIGPENDING, [Arg::InOut(&mut pending), Arg::Word(8)]).is_ok();
        let signals = SignalSet::from_bits(u64::from_ne_bytes(mask) | u64::from_ne_bytes(pending));
        i32::from(!asked || !matches!(served, Ok(Err(ServeError::Vanished))) || signals.contains(SIGPIPE)) * 3
    };
    if child == 0 {
        // SAFETY: ends the child without anything of the test program.
        unsafe { libc::_exit(run()) };
    }
    let mut status = 0;
    // SAFETY: the status is valid memory.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
}

#[test]
fn a_server_and_a_client_of_a_nonblocking_stream_return_the_error_of_a_filter_without_ppoll() {
    const CASE: &str = "a nonblocking stream and a filter without ppoll";
    for errno in [Errno::EPERM, Errno::EACCES, Errno::ENOSYS] {
        let no_ppoll = [filter(nr::PPOLL, 0, SeccompAction::Errno(errno.raw() as u32))];
        // The server.
        let (client, server) = UnixStream::pair().unwrap();
        filtered(CASE, &no_ppoll, || {
            server.set_nonblocking(true).unwrap();
            // SAFETY: nothing is requested.
            let ended = unsafe { serve(&owned(server), Policy::Everything) };
            assert_eq!(ended, Err(ServeError::Wait(errno)));
        });
        drop(client);
        // The client, with a deadline and without: the server takes its time.
        let (client, server) = UnixStream::pair().unwrap();
        client.set_nonblocking(true).unwrap();
        let (client, server) = (owned(client), owned(server));
        let number = server.near();
        let thread = thread::spawn(move || {
            // SAFETY: the client is this test.
            unsafe { serve(&server, Policy::Everything) }
        });
        filtered(CASE, &no_ppoll, move || {
            // SAFETY: `serve` is at the other end, and no call is given up.
            let connection = unsafe { Connection::from_stream(client, number) };
            let pause = [0_u64.to_ne_bytes(), 30_000_000_u64.to_ne_bytes()];
            for timeout in [None, Some(LONG)] {
                connection.set_timeout(timeout);
                let pause = Arg::In(pause.as_flattened());
                // SAFETY: it reads a time, and does not return what is left.
                let paused = unsafe {
                    connection.syscall(nr::CLOCK_NANOSLEEP, [Arg::Word(1), Arg::Word(0), pause, Arg::Word(0)])
                };
                assert_eq!(paused, Ok(0), "{timeout:?}");
                assert_eq!(near::getpid(&connection), Ok(Process(std::process::id() as i32)));
            }
        });
        // It disconnects without the response to its last request, which frees the scratch space.
        assert!(matches!(thread.join().unwrap(), Ok(()) | Err(ServeError::Vanished)));
    }
}

// Timeouts: who waits, the socket or `ppoll`.

/// `SO_RCVTIMEO`.
fn receive_timeout(connection: &Connection) -> Duration {
    // SAFETY: all zero is a valid time.
    let mut time: libc::timeval = unsafe { std::mem::zeroed() };
    let (fd, mut len) = (connection.as_raw_fd(), size_of_val(&time) as u32);
    // SAFETY: the call writes a time, for which there is room.
    let got =
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVTIMEO, (&raw mut time).cast(), &raw mut len) };
    assert_eq!(got, 0);
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000)
}

#[test]
fn only_timeouts_of_ten_ticks_and_more_are_left_to_the_socket() {
    if emulated() {
        return cannot("who waits for a timeout", "qemu-user does not tell the limit of a socket");
    }
    let Forked { task, child: _child, .. } = remote::fork([]).unwrap();
    let connection = task.sysif();
    for millis in [0, 1, 99] {
        connection.set_timeout(Some(Duration::from_millis(millis)));
        assert_eq!(receive_timeout(connection), Duration::ZERO, "{millis} ms");
    }
    for timeout in [Duration::from_millis(100), LONG, Duration::MAX] {
        connection.set_timeout(Some(timeout));
        let tick = receive_timeout(connection);
        assert!(tick > Duration::ZERO && tick <= Duration::from_millis(10), "{timeout:?}: {tick:?}");
    }
    connection.set_timeout(Some(Duration::from_millis(99)));
    assert_eq!(receive_timeout(connection), Duration::ZERO);
    connection.set_timeout(Some(LONG));
    connection.set_timeout(None);
    assert_eq!(receive_timeout(connection), Duration::ZERO);
    // Where the end of the process is polled for too, `ppoll` is called anyway.
    if shares_files() {
        let Forked { task, child: _child, .. } = remote::fork_sharing_files().unwrap();
        task.sysif().set_timeout(Some(LONG));
        assert_eq!(receive_timeout(task.sysif()), Duration::ZERO);
    }
}

#[test]
fn a_refused_setsockopt_leaves_timeouts_to_ppoll() {
    const CASE: &str = "timeouts and a filter without setsockopt";
    const TIMEOUT: Duration = Duration::from_millis(150);
    let refused = [filter(nr::SETSOCKOPT, 0, SeccompAction::Errno(Errno::EPERM.raw() as u32))];
    filtered(CASE, &refused, || {
        let Forked { task, child: _child, .. } = remote::fork([]).unwrap();
        let bell = task.eventfd(0, EMPTY).unwrap();
        task.sysif().set_timeout(Some(LONG));
        assert_eq!(receive_timeout(task.sysif()), Duration::ZERO);
        assert_eq!(bell.write(1), Ok(()));
        assert_eq!(bell.read(), Ok(1));
        task.sysif().set_timeout(Some(TIMEOUT));
        let start = Instant::now();
        assert_eq!(bell.read(), Err(Error::Hangup));
        assert!(start.elapsed() >= TIMEOUT && start.elapsed() < LONG, "{:?}", start.elapsed());
    });
}

#[test]
fn a_call_with_a_timeout_reads_no_clock_if_the_response_arrives_within_a_tick() {
    const SIGSYS: i32 = 31;
    let clock = filter(nr::CLOCK_GETTIME, 0, SeccompAction::KillProcess);
    let call = |timeout| {
        alone(|| {
            let Ok(Forked { task, child: _child, .. }) = remote::fork([]) else { return 1 };
            task.sysif().set_timeout(Some(timeout));
            if seccompiler::apply_filter(&clock).is_err() {
                return 2;
            }
            i32::from(near::getpid(task.sysif()).is_err()) * 3
        })
    };
    match call(Duration::from_millis(60)) {
        End::Killed(signal) => assert_eq!(signal, SIGSYS),
        End::Exited(2) => return cannot("timeouts without a clock", "no seccomp filter can be installed here"),
        end => panic!("a shorter timeout reads the clock: {end:?}"),
    }
    // On a machine under load a call may take longer.
    assert!((0..50).any(|_| call(LONG) == End::Exited(0)), "every call reads it");
}

#[test]
fn a_fork_fails_at_once_in_a_pid_namespace_whose_first_process_has_ended_and_nothing_is_left() {
    if emulated() {
        return cannot("a pid namespace that has ended", "qemu-user forks in its own way");
    }
    const CLONE_NEWPID: u32 = 0x2000_0000;
    let failed = alone(|| {
        if call(nr::UNSHARE, [CLONE_NEWPID.into()]).is_err() {
            return 77;
        }
        let Ok(Forked { task, mut child, .. }) = remote::fork([]) else { return 1 };
        drop(task);
        if child.wait() != Ok(ExitStatus::Exited(0)) {
            return 2;
        }
        drop(child);
        let Ok(free) = rsyscall::EventFd::new(0, EMPTY).map(|fd| fd.as_raw_fd()) else { return 3 };
        for _ in 0..3 {
            // `kernel/pid.c`: no process can be made there any more.
            if remote::fork([]).map(drop) != Err(Errno::ENOMEM)
                || remote::fork_sharing_files().map(drop) != Err(Errno::ENOMEM)
            {
                return 4;
            }
        }
        // Nothing is open that was not before, and nothing is blocked.
        if rsyscall::EventFd::new(0, EMPTY).map(|fd| fd.as_raw_fd()) != Ok(free) {
            return 5;
        }
        let mut mask = [0; 8];
        if call(nr::RT_SIGPROCMASK, [none(), none(), Arg::InOut(&mut mask), Arg::Word(8)]).is_err() {
            return 6;
        }
        i32::from(mask != [0; 8]) * 7
    });
    if failed == End::Exited(77) {
        return cannot("a pid namespace that has ended", "not allowed here");
    }
    assert_eq!(failed, End::Exited(0));
}

#[test]
fn a_child_serves_in_a_new_pid_namespace_on_a_kernel_without_pidfds_of_threads() {
    const CLONE_NEWPID: u32 = 0x2000_0000;
    const CASE: &str = "a new pid namespace before Linux 6.9";
    // `PIDFD_THREAD`, of the second argument.
    let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0o200).unwrap();
    let rules = vec![SeccompRule::new(vec![condition]).unwrap()];
    let einval = SeccompAction::Errno(Errno::EINVAL.raw() as u32);
    let old: BpfProgram = SeccompFilter::new(
        [(nr::PIDFD_OPEN as i64, rules)].into(),
        SeccompAction::Allow,
        einval,
        TargetArch::try_from(std::env::consts::ARCH).expect("one that has filters"),
    )
    .and_then(TryInto::try_into)
    .expect("a filter");
    for namespace in [false, true] {
        let served = alone(|| {
            if seccompiler::apply_filter(&old).is_err()
                || namespace && call(nr::UNSHARE, [CLONE_NEWPID.into()]).is_err()
            {
                return 77;
            }
            let Ok(mut forked) = remote::fork([]) else { return 1 };
            let bell = forked.task.eventfd(3, EMPTY).and_then(|bell| bell.read());
            if bell != Ok(3) {
                return 2;
            }
            drop(forked.task);
            i32::from(forked.child.wait() != Ok(ExitStatus::Exited(0))) * 3
        });
        match served {
            End::Exited(77) => cannot(CASE, "not allowed here"),
            served => assert_eq!(served, End::Exited(0), "a namespace: {namespace}"),
        }
    }
}

#[test]
fn descriptors_inherited_by_an_unshared_table_may_be_below_or_above_the_clients_end() {
    if !shares_files() {
        return cannot("inherited along with the client's end", "clone(CLONE_FILES) fails with EINVAL here");
    }
    // SAFETY: only asks.
    let has = |task: &Task<Connection>, fd: i32| unsafe { near::is_cloexec(task.sysif(), FileDescriptor(fd)) }.is_ok();
    for below in [0, 1, 2] {
        let unshared = alone(|| {
            // SAFETY: of a process that uses none of them.
            (0..3).for_each(|fd| _ = unsafe { near::close(&Local, FileDescriptor(fd)) });
            let Ok(bells) = rsyscall::EventFd::new(7, EMPTY).and_then(|bell| Ok([bell.try_clone()?, bell])) else {
                return 1;
            };
            // The client's end comes after as many of them.
            let [first, second] = bells;
            let spare = match below {
                0 => (None, None),
                1 => (Some(first), None),
                _ => (Some(first), Some(second)),
            };
            let Ok(mut forked) = remote::fork_sharing_files() else { return 2 };
            let own = forked.task.sysif().as_raw_fd();
            let Ok(above) = rsyscall::EventFd::new(8, EMPTY) else { return 3 };
            if own > 2 || above.as_raw_fd() < own {
                return 4;
            }
            // Even if `execve` would keep it.
            // SAFETY: the number is the client's.
            if unsafe { near::set_cloexec(&Local, FileDescriptor(own), false) }.is_err() {
                return 10;
            }
            let low = spare.0.as_ref().or(spare.1.as_ref()).unwrap_or(&above);
            let inherited = if below == 0 {
                forked.task.unshare_files([above.as_owned_fd()]).map(|[above]| (None, above))
            } else {
                forked
                    .task
                    .unshare_files([low.as_owned_fd(), above.as_owned_fd()])
                    .map(|[low, above]| (Some(low), above))
            };
            let Ok((low, above)) = inherited else { return 5 };
            if has(&forked.task, own) {
                return 6;
            }
            let read = |token: rsyscall::fd::Token| {
                token.attach(&forked.task).ok().and_then(|fd| rsyscall::EventFd::from(fd).read().ok())
            };
            if read(above) != Some(8) || low.is_some_and(|low| read(low) != Some(7)) {
                return 7;
            }
            // A second time it is its own already, and the same holds.
            if forked.task.unshare_files::<&Task<Connection>, 0>([]).is_err() || has(&forked.task, own) {
                return 8;
            }
            drop(forked.task);
            i32::from(forked.child.wait() != Ok(ExitStatus::Exited(0))) * 9
        });
        assert_eq!(unshared, End::Exited(0), "{below} below");
    }
}

#[test]
fn scratch_space_grows_and_is_freed_if_munmap_is_refused_with_any_error() {
    for errno in [Errno::EPERM, Errno::EINVAL, Errno::ENOSYS] {
        let (client, server) = UnixStream::pair().unwrap();
        let (client, server) = (owned(client), owned(server));
        let number = server.near();
        let thread = thread::spawn(move || {
            let refused = filter(nr::MUNMAP, 0, SeccompAction::Errno(errno.raw() as u32));
            let filtered = seccompiler::apply_filter(&refused).is_ok();
            // SAFETY: the client is this test.
            (filtered, unsafe { serve(&server, Policy::Everything) })
        });
        // SAFETY: `serve` is at the other end, and no call is given up.
        let connection = unsafe { Connection::from_stream(client, number) };
        for len in [1, 5000, 5000, 70_000] {
            assert_eq!(connection.reserve_scratch(len), Ok(()), "{errno} {len}");
        }
        drop(connection);
        let (filtered, served) = thread.join().unwrap();
        assert!(matches!(served, Ok(()) | Err(ServeError::Vanished)), "{served:?}");
        if !filtered {
            return cannot("scratch space without munmap", "no seccomp filter can be installed here");
        }
    }
}

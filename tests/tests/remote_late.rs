//! Calls that were given up: what the server has not claimed is never executed, and what it has is over before the caller
//! goes on, where the descriptor table is shared.

use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::remote::{self, CallSlot, Child, Connection, ExitStatus, Forked, Operand, Policy, SubmitError};
use rsyscall::sys::epoll::Epoll;
use rsyscall::sys::signal::Signal;
use rsyscall::sysif::{Arg, Error, Local, SyscallInterface};
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask, Task};
use rsyscall_tests::{cannot, shares_files};
use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

const EMPTY: EventfdFlags = EventfdFlags::empty();
/// Long enough for any machine.
const LONG: Duration = Duration::from_secs(60);
const SIGSTOP: u32 = 19;
const SIGCONT: u32 = 18;
const KILLED: ExitStatus = ExitStatus::Killed { signal: Signal::KILL, core_dumped: false };

fn owned(stream: UnixStream) -> OwnedFd {
    // SAFETY: std gives the file descriptor away.
    unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) }
}

/// The state of a process: `S` asleep, `T` stopped, `Z` dead.
fn state(child: &Child) -> char {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.process().0)).unwrap();
    stat.rsplit(") ").next().unwrap().chars().next().unwrap()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "{what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn stop(child: &Child) {
    child.signal(SIGSTOP).unwrap();
    until("stopped", || state(child) == 'T');
}

/// What the file descriptor is, by the kernel's name for it.
fn kind(fd: i32) -> String {
    fs::read_link(format!("/proc/self/fd/{fd}")).unwrap().to_string_lossy().into_owned()
}

/// Lets `call` be given up before the child, which is stopped, can claim it; then lets the child run and end.
fn given_up_unclaimed<R>(case: &str, call: impl FnOnce(&Task<Connection>) -> R) -> R {
    let Forked { task, mut child, .. } = remote::fork_sharing_files().unwrap();
    // Memory is known to travel, so that the next request is the call's own or moves its memory.
    task.sysif().reserve_scratch(64).unwrap();
    stop(&child);
    task.sysif().set_timeout(Some(Duration::from_millis(5)));
    let result = call(&task);
    child.signal(SIGCONT).unwrap();
    assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)), "{case}: it ends by itself, without executing the call");
    assert_eq!(near::getpid(task.sysif()), Err(Error::NotSent));
    result
}

#[test]
fn a_call_given_up_before_it_is_claimed_is_not_sent_and_never_executed() {
    if !shares_files() {
        return cannot("calls given up before they are claimed", "clone(CLONE_FILES) is EINVAL here");
    }
    let bell = EventFd::new(7, EMPTY).unwrap();
    let fd = bell.as_owned_fd();
    let result = given_up_unclaimed("read", |task| bell.for_task(task).unwrap().read());
    assert_eq!(result, Err(Error::NotSent));
    assert_eq!(bell.try_read(), Ok(Some(7)), "nothing was taken");
    let result = given_up_unclaimed("write", |task| bell.for_task(task).unwrap().write(1));
    assert_eq!(result, Err(Error::NotSent));
    assert_eq!(bell.try_read(), Ok(None), "nothing was added");
    let result = given_up_unclaimed("set_cloexec", |task| fd.for_task(task).unwrap().set_cloexec(false));
    assert_eq!(result, Err(Error::NotSent));
    assert_eq!(fd.is_cloexec(), Ok(true));
    let stream = owned(UnixStream::pair().unwrap().0);
    let number = stream.as_raw_fd();
    let result = given_up_unclaimed("try_clone", |task| stream.for_task(task).unwrap().try_clone().map(drop));
    assert_eq!(result, Err(Error::NotSent));
    let kinds = fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    let stream_kind = kind(number);
    assert_eq!(kinds.filter(|kind| kind.as_os_str() == stream_kind.as_str()).count(), 1, "nothing was duplicated");
    let result = given_up_unclaimed("dup3", |task| {
        let mut there = stream.move_to(task).ok().unwrap();
        let result = fd.for_task(task).unwrap().dup3(&mut there, true).map_err(|_| ());
        // It comes back here, for the connection closes nothing any more.
        (result, there.move_to(Current).ok().unwrap())
    });
    assert_eq!(result.0, Err(()));
    assert_eq!(kind(number), stream_kind, "nothing was replaced");
    drop(result);
    let epoll = Epoll::new().unwrap();
    let result = given_up_unclaimed("epoll", |task| {
        let args = [
            FileDescriptor(epoll.as_raw_fd()).into(),
            Arg::Word(1),
            FileDescriptor(bell.as_raw_fd()).into(),
            Arg::In(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ];
        // SAFETY: both are open for as long as the call may be made, and that is what is tested.
        unsafe { task.sysif().syscall(rsyscall::nr::EPOLL_CTL, args) }
    });
    assert_eq!(result, Err(Error::NotSent));
    bell.write(1).unwrap();
    let mut memory = [MaybeUninit::uninit(); 4];
    assert!(epoll.wait_timeout(&mut memory, Duration::ZERO).unwrap().is_empty(), "nothing was watched");
    let result = given_up_unclaimed("pipeline", |task| {
        let mut slots = [CallSlot::EMPTY; 2];
        let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
        let operands = || [FileDescriptor(bell.as_raw_fd()).into(), Operand::Out(8), Operand::Word(8)];
        // SAFETY: open for as long as the call may be made, and that is what is tested.
        unsafe { pipeline.submit(rsyscall::nr::READ, operands()) }.unwrap();
        assert_eq!(pipeline.complete_timeout(&mut [], Duration::from_millis(5)), None, "still on its way");
        task.sysif().shutdown();
        // SAFETY: as above.
        let next = unsafe { pipeline.submit(rsyscall::nr::READ, operands()) };
        assert_eq!(next, Err(SubmitError::Call(Error::NotSent)));
        pipeline.complete(&mut []).unwrap().result
    });
    assert_eq!(result, Err(Error::NotSent));
    assert_eq!(bell.try_read(), Ok(Some(1)), "nothing was taken");
}

#[test]
fn a_claimed_call_that_is_given_up_is_a_hangup_and_its_server_has_ended_when_the_caller_goes_on() {
    if !shares_files() {
        return cannot("calls given up after they are claimed", "clone(CLONE_FILES) is EINVAL here");
    }
    let bell = EventFd::new(0, EMPTY).unwrap();
    for how in ["timeout", "shutdown", "drop"] {
        let Forked { task, mut child, .. } = remote::fork_sharing_files().unwrap();
        if how == "timeout" {
            task.sysif().set_timeout(Some(Duration::from_millis(300)));
            let start = Instant::now();
            assert_eq!(bell.for_task(&task).unwrap().read(), Err(Error::Hangup));
            assert!(start.elapsed() >= Duration::from_millis(300));
        } else {
            let mut slots = [CallSlot::EMPTY; 1];
            let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
            let operands = [FileDescriptor(bell.as_raw_fd()).into(), Operand::Out(8), Operand::Word(8)];
            // SAFETY: open for as long as the call may be made.
            unsafe { pipeline.submit(rsyscall::nr::READ, operands) }.unwrap();
            until("claimed", || {
                let call = fs::read_to_string(format!("/proc/{}/syscall", child.process().0)).unwrap();
                call.starts_with(&format!("{} ", rsyscall::nr::READ))
            });
            if how == "shutdown" {
                task.sysif().shutdown();
                assert_eq!(pipeline.complete(&mut []).unwrap().result, Err(Error::Hangup));
            }
        }
        if how == "drop" {
            drop(task);
        }
        assert_eq!(child.try_wait(), Ok(Some(KILLED)), "{how}: it has ended already");
        bell.write(3).unwrap();
        assert_eq!(bell.read(), Ok(3), "{how}: nothing else reads");
    }
}

#[test]
fn handles_of_a_server_that_was_killed_are_closed_here() {
    if !shares_files() {
        return cannot("handles of a killed server", "clone(CLONE_FILES) is EINVAL here");
    }
    let Forked { task, child, .. } = remote::fork_sharing_files().unwrap();
    let bell = task.eventfd(0, EMPTY).unwrap();
    let number = bell.as_raw_fd();
    task.sysif().set_timeout(Some(Duration::from_millis(20)));
    assert_eq!(bell.read(), Err(Error::Hangup));
    assert_eq!(kind(number), "anon_inode:[eventfd]");
    drop(bell);
    assert!(fs::read_link(format!("/proc/self/fd/{number}")).map_or(true, |kind| !kind.ends_with("[eventfd]")));
    drop((task, child));
}

#[test]
fn a_child_whose_task_is_dropped_while_it_sleeps_in_a_call_ends() {
    for how in ["timeout", "pipeline", "forgotten pipeline"] {
        let Forked { task, mut child, .. } = remote::fork([]).unwrap();
        if child.pidfd().is_none() {
            return cannot("a dropped task's busy child", "there are no pidfds here");
        }
        let bell = task.eventfd(0, EMPTY).unwrap();
        let connection = task.sysif();
        if how == "timeout" {
            connection.set_timeout(Some(Duration::from_millis(10)));
            assert!(matches!(bell.read(), Err(Error::Hangup | Error::NotSent)));
            drop(bell);
        } else {
            let mut slots = [CallSlot::EMPTY; 1];
            let mut pipeline = connection.pipeline(&mut slots).unwrap();
            pipeline.read(&bell).unwrap();
            if how == "forgotten pipeline" {
                core::mem::forget(pipeline);
            }
            let _its_own = bell.into_raw_fd();
        }
        drop(task);
        let start = Instant::now();
        until("it ends", || matches!(child.try_wait(), Ok(Some(_))));
        assert!(start.elapsed() < Duration::from_secs(10), "{how}");
    }
}

#[test]
fn an_idle_child_whose_task_is_dropped_ends_by_itself() {
    for left in [false, true] {
        let Forked { task, mut child, .. } = remote::fork([]).unwrap();
        let bell = task.eventfd(0, EMPTY).unwrap();
        bell.write(1).unwrap();
        if left {
            // Its answer has arrived, and nothing has taken it.
            let mut slots = [CallSlot::EMPTY; 1];
            let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
            pipeline.read(&bell).unwrap();
            let mut entry =
                [near::PollFd { fd: FileDescriptor(task.sysif().as_raw_fd()), events: near::PollFd::IN, revents: 0 }];
            near::ppoll(&Local, &mut entry, Some(LONG.into()), None).unwrap();
            thread::sleep(Duration::from_millis(20));
            let _its_own = bell.into_raw_fd();
        } else {
            drop(bell);
        }
        drop(task);
        assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)), "answers left: {left}");
    }
}

#[test]
fn scratch_space_grows_where_the_policy_lacks_munmap() {
    let (client, server) = UnixStream::pair().unwrap();
    let (client, server) = (owned(client), owned(server));
    let number = server.near();
    let thread = thread::spawn(move || {
        let policy = [rsyscall::nr::WRITE, rsyscall::nr::RECVFROM, rsyscall::nr::SENDTO, rsyscall::nr::MMAP];
        // SAFETY: the client is this test.
        unsafe { remote::serve(&server, Policy::Only(&policy)) }
    });
    // SAFETY: `serve` is at the other end.
    let connection = unsafe { Connection::from_stream(client, number) };
    let null = fs::File::create("/dev/null").unwrap();
    let null = FileDescriptor(null.as_raw_fd());
    for len in [10, 5000, 5000, 20_000] {
        // SAFETY: open until the end of the test.
        assert_eq!(unsafe { near::write(&connection, null, &vec![0; len]) }, Ok(len));
    }
    assert_eq!(connection.reserve_scratch(50_000), Ok(()));
    assert_eq!(near::getpid(&connection), Err(Error::Os(Errno::EPERM)));
    drop(connection);
    let _either = thread.join().unwrap();
}

//! Calls that were given up: a call that the server has not claimed is never executed, and one that it has claimed is
//! over before the caller continues, if the descriptor table is shared.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::remote::{self, CallSlot, Child, Connection, ExitStatus, Forked, Operand, Policy, SubmitError};
use rsyscall::sys::epoll::Epoll;
use rsyscall::sys::signal::Signal;
use rsyscall::sysif::{Arg, Error, Local, SyscallInterface};
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask, Task};
use rsyscall_tests::trace::{Act, Step, Tracer};
use rsyscall_tests::{cannot, emulated, shares_files};
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
    // SAFETY: std gives up ownership.
    unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) }
}

/// The state of a process: `S` sleeping, `T` stopped, `Z` a zombie.
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

/// The kind of a file descriptor, by the kernel's name for it.
fn kind(fd: i32) -> String {
    fs::read_link(format!("/proc/self/fd/{fd}")).unwrap().to_string_lossy().into_owned()
}

/// Gives `call` up before the child, which is stopped, can claim it; then continues the child and waits for its end.
fn given_up_unclaimed<R>(case: &str, call: impl FnOnce(&Task<Connection>) -> R) -> R {
    let Forked { task, mut child, .. } = remote::fork_sharing_files().unwrap();
    // Memory is known to be transferred, so the next request is the call itself or moves its memory.
    task.sysif().reserve_scratch(64).unwrap();
    stop(&child);
    task.sysif().set_timeout(Some(Duration::from_millis(5)));
    let result = call(&task);
    child.signal(SIGCONT).unwrap();
    assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)), "{case}: it exits without executing the call");
    assert_eq!(near::getpid(task.sysif()), Err(Error::NotSent));
    result
}

#[test]
fn a_call_given_up_before_it_is_claimed_fails_with_not_sent_and_is_never_executed() {
    if !shares_files() {
        return cannot("calls given up before they are claimed", "clone(CLONE_FILES) fails with EINVAL here");
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
    let stream_fd = stream.as_raw_fd();
    let result = given_up_unclaimed("try_clone", |task| stream.for_task(task).unwrap().try_clone().map(drop));
    assert_eq!(result, Err(Error::NotSent));
    let kinds = fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    let stream_kind = kind(stream_fd);
    assert_eq!(kinds.filter(|kind| kind.as_os_str() == stream_kind.as_str()).count(), 1, "nothing was duplicated");
    let result = given_up_unclaimed("dup3", |task| {
        let mut there = stream.move_to(task).ok().unwrap();
        let result = fd.for_task(task).unwrap().dup3(&mut there, true).map_err(|_| ());
        // It is moved back here, as the connection closes nothing any more.
        (result, there.move_to(Current).ok().unwrap())
    });
    assert_eq!(result.0, Err(()));
    assert_eq!(kind(stream_fd), stream_kind, "nothing was replaced");
    drop(result);
    let epoll = Epoll::new().unwrap();
    let result = given_up_unclaimed("epoll", |task| {
        let args = [
            FileDescriptor(epoll.as_raw_fd()).into(),
            Arg::Word(1),
            FileDescriptor(bell.as_raw_fd()).into(),
            Arg::In(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ];
        // SAFETY: both are open for as long as the call may be executed, which is what this tests.
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
        // SAFETY: open for as long as the call may be executed, which is what this tests.
        unsafe { pipeline.submit(rsyscall::nr::READ, operands()) }.unwrap();
        assert_eq!(pipeline.complete_timeout(&mut [], Duration::from_millis(5)), None, "still in flight");
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
fn a_close_or_an_unshare_given_up_before_it_is_claimed_is_never_made() {
    if !shares_files() {
        return cannot("a close given up before it is claimed", "clone(CLONE_FILES) fails with EINVAL here");
    }
    // The file descriptor of a handle that was dropped late is reused before the child continues.
    let path = std::env::temp_dir().join(format!("rsyscall-late-{}", std::process::id()));
    for by in ["drop", "close", "list"] {
        let unclosed = rsyscall::fd::UnclosedList::<1>::new();
        let file = given_up_unclaimed(by, |task| {
            let here = EventFd::new(0, EMPTY).unwrap();
            let number = here.as_raw_fd();
            match by {
                "drop" => drop(here.move_to(task).unwrap()),
                "close" => assert_eq!(here.move_to(task).unwrap().close(), Err(Error::NotSent)),
                _ => {
                    drop(here.move_to(unclosed.keep_for(task)).unwrap());
                    assert_eq!(unclosed.reap(Current), Ok(1));
                }
            }
            // Other tests take numbers too: this one is taken by a duplicate that names it.
            let file = fs::File::create(&path).unwrap();
            // SAFETY: nothing owns the number now but, at most, another test, to which this happens before it looks.
            let taken = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, number) };
            (taken, file)
        });
        let now = fs::read_link(format!("/proc/self/fd/{}", file.0)).unwrap();
        assert_eq!(now, path, "{by}");
        // SAFETY: the duplicate made above.
        unsafe { near::close(&Local, FileDescriptor(file.0)) }.unwrap();
    }
    fs::remove_file(path).unwrap();
    let Forked { mut task, mut child, .. } = remote::fork_sharing_files().unwrap();
    task.sysif().reserve_scratch(64).unwrap();
    stop(&child);
    task.sysif().set_timeout(Some(Duration::from_millis(5)));
    let bell = EventFd::new(3, EMPTY).unwrap();
    assert!(task.unshare_files([bell.as_owned_fd()]).is_err());
    assert_eq!(task.fd_table(), FdTable::CURRENT, "it is unchanged");
    child.signal(SIGCONT).unwrap();
    assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)));
    assert_eq!(bell.read(), Ok(3));
}

/// A call that a signal kills before it has begun is not made: so of what was claimed only that remains which was in
/// the kernel already.
#[test]
fn a_claimed_call_whose_server_is_killed_before_it_enters_the_kernel_is_never_executed() {
    let case = "a server that is stopped before a call";
    if !shares_files() {
        return cannot(case, "clone(CLONE_FILES) fails with EINVAL here");
    }
    let (mut before, mut after) = (0, 0);
    for nth in 1..12 {
        let bell = EventFd::new(0, EMPTY).unwrap();
        let Forked { task, mut child, .. } = remote::fork_sharing_files().unwrap();
        assert_eq!(near::getpid(task.sysif()), Ok(task.process()));
        let Ok(tracer) = Tracer::start(child.process().0, Step { nth, act: Act::Hold }) else {
            return cannot(case, "nothing can be traced here (ptrace)");
        };
        task.sysif().set_timeout(Some(Duration::from_millis(50)));
        let result = bell.for_task(&task).unwrap().write(1);
        // A process that is stopped at the entry of the call has claimed it.
        if result == Err(Error::Hangup) {
            assert_eq!(child.try_wait(), Ok(Some(KILLED)), "its end was awaited");
        }
        let traced = tracer.finish();
        let written = bell.try_read().unwrap();
        match traced.stops.get(nth - 1).filter(|stop| stop.nr == rsyscall::nr::WRITE) {
            Some(stop) if stop.ret.is_none() => {
                before += 1;
                assert_eq!((result, written), (Err(Error::Hangup), None), "killed at its entry, it was made");
            }
            Some(_) => {
                after += 1;
                assert_eq!((result, written), (Err(Error::Hangup), Some(1)), "killed after it");
            }
            None => {}
        }
    }
    assert_eq!((before, after), (1, 1), "the call was stepped through");
}

/// A folder of control groups, with a freezer.
struct Frozen(std::path::PathBuf);

impl Frozen {
    fn new(child: &Child) -> Option<Self> {
        let root = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(std::path::Path::new);
        let root = root.into_iter().find(|root| root.join("cgroup.procs").exists())?;
        let own = root.join(format!("rsyscall-{}", child.process().0));
        fs::create_dir(&own).ok()?;
        let group = Self(own);
        fs::write(group.0.join("cgroup.procs"), child.process().0.to_string()).ok()?;
        group.0.join("cgroup.freeze").exists().then_some(group)
    }

    fn freeze(&self) {
        fs::write(self.0.join("cgroup.freeze"), "1").unwrap();
        until("frozen", || fs::read_to_string(self.0.join("cgroup.events")).unwrap().contains("frozen 1"));
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        remove_group(&self.0);
    }
}

/// Removes a control group once its processes have ended.
fn remove_group(folder: &std::path::Path) {
    let start = Instant::now();
    while fs::remove_dir(folder).is_err() && start.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_frozen_server_ends_when_its_call_is_given_up_and_takes_nothing_afterwards() {
    let case = "a frozen server";
    if !shares_files() {
        return cannot(case, "clone(CLONE_FILES) fails with EINVAL here");
    }
    for claimed in [false, true] {
        let bell = EventFd::new(0, EMPTY).unwrap();
        let Forked { task, mut child, .. } = remote::fork_sharing_files().unwrap();
        let Some(group) = Frozen::new(&child) else { return cannot(case, "no control groups with a freezer") };
        assert_eq!(near::getpid(task.sysif()), Ok(task.process()));
        let result = thread::scope(|scope| {
            if claimed {
                let (group, pid) = (&group, child.process().0);
                scope.spawn(move || {
                    until("asleep in its call", || {
                        let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap();
                        call.starts_with(&format!("{} ", rsyscall::nr::READ))
                    });
                    group.freeze();
                });
            } else {
                group.freeze();
            }
            task.sysif().set_timeout(Some(Duration::from_millis(400)));
            bell.for_task(&task).unwrap().read()
        });
        assert_eq!(result, Err(if claimed { Error::Hangup } else { Error::NotSent }));
        if claimed {
            assert_eq!(child.try_wait(), Ok(Some(KILLED)));
        }
        bell.write(3).unwrap();
        drop(task);
        child.wait().unwrap();
        assert_eq!(bell.try_read(), Ok(Some(3)), "nothing was taken");
        drop(group);
    }
}

/// A process in the freezer of the older control groups: not even `SIGKILL` ends it before it is thawed.
struct FrozenForGood(std::path::PathBuf);

impl FrozenForGood {
    fn new(child: &Child) -> Option<Self> {
        let own = std::path::Path::new("/sys/fs/cgroup/freezer").join(format!("rsyscall-{}", child.process().0));
        fs::create_dir(&own).ok()?;
        let group = Self(own);
        fs::write(group.0.join("freezer.state"), "FROZEN").ok()?;
        fs::write(group.0.join("freezer.state"), "THAWED").ok()?;
        fs::write(group.0.join("cgroup.procs"), child.process().0.to_string()).ok()?;
        Some(group)
    }

    fn freeze(&self) {
        fs::write(self.0.join("freezer.state"), "FROZEN").unwrap();
        until("frozen", || fs::read_to_string(self.0.join("freezer.state")).unwrap().trim() == "FROZEN");
    }

    fn thaw(&self) {
        fs::write(self.0.join("freezer.state"), "THAWED").unwrap();
    }
}

impl Drop for FrozenForGood {
    fn drop(&mut self) {
        let _ended = fs::write(self.0.join("freezer.state"), "THAWED");
        remove_group(&self.0);
    }
}

#[test]
fn a_server_that_does_not_end_in_time_keeps_what_its_task_owns_and_executes_nothing_when_it_wakes() {
    let case = "a server that does not end";
    if !shares_files() {
        return cannot(case, "clone(CLONE_FILES) fails with EINVAL here");
    }
    let lent = EventFd::new(0, EMPTY).unwrap();
    let Forked { task, mut child, .. } = remote::fork_sharing_files().unwrap();
    let Some(group) = FrozenForGood::new(&child) else {
        return cannot(case, "no control groups with the older freezer");
    };
    let owned = task.eventfd(0, EMPTY).unwrap();
    let moved = task.eventfd(0, EMPTY).unwrap();
    let number = owned.as_raw_fd();
    let frozen = thread::scope(|scope| {
        let (group, pid) = (&group, child.process().0);
        scope.spawn(move || {
            until("asleep in its call", || {
                let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap();
                call.starts_with(&format!("{} ", rsyscall::nr::READ))
            });
            group.freeze();
        });
        task.sysif().set_timeout(Some(Duration::from_millis(400)));
        let start = Instant::now();
        let result = lent.for_task(&task).unwrap().read();
        assert!(start.elapsed() < Duration::from_secs(20), "its end is awaited for a bounded time");
        result
    });
    assert_eq!(frozen, Err(Error::Hangup));
    assert!(task.sysif().may_still_execute());
    // Nothing of its table is closed through it, nor by another owner.
    assert!(moved.move_to(Current).is_err_and(|error| error.into_inner().close() == Err(Error::NotSent)));
    drop(owned);
    assert_eq!(kind(number), "anon_inode:[eventfd]");
    // What it was lent has a count now, and it is thawed: it dies before it reads again.
    lent.write(3).unwrap();
    assert_eq!(child.try_wait(), Ok(None));
    group.thaw();
    assert_eq!(child.wait(), Ok(KILLED));
    assert_eq!(lent.try_read(), Ok(Some(3)), "nothing was taken");
}

#[test]
fn a_claimed_call_that_is_given_up_fails_with_hangup_after_its_server_has_ended() {
    if !shares_files() {
        return cannot("calls given up after they are claimed", "clone(CLONE_FILES) fails with EINVAL here");
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
            // SAFETY: open for as long as the call may be executed.
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
fn handles_of_a_killed_server_are_closed_here() {
    if !shares_files() {
        return cannot("handles of a killed server", "clone(CLONE_FILES) fails with EINVAL here");
    }
    let Forked { task, child, .. } = remote::fork_sharing_files().unwrap();
    let bell = task.eventfd(0, EMPTY).unwrap();
    let fd = bell.as_raw_fd();
    task.sysif().set_timeout(Some(Duration::from_millis(20)));
    assert_eq!(bell.read(), Err(Error::Hangup));
    assert_eq!(kind(fd), "anon_inode:[eventfd]");
    drop(bell);
    assert!(fs::read_link(format!("/proc/self/fd/{fd}")).map_or(true, |kind| !kind.ends_with("[eventfd]")));
    drop((task, child));
}

#[test]
fn a_child_that_sleeps_in_a_call_ends_when_its_task_is_dropped() {
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
fn an_idle_child_exits_when_its_task_is_dropped() {
    for left in [false, true] {
        let Forked { task, mut child, .. } = remote::fork([]).unwrap();
        let bell = task.eventfd(0, EMPTY).unwrap();
        bell.write(1).unwrap();
        if left {
            // Its response has arrived, and is not read.
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
        assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)), "responses left: {left}");
    }
}

#[test]
fn scratch_space_grows_if_the_policy_lacks_munmap() {
    let (client, server) = UnixStream::pair().unwrap();
    let (client, server) = (owned(client), owned(server));
    let fd = server.near();
    let thread = thread::spawn(move || {
        let policy = [rsyscall::nr::WRITE, rsyscall::nr::RECVFROM, rsyscall::nr::SENDTO, rsyscall::nr::MMAP];
        // SAFETY: the client is this test.
        unsafe { remote::serve(&server, Policy::Only(&policy)) }
    });
    // SAFETY: `serve` is at the other end.
    let connection = unsafe { Connection::from_stream(client, fd) };
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

/// An interface that has ended, and may still execute its last call.
struct Stray(bool);

// SAFETY: no call is ever completed.
unsafe impl SyscallInterface for Stray {
    type Error = Error;

    unsafe fn syscall<const N: usize>(&self, _nr: usize, _args: [Arg<'_>; N]) -> Result<usize, Error> {
        Err(Error::NotSent)
    }

    fn may_still_execute(&self) -> bool {
        self.0
    }
}

#[test]
fn no_file_descriptor_of_a_task_is_closed_while_a_call_may_still_be_executed() {
    for stray in [false, true] {
        // SAFETY: it never executes a call, so it may be treated as this process.
        let task = unsafe {
            Task::new(
                Stray(stray),
                near::getpid(&Local).unwrap(),
                FdTable::CURRENT,
                AddressSpace::CURRENT,
                PidNamespace::CURRENT,
            )
        };
        let stream = owned(UnixStream::pair().unwrap().0);
        let (fd, kind_before) = (stream.as_raw_fd(), kind(stream.as_raw_fd()));
        drop(stream.move_to(&task).ok().unwrap());
        let still_open =
            fs::read_link(format!("/proc/self/fd/{fd}")).is_ok_and(|kind| kind.as_os_str() == kind_before.as_str());
        assert_eq!(still_open, stray);
        if stray {
            // SAFETY: it has no owner any more.
            unsafe { near::close(&Local, FileDescriptor(fd)) }.unwrap();
        }
    }
}

/// Sleeps in the other process.
fn sleep_there(connection: &Connection, time: Duration) -> Result<usize, Error> {
    let time = [time.as_secs().to_ne_bytes(), u64::from(time.subsec_nanos()).to_ne_bytes()].concat();
    // SAFETY: it reads a time, and does not return the remaining one.
    unsafe {
        connection.syscall(rsyscall::nr::CLOCK_NANOSLEEP, [Arg::Word(1), Arg::Word(0), Arg::In(&time), Arg::Word(0)])
    }
}

#[test]
fn a_timeout_counts_from_the_start_of_the_call_with_and_without_a_socket_timeout() {
    // Short timeouts are left to `ppoll`; for others the socket waits three quarters of the time.
    for millis in [0, 1, 20, 100, 250] {
        let timeout = Duration::from_millis(millis);
        let Forked { task, child: _child, .. } = remote::fork([]).unwrap();
        let bell = task.eventfd(0, EMPTY).unwrap();
        task.sysif().reserve_scratch(64).unwrap();
        task.sysif().set_timeout(Some(timeout));
        let start = Instant::now();
        assert!(matches!(bell.read(), Err(Error::Hangup | Error::NotSent)), "{timeout:?}");
        assert!(start.elapsed() >= timeout, "{timeout:?}: only {:?}", start.elapsed());
        assert!(start.elapsed() < timeout + Duration::from_secs(5), "{timeout:?}: {:?}", start.elapsed());
    }
    let Forked { task, child: _child, .. } = remote::fork([]).unwrap();
    task.sysif().set_timeout(Some(Duration::from_secs(4)));
    let start = Instant::now();
    // Between three quarters of the timeout and its end.
    assert_eq!(sleep_there(task.sysif(), Duration::from_millis(3200)), Ok(0));
    assert!(start.elapsed() >= Duration::from_millis(3200));
    // Without a timeout the socket has none either.
    task.sysif().set_timeout(Some(Duration::from_millis(100)));
    task.sysif().set_timeout(None);
    assert_eq!(sleep_there(task.sysif(), Duration::from_millis(150)), Ok(0));
}

#[test]
fn signals_do_not_prolong_a_timeout() {
    const SIGURG: u32 = 23;
    remote::install_interrupt_handler().unwrap();
    // SAFETY: no argument.
    let me = unsafe { Local.syscall(rsyscall::nr::GETTID, []) }.unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let Forked { task, child: _child, .. } = remote::fork([]).unwrap();
    let bell = task.eventfd(0, EMPTY).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let args = [Arg::from(std::process::id()), Arg::Word(me), SIGURG.into()];
                // SAFETY: a thread of this process that waits for this one; the signal's handler does nothing.
                unsafe { Local.syscall(rsyscall::nr::TGKILL, args) }.unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        task.sysif().set_timeout(Some(Duration::from_millis(400)));
        let start = Instant::now();
        let result = bell.read();
        let elapsed = start.elapsed();
        // The other thread must end, whatever the result.
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(result, Err(Error::Hangup));
        assert!(elapsed >= Duration::from_millis(400), "{elapsed:?}");
        assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    });
}

/// The processor time of this thread.
fn processor_time() -> Duration {
    const CLOCK_THREAD_CPUTIME_ID: u32 = 3;
    let mut time = [0; 16];
    // SAFETY: a time is written, for which there is room.
    unsafe { Local.syscall(rsyscall::nr::CLOCK_GETTIME, [CLOCK_THREAD_CPUTIME_ID.into(), Arg::InOut(&mut time)]) }
        .unwrap();
    let [seconds, nanoseconds] = [&time[..8], &time[8..]].map(|word| u64::from_ne_bytes(word.try_into().unwrap()));
    Duration::new(seconds, nanoseconds as u32)
}

/// Not a test of its own: it runs in a process of its own, which cannot call `ppoll`.
#[test]
#[ignore = "run by a_connection_works_if_ppoll_always_fails"]
fn without_ppoll() {
    const LATE: Duration = Duration::from_millis(200);
    let own = remote::fork([]).unwrap();
    let mut late = remote::fork([]).unwrap();
    let shared = shares_files().then(|| [(); 3].map(|()| remote::fork_sharing_files().unwrap()));
    let (client, server) = UnixStream::pair().unwrap();
    client.set_nonblocking(true).unwrap();
    let (client, server) = (owned(client), owned(server));
    let fd = server.near();
    let thread = thread::spawn(move || {
        // SAFETY: the client is this test.
        unsafe { remote::serve(&server, Policy::Everything) }
    });
    // RLIMIT_NOFILE: 0, soft and hard.
    let nofile = [0; 16];
    // SAFETY: a limit that is read, and nothing that is written.
    unsafe { Local.syscall(rsyscall::nr::PRLIMIT64, [Arg::Word(0), Arg::Word(7), Arg::In(&nofile), Arg::Word(0)]) }
        .unwrap();
    assert_eq!(near::ppoll(&Local, &mut [], Some(near::Timespec::ZERO), None), Ok(0));
    let mut nothing = [near::PollFd { fd: FileDescriptor(-1), events: 0, revents: 0 }];
    assert_eq!(near::ppoll(&Local, &mut nothing, Some(near::Timespec::ZERO), None), Err(Errno::EINVAL));

    // A nonblocking stream without a deadline.
    // SAFETY: `serve` is at the other end.
    let connection = unsafe { Connection::from_stream(client, fd) };
    assert_eq!(sleep_there(&connection, LATE), Ok(0));
    drop(connection);
    let _either = thread.join().unwrap();
    // A deadline, short and long, and memory that is more than the stream takes at once.
    for timeout in [Duration::from_millis(90), LONG] {
        own.task.sysif().set_timeout(Some(timeout));
        assert_eq!(sleep_there(own.task.sysif(), Duration::from_millis(30)), Ok(0));
    }
    let null = fs::File::options().write(true).open("/dev/null");
    assert!(null.is_err(), "no file can be opened any more");
    let bell = own.task.eventfd(0, EMPTY).unwrap();
    let mut slots = [CallSlot::EMPTY; 2];
    let mut pipeline = own.task.sysif().pipeline(&mut slots).unwrap();
    pipeline.read(&bell).unwrap();
    let start = Instant::now();
    assert_eq!(pipeline.complete_timeout(&mut [], Duration::from_millis(50)), None);
    assert!(start.elapsed() >= Duration::from_millis(50));
    own.child.interrupt().unwrap();
    assert_eq!(pipeline.complete_timeout(&mut [], LONG).unwrap().result, Err(Error::Os(Errno::EINTR)));
    drop(pipeline);
    // SAFETY: more memory than the eventfd takes, which the server reads anyway.
    let large = unsafe { near::write(own.task.sysif(), bell.near(), &vec![0; 1 << 20]) };
    assert!(matches!(large, Ok(8) | Err(Error::Os(Errno::EINVAL))), "{large:?}");
    assert_eq!(bell.write(1), Ok(()));
    // A timeout.
    let start = Instant::now();
    late.task.sysif().set_timeout(Some(LATE));
    assert!(matches!(sleep_there(late.task.sysif(), LONG), Err(Error::Hangup)));
    assert!(start.elapsed() >= LATE && start.elapsed() < LONG / 2);
    drop(late.task);
    assert_eq!(late.child.wait(), Ok(KILLED));
    // A shared table: the end of its server is watched for, too.
    if let Some([first, killed, mut late]) = shared {
        assert_eq!(sleep_there(first.task.sysif(), LATE), Ok(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(LATE);
                killed.child.kill().unwrap();
            });
            assert_eq!(sleep_there(killed.task.sysif(), LONG), Err(Error::Hangup));
        });
        late.task.sysif().set_timeout(Some(LATE));
        assert_eq!(sleep_there(late.task.sysif(), LONG), Err(Error::Hangup));
        assert_eq!(late.child.try_wait(), Ok(Some(KILLED)));
        drop(first.task);
    }
    assert!(processor_time() < Duration::from_millis(500), "it waited without spinning: {:?}", processor_time());
}

#[test]
fn a_connection_works_if_ppoll_always_fails() {
    if emulated() {
        return cannot(
            "a connection on which ppoll always fails",
            "qemu-user does not keep the limit of file descriptors",
        );
    }
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    let output = program.args(["--exact", "without_ppoll", "--include-ignored", "--nocapture"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

//! A child killed, stopped or interrupted before and after each system call that it makes for a remote call. Stepping
//! through each kind of call finds every such moment. Alone in its program: it counts descriptors, mappings and
//! children.

use rsyscall::fd::Token;
use rsyscall::near::PollFd;
use rsyscall::remote::{self, CallSlot, Child, Completion, Connection, ExitStatus, Forked, Operand};
use rsyscall::sys::epoll::{EpollEvents, EpollTask};
use rsyscall::sysif::{Arg, Error, Local, SyscallInterface};
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask, Task, near, nr};
use rsyscall_tests::threads::Limit;
use rsyscall_tests::trace::{Act, Step, Traced, Tracer};
use rsyscall_tests::{cannot, shares_files};
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const EMPTY: EventfdFlags = EventfdFlags::empty();
/// The caller's timeout for a stopped child.
const PATIENCE: Duration = Duration::from_millis(8);
/// More stops than any kind of call has.
const MANY: usize = 120;

type Remote<'a> = EventFd<&'a Task<Connection>>;

/// A kind of call.
struct Kind {
    name: &'static str,
    /// The system call whose execution is checked; `None` if there is more than one, or if it has no effect.
    nr: Option<usize>,
    /// The count of the eventfd before.
    count: u32,
    call: fn(&Remote<'_>) -> Result<(), Error>,
    /// Whether the call's effect is visible in the eventfd of this process.
    effect: Option<fn(&EventFd) -> bool>,
}

/// The outcome of a step.
struct Seen {
    result: Result<(), Error>,
    /// Whether the connection was still open at the end.
    open: bool,
    /// The effect, if it can be observed.
    effect: Option<bool>,
    status: Option<ExitStatus>,
    traced: Traced,
}

/// Serialises the tests: none runs while another counts.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The open file descriptors, except the one that reads them.
fn descriptors() -> Vec<(i32, String)> {
    let mut open: Vec<_> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .flatten()
        .filter_map(|entry| {
            let link = std::fs::read_link(entry.path()).ok()?.to_string_lossy().into_owned();
            Some((entry.file_name().to_str()?.parse().ok()?, link))
        })
        .filter(|(_, link)| !(link.starts_with("/proc/") && link.ends_with("/fd")))
        .collect();
    open.sort();
    open
}

fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").unwrap().lines().count()
}

/// Whether there is a child, running or a zombie.
fn has_children() -> bool {
    // SAFETY: all zeros are a `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    const WALL: i32 = 0x4000_0000;
    // SAFETY: it writes the structure and leaves the children as they are.
    unsafe { libc::waitid(libc::P_ALL, 0, &mut info, libc::WEXITED | libc::WNOWAIT | libc::WNOHANG | WALL) == 0 }
}

/// A child that begins to serve, and the token of the eventfd if its table is its own.
fn begin(share: bool, inherit: &EventFd) -> (Task<Connection>, Child, Option<Token>) {
    if share {
        let Forked { task, child, .. } = remote::fork_sharing_files().unwrap();
        return (task, child, None);
    }
    let Forked { task, child, inherited: [token] } = remote::fork([inherit.as_owned_fd()]).unwrap();
    (task, child, Some(token))
}

/// A child that serves.
fn fork(share: bool, inherit: &EventFd) -> (Task<Connection>, Child, Option<Token>) {
    let (task, child, token) = begin(share, inherit);
    // After its first calls.
    assert_eq!(near::getpid(task.sysif()), Ok(task.process()));
    (task, child, token)
}

/// Waits for the end, which comes by itself. `waitid` before the end would also report the stops to a process that
/// traces its child.
fn end_of(child: &mut Child) -> Option<ExitStatus> {
    let pidfd = child.pidfd().expect("where a child can be traced there are pidfds");
    let mut entry = [PollFd { fd: pidfd.near(), events: PollFd::IN, revents: 0 }];
    let ended = near::ppoll(&Local, &mut entry, Some(Duration::from_secs(4).into()), None).unwrap();
    if ended == 1 { child.try_wait().unwrap() } else { None }
}

fn limit(task: &Task<Connection>, act: Act) {
    // Only a stopped child needs a timeout. Every other outcome comes without a deadline.
    task.sysif().set_timeout((act == Act::Hold).then_some(PATIENCE));
}

/// After a permanent error nothing more is sent.
fn check_permanence(task: &Task<Connection>, result: Result<(), Error>, act: Act) -> Result<(), String> {
    let next = near::getpid(task.sysif());
    match result {
        Err(Error::NotSent | Error::Hangup) => match next {
            Err(Error::NotSent) if !task.sysif().is_open() => Ok(()),
            next => Err(format!("the next call is {next:?}")),
        },
        _ => match next {
            Ok(process) if process == task.process() => Ok(()),
            // The close at the end of the kind of call may be late too.
            Err(Error::NotSent | Error::Hangup) if matches!(act, Act::Kill | Act::Hold) => Ok(()),
            next => Err(format!("the next call is {next:?}")),
        },
    }
}

fn make(kind: &Kind, share: bool, step: Step) -> Result<Seen, String> {
    let here = EventFd::new(kind.count, EMPTY).unwrap();
    let (task, mut child, token) = fork(share, &here);
    limit(&task, step.act);
    let tracer = Tracer::start(child.process().0, step).map_err(|errno| format!("ptrace: {errno}"))?;
    let call = |bell: &Remote<'_>| {
        let result = (kind.call)(bell);
        tracer.release();
        task.sysif().set_timeout(None);
        result
    };
    let result = match token {
        Some(token) => call(&EventFd::from(token.attach(&task).unwrap())),
        None => call(&here.for_task(&task).unwrap()),
    };
    let permanence = check_permanence(&task, result, step.act);
    let open = task.sysif().is_open();
    drop(task);
    let status = end_of(&mut child);
    drop(child);
    let traced = tracer.finish();
    permanence?;
    let effect = kind.effect.map(|effect| effect(&here));
    Ok(Seen { result, open, effect, status, traced })
}

/// What is wrong with the outcome, if anything.
fn judge(kind_nr: Option<usize>, act: Act, seen: &Seen) -> Result<(), String> {
    let executed = seen.effect.or(kind_nr.map(|nr| seen.traced.made(nr)));
    let allowed = match seen.result {
        Ok(()) => executed != Some(false),
        Err(Error::NotSent) => {
            // Of several calls the last may be the one that was not sent.
            matches!(act, Act::Kill | Act::Hold) && executed != Some(true)
        }
        Err(Error::Hangup) => matches!(act, Act::Kill | Act::Hold),
        Err(Error::Os(errno)) => act == Act::Interrupt && errno == Errno::EINTR && executed != Some(true),
    };
    if !allowed {
        return Err(format!("{:?}, executed: {executed:?}", seen.result));
    }
    if seen.status.is_none() {
        return Err("the child does not end with its task".into());
    }
    Ok(())
}

/// Steps through one kind of call, and adds what is wrong to `wrong`.
fn walk(
    name: &str,
    nr: Option<usize>,
    wrong: &mut Vec<String>,
    mut one: impl FnMut(bool, Step) -> Result<Seen, String>,
) {
    let shares: &[bool] = if shares_files() { &[false, true] } else { &[false] };
    for share in shares {
        for act in [Act::Kill, Act::Hold, Act::Pause, Act::Interrupt] {
            for nth in 1..MANY {
                let before = descriptors();
                let mut tell = |what: String| {
                    wrong.push(format!(
                        "{name}, {}, {act:?} at stop {nth}: {what}",
                        if *share { "shared" } else { "own" }
                    ));
                };
                let seen = match one(*share, Step { nth, act }) {
                    Ok(seen) => seen,
                    Err(what) => {
                        tell(what);
                        continue;
                    }
                };
                if let Err(what) = judge(nr, act, &seen) {
                    tell(format!("{what}, {:?}, {:?}", seen.status, seen.traced.stops.last()));
                }
                let after = descriptors();
                let left: Vec<_> = after.iter().filter(|open| !before.contains(open)).collect();
                // A call that was executed without a response may have created descriptors in a shared table, which are
                // unknown.
                let excused = *share && !seen.open && left.len() <= 1;
                if (!left.is_empty() && !excused) || before.iter().any(|open| !after.contains(open)) {
                    tell(format!("{:?}: left open: {left:?}", seen.result));
                }
                for (fd, _) in left {
                    // SAFETY: it has no owner.
                    unsafe { libc::close(*fd) };
                }
                if has_children() {
                    tell("a child is left".into());
                }
                if !seen.traced.reached {
                    assert!(nth > 1, "{name}: there is something to step through");
                    break;
                }
                assert!(nth + 1 < MANY, "{name}: no end");
            }
        }
    }
}

fn finish(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} steps went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn can_trace(test: &str) -> bool {
    let here = EventFd::new(0, EMPTY).unwrap();
    let (_task, child, _) = fork(false, &here);
    match Tracer::start(child.process().0, Step { nth: 1, act: Act::Pause }) {
        Ok(tracer) => {
            tracer.finish();
            true
        }
        Err(errno) => {
            cannot(test, &format!("children cannot be traced here: ptrace is errno {errno}"));
            false
        }
    }
}

fn walk_kinds(test: &'static str, kinds: &[Kind]) {
    let _turn = turn();
    let _limit = Limit::of(test);
    if !can_trace(test) {
        return;
    }
    let mut wrong = Vec::new();
    let before = mappings();
    for kind in kinds {
        walk(kind.name, kind.nr, &mut wrong, |share, step| make(kind, share, step));
    }
    // Threads and allocations come and go; a leaked mapping for each step would be hundreds.
    let more = mappings().saturating_sub(before);
    assert!(more < 20, "{more} more mappings than before");
    finish(&wrong);
}

#[test]
fn counts_change_as_the_returned_result_says() {
    let kinds = [
        Kind {
            name: "write",
            nr: Some(nr::WRITE),
            count: 0,
            call: |bell| bell.write(1),
            effect: Some(|here| here.try_read() == Ok(Some(1))),
        },
        Kind {
            name: "read",
            nr: Some(nr::READ),
            count: 5,
            call: |bell| bell.read().map(|count| assert_eq!(count, 5)),
            effect: Some(|here| here.try_read() == Ok(None)),
        },
        Kind {
            name: "try_read",
            nr: Some(nr::PREADV2),
            count: 5,
            call: |bell| bell.try_read().map(|count| assert_eq!(count, Some(5))),
            effect: Some(|here| here.try_read() == Ok(None)),
        },
        Kind {
            name: "wait_timeout",
            nr: Some(nr::PREADV2),
            count: 5,
            call: |bell| bell.wait_timeout(Duration::from_secs(9)).map(|count| assert_eq!(count, Some(5))),
            effect: Some(|here| here.try_read() == Ok(None)),
        },
        Kind {
            name: "wait_timeout that expires",
            nr: None,
            count: 0,
            call: |bell| bell.wait_timeout(Duration::from_millis(2)).map(|count| assert_eq!(count, None)),
            effect: None,
        },
    ];
    walk_kinds("counts", &kinds);
}

#[test]
fn calls_without_memory_and_calls_that_sleep_are_executed_as_the_returned_result_says() {
    let kinds = [
        Kind {
            name: "set_nonblocking",
            nr: Some(nr::IOCTL),
            count: 0,
            call: |bell| bell.set_nonblocking(true),
            effect: Some(|here| here.is_nonblocking() == Ok(true)),
        },
        Kind { name: "set_cloexec", nr: Some(nr::FCNTL), count: 0, call: |bell| bell.set_cloexec(false), effect: None },
        Kind {
            name: "clock_nanosleep",
            nr: Some(nr::CLOCK_NANOSLEEP),
            count: 0,
            call: |bell| {
                let time = [0_u64, 2_000_000].map(u64::to_ne_bytes).concat();
                let args = [Arg::Word(1), Arg::Word(0), Arg::In(&time), Arg::Word(0)];
                // SAFETY: the call reads a time, and does not return the remaining one.
                unsafe { bell.task().sysif().syscall(nr::CLOCK_NANOSLEEP, args) }.map(drop)
            },
            effect: None,
        },
        Kind {
            name: "reserve_scratch",
            nr: None,
            count: 0,
            call: |bell| bell.task().sysif().reserve_scratch(10_000),
            effect: None,
        },
    ];
    walk_kinds("calls without memory", &kinds);
}

#[test]
fn descriptors_are_created_and_closed_as_the_returned_result_says() {
    let kinds = [
        Kind {
            name: "eventfd",
            nr: Some(nr::EVENTFD2),
            count: 0,
            call: |bell| bell.task().eventfd(0, EMPTY).map(drop),
            effect: None,
        },
        Kind { name: "try_clone and close", nr: None, count: 0, call: |bell| bell.try_clone()?.close(), effect: None },
        Kind {
            name: "dup3",
            nr: Some(nr::DUP3),
            count: 0,
            call: |bell| {
                let mut other = bell.try_clone()?.into_owned_fd();
                bell.as_owned_fd().dup3(&mut other, true).map_err(|error| match error {
                    rsyscall::fd::ReplaceError::Call(error) => error,
                    other => panic!("{other}"),
                })
            },
            effect: None,
        },
        Kind {
            name: "epoll",
            nr: None,
            count: 1,
            call: |bell| {
                let epoll = bell.task().epoll()?;
                epoll.add(bell, EpollEvents::IN, 7)?;
                let mut events = [MaybeUninit::uninit(); 2];
                let events = epoll.wait(&mut events)?;
                assert_eq!(events.iter().map(|event| event.data()).collect::<Vec<_>>(), [7]);
                epoll.close()
            },
            effect: None,
        },
    ];
    walk_kinds("descriptors", &kinds);
}

/// From its first calls on, which set up its signals and its descriptors.
#[test]
fn a_child_killed_while_it_starts_is_noticed() {
    let _turn = turn();
    let _limit = Limit::of("a child that begins");
    if !can_trace("a child that begins") {
        return;
    }
    let shares: &[bool] = if shares_files() { &[false, true] } else { &[false] };
    for share in shares {
        for act in [Act::Kill, Act::Pause] {
            for nth in (1..400).step_by(7) {
                let before = descriptors();
                let here = EventFd::new(0, EMPTY).unwrap();
                let (task, mut child, _token) = begin(*share, &here);
                let tracer = Tracer::start(child.process().0, Step { nth, act }).unwrap();
                let result = near::getpid(task.sysif());
                drop(task);
                let status = end_of(&mut child);
                drop(child);
                drop(here);
                let traced = tracer.finish();
                let case = format!("{share} {act:?} {nth}: {result:?}, {status:?}, {:?}", traced.stops.last());
                match result {
                    Ok(_) => assert!(status.is_some(), "{case}"),
                    Err(Error::NotSent) => assert!(act == Act::Kill && !traced.made(nr::GETPID), "{case}"),
                    Err(Error::Hangup) => {
                        assert!(act == Act::Kill && status.is_some_and(|status| !status.success()), "{case}")
                    }
                    Err(Error::Os(_)) => panic!("{case}"),
                }
                assert_eq!(descriptors(), before, "{case}");
                assert!(!has_children(), "{case}");
                if !traced.reached {
                    break;
                }
            }
        }
    }
}

/// Three writes in flight at once: which complete, and which the eventfd shows, with a bit for each.
#[test]
fn a_pipeline_executes_its_first_calls_and_no_others() {
    let _turn = turn();
    let _limit = Limit::of("pipeline");
    if !can_trace("pipeline") {
        return;
    }
    let mut wrong = Vec::new();
    walk("pipeline", None, &mut wrong, |share, step| {
        let here = EventFd::new(0, EMPTY).unwrap();
        let (task, mut child, _token) = fork(share, &here);
        limit(&task, step.act);
        let tracer = Tracer::start(child.process().0, step).map_err(|errno| format!("ptrace: {errno}"))?;
        let mut slots = [CallSlot::EMPTY; 3];
        let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
        let mut submitted = Vec::new();
        for bit in 0..3 {
            let value = (1_u64 << bit).to_ne_bytes();
            let operands = [here.near().into(), Operand::In(&value), Operand::Word(8)];
            // SAFETY: the eventfd has this file descriptor in either table, and lives as long as the child.
            submitted.push(unsafe { pipeline.submit(nr::WRITE, operands) });
        }
        let mut results = Vec::new();
        while pipeline.pending() != 0 {
            let completion = match step.act {
                Act::Hold => pipeline.complete_timeout(&mut [], PATIENCE),
                _ => pipeline.complete(&mut []),
            };
            match completion {
                Some(Completion { result, .. }) => results.push(result),
                // Given up: the pipeline is dropped with its pending calls.
                None => break,
            }
        }
        tracer.release();
        task.sysif().set_timeout(None);
        drop(pipeline);
        drop(task);
        let status = end_of(&mut child);
        drop(child);
        let traced = tracer.finish();
        let bits = here.try_read().unwrap().unwrap_or(0);
        let tell = || format!("{submitted:?}, {results:?}, bits {bits:b}, {:?}", traced.stops.last());
        if ![0, 1, 3, 7].contains(&bits) {
            return Err(tell());
        }
        for (bit, result) in results.iter().enumerate() {
            let made = bits & 1 << bit != 0;
            let right = match result {
                Ok(8) => made,
                Err(Error::Hangup) => step.act == Act::Kill,
                Err(Error::NotSent) => step.act == Act::Kill && !made,
                _ => false,
            };
            if !right {
                return Err(tell());
            }
        }
        for (bit, ticket) in submitted.iter().enumerate() {
            if ticket.is_err() && bits & 1 << bit != 0 {
                return Err(tell());
            }
        }
        let result = if results.len() == 3 && results.iter().all(Result::is_ok) { Ok(()) } else { Err(Error::Hangup) };
        Ok(Seen { result, open: false, effect: None, status, traced })
    });
    finish(&wrong);
}

fn exec(task: Task<Connection>, tracer: &Tracer) -> Result<(), Error> {
    let result = task.exec(c"/bin/sh", &[c"sh", c"-c", c"exit 5"], &[]);
    tracer.release();
    result.map_err(|failed| *failed.error())
}

/// `Ok` if it fails as expected.
fn exec_nothing(task: Task<Connection>, tracer: &Tracer) -> Result<(), Error> {
    let result = task.exec(c"/no/such", &[c"x"], &[]);
    tracer.release();
    match result.map_err(|failed| *failed.error()) {
        Err(Error::Os(Errno::ENOENT)) => Ok(()),
        Err(error) => Err(error),
        // Never right.
        Ok(()) => Err(Error::Os(Errno::EILSEQ)),
    }
}

fn exit(task: Task<Connection>, tracer: &Tracer) -> Result<(), Error> {
    let result = task.exit(7);
    tracer.release();
    Ok(result?)
}

#[test]
fn exec_and_exit_succeed_only_if_they_were_executed() {
    let _turn = turn();
    let _limit = Limit::of("exec and exit");
    if !can_trace("exec and exit") {
        return;
    }
    let mut wrong = Vec::new();
    for (name, nr, call, ends) in [
        ("exec", nr::EXECVE, exec as fn(Task<Connection>, &Tracer) -> Result<(), Error>, ExitStatus::Exited(5)),
        ("exec of nothing", nr::EXECVE, exec_nothing, ExitStatus::Exited(0)),
        ("exit", nr::EXIT_GROUP, exit, ExitStatus::Exited(7)),
    ] {
        walk(name, None, &mut wrong, |share, step| {
            let here = EventFd::new(0, EMPTY).unwrap();
            let (task, mut child, _token) = fork(share, &here);
            limit(&task, step.act);
            let tracer = Tracer::start(child.process().0, step).map_err(|errno| format!("ptrace: {errno}"))?;
            let result = call(task, &tracer);
            let status = end_of(&mut child);
            drop(child);
            let mut traced = tracer.finish();
            // The calls of the executed program are not stepped through.
            let end = traced.stops.iter().position(|stop| stop.nr == nr && stop.ret == Some(0));
            if end.is_some_and(|end| step.nth > end + 1) {
                traced.reached = false;
            }
            let executed = match step.act {
                Act::Kill if name == "exit" => None,
                Act::Kill => Some(traced.stops.iter().any(|stop| stop.nr == nr && matches!(stop.ret, Some(0 | -2)))),
                _ => Some(status == Some(ends)),
            };
            let effect = executed.filter(|_| name != "exec of nothing");
            Ok(Seen { result, open: true, effect, status, traced })
        });
    }
    finish(&wrong);
}

#[test]
fn a_table_is_unshared_as_the_returned_result_says() {
    let _turn = turn();
    let _limit = Limit::of("unshare_files");
    if !can_trace("unshare_files") || !shares_files() {
        return;
    }
    let mut wrong = Vec::new();
    walk("unshare_files", None, &mut wrong, |share, step| {
        let here = EventFd::new(0, EMPTY).unwrap();
        let (mut task, mut child, _token) = fork(share, &here);
        limit(&task, step.act);
        let tracer = Tracer::start(child.process().0, step).map_err(|errno| format!("ptrace: {errno}"))?;
        let unshared = if share {
            task.unshare_files([here.as_owned_fd()]).map(Some)
        } else {
            task.unshare_files::<rsyscall::Current, 0>([]).map(|_| None)
        };
        tracer.release();
        task.sysif().set_timeout(None);
        let result = match unshared {
            Ok(token) => {
                if let Some([token]) = token {
                    let there = EventFd::from(token.attach(&task).unwrap());
                    if there.write(3).is_ok() {
                        assert_eq!(here.read(), Ok(3));
                    }
                }
                Ok(())
            }
            Err(rsyscall::fd::ReplaceError::Call(error)) => Err(error),
            Err(error) => return Err(error.to_string()),
        };
        let permanence = check_permanence(&task, result, step.act);
        drop(task);
        let status = end_of(&mut child);
        drop(child);
        let traced = tracer.finish();
        permanence?;
        Ok(Seen { result, open: true, effect: Some(traced.made(nr::UNSHARE)), status, traced })
    });
    finish(&wrong);
}

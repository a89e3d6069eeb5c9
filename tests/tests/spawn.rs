//! `rsyscall-init`'s `spawn`: the program's arguments and attributes, the returned errors, and no leaks.

use rsyscall::near::{Process, SignalSet};
use rsyscall::sys::signal::{Signal, SignalTask};
use rsyscall::sys::signalfd::SignalFd;
use rsyscall::sys::wait::{Changes, Children, ExitStatus, WaitTask};
use rsyscall::{Current, Errno, EventFd, EventfdFlags};
use rsyscall_init::strings::Placeholder;
use rsyscall_init::{At, Child, Command, Program, SpawnError, Step, StringList, exec, path, process, spawn, spawn_job};
use rsyscall_tests::{Folder, skip};
use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The tests run one at a time: some count descriptors and children, and one measures time.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn list<'a>(strings: &[&'a CStr]) -> StringList<'a, 8> {
    let mut list = StringList::new();
    strings.iter().for_each(|string| list.push(string).unwrap());
    list
}

/// Starts a shell script.
fn shell(script: &CStr, steps: &[Step<'_>]) -> Result<Child, SpawnError> {
    let arguments = list(&[c"bash", c"-c", script]);
    let environment = list(&[c"PATH=/usr/bin:/bin"]);
    spawn(&Command {
        arguments: arguments.as_strings(),
        environment: environment.as_strings(),
        steps,
        ..Command::new(Program::Path(c"/bin/bash"))
    })
}

fn script(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn error(at: At, errno: Errno) -> SpawnError {
    SpawnError { at, errno }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn failed(program: &CStr) -> SpawnError {
    spawn(&Command::new(Program::Path(program))).unwrap_err()
}

#[test]
fn spawn_returns_the_error_of_execve_and_leaks_nothing() {
    let _alone = alone();
    let before = descriptors();
    assert_eq!(failed(c"/no/such"), error(At::Exec, Errno::ENOENT));
    assert_eq!(failed(c"/etc/passwd"), error(At::Exec, Errno::EACCES));
    assert_eq!(failed(c"/etc"), error(At::Exec, Errno::EACCES));
    assert_eq!(failed(c""), error(At::Exec, Errno::ENOENT));
    let chdir = [Step::NewGroup, Step::ChangeDirectory(c"/no/such/place")];
    let command = Command { steps: &chdir, ..Command::new(Program::Path(c"/bin/true")) };
    assert_eq!(spawn(&command).unwrap_err(), error(At::Step(1), Errno::ENOENT));
    assert_eq!(descriptors(), before);
    assert_eq!(Current.try_wait(Children::Any, Changes::ENDED), Err(Errno::ECHILD), "no zombie");
}

#[test]
fn wait_returns_the_status_and_a_thousand_spawns_leak_nothing() {
    let _alone = alone();
    let before = descriptors();
    for number in 0..1000 {
        let text = script(&format!("exit {}", number % 256));
        if number % 10 == 0 {
            let mut child = shell(&text, &[]).unwrap();
            assert_eq!(child.wait(), Ok(ExitStatus::Exited(number % 256)));
            assert_eq!(child.send_signal(Signal::TERM), Err(Errno::ESRCH));
        } else {
            assert_eq!(failed(c"/no/such").errno, Errno::ENOENT);
        }
    }
    assert_eq!(descriptors(), before);
}

static RAN: AtomicUsize = AtomicUsize::new(0);

extern "C" fn ran(_: i32) {
    // In a child of `spawn` the handler would use the child's memory; outside, its write is visible.
    RAN.fetch_add(1, Ordering::SeqCst);
    let text = b"handler\n";
    // SAFETY: a call that may be made in a handler.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

#[test]
fn no_handler_of_the_caller_runs_in_the_child_and_a_signal_that_came_early_is_not_lost() {
    let _alone = alone();
    // SAFETY: a handler that only writes, and an atomic.
    unsafe { libc::signal(libc::SIGUSR1, ran as extern "C" fn(i32) as usize) };
    // The search takes long enough for the signal to arrive before the program is executed.
    let path = "/no/such/place:".repeat(100_000) + "/bin";
    let arguments = list(&[c"sleep", c"3"]);
    let command = Command {
        arguments: arguments.as_strings(),
        ..Command::new(Program::Search { name: c"sleep", path: path.as_bytes() })
    };
    // SAFETY: a query.
    let thread = unsafe { libc::syscall(libc::SYS_gettid) };
    let children = format!("/proc/self/task/{thread}/children");
    let status = std::thread::scope(|scope| {
        scope.spawn(|| {
            let child = loop {
                match std::fs::read_to_string(&children).unwrap().trim().parse() {
                    Ok(child) => break child,
                    Err(_) => std::thread::yield_now(),
                }
            };
            // SAFETY: the child, which the other thread has not reaped.
            assert_eq!(unsafe { libc::kill(child, libc::SIGUSR1) }, 0);
        });
        spawn(&command).unwrap().wait().unwrap()
    });
    assert_eq!(status.signal(), Some(Signal::USR1), "not lost in a handler");
    assert_eq!(RAN.load(Ordering::SeqCst), 0);
}

#[test]
fn the_program_has_the_configured_mask_and_dispositions() {
    let _alone = alone();
    let output = Folder::empty("spawn-dispositions");
    let file = output.path().join("status");
    // SAFETY: no handler.
    unsafe { libc::signal(libc::SIGTTIN, libc::SIG_IGN) };
    // SAFETY: no handler.
    unsafe { libc::signal(libc::SIGURG, libc::SIG_IGN) };
    let text = script(&format!("cp /proc/self/status {}", file.display()));
    let arguments = list(&[c"bash", c"-c", &text]);
    let command = Command {
        arguments: arguments.as_strings(),
        mask: SignalSet::of(&[Signal::USR2, Signal::HUP]),
        default: SignalSet::of(&[Signal::TTIN, Signal::KILL]),
        ignore: SignalSet::of(&[Signal::WINCH]),
        ..Command::new(Program::Path(c"/bin/bash"))
    };
    assert_eq!(spawn(&command).unwrap().wait(), Ok(ExitStatus::Exited(0)));
    let status = std::fs::read_to_string(file).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        u64::from_str_radix(line.split_whitespace().nth(1).unwrap(), 16).unwrap()
    };
    assert_eq!(field("SigBlk"), 1 << (libc::SIGUSR2 - 1) | 1 << (libc::SIGHUP - 1));
    let ignored = SignalSet::from_bits(field("SigIgn"));
    assert!(!ignored.has(Signal::TTIN) && ignored.has(Signal::URG) && ignored.has(Signal::WINCH));
}

#[test]
fn the_child_takes_each_configured_step() {
    let _alone = alone();
    let folder = Folder::empty("spawn-steps");
    let out = folder.path().join("out");
    let directory = std::fs::File::open(folder.path()).unwrap();
    // SAFETY: ownership was given up.
    let directory = unsafe { rsyscall::fd::OwnedFd::from_raw_fd(std::os::fd::IntoRawFd::into_raw_fd(directory)) };
    let bell = EventFd::new(7, EventfdFlags::empty()).unwrap();
    let variable = Placeholder::new("LISTEN_PID").unwrap();
    let mut environment = StringList::<3>::new();
    environment.push(c"PATH=/usr/bin:/bin").unwrap();
    environment.push_placeholder(&variable).unwrap();
    let text = script(
        "cut -d' ' -f5,6 /proc/$$/stat >out; echo $$ $LISTEN_PID >>out; pwd >>out; readlink /proc/self/fd/9 >>out; ls /proc/self/fd | wc -w >>out",
    );
    let arguments = list(&[c"bash", c"-c", &text]);
    let steps = [
        Step::NewSession,
        Step::Directory(&directory),
        Step::Descriptor { from: bell.as_owned_fd(), to: 9 },
        Step::OwnPid(&variable),
        Step::DieWithParent(Signal::KILL),
    ];
    let command = Command {
        arguments: arguments.as_strings(),
        environment: environment.as_strings(),
        steps: &steps,
        ..Command::new(Program::Path(c"/bin/bash"))
    };
    let mut child = spawn(&command).unwrap();
    let pid = child.process().0.to_string();
    assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)));
    let said = std::fs::read_to_string(out).unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], format!("{pid} {pid}"));
    assert_eq!(lines[1], format!("{pid} {pid}"));
    assert_eq!(lines[2], folder.path().to_str().unwrap());
    assert_eq!(lines[3], "anon_inode:[eventfd]");
}

#[test]
fn spawn_refuses_descriptors_that_replace_each_other_before_it_forks() {
    let _alone = alone();
    let one = EventFd::new(0, EventfdFlags::empty()).unwrap().into_owned_fd();
    let two = one.try_clone().unwrap();
    let twice = [Step::Descriptor { from: &one, to: 50 }, Step::Descriptor { from: &two, to: 50 }];
    let replaced = [Step::Descriptor { from: &one, to: two.as_raw_fd() }, Step::Descriptor { from: &two, to: 50 }];
    let negative = [Step::NewGroup, Step::Descriptor { from: &one, to: -1 }];
    let directory = [Step::Descriptor { from: &one, to: two.as_raw_fd() }, Step::Directory(&two)];
    for steps in [&twice, &replaced, &negative, &directory] {
        let command = Command { steps, ..Command::new(Program::Path(c"/bin/true")) };
        assert_eq!(spawn(&command).unwrap_err(), error(At::Step(1), Errno::EINVAL));
        assert_eq!(exec(&command), error(At::Step(1), Errno::EINVAL));
    }
    // In this process, an open file descriptor has an owner.
    let busy = [Step::Descriptor { from: &one, to: two.as_raw_fd() }];
    let command = Command { steps: &busy, ..Command::new(Program::Path(c"/no/such")) };
    assert_eq!(exec(&command), error(At::Step(0), Errno::EBUSY));
}

#[test]
fn spawn_job_takes_the_steps_of_job_control_and_fails_at_any_other() {
    let _alone = alone();
    let arguments = list(&[c"bash", c"-c", c"[ $(ps -o pgid= -p $$) = $$ ] && [ $PWD = / ] && exit 3"]);
    let environment = list(&[c"PATH=/usr/bin:/bin"]);
    let command = Command {
        arguments: arguments.as_strings(),
        environment: environment.as_strings(),
        // Not taken: those of the call are.
        steps: &[Step::ChangeDirectory(c"/no/such/place")],
        ..Command::new(Program::Path(c"/bin/bash"))
    };
    let root = process::working_directory().unwrap();
    let file = std::fs::File::open("/").unwrap();
    // SAFETY: both are open, and the duplicate has no other owner.
    assert!(unsafe { libc::dup3(std::os::fd::AsRawFd::as_raw_fd(&file), root.as_raw_fd(), libc::O_CLOEXEC) } >= 0);
    let mut child = spawn_job(&command, &[Step::NewGroup, Step::Nothing, Step::Directory(&root)]).unwrap();
    assert!(process::has_child_in(child.process()));
    assert_eq!(child.wait(), Ok(ExitStatus::Exited(3)));
    assert!(!process::has_child_in(child.process()));
    assert_eq!(process::reap(child.process()), Err(Errno::ECHILD));

    let others = [
        Step::ChangeDirectory(c"/"),
        Step::Descriptor { from: &root, to: 50 },
        Step::DieWithParent(Signal::KILL),
        Step::OwnPid(&Placeholder::new("LISTEN_PID").unwrap()),
    ];
    for other in others {
        let result = spawn_job(&command, &[Step::NewSession, Step::Nothing, other]);
        assert_eq!(result.unwrap_err(), error(At::Step(2), Errno::EINVAL), "{other:?}");
    }
    assert_eq!(Current.try_wait(Children::Any, Changes::ENDED), Err(Errno::ECHILD), "no zombie");
}

#[test]
fn a_step_may_replace_the_descriptor_of_the_error_pipe() {
    let _alone = alone();
    let bell = EventFd::new(0, EventfdFlags::empty()).unwrap().into_owned_fd();
    // The next free file descriptors, which the pipe will have.
    for to in bell.as_raw_fd() + 1..bell.as_raw_fd() + 6 {
        let steps = [Step::Descriptor { from: &bell, to }];
        let command = Command { steps: &steps, ..Command::new(Program::Path(c"/no/such")) };
        assert_eq!(spawn(&command).unwrap_err(), error(At::Exec, Errno::ENOENT), "{to}");
    }
}

#[test]
fn a_name_is_searched_as_by_execvp() {
    let _alone = alone();
    let folder = Folder::empty("spawn-path");
    folder.write("good/prog", "#!/bin/sh\nexit 5\n");
    folder.write("plain/prog", "exit 6\n");
    folder.write("forbidden/prog", "no\n");
    folder.write("file", "");
    for file in ["good/prog", "plain/prog"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path().join(file), mode).unwrap();
    }
    let here = folder.path().display();
    let start = |name: &CStr, path: &str, interpreter: Option<&'static CStr>| {
        let arguments = list(&[name]);
        let command = Command {
            arguments: arguments.as_strings(),
            interpreter,
            ..Command::new(Program::Search { name, path: path.as_bytes() })
        };
        spawn(&command).map(|mut child| child.wait().unwrap().code().unwrap())
    };
    assert_eq!(start(c"prog", &format!("/nowhere:{here}/file:{here}/good"), None), Ok(5));
    assert_eq!(start(c"prog", &format!("{here}/forbidden:{here}/good"), None), Ok(5));
    assert_eq!(start(c"prog", &format!("{here}/forbidden:/nowhere"), None), Err(error(At::Exec, Errno::EACCES)));
    assert_eq!(start(c"prog", "/nowhere:/", None), Err(error(At::Exec, Errno::ENOENT)));
    assert_eq!(start(c"", "/bin", None), Err(error(At::Exec, Errno::ENOENT)));
    assert_eq!(start(c"prog", &format!("{}:{here}/good", "x".repeat(5000)), None), Ok(5));
    assert_eq!(start(c"prog", &format!("{here}/plain"), None), Err(error(At::Exec, Errno::ENOEXEC)));
    assert_eq!(start(c"prog", &format!("{here}/plain"), Some(c"/bin/sh")), Ok(6));
    let long = CString::new("x".repeat(300)).unwrap();
    assert_eq!(start(&long, "/bin", None), Err(error(At::Exec, Errno::ENAMETOOLONG)));
}

#[test]
fn a_candidate_is_at_most_path_max_and_an_empty_entry_is_the_current_directory() {
    let _alone = alone();
    let mut buffer = [0; path::PATH_MAX];
    let name = CString::new("n".repeat(10)).unwrap();
    for (length, fits) in [(4084, true), (4085, false), (4096, false), (1 << 20, false)] {
        let directory = vec![b'd'; length];
        let found = path::candidate(&directory, &name, &mut buffer);
        assert_eq!(found.map(CStr::count_bytes), fits.then_some(length + 11));
    }
    assert_eq!(path::candidate(b"", c"x", &mut buffer), Some(c"./x"));
    let mut tried = vec![];
    let errno = path::search(c"x", b":a::b:", |path| {
        tried.push(path.to_owned());
        Errno::EACCES
    });
    assert_eq!(tried, [c"./x", c"a/x", c"./x", c"b/x", c"./x"].map(CString::from));
    assert_eq!(errno, Errno::EACCES);
}

#[test]
fn a_group_is_reached_while_its_leader_is_not_reaped_and_a_child_that_is_dropped_lives() {
    let _alone = alone();
    let steps = [Step::NewGroup];
    let mut child = shell(c"sleep 100 & sleep 100", &steps).unwrap();
    child.send_signal_to_group(Signal::KILL).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(Signal::KILL));

    let dropped = shell(c"sleep 0.2; exit 3", &[]).unwrap();
    let process = dropped.process();
    drop(dropped);
    let waited = Current.wait(Children::Process(process), Changes::ENDED).unwrap();
    assert_eq!(waited.process, process);

    let killed = shell(c"sleep 100", &[]).unwrap().kill_on_drop();
    let process = killed.process();
    let begin = Instant::now();
    drop(killed);
    assert!(begin.elapsed() < Duration::from_secs(50));
    assert_eq!(Current.try_wait(Children::Process(process), Changes::ENDED), Err(Errno::ECHILD));
}

#[test]
fn many_threads_spawn_at_once_and_each_gets_its_own_result() {
    let _alone = alone();
    let before = descriptors();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..50 {
                    let text = script(&format!("exit {number}"));
                    assert_eq!(shell(&text, &[]).unwrap().wait(), Ok(ExitStatus::Exited(number)));
                    assert_eq!(failed(c"/no/such"), error(At::Exec, Errno::ENOENT));
                }
            });
        }
    });
    assert_eq!(descriptors(), before);
}

#[test]
fn signals_that_arrive_during_spawn_are_read_afterwards() {
    let _alone = alone();
    let set = SignalSet::of(&[Signal::CHLD]);
    let _blocked = Current.block_signals(set).unwrap();
    let signals = SignalFd::new(set).unwrap();
    assert_eq!(failed(c"/no/such").errno, Errno::ENOENT);
    // The failed child has ended: its SIGCHLD is pending, without its pid. (Another thread may have taken it.)
    let _maybe = signals.try_read().unwrap();
    assert!(Current.signal_mask().unwrap().has(Signal::CHLD));
}

#[test]
fn spawn_falls_back_to_fork_if_clone3_is_forbidden() {
    let _alone = alone();
    const TEST: &str = "spawn_falls_back_to_fork_if_clone3_is_forbidden";
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let filter = |errno: Errno| -> BpfProgram {
        let rules = std::collections::BTreeMap::from([(rsyscall::nr::CLONE3 as i64, vec![])]);
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let (other, these) = (SeccompAction::Allow, SeccompAction::Errno(errno.raw() as u32));
        SeccompFilter::new(rules, other, these, arch).unwrap().try_into().unwrap()
    };
    for errno in [Errno::ENOSYS, Errno::EPERM] {
        let filter = filter(errno);
        let done = std::thread::spawn(move || {
            // For this thread and its children only.
            if seccompiler::apply_filter(&filter).is_err() {
                return false;
            }
            assert_eq!(failed(c"/no/such"), error(At::Exec, Errno::ENOENT));
            let mut child = shell(c"exit 9", &[]).unwrap();
            assert!(child.pidfd().is_some());
            assert_eq!(child.wait(), Ok(ExitStatus::Exited(9)));
            true
        });
        if !done.join().unwrap() {
            return skip(TEST, "no seccomp filter can be installed here");
        }
    }
}

#[test]
fn spawn_takes_no_longer_than_a_fork_with_a_pipe() {
    let _alone = alone();
    const ROUNDS: usize = 20;
    let spawned = || {
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            let child = spawn(&Command::new(Program::Path(c"/bin/true")));
            child.unwrap().wait().unwrap();
        }
        begin.elapsed()
    };
    let fork = || {
        let begin = Instant::now();
        for _ in 0..ROUNDS {
            fork_with_a_pipe(c"/bin/true");
        }
        begin.elapsed()
    };
    // The best of many, alternating: other processes take time from either.
    let (spawn, fork) = (0..15)
        .map(|_| (spawned(), fork()))
        .fold((Duration::MAX, Duration::MAX), |best, next| (best.0.min(next.0), best.1.min(next.1)));
    println!("spawn {spawn:?}, fork and pipe {fork:?}, for {ROUNDS}");
    assert!(spawn.as_nanos() * 10 <= fork.as_nanos() * 11, "{spawn:?} against {fork:?}");
}

/// The same by hand: a pipe for the error, handlers set to default, exec, reap.
fn fork_with_a_pipe(program: &CStr) {
    let arguments = [program.as_ptr(), std::ptr::null()];
    let mut ends = [0; 2];
    // SAFETY: the calls are those of a fork whose child makes system calls only, on memory of this frame.
    unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        let child = libc::fork();
        if child == 0 {
            for signal in 1..65 {
                let mut action: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(signal, std::ptr::null(), &mut action) == 0 && action.sa_sigaction > 1 {
                    action.sa_sigaction = libc::SIG_DFL;
                    libc::sigaction(signal, &action, std::ptr::null_mut());
                }
            }
            libc::execve(program.as_ptr(), arguments.as_ptr(), arguments[1..].as_ptr());
            let errno = *libc::__errno_location();
            libc::write(ends[1], (&raw const errno).cast(), 4);
            libc::_exit(127);
        }
        libc::close(ends[1]);
        let mut errno = 0;
        assert_eq!(libc::read(ends[0], (&raw mut errno).cast(), 4), 0);
        libc::close(ends[0]);
        assert_eq!(libc::waitpid(child, &mut errno, 0), child);
    }
}

#[test]
fn this_process_reads_its_pid_group_and_session() {
    let _alone = alone();
    assert_eq!(process::pid(), Ok(Process(std::process::id() as i32)));
    // SAFETY: queries.
    let (group, session) = unsafe { (libc::getpgrp(), libc::getsid(0)) };
    assert_eq!((process::group(), process::session()), (Ok(Process(group)), Ok(Process(session))));
    assert!(!rsyscall_init::reboot::is_machine());
}

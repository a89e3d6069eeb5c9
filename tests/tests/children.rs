//! Signals that are read, children that are waited for, and pidfds: on this kernel, in this process and in another.

mod signals;

use rsyscall::near::{FileDescriptor, Process};
use rsyscall::sys::pidfd::{PidFd, PidfdTask};
use rsyscall::sys::signal::{Disposition, Preset, Signal, SignalSet, SignalTask, Target};
use rsyscall::sys::signalfd::{SignalFd, SignalfdTask};
use rsyscall::sys::wait::{Change, Changes, Children, ExitStatus, WaitTask, Waited};
use rsyscall::sysif::Error;
use rsyscall::{Current, Errno, EventFd, EventfdFlags, remote};
use rsyscall_suite::Environment;
use rsyscall_tests::{cannot, skip};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

fn killed(signal: Signal) -> ExitStatus {
    ExitStatus::Killed { signal, core_dumped: false }
}

/// Spawns a child in a process group of its own, which std does not wait for.
#[expect(clippy::zombie_processes, reason = "the tests reap it")]
fn spawn(program: &str, arguments: &[&str]) -> Process {
    let child = Command::new(program).args(arguments).process_group(0).spawn().unwrap();
    Process(i32::try_from(child.id()).unwrap())
}

fn shell(script: &str) -> Process {
    spawn("sh", &["-c", script])
}

/// Reaps a child, however it ended.
fn reap(process: Process) -> ExitStatus {
    match Current.wait(Children::Process(process), Changes::ENDED).unwrap() {
        Waited { process: found, change: Change::Ended(status) } => {
            assert_eq!(found, process);
            status
        }
        other => panic!("{other:?}"),
    }
}

/// Sends a real-time signal with a value to this thread.
fn queue(signal: Signal, value: i32) {
    let mut info = [0_i32; 32];
    // `siginfo_t` of `SI_QUEUE`: signo, errno, code; on 64-bit kernels padding; pid, uid, value.
    let at = if cfg!(target_pointer_width = "64") { 4 } else { 3 };
    (info[0], info[2], info[at + 2]) = (signal.raw() as i32, -1, value);
    // SAFETY: the thread is this one, and the structure has the kernel's size.
    let sent = unsafe {
        let (process, thread) = (libc::getpid(), libc::syscall(libc::SYS_gettid));
        libc::syscall(libc::SYS_rt_tgsigqueueinfo, process, thread, signal.raw(), info.as_ptr())
    };
    assert_eq!(sent, 0);
}

#[test]
fn signal_names_are_those_that_kill_l_prints() {
    let Ok(output) = Command::new("bash").args(["-c", "for n in $(seq 64); do echo $(kill -l $n); done"]).output()
    else {
        return skip("signal_names_are_those_that_kill_l_prints", "no bash");
    };
    let names = String::from_utf8(output.stdout).unwrap();
    let mut seen = 0;
    for (number, name) in (1..).zip(names.lines()) {
        let signal = Signal::from_raw(number).unwrap();
        // bash has no name for 32 and 33.
        if name.parse::<u32>().is_ok() || name.is_empty() {
            assert_eq!(signal.to_string(), number.to_string());
            continue;
        }
        seen += 1;
        let printed = signal.to_string();
        assert_eq!(printed.strip_prefix("SIG"), Some(name.strip_prefix("SIG").unwrap_or(name)));
        for spelt in [printed.clone(), printed.replace("SIG", ""), printed.to_lowercase(), number.to_string()] {
            assert_eq!(Signal::from_name(spelt.as_bytes()), Some(signal), "{spelt}");
        }
    }
    assert_eq!(seen, 62);
}

#[test]
fn an_invalid_signal_has_no_name_and_no_number() {
    for wrong in [
        "",
        "0",
        "65",
        "256",
        "257",
        "1000",
        "-1",
        "+1",
        "1x",
        "x1",
        "SIG",
        "SIGSIGTERM",
        "TERMX",
        "TER",
        "RTMIN-1",
        "RTMIN+31",
        "RTMAX+1",
        "RTMAX-31",
        "RTMIN+",
        "RTMAX-999",
        "RTM",
        "RTMI",
        "RTMIN+x",
        "\u{e9}",
    ] {
        assert_eq!(Signal::from_name(wrong.as_bytes()), None, "{wrong}");
    }
    assert_eq!((Signal::from_raw(0), Signal::from_raw(65), Signal::from_raw(256 + 15)), (None, None, None));
    assert_eq!(Signal::from_name(b"RTMAX-30"), Signal::rt(0));
}

#[test]
fn guards_restore_the_mask_in_reverse_order_and_keep_leaves_it() {
    let usr1 = SignalSet::of(&[Signal::USR1]);
    let usr2 = SignalSet::of(&[Signal::USR2]);
    let found = Current.signal_mask().unwrap();
    let outer = Current.block_signals(usr1).unwrap();
    let inner = Current.block_signals(usr2).unwrap();
    assert_eq!(inner.before(), found.with(Signal::USR1.raw()));
    assert!(Current.signal_mask().unwrap().has(Signal::USR2));
    drop(inner);
    assert!(!Current.signal_mask().unwrap().has(Signal::USR2));
    drop(outer);
    assert_eq!(Current.signal_mask().unwrap(), found);

    // In another order, a guard restores the mask that it found.
    let outer = Current.block_signals(usr1).unwrap();
    let inner = Current.block_signals(usr2).unwrap();
    drop(outer);
    drop(inner);
    assert_eq!(Current.signal_mask().unwrap(), found.with(Signal::USR1.raw()));

    // The signal stays blocked until this thread ends.
    assert_eq!(Current.block_signals(SignalSet::ALL).unwrap().keep(), found.with(Signal::USR1.raw()));
    // qemu-user keeps the last two for itself.
    let known = |set: SignalSet| set.without(63).without(64);
    let blockable = SignalSet::ALL.without(Signal::KILL.raw()).without(Signal::STOP.raw());
    assert_eq!(known(Current.signal_mask().unwrap()), known(blockable));
}

#[test]
fn dispositions_are_read_and_set() {
    let signal = Signal::STKFLT;
    assert_eq!(Current.disposition(signal), Ok(Disposition::Default));
    Current.set_disposition(signal, Preset::Ignore).unwrap();
    assert_eq!(Current.disposition(signal), Ok(Disposition::Ignore));
    signals::handle(signal.raw() as i32, 0);
    assert_eq!(Current.disposition(signal), Ok(Disposition::Handler));
    Current.set_disposition(signal, Preset::Default).unwrap();
    assert_eq!(Current.disposition(signal), Ok(Disposition::Default));
    for fixed in [Signal::KILL, Signal::STOP] {
        assert_eq!(Current.set_disposition(fixed, Preset::Default), Err(Errno::EINVAL));
    }
}

#[test]
fn kill_targets_other_than_one_process_or_one_group_are_refused() {
    for process in [0, -1, -2, i32::MIN] {
        assert_eq!(Current.send_signal(Target::Process(Process(process)), Signal::CONT), Err(Errno::EINVAL));
        assert_eq!(Current.send_signal(Target::Group(Process(process)), Signal::CONT), Err(Errno::EINVAL));
    }
    // `kill(-1)` signals every process.
    assert_eq!(Current.send_signal(Target::Group(Process(1)), Signal::CONT), Err(Errno::EINVAL));
    assert_eq!(Current.send_signal(Target::Process(Process(i32::MAX)), Signal::CONT), Err(Errno::ESRCH));
}

#[test]
fn a_signalfd_reads_blocked_signals_and_coalesces_those_that_are_not_queued() {
    let queued = Signal::rt(5).unwrap();
    let set = SignalSet::of(&[Signal::URG, queued]);
    let _blocked = Current.block_signals(set).unwrap();
    let signalfd = SignalFd::new(set).unwrap();
    assert!(signalfd.as_owned_fd().is_cloexec().unwrap() && signalfd.as_owned_fd().is_nonblocking().unwrap());
    assert_eq!(signalfd.read(), Err(Errno::EAGAIN));
    assert_eq!(signalfd.try_read(), Ok(None));

    signals::raise(Signal::URG.raw() as i32);
    signals::raise(Signal::URG.raw() as i32);
    queue(queued, 7);
    queue(queued, -8);
    let info = signalfd.read().unwrap();
    assert_eq!(info.signal(), Signal::URG);
    assert_eq!(info.sender().map(|sender| sender.0), Some(Process(std::process::id() as i32)));
    assert_eq!(info.value(), None);
    let values: Vec<_> = std::iter::from_fn(|| signalfd.try_read().unwrap()).map(|info| info.value()).collect();
    assert_eq!(values, [Some(7), Some(-8)], "one SIGURG, and both values in order");

    // The set is shared by all duplicates.
    let duplicate = SignalFd::from(signalfd.as_owned_fd().try_clone().unwrap());
    duplicate.set(SignalSet::of(&[queued])).unwrap();
    signals::raise(Signal::URG.raw() as i32);
    assert_eq!(signalfd.try_read(), Ok(None));
    duplicate.set(set).unwrap();
    assert_eq!(signalfd.wait().unwrap().signal(), Signal::URG);
    signalfd.close().unwrap();
}

#[test]
fn a_wait_for_a_signal_keeps_its_deadline_across_handlers_and_returns_on_a_signal() {
    let set = SignalSet::of(&[Signal::WINCH]);
    let _blocked = Current.block_signals(set).unwrap();
    let signalfd = SignalFd::new(set).unwrap();
    signals::handle(libc::SIGIO, 0);
    let begin = Instant::now();
    let timeout = Duration::from_millis(80);
    let none = signals::under_fire(libc::SIGIO, || signalfd.wait_timeout(timeout).unwrap());
    assert_eq!(none, None);
    assert!(begin.elapsed() >= timeout);

    // SAFETY: the thread is this one, which outlives the scope.
    let target = unsafe { libc::pthread_self() } as usize;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(10));
            // SAFETY: as above.
            unsafe { libc::pthread_kill(target as libc::pthread_t, libc::SIGWINCH) };
        });
        assert_eq!(signalfd.wait().unwrap().signal(), Signal::WINCH);
    });
    signals::raise(libc::SIGWINCH);
    assert!(signalfd.wait_timeout(Duration::ZERO).unwrap().is_some());
}

#[test]
fn read_fails_with_eio_if_the_descriptor_is_no_signalfd() {
    let bell = EventFd::new(1, EventfdFlags::NONBLOCK).unwrap();
    let wrong = SignalFd::from(bell.into_owned_fd());
    assert_eq!(wrong.read(), Err(Errno::EIO), "eight bytes are no signal");
    assert_eq!(wrong.set(SignalSet::EMPTY), Err(Errno::EINVAL));
    let zeros = std::fs::File::open("/dev/zero").unwrap();
    // SAFETY: ownership is given up in the same expression.
    let zeros = unsafe { rsyscall::fd::OwnedFd::from_raw_fd(std::os::fd::IntoRawFd::into_raw_fd(zeros)) };
    assert_eq!(SignalFd::from(zeros).read(), Err(Errno::EIO), "128 bytes, and no signal in them");
}

#[test]
fn wait_reports_each_state_change_of_a_child() {
    let all = Changes::ENDED | Changes::STOPPED | Changes::CONTINUED;
    let child = spawn("sleep", &["100"]);
    let only = Children::Process(child);
    let change = |change| Waited { process: child, change };
    assert_eq!(Current.try_wait(only, all), Ok(None));
    Current.send_signal(Target::Process(child), Signal::STOP).unwrap();
    assert_eq!(Current.wait(only, all | Changes::PEEK), Ok(change(Change::Stopped(Signal::STOP))));
    assert_eq!(Current.wait(only, all), Ok(change(Change::Stopped(Signal::STOP))));
    assert_eq!(Current.try_wait(only, all), Ok(None));
    Current.send_signal(Target::Group(child), Signal::CONT).unwrap();
    assert_eq!(Current.wait(only, all), Ok(change(Change::Continued)));
    Current.send_signal(Target::Process(child), Signal::TERM).unwrap();
    let ended = change(Change::Ended(killed(Signal::TERM)));
    assert_eq!(Current.wait(only, Changes::ENDED | Changes::PEEK), Ok(ended));
    // A zombie keeps its pid.
    assert_eq!(Current.send_signal(Target::Process(child), Signal::TERM), Ok(()));
    assert_eq!(Current.try_wait(only, Changes::ENDED), Ok(Some(ended)));
    assert_eq!(Current.try_wait(only, Changes::ENDED), Err(Errno::ECHILD));
    assert_eq!(Current.waitid(Children::Any, Changes::empty()), Err(Errno::EINVAL));

    for status in [0, 1, 127, 255] {
        assert_eq!(reap(shell(&format!("exit {status}"))), ExitStatus::Exited(status));
    }
    let status = reap(shell("kill -SEGV $$"));
    assert_eq!((status.signal(), status.code(), status.success()), (Some(Signal::SEGV), None, false));
    assert_eq!(status.shell_status(), 128 + 11);
}

#[test]
fn waitid_fails_with_eintr_and_wait_continues() {
    let child = spawn("sleep", &["0.3"]);
    signals::handle(libc::SIGIO, 0);
    let (interrupted, waited) = signals::under_fire(libc::SIGIO, || {
        (
            Current.waitid(Children::Process(child), Changes::ENDED),
            Current.wait(Children::Process(child), Changes::ENDED),
        )
    });
    assert_eq!(interrupted, Err(Errno::EINTR));
    assert_eq!(waited.unwrap().change, Change::Ended(ExitStatus::Exited(0)));
}

/// A pidfd of an unreaped child, unless there is none here.
fn pidfd(test: &str, child: Process) -> Option<PidFd> {
    match Current.pidfd_open(child) {
        Err(Errno::ENOSYS) => {
            reap(child);
            cannot(test, "pidfd_open came with Linux 5.3, and qemu-user 7.2 has none");
            None
        }
        pidfd => Some(pidfd.unwrap()),
    }
}

#[test]
fn peek_leaves_the_child_and_only_wait_reaps_it() {
    let child = shell("read line; exit 5 <&-");
    let Some(pidfd) = pidfd("peek_leaves_the_child_and_only_wait_reaps_it", child) else { return };
    assert!(pidfd.as_owned_fd().is_cloexec().unwrap());
    let begin = Instant::now();
    let child2 = spawn("sleep", &["100"]);
    let sleeper = Current.pidfd_open(child2).unwrap();
    assert_eq!(sleeper.peek(), Ok(None));
    assert_eq!(sleeper.try_wait(), Ok(None));
    assert_eq!(sleeper.wait_timeout(Duration::from_millis(30)), Ok(None));
    assert!(begin.elapsed() >= Duration::from_millis(30));
    assert_eq!(Current.try_wait(Children::PidFd(&sleeper), Changes::ENDED), Ok(None));
    sleeper.send_signal(Signal::KILL).unwrap();
    while sleeper.peek().unwrap().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(sleeper.peek(), Ok(Some(killed(Signal::KILL))), "still there");
    assert_eq!(sleeper.send_signal(Signal::TERM), Ok(()), "to a zombie");
    assert_eq!(sleeper.wait_timeout(Duration::from_secs(60)), Ok(Some(killed(Signal::KILL))));
    assert_eq!(sleeper.peek(), Err(Errno::ECHILD));
    assert_eq!(sleeper.send_signal(Signal::TERM), Err(Errno::ESRCH));
    assert_eq!(pidfd.wait(), Ok(ExitStatus::Exited(5)));

    assert_eq!(Current.pidfd_open(child2).unwrap_err(), Errno::ESRCH);
    assert_eq!(Current.pidfd_open(Process(-1)).unwrap_err(), Errno::EINVAL);
    let wrong = PidFd::from(EventFd::new(0, EventfdFlags::empty()).unwrap().into_owned_fd());
    assert_eq!(wrong.peek(), Err(Errno::EBADF));
    assert_eq!(wrong.send_signal(Signal::TERM), Err(Errno::EBADF));
}

#[test]
fn a_group_signal_reaches_the_group_of_the_leader_and_never_a_reused_pid() {
    const TEST: &str = "a_group_signal_reaches_the_group_of_the_leader_and_never_a_reused_pid";
    // The leader ends and leaves one of its group.
    let mut ends = [0; 2];
    // SAFETY: the call writes two `int`s.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    let leader = shell("sleep 100 & exit 0");
    // SAFETY: created above, and not used elsewhere.
    let mut reader = unsafe { <std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(ends[0]) };
    // SAFETY: as above; the two processes keep theirs.
    unsafe { libc::close(ends[1]) };
    let Some(pidfd) = pidfd(TEST, leader) else { return };
    assert_eq!(pidfd.send_signal_to_group(Process(1), Signal::TERM), Err(Errno::EINVAL));
    assert_eq!(pidfd.send_signal_to_group(Process(0), Signal::TERM), Err(Errno::EINVAL));
    while pidfd.peek().unwrap().is_none() {
        std::thread::yield_now();
    }
    // The unreaped leader: on every kernel.
    assert_eq!(pidfd.send_signal_to_group(leader, Signal::CONT), Ok(()));
    assert_eq!(pidfd.try_wait(), Ok(Some(ExitStatus::Exited(0))));
    match pidfd.send_signal_to_group(leader, Signal::KILL) {
        Ok(()) => {
            // The signal arrived: the pipe has no writer left.
            let mut text = String::new();
            std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
            while Current.send_signal(Target::Group(leader), Signal::CONT) != Err(Errno::ESRCH) {
                std::thread::yield_now();
            }
        }
        Err(Errno::ESRCH) => {
            // Linux before 6.9, where nothing reserves the pid.
            Current.send_signal(Target::Group(leader), Signal::KILL).unwrap();
        }
        Err(error) => panic!("{error}"),
    }
    assert_eq!(pidfd.send_signal_to_group(leader, Signal::KILL), Err(Errno::ESRCH));
}

#[test]
fn a_descriptor_of_another_process_is_duplicated() {
    const TEST: &str = "a_descriptor_of_another_process_is_duplicated";
    let child = spawn("sleep", &["100"]);
    let Some(pidfd) = pidfd(TEST, child) else { return };
    // SAFETY: nothing owns the standard input of `sleep`.
    match unsafe { pidfd.getfd(FileDescriptor(0)) } {
        Ok(copy) => assert!(copy.is_cloexec().unwrap()),
        Err(Errno::ENOSYS | Errno::EPERM) => cannot(TEST, "no pidfd_getfd, or not allowed"),
        Err(error) => panic!("{error}"),
    }
    pidfd.send_signal(Signal::KILL).unwrap();
    assert_eq!(pidfd.wait(), Ok(killed(Signal::KILL)));
    // SAFETY: as above; the process has ended.
    let of_none = unsafe { pidfd.getfd(FileDescriptor(0)) };
    assert!(matches!(of_none, Err(Errno::ESRCH | Errno::ENOSYS | Errno::EPERM)));
}

#[test]
fn the_same_calls_are_made_in_another_process() {
    let forked = remote::fork([]).unwrap();
    let task = &forked.task;
    let set = SignalSet::of(&[Signal::USR1]);
    let blocked = task.block_signals(set).unwrap();
    let signalfd = task.signalfd(set).unwrap();
    let refused = Error::Os(Errno::EAGAIN);
    assert_eq!(signalfd.read(), Err(refused));
    task.send_signal(Target::Process(forked.child.process()), Signal::USR1).unwrap();
    let info = signalfd.wait_timeout(Duration::from_secs(60)).unwrap().unwrap();
    assert_eq!((info.signal(), info.sender().unwrap().0), (Signal::USR1, forked.child.process()));
    assert_eq!(task.disposition(Signal::USR1), Ok(Disposition::Default));
    assert_eq!(task.try_wait(Children::Any, Changes::ENDED), Err(Error::Os(Errno::ECHILD)));
    if !Environment::is_emulated(Current) {
        let myself = task.pidfd_open(forked.child.process()).unwrap();
        assert_eq!(myself.peek(), Err(Error::Os(Errno::ECHILD)), "not its own child");
        myself.send_signal(Signal::USR1).unwrap();
        assert_eq!(signalfd.wait().unwrap().signal(), Signal::USR1);
        // A pidfd of one table has no meaning in another.
        let other = remote::fork([]).unwrap();
        let wrong = Children::PidFd(&myself);
        assert_eq!((&other.task).try_wait(wrong, Changes::ENDED), Err(Error::Os(Errno::EBADF)));
    }
    drop(blocked);
}

/// A small supervisor, for any task: what it does with a signal and with the end of a child.
fn supervise<T: SignalTask + SignalfdTask + WaitTask + PidfdTask + Copy>(
    task: T,
    service: Process,
) -> Result<Option<ExitStatus>, <T as rsyscall::task::FileDescriptorTask>::Error> {
    let _blocked = task.block_signals(SignalSet::ALL)?;
    let signals = task.signalfd(SignalSet::ALL)?;
    let pidfd = task.pidfd_open(service)?;
    loop {
        match signals.wait()?.signal() {
            Signal::CHLD => {
                let mut ended = None;
                // One SIGCHLD can stand for several children.
                while let Some(found) = task.try_wait(Children::Any, Changes::ENDED)? {
                    if let (true, Change::Ended(status)) = (found.process == service, found.change) {
                        ended = Some(status);
                    }
                }
                if ended.is_some() {
                    return Ok(ended);
                }
            }
            signal => pidfd.send_signal(signal)?,
        }
    }
}

#[test]
fn a_supervisor_is_tested_without_processes() {
    use rsyscall::fake::{Blocked, Kernel, Storage, Wake};
    let (service, orphans) = (Process(2), [Process(3), Process(4)]);
    let step = std::cell::Cell::new(0);
    let on_block = |kernel: &Kernel<'_>, blocked: Blocked| {
        assert!(matches!(blocked, Blocked::Poll { .. }));
        step.set(step.get() + 1);
        match step.get() {
            1 => kernel.raise(Signal::USR1, Some(Process(77))),
            // Two end, with one SIGCHLD.
            2 => orphans.iter().for_each(|orphan| kernel.end_child(*orphan, ExitStatus::Exited(0)).unwrap()),
            3 => kernel.end_child(service, killed(Signal::SEGV)).unwrap(),
            _ => return Wake::Nothing,
        }
        Wake::Retry
    };
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).with_on_block(&on_block).into_task();
    let kernel = task.sysif();
    [service, orphans[0], orphans[1]].iter().for_each(|child| kernel.add_child(*child, *child).unwrap());
    // Between the last orphan and the service one child is left: a wait without a change is no error.
    assert_eq!(supervise(&task, service), Err(Errno::ECHILD), "the service was the last child");
    let sent: Vec<_> =
        kernel.calls().map(|call| call.to_string()).filter(|call| call.contains("send_signal")).collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(kernel.descriptors().count(), 0);
}

#[test]
fn the_fake_has_signals_and_children_like_the_kernel() {
    use rsyscall::fake::{Kernel, Storage};
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let (task, kernel) = (&task, task.sysif());
    let child = Process(5);
    let all = Changes::ENDED | Changes::STOPPED | Changes::CONTINUED;
    let only = Children::Process(child);
    assert_eq!(task.try_wait(Children::Any, all), Err(Errno::ECHILD));
    kernel.add_child(child, child).unwrap();
    assert_eq!(kernel.add_child(child, child), Err(Errno::EEXIST));
    let change = |change| Ok(Some(Waited { process: child, change }));
    assert_eq!(task.try_wait(only, all), Ok(None));
    kernel.stop_child(child, Signal::TSTP).unwrap();
    assert_eq!(task.try_wait(only, Changes::ENDED), Ok(None));
    assert_eq!(task.try_wait(Children::Group(child), all | Changes::PEEK), change(Change::Stopped(Signal::TSTP)));
    assert_eq!(task.try_wait(only, all), change(Change::Stopped(Signal::TSTP)));
    kernel.continue_child(child).unwrap();
    assert_eq!(task.try_wait(only, all), change(Change::Continued));
    assert_eq!(task.waitid(only, all), Err(Errno::EDEADLK), "nothing will ever happen");
    assert_eq!(task.waitid(only, Changes::empty()), Err(Errno::EINVAL));

    let pidfd = task.pidfd_open(child).unwrap();
    assert_eq!(pidfd.peek(), Ok(None));
    kernel.end_child(child, ExitStatus::Killed { signal: Signal::ABRT, core_dumped: true }).unwrap();
    let status = ExitStatus::Killed { signal: Signal::ABRT, core_dumped: true };
    assert_eq!((pidfd.peek(), pidfd.peek()), (Ok(Some(status)), Ok(Some(status))));
    assert_eq!(pidfd.send_signal(Signal::TERM), Ok(()), "to a zombie");
    assert_eq!(pidfd.send_signal_to_group(child, Signal::TERM), Ok(()));
    assert_eq!(pidfd.wait(), Ok(status));
    assert_eq!(pidfd.peek(), Err(Errno::ECHILD));
    assert_eq!(pidfd.send_signal(Signal::TERM), Err(Errno::ESRCH));
    assert_eq!(pidfd.send_signal_to_group(child, Signal::TERM), Err(Errno::ESRCH));
    assert_eq!(task.pidfd_open(child).unwrap_err(), Errno::ESRCH);
    assert_eq!(task.pidfd_open(Process(0)).unwrap_err(), Errno::EINVAL);

    // Before 6.9 the group is signalled by its pid, as long as the leader is not reaped.
    let mut storage = Storage::<8>::new();
    let old = Kernel::new(&mut storage).with_version(5, 10).into_task();
    let (old, kernel) = (&old, old.sysif());
    let member = Process(6);
    kernel.add_child(child, child).unwrap();
    kernel.add_child(member, child).unwrap();
    let pidfd = old.pidfd_open(child).unwrap();
    assert_eq!(pidfd.send_signal_to_group(child, Signal::TERM), Ok(()));
    assert!(kernel.calls().any(|call| call.to_string().starts_with("kill(")));
    kernel.end_child(child, ExitStatus::Exited(0)).unwrap();
    assert_eq!(pidfd.send_signal_to_group(child, Signal::TERM), Ok(()), "a zombie holds it");
    assert_eq!(pidfd.try_wait(), Ok(Some(ExitStatus::Exited(0))));
    kernel.forget_calls();
    assert_eq!(pidfd.send_signal_to_group(child, Signal::TERM), Err(Errno::ESRCH), "although one is left");
    assert!(!kernel.calls().any(|call| call.to_string().starts_with("kill(")));

    // Unblocked signals are dropped, blocked ones coalesce; an ignored SIGCHLD leaves no zombie.
    kernel.raise(Signal::HUP, None);
    let blocked = old.block_signals(SignalSet::ALL).unwrap();
    let signals = old.signalfd(SignalSet::of(&[Signal::HUP, Signal::CHLD])).unwrap();
    assert_eq!(signals.read(), Err(Errno::EAGAIN));
    kernel.raise(Signal::HUP, None);
    kernel.raise(Signal::HUP, Some(member));
    let info = signals.read().unwrap();
    assert_eq!((info.signal(), info.sender()), (Signal::HUP, None));
    assert_eq!(signals.try_read(), Ok(None));
    kernel.raise(Signal::HUP, None);
    drop(blocked);
    assert_eq!(signals.try_read(), Ok(None));
    assert_eq!(old.disposition(Signal::CHLD), Ok(Disposition::Default));
    old.set_disposition(Signal::CHLD, Preset::Ignore).unwrap();
    assert_eq!(old.disposition(Signal::CHLD), Ok(Disposition::Ignore));
    assert_eq!(old.set_disposition(Signal::KILL, Preset::Ignore), Err(Errno::EINVAL));
    kernel.end_child(member, ExitStatus::Exited(0)).unwrap();
    assert_eq!(old.try_wait(Children::Any, Changes::ENDED), Err(Errno::ECHILD));
}

//! `sys::poll` against the kernel of this machine.

mod signals;

use rsyscall::deadline::Deadline;
use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::near::Process;
use rsyscall::sys::epoll::{Epoll, EpollEvents, EpollTask};
use rsyscall::sys::poll::{PollEvents, PollFd, PollSet, SignalSet};
use rsyscall::sysif::{Arg, Local, SyscallInterface};
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask, Task, nr};
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

fn eventfd(initval: u32) -> EventFd {
    EventFd::new(initval, EventfdFlags::empty()).unwrap()
}

#[test]
fn each_entry_has_the_events_of_its_own_descriptor() {
    let (empty, full, middle) = (eventfd(0), eventfd(0), eventfd(7));
    full.write(u64::MAX - 1).unwrap();
    let mut memory = [PollFd::UNUSED; 3];
    let mut set = PollSet::new(Current, &mut memory);
    for fd in [&empty, &full, &middle] {
        set.add(fd, PollEvents::IN | PollEvents::OUT).unwrap();
    }
    assert_eq!(set.wait(), Ok(3));
    assert_eq!(set.revents(0), PollEvents::OUT);
    assert_eq!(set.revents(1), PollEvents::IN);
    assert_eq!(set.revents(2), PollEvents::IN | PollEvents::OUT);
    assert_eq!(set.revents(3), PollEvents::empty());
}

#[test]
fn the_requested_events_can_be_changed_and_only_those_are_reported() {
    let bell = eventfd(1);
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(Current, &mut memory);
    let place = set.add(&bell, PollEvents::IN).unwrap();
    assert_eq!(set.wait(), Ok(1));
    set.modify(place, PollEvents::empty());
    assert_eq!(set.wait_timeout(Duration::ZERO), Ok(0));
    assert_eq!(set.revents(place), PollEvents::empty());
    set.modify(place, PollEvents::OUT);
    assert_eq!(set.wait(), Ok(1));
    assert_eq!(set.revents(place), PollEvents::OUT);
}

#[test]
fn only_added_entries_are_polled_whatever_the_memory_contained() {
    let (bell, other) = (eventfd(0), eventfd(1));
    let mut memory = [PollFd { fd: other.near(), events: PollFd::IN, revents: PollFd::IN }; 4];
    let mut set = PollSet::new(Current, &mut memory);
    let place = set.add(&bell, PollEvents::IN).unwrap();
    assert_eq!(set.revents(place), PollEvents::empty());
    assert_eq!(set.revents(place + 1), PollEvents::empty());
    assert_eq!(set.wait_timeout(Duration::ZERO), Ok(0));
}

#[test]
fn a_full_memory_fails_with_enospc_and_changes_nothing() {
    let bell = eventfd(1);
    let mut memory = [PollFd::UNUSED; 2];
    let mut set = PollSet::new(Current, &mut memory);
    assert!(set.is_empty());
    assert_eq!(set.add(&bell, PollEvents::IN), Ok(0));
    assert!(!set.is_empty());
    assert_eq!(set.add(&bell, PollEvents::IN), Ok(1));
    assert_eq!(set.add(&bell, PollEvents::IN), Err(Errno::ENOSPC));
    assert_eq!(set.len(), 2);
    assert_eq!(set.wait(), Ok(2));
}

#[test]
fn a_descriptor_of_another_table_fails_with_ebadf() {
    let task = |table| {
        // SAFETY: this process; nothing of another owner is used through the wrong table.
        unsafe { Task::new(Local, Process(0), table, AddressSpace::CURRENT, PidNamespace::CURRENT) }
    };
    let (own, other) = (task(FdTable::CURRENT), task(FdTable::new()));
    let (bell, theirs) = (own.eventfd(1, EventfdFlags::empty()), other.eventfd(1, EventfdFlags::empty()));
    let (bell, theirs) = (bell.unwrap(), theirs.unwrap());
    let mut memory = [PollFd::UNUSED; 2];
    let mut set = PollSet::new(&own, &mut memory);
    assert_eq!(set.add(&theirs, PollEvents::IN), Err(Errno::EBADF));
    assert_eq!(set.add(&bell, PollEvents::IN), Ok(0));
    assert_eq!(set.wait(), Ok(1));
}

#[test]
fn an_epoll_is_readable_while_it_has_something_to_report() {
    let bell = eventfd(0);
    let epoll = Epoll::new().unwrap();
    epoll.add(&bell, EpollEvents::IN, 0).unwrap();
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(Current, &mut memory);
    set.add(&epoll, PollEvents::IN).unwrap();
    assert_eq!(set.wait_timeout(Duration::ZERO), Ok(0));
    bell.write(1).unwrap();
    assert_eq!(set.wait(), Ok(1));
}

#[test]
fn a_single_call_fails_with_eintr_even_with_sa_restart() {
    for flags in [0, libc::SA_RESTART] {
        signals::handle(libc::SIGUSR1, flags);
        let bell = eventfd(0);
        let mut memory = [PollFd::UNUSED; 1];
        let mut set = PollSet::new(Current, &mut memory);
        set.add(&bell, PollEvents::IN).unwrap();
        assert_eq!(signals::under_fire(libc::SIGUSR1, || set.ppoll(None, None)), Err(Errno::EINTR));
    }
}

#[test]
fn a_wait_outlasts_any_number_of_signal_handlers() {
    signals::handle(libc::SIGUSR1, 0);
    let bell = eventfd(0);
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(Current, &mut memory);
    let place = set.add(&bell, PollEvents::IN).unwrap();
    let before = signals::runs();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while signals::runs() < before + 20 {
                std::thread::yield_now();
            }
            bell.write(1).unwrap();
        });
        assert_eq!(signals::under_fire(libc::SIGUSR1, || set.wait()), Ok(1));
    });
    assert_eq!(set.revents(place), PollEvents::IN);
}

#[test]
fn a_timeout_is_kept_across_signal_handlers() {
    signals::handle(libc::SIGUSR1, 0);
    let bell = eventfd(0);
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(Current, &mut memory);
    set.add(&bell, PollEvents::IN).unwrap();
    let (time, before, start) = (Duration::from_millis(30), signals::runs(), Instant::now());
    assert_eq!(signals::under_fire(libc::SIGUSR1, || set.wait_timeout(time)), Ok(0));
    assert!(start.elapsed() >= time, "early: {:?}", start.elapsed());
    assert!(signals::runs() > before, "no signal came");
}

#[test]
fn the_mask_unblocks_or_blocks_a_pending_signal() {
    signals::handle(libc::SIGUSR2, 0);
    signals::mask(libc::SIG_BLOCK, libc::SIGUSR2);
    signals::raise(libc::SIGUSR2);
    let mut set = PollSet::new(Current, &mut []);
    // Blocked by the thread's own mask, and by an explicit one: the timeout expires.
    assert_eq!(set.ppoll(Some(Duration::from_millis(1)), None), Ok(0));
    assert_eq!(set.ppoll(Some(Duration::from_millis(1)), Some(SignalSet::ALL)), Ok(0));
    // A mask that blocks only another signal unblocks this one, although it was sent before the call.
    let others = SignalSet::EMPTY.with(libc::SIGTERM as u32);
    assert_eq!(set.ppoll(None, Some(others)), Err(Errno::EINTR));
    signals::mask(libc::SIG_UNBLOCK, libc::SIGUSR2);
}

#[test]
fn more_entries_than_rlimit_nofile_fail_with_einval() {
    let bell = eventfd(0);
    // SAFETY: all zero is a valid limit, which the call then fills.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur as usize
    };
    if limit > 1 << 22 {
        return println!("SKIPPED: more_entries_than_rlimit_nofile_fail_with_einval: the limit is {limit}");
    }
    let mut memory = vec![PollFd::UNUSED; limit + 1];
    let mut set = PollSet::new(Current, &mut memory);
    for _ in 0..=limit {
        set.add(&bell, PollEvents::IN).unwrap();
    }
    assert_eq!(set.wait_timeout(Duration::ZERO), Err(Errno::EINVAL));
}

/// This process, counting how often the clock was read.
struct Clocked(Cell<usize>);

// SAFETY: every call is made, unchanged, by `Local`.
unsafe impl SyscallInterface for Clocked {
    type Error = Errno;
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
        self.0.set(self.0.get() + usize::from(nr == nr::CLOCK_GETTIME));
        // SAFETY: passed on unchanged.
        unsafe { Local.syscall(nr, args) }
    }
}

#[test]
fn a_wait_whose_timeout_expires_reads_the_clock_once_and_not_at_all_for_zero() {
    let (process, table) = (Process(std::process::id() as i32), FdTable::CURRENT);
    let interface = Clocked(Cell::new(0));
    // SAFETY: it is this process, and these are its tables.
    let task = unsafe { Task::new(interface, process, table, AddressSpace::CURRENT, PidNamespace::CURRENT) };
    let reads = || task.sysif().0.take();
    let bell = task.eventfd(0, EventfdFlags::empty()).unwrap();
    let epoll = task.epoll().unwrap();
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(&task, &mut memory);
    set.add(&bell, PollEvents::IN).unwrap();
    let mut room = [MaybeUninit::uninit(); 1];
    for (timeout, expected) in [(Duration::from_millis(3), 1), (Duration::ZERO, 0)] {
        assert_eq!((bell.wait_timeout(timeout), reads()), (Ok(None), expected), "EventFd, {timeout:?}");
        assert_eq!((set.wait_timeout(timeout), reads()), (Ok(0), expected), "PollSet, {timeout:?}");
        assert_eq!(epoll.wait_timeout(&mut room, timeout), Ok(&[][..]));
        assert_eq!(reads(), expected, "Epoll, {timeout:?}");
    }
}

#[test]
fn several_waits_with_one_deadline_end_together_and_none_is_early() {
    let bell = eventfd(0);
    let epoll = Epoll::new().unwrap();
    let notifier = rsyscall::Notifier::new().unwrap();
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(Current, &mut memory);
    let place = set.add(&bell, PollEvents::IN).unwrap();
    let mut room = [MaybeUninit::uninit(); 1];
    let deadline = Deadline::after(&Local, Duration::from_millis(20)).unwrap();
    assert_eq!(bell.wait_until(deadline), Ok(None));
    assert_eq!(deadline.remaining(&Local), Ok(None), "early");
    let start = Instant::now();
    assert_eq!(epoll.wait_until(&mut room, deadline), Ok(&[][..]));
    assert_eq!(set.wait_until(deadline), Ok(0));
    assert_eq!(notifier.wait_until(deadline), Ok(false));
    // A ready descriptor is reported, even after the deadline.
    bell.write(1).unwrap();
    notifier.notify().unwrap();
    assert_eq!((set.wait_until(Deadline::PAST), set.revents(place)), (Ok(1), PollEvents::IN));
    assert_eq!(bell.wait_until(deadline), Ok(Some(1)));
    assert_eq!(notifier.wait_until(deadline), Ok(true));
    assert!(start.elapsed() < Duration::from_secs(10));

    let deadline = Deadline::after(&Local, Duration::from_millis(20)).unwrap();
    assert_eq!(epoll.wait_until(&mut room, deadline), Ok(&[][..]));
    assert_eq!(deadline.remaining(&Local), Ok(None), "early");
    assert!(deadline > Deadline::PAST && deadline == Deadline::at(deadline.time()));
}

/// Lets this call fail with `EPERM` in this thread from now on.
fn refuse(call: usize) {
    refuse_with(call, libc::EPERM);
}

/// From now on this call fails with this error in this thread.
fn refuse_with(call: usize, errno: i32) {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let rules = [(call as i64, vec![])].into();
    let (allow, refuse) = (SeccompAction::Allow, SeccompAction::Errno(errno as u32));
    let filter = SeccompFilter::new(rules, allow, refuse, std::env::consts::ARCH.try_into().unwrap()).unwrap();
    seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
}

/// Whether filters have no effect here; prints the reason.
fn emulated(test: &str) -> bool {
    let emulated = rsyscall_suite::Environment::is_emulated(Current);
    if emulated {
        rsyscall_tests::skip(test, "seccomp filters and RLIMIT_NOFILE have no effect under emulation");
    }
    emulated
}

/// Each way to test an eventfd or to wait for it, with a count and without.
fn each_wait_works() {
    for flags in [EventfdFlags::empty(), EventfdFlags::NONBLOCK] {
        let bell = EventFd::new(2, flags).unwrap();
        assert_eq!(bell.try_read(), Ok(Some(2)));
        assert_eq!(bell.try_read(), Ok(None));
        let start = Instant::now();
        assert_eq!(bell.wait_timeout(Duration::from_millis(3)), Ok(None));
        assert!(start.elapsed() >= Duration::from_millis(3));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(5));
                bell.write(3).unwrap();
            });
            assert_eq!(bell.wait_timeout(Duration::from_secs(3600)), Ok(Some(3)));
        });
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(5));
                bell.write(4).unwrap();
            });
            assert_eq!(bell.wait(), Ok(4));
        });
    }
}

#[test]
fn each_wait_works_if_a_policy_refuses_preadv2_or_ppoll() {
    if emulated("each_wait_works_if_a_policy_refuses_preadv2_or_ppoll") {
        return;
    }
    for refused in [&[nr::PREADV2][..], &[nr::PPOLL], &[nr::PREADV2, nr::PPOLL]] {
        std::thread::spawn(|| {
            refused.iter().copied().for_each(refuse);
            each_wait_works();
        })
        .join()
        .unwrap();
    }
    // Such a policy applies to a thread, and is no property of the kernel.
    assert!(Local.features().is_some_and(|features| !features.lacks_nowait()));
}

#[test]
fn the_first_error_is_returned_if_a_policy_refuses_both_ways_to_wait() {
    if emulated("the_first_error_is_returned_if_a_policy_refuses_both_ways_to_wait") {
        return;
    }
    std::thread::spawn(|| {
        [nr::PPOLL, nr::PSELECT6].into_iter().for_each(refuse);
        let bell = EventFd::new(0, EventfdFlags::NONBLOCK).unwrap();
        assert_eq!(bell.wait_timeout(Duration::from_millis(1)), Err(Errno::EPERM));
        assert_eq!(bell.wait(), Err(Errno::EPERM));
        assert_eq!(bell.try_read(), Ok(None));
    })
    .join()
    .unwrap();
}

#[test]
fn a_descriptor_that_is_no_eventfd_does_not_change_the_cached_features() {
    let lacks = || Local.features().unwrap().lacks_nowait();
    assert_eq!(eventfd(0).try_read(), Ok(None));
    let before = lacks();
    // SAFETY: creates a file descriptor, which has this one owner. It has no nonblocking read.
    let other = unsafe { EventFd::from_raw_fd(libc::inotify_init1(libc::IN_CLOEXEC)) };
    for _ in 0..2 {
        assert_eq!(other.try_read(), Ok(None));
        assert_eq!(other.wait_timeout(Duration::from_millis(1)), Ok(None));
    }
    assert_eq!(lacks(), before);
    assert_eq!(eventfd(3).try_read(), Ok(Some(3)));
}

#[test]
fn each_wait_works_after_rlimit_nofile_was_set_to_zero() {
    if emulated("each_wait_works_after_rlimit_nofile_was_set_to_zero") {
        return;
    }
    let bells = [EventfdFlags::empty(), EventfdFlags::NONBLOCK].map(|flags| EventFd::new(0, flags).unwrap());
    let signals = rsyscall::sys::signalfd::SignalFd::new(SignalSet::EMPTY).unwrap();
    // SAFETY: the child makes system calls and nothing else, and ends.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the limit is valid memory.
        let mut right = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } == 0;
        for bell in &bells {
            right &= bell.wait_timeout(Duration::from_millis(2)) == Ok(None);
            right &= bell.write(1).is_ok() && bell.wait_timeout(Duration::from_secs(3600)) == Ok(Some(1));
            right &= bell.write(2).is_ok() && bell.wait() == Ok(2);
            right &= bell.try_read() == Ok(None);
        }
        right &= signals.wait_timeout(Duration::from_millis(2)) == Ok(None);
        // SAFETY: ends the child without running code of the test program.
        unsafe { libc::_exit(if right { 0 } else { 1 }) }
    }
    let mut status = 0;
    // SAFETY: the status is valid memory.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
}

#[test]
fn each_wait_works_with_any_error_of_a_policy_for_preadv2_or_ppoll() {
    if emulated("each_wait_works_with_any_error_of_a_policy_for_preadv2_or_ppoll") {
        return;
    }
    // Not `ENOSYS`, which the whole process would cache.
    for errno in [libc::EACCES, libc::EINVAL, libc::EBADF, libc::ENOMEM, libc::ENOTSUP, libc::EUSERS] {
        for refused in [&[nr::PREADV2][..], &[nr::PPOLL], &[nr::PREADV2, nr::PPOLL]] {
            std::thread::spawn(move || {
                refused.iter().for_each(|call| refuse_with(*call, errno));
                each_wait_works();
            })
            .join()
            .unwrap_or_else(|_| panic!("{errno} for {refused:?}"));
        }
    }
    assert!(Local.features().is_some_and(|features| !features.lacks_nowait()));
}

#[test]
fn a_policy_with_einval_for_preadv2_that_forbids_further_eventfds_breaks_none_that_is_there() {
    if emulated("a_policy_with_einval_for_preadv2_that_forbids_further_eventfds_breaks_none_that_is_there") {
        return;
    }
    std::thread::spawn(|| {
        let bell = eventfd(5);
        refuse_with(nr::PREADV2, libc::EINVAL);
        refuse(nr::EVENTFD2);
        assert_eq!((bell.try_read(), bell.try_read()), (Ok(Some(5)), Ok(None)));
        assert_eq!(bell.wait_timeout(Duration::from_millis(2)), Ok(None));
    })
    .join()
    .unwrap();
}

/// A descriptor of another kind, taken for an eventfd.
fn other_kind(number: i32) -> EventFd {
    assert!(number >= 0);
    // SAFETY: just made, and given to this one owner.
    unsafe { EventFd::from_raw_fd(number) }
}

#[test]
fn try_read_of_an_unreadable_descriptor_fails_and_does_not_return_none() {
    if rsyscall_tests::emulated() {
        let reason = "without preadv2 ppoll decides, for which such a descriptor has nothing to read";
        return rsyscall_tests::cannot("try_read of an unreadable descriptor", reason);
    }
    let mut ends = [0; 2];
    // SAFETY: the call writes two numbers.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    let [_reader, writer] = ends.map(other_kind);
    let epoll = EventFd::from(Epoll::new().unwrap().into_owned_fd());
    // SAFETY: the path ends with a zero.
    let folder = other_kind(unsafe { libc::open(c"/".as_ptr(), libc::O_CLOEXEC) });
    for (fd, errno) in [(&writer, Errno::EBADF), (&epoll, Errno::EINVAL), (&folder, Errno::EISDIR)] {
        assert_eq!(fd.try_read(), Err(errno));
        assert_eq!(fd.wait_timeout(Duration::from_secs(3600)), Err(errno));
    }
}

#[test]
fn no_other_kind_of_descriptor_changes_the_cached_features_here_or_in_a_child() {
    let before = Local.features().unwrap().lacks_nowait();
    // SAFETY: each call makes a descriptor, or reads a path that ends with a zero.
    let numbers = unsafe {
        [
            libc::inotify_init1(libc::IN_CLOEXEC),
            libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC),
            libc::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0),
            libc::open(c"/proc/self/status".as_ptr(), libc::O_CLOEXEC),
            libc::open(c"/dev/null".as_ptr(), libc::O_CLOEXEC),
            libc::memfd_create(c"memory".as_ptr(), libc::MFD_CLOEXEC),
            libc::open(c"/sys/kernel/notes".as_ptr(), libc::O_CLOEXEC),
        ]
    };
    let kinds: Vec<_> = numbers.into_iter().filter(|number| *number >= 0).map(other_kind).collect();
    for kind in &kinds {
        let forked = rsyscall::remote::fork([kind.as_owned_fd()]).unwrap();
        let [token] = forked.inherited;
        let there = EventFd::from(token.attach(&forked.task).unwrap());
        for _ in 0..2 {
            let _whatever = (there.try_read(), kind.try_read());
        }
        assert_eq!(forked.task.sysif().features().unwrap().lacks_nowait(), before);
        let bell = forked.task.eventfd(3, EventfdFlags::empty()).unwrap();
        assert_eq!(bell.try_read(), Ok(Some(3)));
    }
    assert_eq!(Local.features().unwrap().lacks_nowait(), before);
}

#[test]
#[expect(clippy::zombie_processes, reason = "the pidfd reaps it")]
fn children_and_signals_are_waited_for_where_ppoll_is_refused() {
    use rsyscall::sys::pidfd::PidfdTask;
    use rsyscall::sys::signal::{Signal, SignalTask};
    use rsyscall::sys::wait::ExitStatus;
    if emulated("children_and_signals_are_waited_for_where_ppoll_is_refused") {
        return;
    }
    let wait = |both| {
        std::thread::spawn(move || {
            let _blocked = Current.block_signals(SignalSet::ALL).unwrap();
            let signals = rsyscall::sys::signalfd::SignalFd::new(SignalSet::EMPTY.with(Signal::USR1.raw())).unwrap();
            let mut child = std::process::Command::new("sleep").arg("0.4").spawn().unwrap();
            let pidfd = Current.pidfd_open(Process(child.id() as i32)).unwrap();
            let mut forked = rsyscall::remote::fork([]).unwrap();
            forked.child.pidfd().unwrap().set_nonblocking(true).unwrap();
            refuse_with(nr::PPOLL, libc::EACCES);
            if both {
                refuse(nr::PSELECT6);
                let error = Errno::EACCES;
                assert_eq!(forked.child.wait(), Err(error));
                assert_eq!(pidfd.wait(), Err(error));
                assert_eq!(signals.wait_timeout(Duration::from_millis(1)), Err(error));
                child.wait().unwrap();
                return;
            }
            assert_eq!(signals.wait_timeout(Duration::from_millis(2)), Ok(None));
            assert_eq!(pidfd.wait_timeout(Duration::from_millis(2)), Ok(None));
            signals::raise(libc::SIGUSR1);
            assert_eq!(signals.wait().unwrap().signal(), Signal::USR1);
            assert_eq!(pidfd.wait(), Ok(ExitStatus::Exited(0)));
            let (task, begun) = (forked.task, Instant::now());
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    std::thread::sleep(Duration::from_millis(20));
                    drop(task);
                });
                assert_eq!(forked.child.wait(), Ok(ExitStatus::Exited(0)));
                assert!(begun.elapsed() >= Duration::from_millis(20));
            });
        })
        .join()
        .unwrap();
    };
    wait(false);
    wait(true);
}

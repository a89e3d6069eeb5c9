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
fn each_place_says_what_was_found_of_its_own_descriptor() {
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
fn what_is_asked_can_be_changed_and_only_that_is_reported() {
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
fn only_what_was_added_is_polled_whatever_the_memory_held() {
    let (bell, other) = (eventfd(0), eventfd(1));
    let mut memory = [PollFd { fd: other.near(), events: PollFd::IN, revents: PollFd::IN }; 4];
    let mut set = PollSet::new(Current, &mut memory);
    let place = set.add(&bell, PollEvents::IN).unwrap();
    assert_eq!(set.revents(place), PollEvents::empty());
    assert_eq!(set.revents(place + 1), PollEvents::empty());
    assert_eq!(set.wait_timeout(Duration::ZERO), Ok(0));
}

#[test]
fn a_full_memory_is_enospc_and_changes_nothing() {
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
fn a_descriptor_of_another_table_is_ebadf() {
    let task = |table| {
        // SAFETY: it is this process; of the wrong table nothing is used that could be someone else's.
        unsafe { Task::new(Local, Process(0), table, AddressSpace::CURRENT, PidNamespace::CURRENT) }
    };
    let (ours, other) = (task(FdTable::CURRENT), task(FdTable::new()));
    let (bell, theirs) = (ours.eventfd(1, EventfdFlags::empty()), other.eventfd(1, EventfdFlags::empty()));
    let (bell, theirs) = (bell.unwrap(), theirs.unwrap());
    let mut memory = [PollFd::UNUSED; 2];
    let mut set = PollSet::new(&ours, &mut memory);
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
fn one_call_surfaces_eintr_even_with_sa_restart() {
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
fn the_mask_lets_a_pending_signal_in_or_keeps_it_out() {
    signals::handle(libc::SIGUSR2, 0);
    signals::mask(libc::SIG_BLOCK, libc::SIGUSR2);
    signals::raise(libc::SIGUSR2);
    let mut set = PollSet::new(Current, &mut []);
    // Blocked by the thread's own mask, and by an explicit one: the time runs out.
    assert_eq!(set.ppoll(Some(Duration::from_millis(1)), None), Ok(0));
    assert_eq!(set.ppoll(Some(Duration::from_millis(1)), Some(SignalSet::ALL)), Ok(0));
    // One that blocks only another signal lets it in, although it came before the call.
    let others = SignalSet::EMPTY.with(libc::SIGTERM as u32);
    assert_eq!(set.ppoll(None, Some(others)), Err(Errno::EINTR));
    signals::mask(libc::SIG_UNBLOCK, libc::SIGUSR2);
}

#[test]
fn more_entries_than_descriptors_allowed_is_einval() {
    let bell = eventfd(0);
    // SAFETY: all zero is a valid limit, which the call then fills.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur as usize
    };
    if limit > 1 << 22 {
        return println!("SKIPPED: more_entries_than_descriptors_allowed_is_einval: the limit is {limit}");
    }
    let mut memory = vec![PollFd::UNUSED; limit + 1];
    let mut set = PollSet::new(Current, &mut memory);
    for _ in 0..=limit {
        set.add(&bell, PollEvents::IN).unwrap();
    }
    assert_eq!(set.wait_timeout(Duration::ZERO), Err(Errno::EINVAL));
}

/// This process, with an account of how often the clock was read.
struct Clocked(Cell<usize>);

// SAFETY: every call is made, unchanged, by `Local`.
unsafe impl SyscallInterface for Clocked {
    type Error = Errno;
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
        self.0.set(self.0.get() + usize::from(nr == nr::CLOCK_GETTIME));
        // SAFETY: as it came.
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
fn several_waits_until_one_moment_end_together_and_none_is_early() {
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
    // What is ready is found, however late it is.
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

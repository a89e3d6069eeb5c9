//! `sys::epoll` against the kernel of this machine.

mod signals;
mod watching;

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::near::Process;
use rsyscall::sys::epoll::{Epoll, EpollEvent, EpollEvents, EpollTask, SignalSet};
use rsyscall::sysif::Local;
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask, Task};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

const ROOM: [MaybeUninit<EpollEvent>; 8] = [const { MaybeUninit::uninit() }; 8];

fn eventfd(initval: u32) -> EventFd {
    EventFd::new(initval, EventfdFlags::empty()).unwrap()
}

/// The events that are ready now: bits and events, in order of the bits.
fn now(epoll: &Epoll) -> Vec<(u64, EpollEvents)> {
    let mut room = ROOM;
    let events = epoll.wait_timeout(&mut room, Duration::ZERO).unwrap();
    let mut events: Vec<_> = events.iter().map(|event| (event.data(), event.events())).collect();
    events.sort_by_key(|&(data, _)| data);
    events
}

#[test]
fn every_event_carries_the_64_bits_of_its_own_descriptor() {
    let bits = [0, 1, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX];
    let fds: Vec<_> = bits.iter().map(|_| eventfd(1)).collect();
    let epoll = Epoll::new().unwrap();
    for (fd, bits) in fds.iter().zip(bits) {
        epoll.add(fd, EpollEvents::IN, bits).unwrap();
    }
    assert_eq!(now(&epoll), bits.map(|bits| (bits, EpollEvents::IN)));
}

#[test]
fn events_that_do_not_fit_into_the_memory_are_reported_by_the_next_wait() {
    let fds: Vec<_> = (0..5).map(|_| eventfd(1)).collect();
    let epoll = Epoll::new().unwrap();
    for (bits, fd) in (0..).zip(&fds) {
        epoll.add(fd, EpollEvents::IN | EpollEvents::ET, bits).unwrap();
    }
    let mut room = [const { MaybeUninit::uninit() }; 2];
    let mut seen = Vec::new();
    for expected in [2, 2, 1, 0] {
        let events = epoll.wait_timeout(&mut room, Duration::ZERO).unwrap();
        assert_eq!(events.len(), expected);
        seen.extend(events.iter().map(|event| event.data()));
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[test]
fn level_triggered_repeats_for_as_long_as_the_count_is_above_zero() {
    let (bell, epoll) = (eventfd(1), Epoll::new().unwrap());
    epoll.add(&bell, EpollEvents::IN, 5).unwrap();
    for _ in 0..3 {
        assert_eq!(now(&epoll), [(5, EpollEvents::IN)]);
    }
    bell.read().unwrap();
    assert_eq!(now(&epoll), []);
}

#[test]
fn edge_triggered_reports_every_write_and_nothing_else() {
    let (bell, epoll) = (EventFd::new(0, EventfdFlags::NONBLOCK).unwrap(), Epoll::new().unwrap());
    let edge = EpollEvents::IN | EpollEvents::ET;
    epoll.add(&bell, edge, 0).unwrap();
    assert_eq!(now(&epoll), []);
    for _ in 0..2 {
        bell.write(1).unwrap();
        assert_eq!(now(&epoll).len(), 1, "a write, even when nothing was taken since the last");
        assert_eq!(now(&epoll), []);
    }
    epoll.modify(&bell, edge, 0).unwrap();
    assert_eq!(now(&epoll).len(), 1, "modified while readable");
    bell.read().unwrap();
    assert_eq!(bell.read(), Err(Errno::EAGAIN));
    assert_eq!(now(&epoll), [], "neither a read nor a failed read is an edge for IN");
    epoll.modify(&bell, edge | EpollEvents::OUT, 0).unwrap();
    assert_eq!(now(&epoll), [(0, EpollEvents::OUT)]);
    bell.write(1).unwrap();
    assert_eq!(now(&epoll), [(0, EpollEvents::IN | EpollEvents::OUT)]);
    bell.read().unwrap();
    assert_eq!(now(&epoll), [(0, EpollEvents::OUT)], "a read is an edge for OUT");
}

#[test]
fn oneshot_reports_once_until_it_is_modified() {
    let (bell, epoll) = (eventfd(1), Epoll::new().unwrap());
    let once = EpollEvents::IN | EpollEvents::ONESHOT;
    epoll.add(&bell, once, 1).unwrap();
    assert_eq!(now(&epoll), [(1, EpollEvents::IN)]);
    bell.write(1).unwrap();
    assert_eq!(now(&epoll), []);
    epoll.modify(&bell, once, 2).unwrap();
    assert_eq!(now(&epoll), [(2, EpollEvents::IN)]);
    assert_eq!(now(&epoll), []);
}

#[test]
fn exclusive_is_accepted_when_adding_and_refused_when_modifying() {
    let (bell, epoll) = (eventfd(1), Epoll::new().unwrap());
    let exclusive = EpollEvents::IN | EpollEvents::EXCLUSIVE;
    epoll.add(&bell, exclusive, 3).unwrap();
    assert_eq!(now(&epoll), [(3, EpollEvents::IN)]);
    assert_eq!(epoll.modify(&bell, EpollEvents::IN, 3), Err(Errno::EINVAL));
    epoll.delete(&bell).unwrap();
    assert_eq!(epoll.add(&bell, exclusive | EpollEvents::ONESHOT, 3), Err(Errno::EINVAL));
    epoll.add(&bell, EpollEvents::IN, 3).unwrap();
    assert_eq!(epoll.modify(&bell, exclusive, 3), Err(Errno::EINVAL));
}

#[test]
fn exclusive_with_several_waiters_wakes_at_least_one_and_loses_nothing() {
    let bell = eventfd(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let epoll = Epoll::new().unwrap();
                epoll.add(&bell, EpollEvents::IN | EpollEvents::EXCLUSIVE, 0).unwrap();
                let mut room = ROOM;
                assert_eq!(epoll.wait(&mut room).unwrap().len(), 1);
                // Left readable, so that the others wake too.
                bell.write(1).unwrap();
            });
        }
        bell.write(1).unwrap();
    });
}

#[test]
fn a_descriptor_is_added_once_and_only_then_can_be_modified() {
    let (bell, epoll) = (eventfd(0), Epoll::new().unwrap());
    assert_eq!(epoll.modify(&bell, EpollEvents::IN, 0), Err(Errno::ENOENT));
    assert_eq!(epoll.delete(&bell), Err(Errno::ENOENT));
    epoll.add(&bell, EpollEvents::IN, 0).unwrap();
    assert_eq!(epoll.add(&bell, EpollEvents::IN, 0), Err(Errno::EEXIST));
    epoll.delete(&bell).unwrap();
    bell.write(1).unwrap();
    assert_eq!(now(&epoll), []);
    assert_eq!(epoll.add(&epoll, EpollEvents::IN, 0), Err(Errno::EINVAL));
    let other = Epoll::new().unwrap();
    epoll.add(&other, EpollEvents::IN, 0).unwrap();
    assert_eq!(other.add(&epoll, EpollEvents::IN, 0), Err(Errno::ELOOP));
}

#[test]
fn a_wait_without_memory_fails_with_einval_and_with_very_much_succeeds() {
    let (bell, epoll) = (eventfd(1), Epoll::new().unwrap());
    epoll.add(&bell, EpollEvents::IN, 0).unwrap();
    assert_eq!(epoll.wait(&mut []), Err(Errno::EINVAL));
    let mut many = vec![MaybeUninit::uninit(); 100_000];
    assert_eq!(epoll.wait(&mut many).unwrap().len(), 1);
}

#[test]
fn a_descriptor_of_another_table_fails_with_ebadf() {
    let task = |table| {
        // SAFETY: this process; nothing of another owner is used through the wrong table.
        unsafe { Task::new(Local, Process(0), table, AddressSpace::CURRENT, PidNamespace::CURRENT) }
    };
    let (own, other) = (task(FdTable::CURRENT), task(FdTable::new()));
    let epoll = own.epoll().unwrap();
    let bell = own.eventfd(0, EventfdFlags::empty()).unwrap();
    let theirs = other.eventfd(0, EventfdFlags::empty()).unwrap();
    assert_eq!(epoll.add(&theirs, EpollEvents::IN, 0), Err(Errno::EBADF));
    assert_eq!(epoll.modify(&theirs, EpollEvents::IN, 0), Err(Errno::EBADF));
    assert_eq!(epoll.delete(&theirs), Err(Errno::EBADF));
    epoll.add(&bell, EpollEvents::IN, 0).unwrap();
}

#[test]
fn every_kind_of_descriptor_of_the_crate_can_be_waited_for_and_a_connection_too() {
    watching::all();
}

#[test]
fn an_epoll_is_the_same_after_into_raw_fd_and_adoption() {
    let (epoll, bell) = (Epoll::new().unwrap(), eventfd(1));
    epoll.add(&bell, EpollEvents::IN, 5).unwrap();
    let fd = epoll.as_raw_fd();
    // SAFETY: ownership is given up in the same expression.
    let epoll = unsafe { Epoll::from_raw_fd(epoll.into_raw_fd()) };
    assert_eq!((now(&epoll), epoll.as_raw_fd()), (vec![(5, EpollEvents::IN)], fd));
    let owned = rsyscall::fd::OwnedFd::from(epoll);
    // SAFETY: ownership is given up in the same expression.
    let epoll = unsafe { Epoll::adopt(rsyscall::Current, rsyscall::near::FileDescriptor(owned.into_raw_fd())) };
    assert_eq!(now(&epoll), [(5, EpollEvents::IN)]);
}

#[test]
fn execve_closes_an_epoll() {
    let epoll = Epoll::new().unwrap();
    assert_eq!(epoll.as_owned_fd().is_cloexec(), Ok(true));
    assert_eq!(epoll.as_raw_fd(), epoll.near().0);
}

#[test]
fn a_registration_outlives_its_descriptor_while_there_is_a_duplicate() {
    let (bell, epoll) = (eventfd(1), Epoll::new().unwrap());
    let duplicate = bell.try_clone().unwrap();
    epoll.add(&bell, EpollEvents::IN, 4).unwrap();
    bell.close().unwrap();
    assert_eq!(now(&epoll), [(4, EpollEvents::IN)]);
    assert_eq!(epoll.delete(&duplicate), Err(Errno::ENOENT));
    duplicate.close().unwrap();
    assert_eq!(now(&epoll), []);
}

#[test]
fn a_single_call_fails_with_eintr_even_with_sa_restart() {
    for flags in [0, libc::SA_RESTART] {
        signals::handle(libc::SIGUSR1, flags);
        let (bell, epoll, mut room) = (eventfd(0), Epoll::new().unwrap(), ROOM);
        epoll.add(&bell, EpollEvents::IN, 0).unwrap();
        let result = signals::under_fire(libc::SIGUSR1, || epoll.pwait(&mut room, None, None).map(<[EpollEvent]>::len));
        assert_eq!(result, Err(Errno::EINTR));
    }
}

#[test]
fn a_wait_outlasts_any_number_of_signal_handlers() {
    signals::handle(libc::SIGUSR1, 0);
    let (bell, epoll, mut room) = (eventfd(0), Epoll::new().unwrap(), ROOM);
    epoll.add(&bell, EpollEvents::IN, 6).unwrap();
    let before = signals::runs();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while signals::runs() < before + 20 {
                std::thread::yield_now();
            }
            bell.write(1).unwrap();
        });
        let events = signals::under_fire(libc::SIGUSR1, || epoll.wait(&mut room)).unwrap();
        assert_eq!(events, [EpollEvent::new(EpollEvents::IN, 6)]);
    });
}

#[test]
fn a_timeout_is_kept_across_signal_handlers_and_never_early() {
    signals::handle(libc::SIGUSR1, 0);
    let (bell, epoll, mut room) = (eventfd(0), Epoll::new().unwrap(), ROOM);
    epoll.add(&bell, EpollEvents::IN, 0).unwrap();
    // A part of a millisecond is waited for, too.
    for micros in [1, 300, 30_500] {
        let (time, start) = (Duration::from_micros(micros), Instant::now());
        let events = signals::under_fire(libc::SIGUSR1, || epoll.wait_timeout(&mut room, time)).unwrap();
        assert_eq!(events, []);
        assert!(start.elapsed() >= time, "early: {:?}", start.elapsed());
    }
}

#[test]
fn a_single_call_rounds_a_part_of_a_millisecond_up() {
    let (epoll, mut room) = (Epoll::new().unwrap(), ROOM);
    for micros in [1, 999, 1_001] {
        let (time, start) = (Duration::from_micros(micros), Instant::now());
        assert_eq!(epoll.pwait(&mut room, Some(time), Some(SignalSet::ALL)), Ok(&[][..]));
        assert!(start.elapsed() >= time, "early: {:?}", start.elapsed());
    }
}

#[test]
fn a_timeout_of_more_milliseconds_than_fit_the_call_waits() {
    for time in [Duration::MAX, Duration::from_secs(u64::from(u32::MAX)), Duration::from_millis(1 << 32)] {
        let (bell, epoll, mut room) = (eventfd(0), Epoll::new().unwrap(), ROOM);
        epoll.add(&bell, EpollEvents::IN, 0).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(5));
                bell.write(1).unwrap();
            });
            assert_eq!(epoll.wait_timeout(&mut room, time).unwrap().len(), 1);
        });
    }
}

#[test]
fn the_mask_unblocks_or_blocks_a_pending_signal() {
    signals::handle(libc::SIGUSR2, 0);
    signals::mask(libc::SIG_BLOCK, libc::SIGUSR2);
    signals::raise(libc::SIGUSR2);
    let (epoll, mut room) = (Epoll::new().unwrap(), ROOM);
    let briefly = Some(Duration::from_millis(1));
    assert_eq!(epoll.pwait(&mut room, briefly, None), Ok(&[][..]));
    assert_eq!(epoll.pwait(&mut room, briefly, Some(SignalSet::ALL)), Ok(&[][..]));
    let others = SignalSet::EMPTY.with(libc::SIGTERM as u32);
    assert_eq!(epoll.pwait(&mut room, None, Some(others)), Err(Errno::EINTR));
    signals::mask(libc::SIG_UNBLOCK, libc::SIGUSR2);
}

#[test]
fn every_bit_of_an_events_data_comes_back_from_the_kernel_and_from_the_fake_one() {
    use rsyscall::fake::{Kernel, Storage};
    use rsyscall::sys::epoll::EpollTask;
    let mut storage = Storage::<4>::new();
    let fake = Kernel::new(&mut storage).into_task();
    let (bell, epoll) = (eventfd(1), Epoll::new().unwrap());
    let there = (&fake).eventfd(1, rsyscall::EventfdFlags::empty()).unwrap();
    let theirs = (&fake).epoll().unwrap();
    let bits = (0..64).map(|bit| 1_u64 << bit).chain([0, u64::MAX, 0x0123_4567_89ab_cdef]);
    for (index, data) in bits.enumerate() {
        let mut room = ROOM;
        if index == 0 {
            epoll.add(&bell, EpollEvents::IN, data).unwrap();
            theirs.add(&there, EpollEvents::IN, data).unwrap();
        } else {
            epoll.modify(&bell, EpollEvents::IN | EpollEvents::PRI, data).unwrap();
            theirs.modify(&there, EpollEvents::IN, data).unwrap();
        }
        assert_eq!(now(&epoll), [(data, EpollEvents::IN)]);
        let reported = theirs.wait_timeout(&mut room, Duration::ZERO).unwrap();
        assert_eq!(reported, [EpollEvent::new(EpollEvents::IN, data)]);
    }
}

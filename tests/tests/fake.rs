//! What the fake kernel adds to a real one: limits, faults, a clock, a log of every call; and the memory that it does
//! not touch.

use rsyscall::fake::{Blocked, Fault, Kernel, Register, Storage, Wake, nr};
use rsyscall::near::{self, FileDescriptor, PollFd, Timespec};
use rsyscall::sys::epoll::{Epoll, EpollEvent, EpollEvents, EpollTask};
use rsyscall::sys::poll::{PollEvents, PollSet};
use rsyscall::sysif::{Arg, OutSlice, SyscallInterface};
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask, Task};
use rsyscall_suite::Environment;
use rsyscall_tests::skip;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Longer than any test runs.
const LONG: Duration = Duration::from_secs(1 << 40);

fn bell<'k>(task: Fake<'k>) -> EventFd<Fake<'k>> {
    task.eventfd(0, EventfdFlags::empty()).expect("room for one")
}

type Fake<'k> = &'k Task<Kernel<'k>>;

/// An empty eventfd, and an epoll that watches it.
fn watched<'k>(task: Fake<'k>) -> (EventFd<Fake<'k>>, Epoll<Fake<'k>>) {
    let (bell, epoll) = (bell(task), task.epoll().expect("an epoll"));
    epoll.add(&bell, EpollEvents::IN, 1).expect("watched");
    (bell, epoll)
}

fn call<const N: usize>(kernel: &Kernel<'_>, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
    // SAFETY: a fake kernel reaches no memory that is not an argument.
    unsafe { kernel.syscall(nr, args) }
}

fn lines(kernel: &Kernel<'_>) -> Vec<String> {
    kernel.calls().map(|call| call.to_string()).collect()
}

#[test]
fn a_full_table_fails_with_emfile_and_a_closed_descriptor_is_reused() {
    let mut storage = Storage::<3, 8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let (_a, b, _c) = (bell(&task), bell(&task), bell(&task));
    assert_eq!(task.eventfd(0, EventfdFlags::empty()).err(), Some(Errno::EMFILE));
    assert_eq!(b.try_clone().err(), Some(Errno::EMFILE));
    let fd = b.near();
    b.close().expect("an eventfd closes");
    assert_eq!(bell(&task).near(), fd);
}

#[test]
fn a_full_system_fails_with_enfile_and_duplicates_need_no_open_file_description() {
    let mut storage = Storage::<8, 2>::new();
    let task = Kernel::new(&mut storage).into_task();
    let (a, b) = (bell(&task), bell(&task));
    assert_eq!(task.eventfd(0, EventfdFlags::empty()).err(), Some(Errno::ENFILE));
    let twin = a.try_clone().expect("a duplicate");
    drop(a);
    assert_eq!(
        task.eventfd(0, EventfdFlags::empty()).err(),
        Some(Errno::ENFILE),
        "the duplicate keeps the description"
    );
    drop((b, twin));
    bell(&task);
}

#[test]
fn a_lowered_limit_keeps_open_descriptors_and_creates_none_above_it() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let (_a, b) = (bell(&task), bell(&task));
    task.sysif().set_limit(1);
    assert_eq!(task.eventfd(0, EventfdFlags::empty()).err(), Some(Errno::EMFILE));
    assert_eq!(b.write(1), Ok(()));
    assert_eq!(call(task.sysif(), nr::FCNTL, [b.near().into(), Arg::Word(0), Arg::Word(1)]), Err(Errno::EINVAL));
}

#[test]
fn prlimit64_reads_and_sets_the_limit() {
    let mut storage = Storage::<8>::new();
    let kernel = Kernel::new(&mut storage);
    let mut old = [0; 16];
    let mut new = [0; 16];
    new[0] = 3;
    new[8] = 8;
    let args = [Arg::Word(0), Arg::Word(7), Arg::In(&new), Arg::InOut(&mut old)];
    assert_eq!(call(&kernel, nr::PRLIMIT64, args), Ok(0));
    assert_eq!((old[0], old[8]), (8, 8));
    new[8] = 2;
    let args = [Arg::Word(0), Arg::Word(7), Arg::In(&new), Arg::Word(0)];
    assert_eq!(call(&kernel, nr::PRLIMIT64, args), Err(Errno::EINVAL));
    new[8] = 9;
    let args = [Arg::Word(0), Arg::Word(7), Arg::In(&new), Arg::Word(0)];
    assert_eq!(call(&kernel, nr::PRLIMIT64, args), Err(Errno::EPERM));
    let made: Vec<_> = (0..4).map(|_| near::eventfd(&kernel, 0, EventfdFlags::empty())).collect();
    assert_eq!((made[2], made[3]), (Ok(FileDescriptor(2)), Err(Errno::EMFILE)));
}

#[test]
fn the_log_has_all_64_bits_of_each_register_that_was_set() {
    let mut storage = <Storage>::new();
    let kernel = Kernel::new(&mut storage);
    near::eventfd(&kernel, u32::MAX, EventfdFlags::from_bits_retain(1 << 31)).expect_err("an unknown flag");
    // SAFETY: no table has this file descriptor.
    unsafe { near::close(&kernel, FileDescriptor(-1)) }.expect_err("not a file descriptor");
    let memory = [1; 8];
    // SAFETY: as above.
    unsafe { near::write(&kernel, FileDescriptor(7), &memory) }.expect_err("not open");
    let calls: Vec<_> = kernel.calls().collect();
    use Register::{Memory, Unset, Word};
    assert_eq!(calls[0].args, [Word(0xffff_ffff), Word(0x8000_0000), Unset, Unset, Unset, Unset]);
    assert_eq!(calls[1].args, [Word(usize::MAX), Unset, Unset, Unset, Unset, Unset]);
    let address = memory.as_ptr().addr();
    assert_eq!(calls[2].args, [Word(7), Memory { address, len: 8 }, Word(8), Unset, Unset, Unset]);
    assert_eq!(calls[2].result, Some(Err(Errno::EBADF)));
}

#[test]
fn the_log_keeps_the_last_calls_and_counts_them_all() {
    let mut storage = Storage::<4, 4, 2>::new();
    let kernel = Kernel::new(&mut storage);
    for count in 0..4 {
        near::eventfd(&kernel, count, EventfdFlags::empty()).expect("room");
    }
    assert_eq!(lines(&kernel), ["eventfd2(2, 0) = 2", "eventfd2(3, 0) = 3"]);
    assert_eq!(kernel.calls_made(), 4);
    kernel.forget_calls();
    assert_eq!(lines(&kernel), [""; 0]);
    assert_eq!(call(&kernel, 0xbeef, []), Err(Errno::ENOSYS));
    assert_eq!(lines(&kernel), ["syscall_48879() = -1 ENOSYS"]);
}

#[test]
fn a_fault_fails_the_nth_call_of_its_number_and_no_other() {
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).into_task();
    let bell = bell(&task);
    task.sysif().inject(Fault::error(Errno::EINTR).of(nr::WRITE).at(2).times(2)).expect("room");
    let results = [(); 5].map(|()| bell.write(1).err());
    assert_eq!(results, [None, Some(Errno::EINTR), Some(Errno::EINTR), None, None]);
    assert_eq!(bell.read(), Ok(3));
}

#[test]
fn a_permanent_fault_stays_until_it_is_cleared() {
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).into_task();
    task.sysif().inject(Fault::error(Errno::EPERM).of(nr::EVENTFD2).always()).expect("room");
    for _ in 0..100 {
        assert_eq!(task.eventfd(0, EventfdFlags::empty()).err(), Some(Errno::EPERM));
    }
    task.sysif().forget_faults();
    bell(&task);
}

#[test]
fn at_most_eight_faults_are_pending() {
    let mut storage = <Storage>::new();
    let kernel = Kernel::new(&mut storage);
    for _ in 0..8 {
        assert_eq!(kernel.inject(Fault::error(Errno::EIO)), Ok(()));
    }
    assert_eq!(kernel.inject(Fault::error(Errno::EIO)), Err(Errno::ENOSPC));
    near::eventfd(&kernel, 0, EventfdFlags::empty()).expect_err("the first of eight");
    assert_eq!(kernel.inject(Fault::error(Errno::EIO)), Ok(()));
}

#[test]
fn a_short_transfer_of_an_eventfd_fails_with_eio_and_changes_nothing() {
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).into_task();
    let bell = bell(&task);
    bell.write(5).expect("room");
    for short in [0, 1, 7] {
        for call in [nr::READ, nr::WRITE, nr::PREADV2] {
            task.sysif().inject(Fault::short(short).of(call)).expect("room");
        }
        assert_eq!(bell.read(), Err(Errno::EIO));
        assert_eq!(bell.write(1), Err(Errno::EIO));
        assert_eq!(bell.try_read(), Err(Errno::EIO));
        assert_eq!(task.sysif().count(bell.near()), Some(5));
    }
}

#[test]
fn a_short_transfer_is_never_longer_than_the_memory_or_the_request() {
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).into_task();
    let bell = bell(&task);
    let mut memory = [MaybeUninit::new(0xaa); 4];
    task.sysif().inject(Fault::short(100).times(4)).expect("room");
    let args = [bell.near().into(), Arg::Out(&mut memory), Arg::Word(3)];
    assert_eq!(call(task.sysif(), nr::READ, args), Ok(3));
    assert_eq!(call(task.sysif(), nr::WRITE, [bell.near().into(), Arg::In(&[1; 4]), Arg::Word(3)]), Ok(3));
    let args = [bell.near().into(), Arg::Out(&mut memory), Arg::Word(100)];
    assert_eq!(call(task.sysif(), nr::READ, args), Ok(4));
    // SAFETY: initialised where it was made.
    assert_eq!(memory.map(|byte| unsafe { byte.assume_init() }), [0; 4]);
    assert_eq!(call(task.sysif(), nr::WRITE, [bell.near().into(), Arg::In(&[1; 4]), Arg::Word(100)]), Ok(4));
}

#[test]
fn an_interrupted_close_has_closed_and_a_forbidden_one_has_not() {
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).into_task();
    let kernel = task.sysif();
    kernel.inject(Fault::error(Errno::EINTR).of(nr::CLOSE)).expect("room");
    assert_eq!(bell(&task).close(), Err(Errno::EINTR));
    assert_eq!(kernel.descriptors().count(), 0);
    kernel.inject(Fault::error(Errno::EPERM).of(nr::CLOSE)).expect("room");
    assert_eq!(bell(&task).close(), Err(Errno::EPERM));
    assert_eq!(kernel.descriptors().count(), 1);
}

#[test]
fn a_writer_waits_until_all_of_its_value_fits() {
    let reads = Cell::new(0);
    let take_one = |kernel: &Kernel<'_>, blocked: Blocked| {
        assert!(matches!(blocked, Blocked::Write(_, 5)));
        let mut count = [MaybeUninit::uninit(); 8];
        // SAFETY: a caller sleeps in a call on it, so it is open.
        let read = unsafe { near::read(kernel, blocked.fd().expect("an eventfd"), &mut count) };
        assert_eq!(read, Ok(&mut 1_u64.to_ne_bytes()[..]));
        reads.set(reads.get() + 1);
        Wake::Retry
    };
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).with_on_block(&take_one).into_task();
    let semaphore = task.eventfd(0, EventfdFlags::SEMAPHORE).expect("room");
    semaphore.write(u64::MAX - 1).expect("it fits");
    assert_eq!(semaphore.write(5), Ok(()));
    assert_eq!(reads.get(), 5);
    assert_eq!(task.sysif().count(semaphore.near()), Some(u64::MAX - 1));
}

#[test]
fn a_reader_stays_blocked_after_close_and_a_write_through_a_duplicate_wakes_it() {
    let closed = Cell::new(false);
    let close_then_write = |kernel: &Kernel<'_>, blocked: Blocked| {
        if !closed.replace(true) {
            // SAFETY: unsound use of an owned file descriptor, which this test is about.
            unsafe { near::close(kernel, blocked.fd().expect("an eventfd")) }.expect("open");
            return Wake::Retry;
        }
        // SAFETY: the duplicate's file descriptor.
        unsafe { near::write(kernel, FileDescriptor(1), &3_u64.to_ne_bytes()) }.expect("room");
        Wake::Retry
    };
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).with_on_block(&close_then_write).into_task();
    let bell = bell(&task);
    let _twin = bell.try_clone().expect("room");
    assert_eq!(bell.read(), Ok(3));
    assert_eq!(bell.into_owned_fd().close(), Err(Errno::EBADF));
}

#[test]
fn a_sleep_within_a_sleep_is_a_deadlock() {
    let nested = Cell::new(None);
    let read_too = |kernel: &Kernel<'_>, blocked: Blocked| {
        let mut count = [MaybeUninit::uninit(); 8];
        // SAFETY: a caller sleeps in a call on it, so it is open.
        nested.set(Some(unsafe { near::read(kernel, blocked.fd().expect("an eventfd"), &mut count) }.map(drop)));
        Wake::Interrupt
    };
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).with_on_block(&read_too).into_task();
    assert_eq!(bell(&task).read(), Err(Errno::EINTR));
    assert_eq!(nested.get(), Some(Err(Errno::EDEADLK)));
}

#[test]
fn a_wait_keeps_its_deadline_across_interruptions() {
    let signals = Cell::new(0_u32);
    let deadlines = Cell::new(Vec::new());
    let signal = |kernel: &Kernel<'_>, blocked: Blocked| {
        let Blocked::Poll { deadline, .. } = blocked else { panic!("{blocked:?}") };
        deadlines.set([deadlines.take(), vec![deadline]].concat());
        kernel.advance(Duration::from_secs(1));
        signals.set(signals.get() + 1);
        if signals.get() < 4 { Wake::Interrupt } else { Wake::Nothing }
    };
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).with_on_block(&signal).into_task();
    task.sysif().advance(Duration::from_secs(100));
    assert_eq!(bell(&task).wait_timeout(Duration::from_secs(10)), Ok(None));
    assert_eq!(task.sysif().now(), Duration::from_secs(110));
    assert_eq!(deadlines.take(), [Some(Duration::from_secs(110)); 4]);
}

#[test]
fn the_longest_wait_ends_at_the_last_nanosecond() {
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).into_task();
    task.sysif().advance(Duration::from_secs(7));
    assert_eq!(bell(&task).wait_timeout(Duration::MAX), Ok(None));
}

#[test]
fn a_wait_that_is_always_interrupted_ends_if_calls_take_time() {
    let mut storage = <Storage>::new();
    let task = Kernel::new(&mut storage).with_call_time(Duration::from_micros(1)).into_task();
    let bell = bell(&task);
    task.sysif().inject(Fault::error(Errno::EINTR).of(nr::PPOLL).always()).expect("room");
    assert_eq!(bell.wait_timeout(Duration::from_millis(1)), Ok(None));
    assert!(task.sysif().now() >= Duration::from_millis(1));
}

#[test]
fn an_older_kernel_accepts_longer_writes_and_has_no_rwf_nowait() {
    let write = |kernel: &Kernel<'_>, len: usize| {
        let fd = near::eventfd(kernel, 0, EventfdFlags::empty()).expect("room");
        // SAFETY: created a line above.
        unsafe { near::write(kernel, fd, &[0; 32][..len]) }
    };
    let mut storage = <Storage>::new();
    let new = Kernel::new(&mut storage).with_version(6, 9);
    assert_eq!((write(&new, 8), write(&new, 9), write(&new, 7)), (Ok(8), Err(Errno::EINVAL), Err(Errno::EINVAL)));
    let mut storage = <Storage>::new();
    let old = Kernel::new(&mut storage).with_version(6, 8);
    assert_eq!((write(&old, 8), write(&old, 9), write(&old, 7)), (Ok(8), Ok(8), Err(Errno::EINVAL)));

    for (version, result) in [((5, 7), Err(Errno::EOPNOTSUPP)), ((5, 8), Err(Errno::EAGAIN))] {
        let mut storage = <Storage>::new();
        let kernel = Kernel::new(&mut storage).with_version(version.0, version.1);
        let fd = near::eventfd(&kernel, 0, EventfdFlags::empty()).expect("room");
        let mut buffer = [MaybeUninit::uninit(); 8];
        // SAFETY: created two lines above.
        let read = unsafe { near::read_nowait(&kernel, fd, &mut buffer) }.map(drop);
        assert_eq!(read, result);
    }
    for (version, lens, result) in [
        ((5, 8), [8, 8], Ok(8)),
        ((5, 7), [8, 8], Ok(16)),
        ((5, 7), [9, 8], Ok(8)),
        ((5, 7), [8, 4], Ok(8)),
        ((5, 7), [4, 8], Err(Errno::EINVAL)),
    ] {
        let mut storage = <Storage>::new();
        let kernel = Kernel::new(&mut storage).with_version(version.0, version.1);
        let fd = near::eventfd(&kernel, 3, EventfdFlags::SEMAPHORE).expect("room");
        let mut memory = [[MaybeUninit::uninit(); 16]; 2];
        let [a, b] = &mut memory;
        let mut vector = [OutSlice::new(&mut a[..lens[0]]), OutSlice::new(&mut b[..lens[1]])];
        assert_eq!(call(&kernel, nr::READV, [fd.into(), Arg::OutVec(&mut vector), Arg::Word(2)]), result);
        assert_eq!(kernel.count(fd), Some(3 - result.unwrap_or(0) as u64 / 8));
    }
    let mut storage = <Storage>::new();
    let kernel = Kernel::new(&mut storage).with_version(5, 10);
    let mut names = [0; 390];
    assert_eq!(call(&kernel, nr::UNAME, [Arg::InOut(&mut names)]), Ok(0));
    assert!(names[130..].starts_with(b"5.10.0-fake\0"));
}

#[test]
fn memory_ends_with_its_argument_whatever_length_is_passed() {
    let mut storage = <Storage>::new();
    let kernel = Kernel::new(&mut storage);
    let fd = near::eventfd(&kernel, 3, EventfdFlags::empty()).expect("room");
    let short: &mut [MaybeUninit<u8>] = &mut [MaybeUninit::uninit(); 4];
    let count = || kernel.count(fd);

    assert_eq!(call(&kernel, nr::WRITE, [fd.into(), Arg::In(&[0; 4]), Arg::Word(8)]), Err(Errno::EFAULT));
    assert_eq!(count(), Some(3));
    let mut vector = [OutSlice::new(short)];
    assert_eq!(call(&kernel, nr::READV, [fd.into(), Arg::OutVec(&mut vector), Arg::Word(2)]), Err(Errno::EFAULT));
    assert_eq!(count(), Some(3));
    assert_eq!(call(&kernel, nr::READ, [fd.into(), Arg::Out(&mut []), Arg::Word(usize::MAX)]), Err(Errno::EFAULT));
    assert_eq!(count(), Some(3), "checked before the count is taken");
    let mut entry = [0; 7];
    assert_eq!(call(&kernel, nr::PPOLL, [Arg::InOut(&mut entry), Arg::Word(1), Arg::Word(0)]), Err(Errno::EFAULT));
    // As in the real kernel, the count is lost here.
    let short: &mut [MaybeUninit<u8>] = &mut [MaybeUninit::uninit(); 4];
    assert_eq!(call(&kernel, nr::READ, [fd.into(), Arg::Out(short), Arg::Word(8)]), Err(Errno::EFAULT));
    assert_eq!(count(), Some(0));
}

#[test]
fn two_fake_kernels_share_nothing() {
    let (mut one, mut two) = (<Storage>::new(), <Storage>::new());
    let (one, two) = (Kernel::new(&mut one).into_task(), Kernel::new(&mut two).into_task());
    assert_ne!(one.fd_table(), two.fd_table());
    let (a, b) = (bell(&one), bell(&two));
    assert_eq!(a.near(), b.near());
    a.write(1).expect("room");
    assert_eq!(two.sysif().count(b.near()), Some(0));
}

#[test]
fn a_kernel_in_used_storage_is_new() {
    let mut storage = Storage::<1, 1, 1>::new();
    let before = Kernel::new(&mut storage);
    near::eventfd(&before, 5, EventfdFlags::empty()).expect("room");
    let after = Kernel::new(&mut storage);
    assert_eq!((after.descriptors().count(), after.calls().count()), (0, 0));
    assert_eq!(near::eventfd(&after, 0, EventfdFlags::empty()), Ok(FileDescriptor(0)));
}

#[test]
fn an_epoll_wait_reports_what_it_sleeps_for_and_advances_the_clock() {
    const TIME: Duration = Duration::from_millis(5);
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let ((door, one), (phone, other)) = (watched(&task), watched(&task));
    let mut memory = [MaybeUninit::uninit(); 4];
    assert_eq!(task.sysif().blocked(), None);
    assert_eq!(other.wait_timeout(&mut memory, TIME).map(<[_]>::len), Ok(0));
    assert_eq!(task.sysif().now(), TIME);
    assert_eq!(task.sysif().blocked(), Some(Blocked::Poll { fd: Some(phone.near()), deadline: Some(TIME) }));
    // Ready at once: the clock stands still.
    phone.write(1).expect("room");
    assert_eq!(other.wait_timeout(&mut memory, TIME).map(<[_]>::len), Ok(1));
    assert_eq!(task.sysif().now(), TIME);
    // Without a timeout nothing can end the wait.
    assert_eq!(one.wait(&mut memory).err(), Some(Errno::EDEADLK));
    assert_eq!(task.sysif().blocked(), Some(Blocked::Poll { fd: Some(door.near()), deadline: None }));
}

#[test]
fn a_wait_for_many_is_one_call_with_the_whole_timeout_and_returns_its_error() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let (door, epoll) = watched(&task);
    let (mut memory, mut entry) = ([MaybeUninit::uninit(); 4], [PollFd::UNUSED; 1]);
    let mut poll = PollSet::new(&task, &mut entry);
    poll.add(&door, PollEvents::IN).expect("room");
    let waits = |nr| task.sysif().calls().filter(|call| call.nr == nr).count();
    for time in [Duration::from_millis(1500), Duration::from_nanos(1_000_001)] {
        task.sysif().forget_calls();
        assert_eq!(epoll.wait_timeout(&mut memory, time).map(<[_]>::len), Ok(0));
        assert_eq!(poll.wait_timeout(time), Ok(0));
        assert_eq!((waits(nr::EPOLL_PWAIT), waits(nr::PPOLL)), (1, 1), "{time:?}");
    }
    for error in [Errno::ENOMEM, Errno::EINVAL] {
        for number in [nr::PPOLL, nr::EPOLL_PWAIT] {
            task.sysif().inject(Fault::error(error).of(number).always()).expect("room for a fault");
        }
        assert_eq!((poll.wait(), poll.wait_timeout(LONG)), (Err(error), Err(error)));
        assert_eq!(epoll.wait(&mut memory).err(), Some(error));
        assert_eq!(epoll.wait_timeout(&mut memory, LONG).err(), Some(error));
        task.sysif().forget_faults();
    }
}

#[test]
fn an_epoll_is_readable_in_a_poll_for_its_own_descriptors_only() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let ((_door, one), (phone, other)) = (watched(&task), watched(&task));
    let readable = |epoll: &Epoll<_>| {
        let mut entry = [PollFd { fd: epoll.near(), events: PollFd::IN, revents: 0 }];
        near::ppoll(task.sysif(), &mut entry, Some(Timespec::ZERO), None)
    };
    assert_eq!((readable(&one), readable(&other)), (Ok(0), Ok(0)));
    phone.write(1).expect("room");
    assert_eq!((readable(&one), readable(&other)), (Ok(0), Ok(1)));
    // Not any more, although the report was not fetched.
    phone.read().expect("a count");
    assert_eq!((readable(&one), readable(&other)), (Ok(0), Ok(0)));
}

#[test]
fn events_without_memory_stay_for_the_next_wait() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let (door, phone) = (bell(&task), bell(&task));
    let epoll = task.epoll().expect("an epoll");
    for (data, bell) in [(1, &door), (2, &phone)] {
        epoll.add(bell, EpollEvents::IN | EpollEvents::ET, data).expect("watched");
        bell.write(1).expect("room");
    }
    let wait = |memory: &mut [u8]| {
        let args = [epoll.near().into(), Arg::InOut(memory), Arg::Word(2), Arg::Word(0), Arg::Word(0), Arg::Word(8)];
        call(task.sysif(), nr::EPOLL_PWAIT, args)
    };
    assert_eq!(wait(&mut []), Err(Errno::EFAULT));
    assert_eq!(wait(&mut [0; size_of::<EpollEvent>()]), Ok(1));
    assert_eq!(wait(&mut [0; 2 * size_of::<EpollEvent>()]), Ok(1));
    assert_eq!(wait(&mut [0; 2 * size_of::<EpollEvent>()]), Ok(0));
}

#[test]
fn the_hard_limit_may_be_lowered_but_not_below_the_soft_one() {
    let mut storage = Storage::<8>::new();
    let kernel = Kernel::new(&mut storage);
    let set = |soft: u8, hard: u8| {
        let mut new = [0; 16];
        (new[0], new[8]) = (soft, hard);
        call(&kernel, nr::PRLIMIT64, [Arg::Word(0), Arg::Word(7), Arg::In(&new), Arg::Word(0)])
    };
    assert_eq!(set(5, 4), Err(Errno::EINVAL));
    assert_eq!(set(4, 4), Ok(0));
    assert_eq!(set(3, 4), Ok(0));
    // The only process is 1, and 0 is the caller.
    let of = |process| call(&kernel, nr::PRLIMIT64, [Arg::Word(process), Arg::Word(7), Arg::Word(0), Arg::Word(0)]);
    assert_eq!((of(0), of(1), of(2), of(3)), (Ok(0), Ok(0), Err(Errno::ESRCH), Err(Errno::ESRCH)));
}

#[test]
fn a_short_transfer_fault_skips_calls_that_transfer_nothing() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    task.sysif().inject(Fault::short(3)).expect("the first fault");
    let bell = bell(&task);
    assert!(bell.is_cloexec().is_ok_and(|cloexec| cloexec));
    assert_eq!(bell.write(1), Err(Errno::EIO));
}

#[test]
fn the_log_completes_the_entry_of_a_call_that_slept_and_no_other() {
    const WRITTEN: (usize, Option<Result<usize, Errno>>) = (nr::WRITE, Some(Ok(8)));
    for (writes, read) in [(1, Some((nr::READ, Some(Err(Errno::EINTR))))), (2, None)] {
        let write = |kernel: &Kernel<'_>, blocked: Blocked| {
            for _ in 0..writes {
                let args = [blocked.fd().expect("a reader").into(), Arg::In(&[1; 8]), Arg::Word(8)];
                call(kernel, nr::WRITE, args).expect("room");
            }
            Wake::Interrupt
        };
        let mut storage = Storage::<8, 8, 2>::new();
        let task = Kernel::new(&mut storage).with_on_block(&write).into_task();
        let bell = bell(&task);
        assert_eq!(bell.read(), Err(Errno::EINTR));
        let calls: Vec<_> = task.sysif().calls().map(|call| (call.nr, call.result)).collect();
        assert_eq!(calls, [read.unwrap_or(WRITTEN), WRITTEN]);
    }
}

#[test]
fn a_register_of_the_log_prints_its_word() {
    let registers = [Register::Unset, Register::Word(7), Register::Memory { address: 4096, len: 8 }];
    assert_eq!(registers.map(Register::word), [None, Some(7), Some(4096)]);
}

#[test]
fn a_signal_mask_of_another_size_fails_with_einval() {
    let mut storage = <Storage>::new();
    let kernel = Kernel::new(&mut storage);
    let poll = |size| {
        let time = [0; 16];
        let args = [Arg::Word(0), Arg::Word(0), Arg::In(&time), Arg::In(&[0; 8]), Arg::Word(size)];
        call(&kernel, nr::PPOLL, args)
    };
    assert_eq!((poll(8), poll(4), poll(128)), (Ok(0), Err(Errno::EINVAL), Err(Errno::EINVAL)));
}

/// Waits into this memory without an event to write: the kernel checks whether the address is in user space.
fn wait_into<T: EpollTask>(task: T, address: usize) -> Result<usize, T::Error> {
    let epoll = task.epoll()?;
    let args = [epoll.near().into(), Arg::Word(address), Arg::Word(1), Arg::Word(0), Arg::Word(0), Arg::Word(8)];
    // SAFETY: it watches nothing, so nothing is written.
    unsafe { task.sysif().syscall(nr::EPOLL_PWAIT, args) }
}

#[test]
fn memory_outside_user_space_fails_with_efault_before_anything_is_written() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    for (address, result) in [(4096, Ok(0)), (1 << 63, Err(Errno::EFAULT)), (usize::MAX - 4, Err(Errno::EFAULT))] {
        assert_eq!(wait_into(&task, address), result, "{address:#x}");
        // Miri has no system calls of this process to compare with.
        if !cfg!(miri) && !Environment::is_emulated(Current) {
            assert_eq!(wait_into(Current, address), result, "{address:#x}, the kernel");
        }
    }
}

#[test]
fn pwritev2_accepts_one_flag_only() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let bell = bell(&task);
    let write = |flags: u32| {
        let args = [bell.near().into(), Arg::Word(0), Arg::Word(1), Arg::Word(usize::MAX), Arg::Word(0), flags.into()];
        call(task.sysif(), nr::PWRITEV2, args)
    };
    assert_eq!((write(0), write(1)), (Err(Errno::EFAULT), Err(Errno::EFAULT)));
    assert_eq!((write(8), write(9)), (Err(Errno::EOPNOTSUPP), Err(Errno::EOPNOTSUPP)));
}

#[test]
fn poll_checks_the_number_of_entries_and_the_timeout() {
    const SIZE: usize = size_of::<PollFd>();
    let mut storage = Storage::<4>::new();
    let kernel = Kernel::new(&mut storage);
    let poll = |entries: usize, time: [u64; 2]| {
        let mut time: Vec<u8> = time.into_iter().flat_map(u64::to_ne_bytes).collect();
        let mut memory = [0xff; 5 * SIZE];
        let memory = if entries == 0 { Arg::Word(0) } else { Arg::InOut(&mut memory[..entries * SIZE]) };
        let args = [memory, Arg::Word(entries), Arg::InOut(&mut time), Arg::Word(0), Arg::Word(8)];
        let result = call(&kernel, nr::PPOLL, args);
        (result, u64::from_ne_bytes(time[..8].try_into().expect("eight bytes")))
    };
    assert_eq!(poll(0, [0, 0]).0, Ok(0));
    assert_eq!(poll(4, [0, 999_999_999]).0, Ok(0));
    // The remaining time is written back: none, as no event ended the sleep.
    assert_eq!(poll(4, [5, 0]), (Ok(0), 0));
    assert_eq!(poll(5, [0, 0]).0, Err(Errno::EINVAL));
    assert_eq!(poll(1, [0, 1_000_000_000]).0, Err(Errno::EINVAL));
    assert_eq!(poll(1, [1 << 63, 0]).0, Err(Errno::EINVAL));
}

#[test]
fn a_sleeping_poll_reports_its_first_requested_descriptor() {
    let mut storage = Storage::<4>::new();
    let task = Kernel::new(&mut storage).into_task();
    let _first = bell(&task);
    let door = bell(&task);
    let entry = |fd| PollFd { fd, events: PollFd::IN, revents: 0 };
    let time = Timespec { seconds: 1, nanoseconds: 0 };
    let mut entries = [entry(FileDescriptor(-1)), entry(door.near())];
    assert_eq!(near::ppoll(task.sysif(), &mut entries, Some(time), None), Ok(0));
    let deadline = Some(Duration::from_secs(1));
    assert_eq!(task.sysif().blocked(), Some(Blocked::Poll { fd: Some(door.near()), deadline }));
    let zero = &mut [entry(FileDescriptor(0))];
    assert_eq!(near::ppoll(task.sysif(), zero, None, None), Err(Errno::EDEADLK));
    assert_eq!(task.sysif().blocked(), Some(Blocked::Poll { fd: Some(FileDescriptor(0)), deadline: None }));
}

#[test]
fn a_kernel_without_rwf_nowait_is_probed_once() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).with_version(5, 7).into_task();
    let bell = bell(&task);
    let asked = || {
        assert_eq!(bell.try_read(), Ok(None));
        task.sysif().calls().filter(|call| call.nr == nr::PREADV2).count()
    };
    // Of this descriptor, and of one that certainly is an eventfd.
    assert_eq!(asked(), 2);
    assert_eq!((asked(), asked()), (2, 2));
}

#[test]
fn a_read_into_more_than_1024_pieces_fails_with_einval() {
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).into_task();
    let bell = bell(&task);
    let read = |pieces: usize| {
        let mut memory = [MaybeUninit::uninit(); 8];
        let args = [bell.near().into(), Arg::OutVec(&mut [OutSlice::new(&mut memory)]), Arg::Word(pieces)];
        call(task.sysif(), nr::READV, args)
    };
    assert_eq!((read(1024), read(1025), read(2000)), (Err(Errno::EFAULT), Err(Errno::EINVAL), Err(Errno::EINVAL)));
}

#[test]
fn the_clock_never_runs_backwards() {
    // More time passes than the call was to wait, and no event occurs.
    let let_time_pass = |kernel: &Kernel<'_>, _: Blocked| {
        kernel.advance(Duration::from_secs(10));
        Wake::Nothing
    };
    let mut storage = Storage::<4>::new();
    let task = Kernel::new(&mut storage).with_on_block(&let_time_pass).into_task();
    let (bell, epoll) = watched(&task);
    assert_eq!(bell.wait_timeout(Duration::from_secs(1)), Ok(None));
    assert_eq!(task.sysif().now(), Duration::from_secs(10));
    let mut memory = [const { MaybeUninit::uninit() }; 1];
    assert!(epoll.wait_timeout(&mut memory, Duration::from_secs(1)).expect("a timeout").is_empty());
    assert_eq!(task.sysif().now(), Duration::from_secs(20));
    let mut nothing: [PollFd; 0] = [];
    assert_eq!(near::ppoll(task.sysif(), &mut nothing, Some(Duration::from_secs(1).into()), None), Ok(0));
    assert_eq!(task.sysif().now(), Duration::from_secs(30));
}

#[test]
fn memory_anywhere_in_user_space_is_accepted_and_none_above_it() {
    // A stack on aarch64 is just below 1 << 48. If an address passes the first check the count is lost, as it is
    // taken before the memory is accessed.
    let bits = match std::env::consts::ARCH {
        "aarch64" => 48,
        "x86_64" | "riscv64" => 47,
        arch => return skip("the end of user space", &format!("it is not stated here for {arch}")),
    };
    let end = 1_usize.wrapping_shl(bits);
    for (address, left) in [(end - 8, 0), (end - 7, 3), (end, 3)] {
        let mut storage = <Storage>::new();
        let kernel = Kernel::new(&mut storage);
        let fd = near::eventfd(&kernel, 3, EventfdFlags::empty()).expect("room");
        let read = call(&kernel, nr::READ, [fd.into(), Arg::Word(address), Arg::Word(8)]);
        assert_eq!((read, kernel.count(fd)), (Err(Errno::EFAULT), Some(left)), "{address:#x}");
    }
}

#[test]
fn during_any_call_the_clock_only_moves_forward_and_stops_at_its_end() {
    // An environment in which any time passes, and which interrupts.
    let round = Cell::new(0_u32);
    let last = Cell::new(Duration::ZERO);
    let world = |kernel: &Kernel<'_>, _: Blocked| {
        assert!(kernel.now() >= last.get(), "backwards");
        round.set(round.get() + 1);
        match round.get() % 5 {
            0 => kernel.advance(Duration::from_secs(3)),
            1 => kernel.advance(Duration::ZERO),
            2 => kernel.advance(Duration::from_nanos(1)),
            3 => return Wake::Interrupt,
            _ => {}
        }
        last.set(kernel.now());
        if round.get() % 2 == 0 || round.get() % 5 == 0 { Wake::Nothing } else { Wake::Retry }
    };
    let mut storage = Storage::<8>::new();
    let task = Kernel::new(&mut storage).with_on_block(&world).into_task();
    let (bell, epoll) = watched(&task);
    let mut memory = [const { MaybeUninit::uninit() }; 1];
    for millis in [1, 2500, 0, 10_000, 1] {
        let (timeout, begun) = (Duration::from_millis(millis), task.sysif().now());
        assert_eq!(bell.wait_timeout(timeout), Ok(None));
        assert!(task.sysif().now() >= begun + timeout, "early");
        let begun = task.sysif().now();
        assert!(epoll.wait_timeout(&mut memory, timeout).unwrap().is_empty());
        assert!(task.sysif().now() >= begun + timeout, "early");
    }
    task.sysif().advance(Duration::MAX);
    let end = task.sysif().now();
    task.sysif().advance(Duration::MAX);
    assert_eq!(task.sysif().now(), end);
    assert_eq!(bell.wait_timeout(Duration::ZERO), Ok(None));
    assert!(end > Duration::from_secs(u64::from(u32::MAX)));
}

//! Conversions to and from the descriptors of std, rustix and nix: one owner at any time, and one close.

#[path = "../../tests/watching/mod.rs"]
mod watching;

use interop::Census;
use rsyscall::fd::OwnedFd;
use rsyscall::{Errno, EventFd, EventfdFlags};
use std::cell::Cell;
use std::os::fd::{self, AsFd, AsRawFd, FromRawFd, IntoRawFd};

fn bell(count: u32) -> EventFd {
    EventFd::new(count, EventfdFlags::empty()).unwrap()
}

#[test]
fn a_borrow_is_the_same_file_descriptor_and_closes_nothing() {
    let census = Census::take();
    let bell = bell(0);
    let fd = AsRawFd::as_raw_fd(&bell);
    assert_eq!(bell.as_fd().as_raw_fd(), fd);
    assert_eq!(bell.as_owned_fd().as_fd().as_raw_fd(), fd);
    census.assert_opened(&[fd]);
    drop(bell);
    census.assert_opened(&[]);
}

#[test]
fn an_event_fd_converts_to_std_and_back_with_its_count() {
    let census = Census::take();
    let bell = bell(3);
    let fd = bell.as_raw_fd();
    let std = fd::OwnedFd::from(bell);
    census.assert_opened(&[fd]);
    let bell = EventFd::from(std);
    census.assert_opened(&[fd]);
    assert_eq!(bell.read(), Ok(3));

    let std = fd::OwnedFd::from(bell.into_owned_fd());
    let owned = OwnedFd::from(std);
    census.assert_opened(&[fd]);
    drop(fd::OwnedFd::from(owned));
    census.assert_opened(&[]);
}

#[test]
fn std_closes_a_converted_event_fd() {
    let census = Census::take();
    drop(fd::OwnedFd::from(bell(0)));
    census.assert_opened(&[]);
}

#[test]
fn a_duplicate_created_by_std_is_the_same_counter() {
    let census = Census::take();
    let bell = bell(0);
    let again = EventFd::from(bell.as_fd().try_clone_to_owned().unwrap());
    census.assert_opened(&[bell.as_raw_fd(), again.as_raw_fd()]);
    again.write(2).unwrap();
    assert_eq!(bell.read(), Ok(2));
    drop((bell, again));
    census.assert_opened(&[]);
}

/// As generic code does, which does not see the inherent functions of these names.
fn there_and_back<T: IntoRawFd + FromRawFd>(value: T) -> T {
    let raw = value.into_raw_fd();
    // SAFETY: ownership was given up a line above.
    unsafe { T::from_raw_fd(raw) }
}

#[test]
fn a_raw_fd_has_no_owner_until_it_is_adopted() {
    let census = Census::take();
    let bell = there_and_back(bell(1));
    let fd = bell.as_raw_fd();
    census.assert_opened(&[fd]);
    let owned = there_and_back(bell.into_owned_fd());
    census.assert_opened(&[fd]);
    assert_eq!(EventFd::from(owned).read(), Ok(1));
    census.assert_opened(&[]);
}

#[test]
fn reads_and_writes_fail_on_a_descriptor_that_is_no_eventfd() {
    let census = Census::take();
    let file = std::fs::File::open("/dev/zero").unwrap();
    let not_one = EventFd::from(fd::OwnedFd::from(file));
    assert_eq!(not_one.write(1), Err(Errno::EBADF));
    drop(not_one);
    census.assert_opened(&[]);
}

#[test]
fn rustix_reads_and_writes_an_event_fd() {
    let census = Census::take();
    let bell = bell(0);
    assert_eq!(rustix::io::write(&bell, &5_u64.to_ne_bytes()), Ok(8));
    let mut count = [0; 8];
    assert_eq!(rustix::io::read(bell.as_owned_fd(), &mut count), Ok(8));
    assert_eq!(u64::from_ne_bytes(count), 5);
    assert!(rustix::io::fcntl_getfd(&bell).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    drop(bell);
    census.assert_opened(&[]);
}

#[test]
fn rustix_descriptors_convert_both_ways() {
    let census = Census::take();
    let theirs: rustix::fd::OwnedFd = rustix::event::eventfd(7, rustix::event::EventfdFlags::CLOEXEC).unwrap();
    let ours = EventFd::from(theirs);
    assert_eq!(ours.read(), Ok(7));
    let theirs: rustix::fd::OwnedFd = ours.into();
    rustix::io::write(&theirs, &1_u64.to_ne_bytes()).unwrap();
    drop(theirs);
    census.assert_opened(&[]);
}

#[test]
fn nix_eventfds_convert_both_ways() {
    let census = Census::take();
    let theirs = nix::sys::eventfd::EventFd::from_value(7).unwrap();
    let ours = EventFd::from(fd::OwnedFd::from(theirs));
    assert_eq!(ours.read(), Ok(7));
    // SAFETY: it is an eventfd.
    let theirs = unsafe { nix::sys::eventfd::EventFd::from_owned_fd(ours.into()) };
    theirs.write(4).unwrap();
    assert_eq!(theirs.read(), Ok(4));
    drop(theirs);
    census.assert_opened(&[]);
}

#[test]
fn nix_polls_and_reads_an_event_fd() {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let _alone = Census::take();
    let bell = bell(2);
    let mut entries = [PollFd::new(bell.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut entries, PollTimeout::ZERO), Ok(1));
    assert_eq!(entries[0].revents(), Some(PollFlags::POLLIN));
    let mut count = [0; 8];
    assert_eq!(nix::unistd::read(&bell, &mut count), Ok(8));
    assert_eq!(u64::from_ne_bytes(count), 2);
}

#[test]
fn vmm_sys_util_eventfds_convert_both_ways() {
    let census = Census::take();
    let theirs = vmm_sys_util::eventfd::EventFd::new(libc::EFD_CLOEXEC).unwrap();
    theirs.write(3).unwrap();
    // SAFETY: ownership is given up in the same expression.
    let ours = unsafe { EventFd::from_raw_fd(theirs.into_raw_fd()) };
    assert_eq!(ours.read(), Ok(3));
    ours.write(9).unwrap();
    // SAFETY: ownership is given up in the same expression.
    let theirs = unsafe { vmm_sys_util::eventfd::EventFd::from_raw_fd(ours.into_raw_fd()) };
    assert_eq!(theirs.read().unwrap(), 9);
    drop(theirs);
    census.assert_opened(&[]);
}

#[test]
fn types_with_an_eventfd_borrow_as_its_file_descriptor() {
    let _alone = Census::take();
    let notifier = rsyscall::Notifier::new().unwrap();
    assert_eq!(notifier.as_fd().as_raw_fd(), notifier.bell().as_raw_fd());
    let epoll = rsyscall::sys::epoll::Epoll::new().unwrap();
    assert_eq!(epoll.as_fd().as_raw_fd(), epoll.as_raw_fd());
}

#[test]
fn pollable_types_without_std_are_pollable_with_std() {
    let _alone = Census::take();
    watching::all();
}

/// A type of some other crate, which implements `AsFd`.
struct Theirs(std::fs::File);

impl AsFd for Theirs {
    fn as_fd(&self) -> fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[test]
fn every_as_fd_is_pollable_and_closed_by_its_owner() {
    use rsyscall::sys::epoll::{Epoll, EpollEvents};
    use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
    use std::sync::Arc;

    let census = Census::take();
    let (here, there) = std::os::unix::net::UnixStream::pair().unwrap();
    let there = Arc::new(there);
    let theirs = Theirs(std::fs::File::open("/dev/zero").unwrap());
    let boxed: Box<dyn AsFd> = Box::new(bell(1));
    let epoll = Epoll::new().unwrap();
    epoll.add(&there, EpollEvents::OUT, 1).unwrap();
    epoll.modify(&*there, EpollEvents::OUT, 2).unwrap();
    epoll.delete(&there.as_fd()).unwrap();
    epoll.add(&there.as_fd(), EpollEvents::OUT, 3).unwrap();
    epoll.add(&boxed, EpollEvents::IN, 4).unwrap();
    epoll.add(&here, EpollEvents::empty(), 5).unwrap();
    let mut room = [std::mem::MaybeUninit::uninit(); 8];
    let mut found: Vec<_> = epoll.wait(&mut room).unwrap().iter().map(|event| event.data()).collect();
    found.sort();
    assert_eq!(found, [3, 4]);

    let mut memory = [PollFd::UNUSED; 4];
    let mut set = PollSet::new(rsyscall::Current, &mut memory);
    set.add(&theirs, PollEvents::IN).unwrap();
    set.add(&*boxed, PollEvents::IN).unwrap();
    set.add(&there, PollEvents::IN).unwrap();
    let input = std::io::stdin();
    set.add(&input, PollEvents::empty()).unwrap();
    assert_eq!(set.wait(), Ok(2));

    let ours = rsyscall::fd::BorrowedFd::from(there.as_fd());
    assert_eq!(ours.as_fd().as_raw_fd(), there.as_raw_fd());
    drop((here, there, theirs, boxed, epoll));
    census.assert_opened(&[]);
}

#[test]
fn a_reactor_waits_for_any_as_fd() {
    use rsyscall::notify::StaticNotifier;
    use rsyscall::reactor::{Reactor, WaitSlot};
    use std::io::{Read, Write};

    static NOTIFIER: StaticNotifier = StaticNotifier::new();
    let _alone = Census::take();
    let slots = [const { WaitSlot::new() }; 2];
    let reactor = Reactor::new(&NOTIFIER, &slots).unwrap();
    let (mut here, mut there) = std::os::unix::net::UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || there.write_all(b"x").unwrap());
        reactor.block_on(async { reactor.readable(&here).await }).unwrap().unwrap();
    });
    assert_eq!(here.read(&mut [0; 8]).unwrap(), 1);
}

#[test]
fn an_epoll_converts_both_ways() {
    use rsyscall::sys::epoll::Epoll;
    let census = Census::take();
    let epoll = Epoll::new().unwrap();
    let fd = epoll.as_raw_fd();
    let epoll = there_and_back(Epoll::from(fd::OwnedFd::from(epoll)));
    assert_eq!(epoll.as_fd().as_raw_fd(), fd);
    census.assert_opened(&[fd]);
    drop(epoll);
    census.assert_opened(&[]);
}

/// Lends one descriptor and then the other.
struct Alternates(Cell<bool>, [EventFd; 2]);

impl AsFd for Alternates {
    fn as_fd(&self) -> fd::BorrowedFd<'_> {
        self.1[usize::from(self.0.replace(!self.0.get()))].as_fd()
    }
}

/// Lends nothing.
struct Panics;

impl AsFd for Panics {
    fn as_fd(&self) -> fd::BorrowedFd<'_> {
        panic!("it lends nothing")
    }
}

#[test]
fn the_borrowed_descriptor_is_polled_until_the_borrow_ends_even_if_the_value_changes_it() {
    use rsyscall::notify::StaticNotifier;
    use rsyscall::reactor::{Reactor, WaitSlot};
    use rsyscall::sys::epoll::{Epoll, EpollEvents};
    use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
    use std::future::Future;
    use std::task::{Context, Poll, Waker};
    static WAKE: StaticNotifier = StaticNotifier::new();
    let both = Alternates(Cell::new(false), [bell(1), bell(0)]);
    let epoll = Epoll::new().unwrap();
    epoll.add(&both, EpollEvents::IN, 0).unwrap();
    assert_eq!(epoll.modify(&both, EpollEvents::IN, 1), Err(Errno::ENOENT), "the other one");
    epoll.delete(&both).unwrap();
    // Asked once, when it is added.
    let mut memory = [PollFd::UNUSED; 2];
    let mut set = PollSet::new(rsyscall::Current, &mut memory);
    let [second, first] = [(); 2].map(|()| set.add(&both, PollEvents::IN).unwrap());
    assert_eq!(set.wait(), Ok(1));
    assert!(set.revents(first).contains(PollEvents::IN) && set.revents(second).is_empty());
    // A future waits for what it was made of, and deletes that.
    let slots = [const { WaitSlot::new() }; 1];
    let reactor = Reactor::new(&WAKE, &slots).unwrap();
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(reactor.readable(&Panics))));
    assert!(panics.is_err());
    for _ in 0..4 {
        let mut readable = Box::pin(reactor.readable(&both));
        let mut context = Context::from_waker(Waker::noop());
        assert!(readable.as_mut().poll(&mut context).is_pending());
        reactor.run_once(Some(std::time::Duration::ZERO)).unwrap();
        let ready = readable.as_mut().poll(&mut context);
        assert_eq!(matches!(ready, Poll::Ready(Ok(()))), both.0.get());
        let _other = both.as_fd();
        let _again = both.as_fd();
    }
}

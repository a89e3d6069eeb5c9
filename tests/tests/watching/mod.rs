//! Code that waits for every pollable type of the crate, compiled and run without feature `std` (tests/tests/epoll.rs)
//! and with it (tests/interop): what compiles without it compiles with it, including code that is generic over the
//! task.

use rsyscall::fd::{BorrowedFd, Lent, OwnedFd};
use rsyscall::near::Process;
use rsyscall::notify::{Notifier, State};
use rsyscall::remote::Connection;
use rsyscall::sys::epoll::{Epoll, EpollEvents, EpollTask};
use rsyscall::sys::pidfd::PidFd;
use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
use rsyscall::sys::pollable::{PollTask, Pollable};
use rsyscall::sys::signalfd::{SignalFd, SignalSet, SignalfdTask};
use rsyscall::{Current, EventFd, EventfdFlags, EventfdTask};
use std::fmt::Debug;
use std::mem::MaybeUninit;
use std::time::Duration;

/// Whether it is readable, by each of the ways to wait for it.
fn is_readable<T: PollTask<Error: Debug>, F: Pollable<T> + ?Sized>(task: T, fd: &F) -> bool {
    let epoll = task.epoll().unwrap();
    epoll.add(fd, EpollEvents::empty(), 3).unwrap();
    epoll.modify(fd, EpollEvents::IN, 7).unwrap();
    let mut room = [MaybeUninit::uninit(); 2];
    let by_epoll = match epoll.wait_timeout(&mut room, Duration::ZERO).unwrap() {
        [] => false,
        [event] => event.data() == 7,
        _ => panic!("reported twice"),
    };
    epoll.delete(fd).unwrap();
    let mut memory = [PollFd::UNUSED; 1];
    let mut set = PollSet::new(task, &mut memory);
    set.add(fd, PollEvents::IN).unwrap();
    assert_eq!(set.wait_timeout(Duration::ZERO).unwrap() == 1, by_epoll);
    by_epoll
}

/// All types that generic code can wait for, without a bound that names them.
fn each_kind<T: PollTask<Error: Debug>>(task: T) {
    let bell: EventFd<T> = task.eventfd(0, EventfdFlags::empty()).unwrap();
    let epoll: Epoll<T> = task.epoll().unwrap();
    epoll.add(&bell, EpollEvents::IN, 0).unwrap();
    for expected in [false, true] {
        assert_eq!(is_readable(task, &bell), expected);
        assert_eq!(is_readable(task, &epoll), expected);
        let owned: &OwnedFd<T> = bell.as_owned_fd();
        assert_eq!(is_readable(task, owned), expected);
        let borrowed: BorrowedFd<'_, T> = owned.as_borrowed_fd();
        assert_eq!(is_readable(task, &borrowed), expected);
        let lent: Lent<'_, EventFd<T>> = bell.for_task(task).unwrap();
        assert_eq!(is_readable(task, &lent), expected);
        let lent: Lent<'_, OwnedFd<T>> = owned.for_task(task).unwrap();
        assert_eq!(is_readable(task, &lent), expected);
        bell.write(1).unwrap();
    }
    let signals: SignalFd<T> = task.signalfd(SignalSet::EMPTY).unwrap();
    assert!(!is_readable(task, &signals));
    let other_kind: PidFd<T> = signals.into_owned_fd().into();
    assert!(!is_readable(task, &other_kind));
}

/// The types that only the current process has.
fn each_kind_of_the_current_process() {
    let (notifier, state) = (Notifier::new().unwrap(), State::new());
    let by_reference = Notifier::from_parts(&state, notifier.bell().try_clone().unwrap());
    assert!(!is_readable(Current, &notifier));
    assert!(notifier.arm());
    notifier.notify().unwrap();
    assert!(is_readable(Current, &notifier));
    assert!(is_readable(Current, &by_reference));

    let child = rsyscall::remote::fork([]).unwrap();
    let connection: &Connection = child.task.sysif();
    assert!(!is_readable(Current, connection), "no call was made");
    assert!(is_readable(Current, &EventFd::new(1, EventfdFlags::empty()).unwrap()));
}

/// Things of different types in one list, and behind pointers.
fn each_behind_a_pointer() {
    let (bell, notifier) = (EventFd::new(1, EventfdFlags::empty()).unwrap(), Notifier::new().unwrap());
    let child = rsyscall::remote::fork([]).unwrap();
    let list: [(&dyn Pollable, bool); 4] =
        [(&bell, true), (bell.as_owned_fd(), true), (&notifier, false), (child.task.sysif(), false)];
    for (fd, expected) in list {
        assert_eq!(is_readable(Current, fd), expected);
    }
    let boxed: Vec<Box<dyn Pollable>> = vec![Box::new(bell), Box::new(notifier)];
    assert!(is_readable(Current, &*boxed[0]) && !is_readable(Current, boxed[1].as_ref()));
}

/// Runs all of it, in the current process and in a task that looks like another one.
pub fn all() {
    use rsyscall::Task;
    use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
    use rsyscall::sysif::Local;

    each_kind(Current);
    let (process, table) = (Process(std::process::id() as i32), FdTable::CURRENT);
    // SAFETY: this process, and these are its tables.
    let task = unsafe { Task::new(Local, process, table, AddressSpace::CURRENT, PidNamespace::CURRENT) };
    each_kind(&task);
    each_kind_of_the_current_process();
    each_behind_a_pointer();
}

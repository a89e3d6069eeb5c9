//! The number in a handle, and the interface of this process where there is no kernel. None of it makes a system call.

use rsyscall::fd::{BorrowedFd, OwnedFd};
use rsyscall::near::FileDescriptor;
use rsyscall::{Current, EventFd};

#[test]
fn every_file_descriptor_is_stored_unchanged_and_differs_from_none() {
    let numbers = (0..31).flat_map(|bit| [(1_i32 << bit) - 1, 1 << bit, (1 << bit) + 1]);
    for number in numbers.chain([i32::MAX, i32::MAX - 1]).filter(|number| *number >= 0) {
        let fd = FileDescriptor(number);
        // SAFETY: only its value is read.
        let borrowed = Some(unsafe { BorrowedFd::borrow_raw(Current, fd) });
        assert_eq!(borrowed.map(|borrowed| borrowed.near()), Some(fd));
        // SAFETY: as above, and it is released before it is closed.
        let owned = Some(EventFd::from(unsafe { OwnedFd::adopt(Current, fd) }));
        assert_eq!(owned.map(EventFd::into_raw_fd), Some(number));
    }
    assert!(None::<OwnedFd>.is_none());
}

#[cfg(miri)]
#[test]
fn under_miri_every_call_of_this_process_fails_with_enosys() {
    use rsyscall::{Errno, EventfdFlags, Notifier};
    assert_eq!(EventFd::new(0, EventfdFlags::empty()).err(), Some(Errno::ENOSYS));
    assert_eq!(Notifier::new().err(), Some(Errno::ENOSYS));
    assert_eq!(rsyscall::remote::fork([]).err(), Some(Errno::ENOSYS));
}

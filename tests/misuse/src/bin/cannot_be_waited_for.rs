//! A type without a file descriptor cannot be polled, nor can a bare file descriptor: it may be closed. The error says
//! what to do.

use rsyscall::fd::BorrowedFd;
use rsyscall::near::FileDescriptor;
use rsyscall::sys::epoll::{Epoll, EpollEvents};
use rsyscall::{Current, EventFd, EventfdFlags};

fn main() {
    let (epoll, bell) = (Epoll::new().unwrap(), EventFd::new(0, EventfdFlags::empty()).unwrap());
    let fd: FileDescriptor = bell.near();
    #[cfg(not(fixed))]
    epoll.add(&fd, EpollEvents::IN, 0).unwrap(); //~ error[E0277]: `FileDescriptor` cannot be waited for
    // SAFETY: the eventfd is open, and stays open.
    let fd = unsafe { BorrowedFd::borrow_raw(Current, fd) };
    epoll.add(&fd, EpollEvents::IN, 0).unwrap();
}

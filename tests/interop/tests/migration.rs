//! The rows of `rsyscall::migration`: the effect of a peer's line, and of the crate's line in its place.

use rsyscall::sysif::Local;
use rsyscall::{Errno, EventFd, EventfdFlags, near};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

const PLAIN: EventfdFlags = EventfdFlags::empty();

/// What is visible of a descriptor: its flags, the description's flags, whether it is a semaphore, and its count.
fn seen(fd: RawFd) -> (i32, i32, Option<String>, Option<String>) {
    // SAFETY: a query.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    // SAFETY: a query.
    let description = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap();
    let field = |prefix| info.lines().find_map(|line| line.strip_prefix(prefix)).map(|value| value.trim().to_owned());
    (flags, description, field("eventfd-semaphore:"), field("eventfd-count:"))
}

#[track_caller]
fn same(theirs: &impl AsRawFd, ours: &EventFd) {
    assert_eq!(seen(theirs.as_raw_fd()), seen(ours.as_raw_fd()));
}

fn new(initval: u32, flags: EventfdFlags) -> EventFd {
    EventFd::new(initval, flags).unwrap()
}

fn libc_eventfd(initval: u32, flags: i32) -> OwnedFd {
    // SAFETY: two words.
    let fd = unsafe { libc::eventfd(initval, flags) };
    // SAFETY: just created.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

mod libc_rows {
    use super::*;

    #[test]
    fn eventfd_with_cloexec_is_new() {
        same(&libc_eventfd(3, libc::EFD_CLOEXEC), &new(3, PLAIN));
    }

    #[test]
    fn eventfd_without_flags_is_near_eventfd() {
        let fd = near::eventfd(&Local, 3, PLAIN).unwrap();
        // SAFETY: just created.
        let ours = unsafe { EventFd::from_raw_fd(fd.0) };
        same(&libc_eventfd(3, 0), &ours);
    }

    #[test]
    fn eventfd_without_flags_is_also_new_and_set_cloexec() {
        let ours = new(3, PLAIN);
        ours.set_cloexec(false).unwrap();
        same(&libc_eventfd(3, 0), &ours);
    }

    #[test]
    fn each_flag_is_the_flag_of_that_name() {
        same(&libc_eventfd(1, libc::EFD_CLOEXEC | libc::EFD_SEMAPHORE), &new(1, EventfdFlags::SEMAPHORE));
        same(&libc_eventfd(1, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK), &new(1, EventfdFlags::NONBLOCK));
        assert_eq!(EventfdFlags::CLOEXEC.bits(), libc::EFD_CLOEXEC as u32);
    }

    #[test]
    fn read_and_write_are_read_and_write() {
        let (theirs, ours) = (libc_eventfd(3, libc::EFD_CLOEXEC), new(3, PLAIN));
        let value = 4_u64;
        // SAFETY: eight bytes.
        assert_eq!(unsafe { libc::write(theirs.as_raw_fd(), (&raw const value).cast(), 8) }, 8);
        ours.write(value).unwrap();
        same(&theirs, &ours);
        let mut count = 0_u64;
        // SAFETY: eight bytes.
        assert_eq!(unsafe { libc::read(theirs.as_raw_fd(), (&raw mut count).cast(), 8) }, 8);
        assert_eq!(ours.read(), Ok(count));
        same(&theirs, &ours);
    }

    #[test]
    fn f_dupfd_cloexec_is_try_clone() {
        let bell = new(2, PLAIN);
        // SAFETY: a new file descriptor.
        let theirs = unsafe { OwnedFd::from_raw_fd(libc::fcntl(bell.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 0)) };
        same(&theirs, &bell.try_clone().unwrap());
    }

    #[test]
    fn f_setfl_is_set_nonblocking() {
        let (theirs, ours) = (libc_eventfd(0, libc::EFD_CLOEXEC), new(0, PLAIN));
        // SAFETY: changes a flag of this test's own descriptor.
        unsafe { libc::fcntl(theirs.as_raw_fd(), libc::F_SETFL, libc::O_RDWR | libc::O_NONBLOCK) };
        ours.set_nonblocking(true).unwrap();
        same(&theirs, &ours);
    }

    #[test]
    fn f_setfd_is_set_cloexec() {
        let (theirs, ours) = (libc_eventfd(0, libc::EFD_CLOEXEC), new(0, PLAIN));
        // SAFETY: changes a flag of this test's own descriptor.
        unsafe { libc::fcntl(theirs.as_raw_fd(), libc::F_SETFD, 0) };
        ours.set_cloexec(false).unwrap();
        same(&theirs, &ours);
    }

    #[test]
    fn poll_with_a_timeout_and_read_is_wait_timeout() {
        let bell = new(0, PLAIN);
        let mut entry = libc::pollfd { fd: bell.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one entry.
        assert_eq!(unsafe { libc::poll(&raw mut entry, 1, 1) }, 0);
        assert_eq!(bell.wait_timeout(Duration::from_millis(1)), Ok(None));
        bell.write(6).unwrap();
        // SAFETY: one entry.
        assert_eq!(unsafe { libc::poll(&raw mut entry, 1, 1) }, 1);
        assert_eq!(bell.wait_timeout(Duration::from_millis(1)), Ok(Some(6)));
    }

    #[test]
    fn errno_is_the_error() {
        let bell = new(0, EventfdFlags::NONBLOCK);
        let mut count = 0_u64;
        // SAFETY: eight bytes.
        assert_eq!(unsafe { libc::read(bell.as_raw_fd(), (&raw mut count).cast(), 8) }, -1);
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap();
        assert_eq!((errno, bell.read()), (libc::EAGAIN, Err(Errno::from_raw(errno).unwrap())));
    }
}

mod nix_rows {
    use super::*;
    use nix::sys::eventfd::{EfdFlags, EventFd as Theirs};

    // Their constructors add no CLOEXEC of their own, except `new`.
    const CLOEXEC: EfdFlags = EfdFlags::EFD_CLOEXEC;

    #[test]
    fn from_value_and_flags_is_new() {
        let flags = CLOEXEC | EfdFlags::EFD_SEMAPHORE | EfdFlags::EFD_NONBLOCK;
        same(
            &Theirs::from_value_and_flags(2, flags).unwrap(),
            &new(2, EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK),
        );
        same(&Theirs::from_flags(CLOEXEC).unwrap(), &new(0, PLAIN));
    }

    #[test]
    fn new_and_from_value_are_new_with_cloexec() {
        for (theirs, ours) in [(Theirs::new(), new(0, PLAIN)), (Theirs::from_value(2), new(2, PLAIN))] {
            let theirs = theirs.unwrap();
            ours.set_cloexec(seen(theirs.as_raw_fd()).0 != 0).unwrap();
            same(&theirs, &ours);
        }
    }

    #[test]
    fn write_and_read_are_write_and_read() {
        let (theirs, ours) = (Theirs::from_flags(CLOEXEC).unwrap(), new(0, PLAIN));
        assert_eq!((theirs.write(4), ours.write(4)), (Ok(8), Ok(())));
        same(&theirs, &ours);
        assert_eq!((theirs.read(), ours.read()), (Ok(4), Ok(4)));
    }

    #[test]
    fn from_owned_fd_is_from() {
        // SAFETY: it is an eventfd.
        let theirs = unsafe { Theirs::from_owned_fd(new(4, PLAIN).into()) };
        same(&theirs, &EventFd::from(OwnedFd::from(new(4, PLAIN))));
    }

    #[test]
    fn an_errno_is_the_errno_of_that_name() {
        assert_eq!(nix::errno::Errno::EAGAIN as i32, Errno::EAGAIN.raw());
        assert_eq!(Errno::from_raw(nix::errno::Errno::from_raw(22) as i32), Some(Errno::EINVAL));
    }
}

mod rustix_rows {
    use super::*;
    use rustix::event::{EventfdFlags as Flags, eventfd};

    #[test]
    fn eventfd_is_new() {
        same(&eventfd(2, Flags::CLOEXEC).unwrap(), &new(2, PLAIN));
        same(&eventfd(2, Flags::CLOEXEC | Flags::SEMAPHORE).unwrap(), &new(2, EventfdFlags::SEMAPHORE));
        assert_eq!(Flags::NONBLOCK.bits(), EventfdFlags::NONBLOCK.bits());
    }

    #[test]
    fn read_and_write_of_eight_bytes_are_read_and_write() {
        let (theirs, ours) = (eventfd(1, Flags::CLOEXEC).unwrap(), new(1, PLAIN));
        rustix::io::write(&theirs, &4_u64.to_ne_bytes()).unwrap();
        ours.write(4).unwrap();
        same(&theirs, &ours);
        let mut bytes = [0; 8];
        rustix::io::read(&theirs, &mut bytes).unwrap();
        assert_eq!(ours.read(), Ok(u64::from_ne_bytes(bytes)));
    }

    #[test]
    fn fcntl_dupfd_cloexec_is_try_clone() {
        let bell = new(0, PLAIN);
        same(&rustix::io::fcntl_dupfd_cloexec(&bell, 0).unwrap(), &bell.try_clone().unwrap());
    }

    #[test]
    fn ioctl_fionbio_is_set_nonblocking() {
        let (theirs, ours) = (eventfd(0, Flags::CLOEXEC).unwrap(), new(0, PLAIN));
        rustix::io::ioctl_fionbio(&theirs, true).unwrap();
        ours.set_nonblocking(true).unwrap();
        same(&theirs, &ours);
    }

    #[test]
    fn a_read_with_retry_on_intr_is_wait() {
        let bell = new(5, PLAIN);
        let mut bytes = [0; 8];
        rustix::io::retry_on_intr(|| rustix::io::read(bell.as_fd(), &mut bytes)).unwrap();
        bell.write(u64::from_ne_bytes(bytes)).unwrap();
        assert_eq!(bell.wait(), Ok(5));
    }

    #[test]
    fn an_errno_is_the_errno_of_that_name() {
        assert_eq!(rustix::io::Errno::AGAIN.raw_os_error(), Errno::EAGAIN.raw());
    }

    #[test]
    fn an_owned_fd_converts_both_ways() {
        let theirs = eventfd(6, Flags::CLOEXEC).unwrap();
        let ours = EventFd::from(theirs);
        same(&rustix::fd::OwnedFd::from(ours), &new(6, PLAIN));
    }
}

mod vmm_sys_util_rows {
    use super::*;
    use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd as Theirs};

    fn theirs() -> Theirs {
        Theirs::new(EFD_NONBLOCK | EFD_CLOEXEC).unwrap()
    }

    #[test]
    fn new_is_new() {
        same(&theirs(), &new(0, EventfdFlags::NONBLOCK));
    }

    #[test]
    fn write_read_and_try_clone_are_the_same() {
        let (theirs, ours) = (theirs(), new(0, EventfdFlags::NONBLOCK));
        theirs.write(55).unwrap();
        ours.write(55).unwrap();
        same(&theirs, &ours);
        assert_eq!(theirs.try_clone().unwrap().read().unwrap(), ours.try_clone().unwrap().read().unwrap());
        let (refused, errno) = (theirs.read().unwrap_err(), ours.read().unwrap_err());
        assert_eq!(refused.kind(), std::io::Error::from(errno).kind());
    }

    #[test]
    fn from_raw_fd_and_into_raw_fd_are_the_same() {
        let (theirs, ours) = (theirs().into_raw_fd(), new(0, EventfdFlags::NONBLOCK).into_raw_fd());
        // SAFETY: ownership was given up a line above.
        let theirs = unsafe { Theirs::from_raw_fd(theirs) };
        // SAFETY: ownership was given up two lines above.
        let ours = unsafe { EventFd::from_raw_fd(ours) };
        same(&theirs, &ours);
    }

    #[test]
    fn a_consumer_and_a_notifier_are_two_eventfds() {
        let flags = vmm_sys_util::event::EventFlag::NONBLOCK | vmm_sys_util::event::EventFlag::CLOEXEC;
        let (consumer, notifier) = vmm_sys_util::event::new_event_consumer_and_notifier(flags).unwrap();
        notifier.notify().unwrap();
        consumer.consume().unwrap();

        let consumer = new(0, EventfdFlags::NONBLOCK);
        let notifier = consumer.try_clone().unwrap();
        notifier.write(1).unwrap();
        assert_eq!(consumer.read(), Ok(1));
    }
}

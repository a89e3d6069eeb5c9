//! What other programs and messages do to a descriptor: `execve`, `SCM_RIGHTS`. The suite has the rest of sharing.

use rsyscall::{EventFd, EventfdFlags};
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

/// What an executed program reads from this file descriptor's fdinfo: the count in hexadecimal, or nothing if it is
/// closed.
fn seen_by_another_program(fd: i32) -> Option<String> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("while read -r name value; do echo $name $value; done </proc/self/fdinfo/{fd}"));
    let output = shell.stderr(Stdio::null()).output().expect("/bin/sh");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("eventfd-count: ")).map(|count| count.trim().to_owned())
}

#[test]
fn execve_closes_a_descriptor_that_is_not_inheritable() {
    let bell = EventFd::new(0xab, EventfdFlags::empty()).unwrap();
    assert_eq!(seen_by_another_program(bell.as_raw_fd()), None);
    let twin = bell.try_clone().unwrap();
    assert_eq!(seen_by_another_program(twin.as_raw_fd()), None);
}

#[test]
fn execve_keeps_an_inheritable_descriptor_and_its_count_while_the_guard_lives() {
    let mut bell = EventFd::new(0xab, EventfdFlags::empty()).unwrap();
    let fd = bell.as_raw_fd();
    let guard = bell.inheritable().unwrap();
    assert_eq!(seen_by_another_program(fd).as_deref(), Some("ab"));
    drop(guard);
    assert_eq!(seen_by_another_program(fd), None);
    let guard = bell.inheritable().unwrap();
    guard.restore().unwrap();
    assert_eq!(seen_by_another_program(fd), None);
    assert_eq!(bell.read(), Ok(0xab));
}

#[test]
fn a_descriptor_sent_in_a_message_shares_the_count_and_is_inherited_only_if_the_receiver_allows_it() {
    for (flags, cloexec) in [(libc::MSG_CMSG_CLOEXEC, true), (0, false)] {
        let bell = EventFd::new(0, EventfdFlags::NONBLOCK).unwrap();
        let (here, there) = UnixStream::pair().unwrap();
        send(&here, bell.as_raw_fd());
        let twin = receive(&there, flags);
        assert_ne!(twin.as_raw_fd(), bell.as_raw_fd());
        twin.write(3).unwrap();
        assert_eq!(bell.read(), Ok(3));
        assert_eq!((twin.is_cloexec(), twin.is_nonblocking()), (Ok(cloexec), Ok(true)));
        // The sender's own file descriptor is closed without the receiver's.
        bell.close().unwrap();
        twin.write(4).unwrap();
        assert_eq!(twin.read(), Ok(4));
        drop(here);
        assert_eq!((&there).read(&mut [0; 8]).unwrap(), 0);
    }
}

/// Room for one control message with one descriptor, with the kernel's alignment.
#[repr(align(8))]
struct Control([u8; 64]);

/// A message of one byte; `control` must outlive its use.
fn message(byte: &mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: all zeros is a message: no name, no memory, no control.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = byte;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    // SAFETY: arithmetic only.
    message.msg_controllen = unsafe { libc::CMSG_SPACE(4) } as _;
    message
}

fn send(stream: &UnixStream, fd: i32) {
    let (mut byte, mut control) = (1_u8, Control([0; 64]));
    let mut vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let message = message(&mut vector, &mut control);
    // SAFETY: the message has room for a control message.
    let header = unsafe { &mut *libc::CMSG_FIRSTHDR(&message) };
    header.cmsg_level = libc::SOL_SOCKET;
    header.cmsg_type = libc::SCM_RIGHTS;
    // SAFETY: arithmetic only.
    header.cmsg_len = unsafe { libc::CMSG_LEN(4) } as _;
    // SAFETY: the header is followed by room for its data.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: as above: room for one file descriptor.
    unsafe { data.cast::<i32>().write_unaligned(fd) };
    // SAFETY: everything that the message names outlives the call.
    assert_eq!(unsafe { libc::sendmsg(stream.as_raw_fd(), &message, 0) }, 1);
}

fn receive(stream: &UnixStream, flags: i32) -> EventFd {
    let (mut byte, mut control) = (0_u8, Control([0; 64]));
    let mut vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let mut message = message(&mut vector, &mut control);
    // SAFETY: everything that the message names outlives the call.
    assert_eq!(unsafe { libc::recvmsg(stream.as_raw_fd(), &mut message, flags) }, 1);
    // SAFETY: the kernel has filled in the message.
    let header = unsafe { libc::CMSG_FIRSTHDR(&message) };
    assert!(!header.is_null());
    // SAFETY: a control message is there.
    assert_eq!(unsafe { (*header).cmsg_type }, libc::SCM_RIGHTS);
    // SAFETY: the header is followed by its data.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: as above: one file descriptor.
    let fd = unsafe { data.cast::<i32>().read_unaligned() };
    // SAFETY: the kernel just created it for this process.
    unsafe { EventFd::from_raw_fd(fd) }
}

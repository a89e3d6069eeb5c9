//! Eventfds that are passed to another process: sent over a socket, or inherited by an executed program.

use rsyscall::fd::OwnedFd;
use rsyscall::sys::listen_fds::ListenFds;
use rsyscall::sys::socket::{Received, recv_fd, send_fd};
use rsyscall::{Errno, EventFd, EventfdFlags};
use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;

fn pair() -> [OwnedFd; 2] {
    let (a, b) = UnixStream::pair().unwrap();
    // SAFETY: ownership is given up in the same line.
    [a.into_raw_fd(), b.into_raw_fd()].map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

fn bell() -> EventFd {
    EventFd::new(0, EventfdFlags::empty()).unwrap()
}

/// The open file descriptors of this process. Tests that count them run in a process of their own.
fn open() -> BTreeSet<RawFd> {
    let names = std::fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().file_name());
    let fds: Vec<RawFd> = names.map(|name| name.to_str().unwrap().parse().unwrap()).collect();
    // The folder itself was one of them while it was read.
    let is_open = |fd: &RawFd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0;
    fds.into_iter().filter(is_open).collect()
}

/// Runs a test in a process of its own, so that no other test opens or closes a descriptor meanwhile.
fn alone(test: &str, body: fn()) {
    if std::env::var("ALONE").is_ok_and(|name| name == test) {
        return body();
    }
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own).args(["--exact", test, "--test-threads", "1"]).env("ALONE", test).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Sends several descriptors in one message.
fn send_many(socket: &OwnedFd, fds: &[RawFd]) {
    let mut control = [0_usize; 64];
    let mut byte = 1_u8;
    let mut slice = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let mut message = unsafe { std::mem::zeroed::<libc::msghdr>() };
    message.msg_iov = &raw mut slice;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    let len = size_of_val(fds) as u32;
    unsafe {
        message.msg_controllen = libc::CMSG_SPACE(len) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(len) as _;
        std::ptr::copy_nonoverlapping(fds.as_ptr(), libc::CMSG_DATA(header).cast(), fds.len());
        assert_eq!(libc::sendmsg(socket.as_raw_fd(), &raw const message, 0), 1);
    }
}

#[test]
fn a_sent_descriptor_is_a_duplicate_of_the_same_eventfd() {
    let [here, there] = pair();
    let bell = bell();
    assert_eq!(send_fd(&here, b"abc", bell.as_owned_fd()), Ok(3));
    let mut bytes = [MaybeUninit::uninit(); 8];
    let Received { bytes, fd, truncated, .. } = recv_fd(&there, &mut bytes).unwrap();
    assert_eq!((&*bytes, truncated), (&b"abc"[..], false));
    let theirs = EventFd::from(fd.unwrap());
    assert_ne!(theirs.as_raw_fd(), bell.as_raw_fd());
    assert!(theirs.is_cloexec().unwrap());
    theirs.write(7).unwrap();
    assert_eq!(bell.read(), Ok(7));
}

#[test]
fn a_received_descriptor_outlives_the_sent_one_even_while_queued() {
    let [here, there] = pair();
    let bell = EventFd::new(5, EventfdFlags::empty()).unwrap();
    send_fd(&here, b"x", bell.as_owned_fd()).unwrap();
    drop((bell, here));
    let mut bytes = [MaybeUninit::uninit(); 1];
    let fd = recv_fd(&there, &mut bytes).unwrap().fd.unwrap();
    assert_eq!(EventFd::from(fd).read(), Ok(5));
    assert_eq!(recv_fd(&there, &mut bytes).unwrap().bytes.len(), 0, "and then the end");
}

#[test]
fn bytes_without_a_descriptor_are_received_without_one() {
    let [here, there] = pair();
    // SAFETY: the socket is open, and the bytes are borrowed.
    assert_eq!(unsafe { libc::send(here.as_raw_fd(), c"ab".as_ptr().cast(), 2, 0) }, 2);
    let mut bytes = [MaybeUninit::uninit(); 8];
    let received = recv_fd(&there, &mut bytes).unwrap();
    assert_eq!((&*received.bytes, received.fd.is_none(), received.truncated), (&b"ab"[..], true, false));
}

#[test]
fn without_bytes_nothing_is_sent() {
    let [here, _there] = pair();
    assert_eq!(send_fd(&here, b"", bell().as_owned_fd()), Err(Errno::EINVAL));
}

#[test]
fn errors_are_those_of_the_kernel() {
    let [here, there] = pair();
    let mut bytes = [MaybeUninit::uninit(); 1];
    there.set_nonblocking(true).unwrap();
    assert_eq!(recv_fd(&there, &mut bytes).unwrap_err(), Errno::EAGAIN);
    drop(there);
    // And no SIGPIPE, which std ignores but a program without std does not.
    assert_eq!(send_fd(&here, b"x", bell().as_owned_fd()), Err(Errno::EPIPE));
    let bell = bell();
    assert_eq!(send_fd(bell.as_owned_fd(), b"x", bell.as_owned_fd()), Err(Errno::ENOTSOCK));
    assert_eq!(recv_fd(bell.as_owned_fd(), &mut bytes).unwrap_err(), Errno::ENOTSOCK);
}

#[test]
fn a_datagram_carries_a_descriptor() {
    let (a, b) = UnixDatagram::pair().unwrap();
    // SAFETY: ownership is given up in the same line.
    let [here, there] = [a.into_raw_fd(), b.into_raw_fd()].map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    send_fd(&here, b"long enough", bell().as_owned_fd()).unwrap();
    let mut bytes = [MaybeUninit::uninit(); 4];
    let received = recv_fd(&there, &mut bytes).unwrap();
    assert_eq!((&*received.bytes, received.fd.is_some(), received.truncated), (&b"long"[..], true, false));
}

#[test]
fn one_of_several_descriptors_is_received_and_none_leaks() {
    alone("one_of_several_descriptors_is_received_and_none_leaks", || {
        let [here, there] = pair();
        let bell = bell();
        for count in [2, 3, 10] {
            let before = open();
            send_many(&here, &vec![bell.as_raw_fd(); count]);
            let mut bytes = [MaybeUninit::uninit(); 8];
            let received = recv_fd(&there, &mut bytes).unwrap();
            assert!(received.truncated && received.bytes.len() == 1, "{count}");
            let theirs = EventFd::from(received.fd.unwrap());
            assert_eq!(open().len(), before.len() + 1, "{count}: another one is open");
            theirs.write(1).unwrap();
            assert_eq!(bell.read(), Ok(1));
            drop(theirs);
            assert_eq!(open(), before, "{count}");
        }
    });
}

#[test]
fn bytes_arrive_alone_if_the_descriptor_table_is_full() {
    alone("bytes_arrive_alone_if_the_descriptor_table_is_full", || {
        let [here, there] = pair();
        send_fd(&here, b"x", bell().as_owned_fd()).unwrap();
        let before = open();
        let full = libc::rlimit { rlim_cur: *before.last().unwrap() as libc::rlim_t + 1, rlim_max: 4096 };
        // Every file descriptor below the limit is open.
        let mut fillers = Vec::new();
        // SAFETY: sets a limit of this process, which is the test's own.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const full) }, 0);
        while let Ok(filler) = EventFd::new(0, EventfdFlags::empty()) {
            fillers.push(filler);
        }
        let mut bytes = [MaybeUninit::uninit(); 8];
        let received = recv_fd(&there, &mut bytes).unwrap();
        assert_eq!((&*received.bytes, received.fd.is_none(), received.truncated), (&b"x"[..], true, true));
        drop(fillers);
        let wide = libc::rlimit { rlim_cur: 4096, rlim_max: 4096 };
        // SAFETY: as above.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wide) }, 0);
        assert_eq!(open(), before);
    });
}

#[test]
fn credentials_are_not_mistaken_for_a_descriptor() {
    let [here, there] = pair();
    let on = 1_i32;
    // SAFETY: an option of an open socket, four bytes long.
    let set =
        unsafe { libc::setsockopt(there.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PASSCRED, (&raw const on).cast(), 4) };
    assert_eq!(set, 0);
    send_fd(&here, b"x", bell().as_owned_fd()).unwrap();
    let mut bytes = [MaybeUninit::uninit(); 8];
    let received = recv_fd(&there, &mut bytes).unwrap();
    assert_eq!((&*received.bytes, received.fd.is_none(), received.truncated), (&b"x"[..], true, true));
}

/// Executes this test program with eventfds that hold 1, 2 … as file descriptors 3, 4 …, and with these variables;
/// there [`inherited_descriptors_are_found`] checks them as `case` says. `LISTEN_PID` is its own pid, unless it is
/// among the variables.
fn started(case: &str, count: u32, variables: &[(&str, &str)]) {
    let bells: Vec<_> = (1..=count).map(|value| EventFd::new(value, EventfdFlags::empty()).unwrap()).collect();
    let fds: Vec<_> = bells.iter().map(EventFd::as_raw_fd).collect();
    let mut command = Command::new("sh");
    command
        .args(["-c", ": ${LISTEN_PID=$$}; export LISTEN_PID; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap());
    command.args(["--exact", "inherited_descriptors_are_found"]).env("CASE", case).envs(variables.iter().copied());
    let hand_over = move || {
        // From 100 on, so that none is overwritten before it is duplicated.
        // SAFETY: duplicates in the child alone.
        let high: Vec<_> = fds.iter().map(|&fd| unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 100) }).collect();
        for (fd, high) in (3..).zip(high) {
            // SAFETY: as above.
            unsafe { libc::dup2(high, fd) };
        }
        Ok(())
    };
    // SAFETY: system calls, and allocation, which glibc allows after a fork.
    unsafe { command.pre_exec(hand_over) };
    let output = command.output().unwrap();
    assert!(output.status.success(), "{case}: {}", String::from_utf8_lossy(&output.stdout));
}

/// Takes the descriptors that the environment names, as std reads it.
fn take() -> Result<ListenFds<'static>, Errno> {
    let value = |name: &str| -> Option<&'static [u8]> { Some(std::env::var(name).ok()?.leak().as_bytes()) };
    // SAFETY: called at the start of the program that `started` executes, which owns none of its inherited file
    // descriptors.
    unsafe { ListenFds::take(value) }
}

/// The names, and the counts of the eventfds.
fn read_all(listen: ListenFds<'static>) -> Vec<(String, u64)> {
    let read = |(name, fd): (&[u8], OwnedFd)| {
        assert!(fd.is_cloexec().unwrap());
        (String::from_utf8(name.to_vec()).unwrap(), EventFd::from(fd).read().unwrap())
    };
    listen.map(read).collect()
}

/// Runs only in the program that `started` executes.
#[test]
fn inherited_descriptors_are_found() {
    let Ok(case) = std::env::var("CASE") else { return };
    let pairs = |pairs: &[(&str, u64)]| pairs.iter().map(|&(name, value)| (name.to_owned(), value)).collect::<Vec<_>>();
    match &*case {
        "named" => assert_eq!(read_all(take().unwrap()), pairs(&[("a", 1), ("b", 2)])),
        "fewer names" => assert_eq!(read_all(take().unwrap()), pairs(&[("a", 1), ("unknown", 2)])),
        "an empty name" => assert_eq!(read_all(take().unwrap()), pairs(&[("", 1), ("b", 2)])),
        "unnamed" => assert_eq!(read_all(take().unwrap()), pairs(&[("unknown", 1), ("unknown", 2)])),
        "nothing" => assert_eq!(read_all(take().unwrap()), []),
        "EINVAL" => assert_eq!(take().unwrap_err(), Errno::EINVAL),
        "too few" => {
            assert!(matches!(take().unwrap_err(), Errno::EBADF | Errno::EBUSY));
            // SAFETY: a query.
            assert_eq!(unsafe { libc::fcntl(3, libc::F_GETFD) }, 0, "unchanged, not taken");
        }
        "twice" => {
            let first = take().unwrap();
            assert_eq!(take().unwrap_err(), Errno::EBUSY);
            assert_eq!(read_all(first).len(), 2);
        }
        "dropped" => {
            let mut listen = take().unwrap();
            let (_, first) = listen.next().unwrap();
            drop(listen);
            // SAFETY: a query.
            assert_eq!(unsafe { libc::fcntl(4, libc::F_GETFD) }, -1);
            assert_eq!(EventFd::from(first).read(), Ok(1));
        }
        other => panic!("no case {other}"),
    }
}

#[test]
fn listen_fds_are_returned_in_order_with_their_names() {
    started("named", 2, &[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "a:b")]);
    started("fewer names", 2, &[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "a")]);
    started("an empty name", 2, &[("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", ":b")]);
    started("unnamed", 2, &[("LISTEN_FDS", "2")]);
}

#[test]
fn listen_fds_of_another_pid_are_ignored() {
    started("nothing", 2, &[("LISTEN_FDS", "2"), ("LISTEN_PID", "1")]);
    started("nothing", 2, &[]);
    started("nothing", 0, &[("LISTEN_FDS", "0")]);
}

#[test]
fn a_malformed_environment_is_an_error_and_takes_nothing() {
    for number in ["", "-1", "+1", " 1", "x", "4294967297", "2147483647"] {
        started("EINVAL", 1, &[("LISTEN_FDS", number)]);
    }
    started("EINVAL", 1, &[("LISTEN_FDS", "1"), ("LISTEN_PID", "x")]);
    started("too few", 1, &[("LISTEN_FDS", "90")]);
}

#[test]
fn listen_fds_are_taken_once_and_closed_with_their_owner() {
    started("twice", 2, &[("LISTEN_FDS", "2")]);
    started("dropped", 2, &[("LISTEN_FDS", "2")]);
}

/// Adds to an eventfd from within the kernel, as often as requested: AIO that completes at once.
fn ring_in_the_kernel(bell: &EventFd, times: usize) {
    let zero = std::fs::File::open("/proc/self/exe").unwrap();
    let mut context = 0_usize;
    // SAFETY: the kernel writes a word.
    assert_eq!(unsafe { libc::syscall(libc::SYS_io_setup, 4, &raw mut context) }, 0);
    for _ in 0..times {
        let mut bytes = [0_u8; 4];
        // `struct iocb`: opcode and descriptor in word 2, buffer, length, and at the end the flag and the eventfd.
        let mut request = [0_u64; 8];
        request[2] = (std::os::fd::AsRawFd::as_raw_fd(&zero) as u64) << 32;
        request[3] = bytes.as_mut_ptr() as u64;
        request[4] = bytes.len() as u64;
        request[7] = 1 | (bell.as_raw_fd() as u64) << 32;
        let list = [request.as_ptr()];
        // SAFETY: one request, which is complete when the file has been read: it is waited for.
        assert_eq!(unsafe { libc::syscall(libc::SYS_io_submit, context, 1, list.as_ptr()) }, 1);
        let mut event = [0_u64; 4];
        // SAFETY: room for one event.
        let done = unsafe { libc::syscall(libc::SYS_io_getevents, context, 1, 1, event.as_mut_ptr(), 0) };
        assert_eq!((done, event[2]), (1, 4), "four bytes were read");
    }
    // SAFETY: the context is not used any more.
    unsafe { libc::syscall(libc::SYS_io_destroy, context) };
}

#[test]
fn the_kernel_adds_up_to_u64_max_and_poll_then_reports_an_error() {
    use rsyscall::Current;
    use rsyscall::sys::poll::{PollEvents, PollFd, PollSet};
    if rsyscall_suite::Environment::is_emulated(Current) || cfg!(target_endian = "big") {
        return rsyscall_tests::cannot("an eventfd that the kernel signals", "the emulator has no AIO");
    }
    let bell = EventFd::new(0, EventfdFlags::NONBLOCK).unwrap();
    let poll = || {
        let mut memory = [PollFd::UNUSED; 1];
        let mut set = PollSet::new(Current, &mut memory);
        let place = set.add(&bell, PollEvents::IN | PollEvents::OUT).unwrap();
        set.wait_timeout(std::time::Duration::ZERO).unwrap();
        set.revents(place)
    };
    ring_in_the_kernel(&bell, 2);
    assert_eq!(bell.read(), Ok(2));

    bell.write(u64::MAX - 1).unwrap();
    assert_eq!(poll(), PollEvents::IN);
    ring_in_the_kernel(&bell, 1);
    assert_eq!(poll(), PollEvents::IN | PollEvents::ERR);
    ring_in_the_kernel(&bell, 1);
    assert_eq!(bell.write(0), Err(Errno::EAGAIN));
    assert_eq!(bell.read(), Ok(u64::MAX), "and the second one is lost");
    assert_eq!(poll(), PollEvents::OUT);
}

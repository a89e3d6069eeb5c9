//! The format of a connection, byte for byte, and its other implementations.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{FileDescriptor, Process};
use rsyscall::remote::{Connection, Policy, Request, ServeError, serve};
use rsyscall::sysif::{Arg, Error, SyscallInterface};
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask, Task, near, nr, remote};
use rsyscall_tests::{cannot, emulated, skip};
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

fn owned(stream: UnixStream) -> OwnedFd {
    // SAFETY: std gives up ownership.
    unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) }
}

/// A connection to the other end of the stream, whose own file descriptor there is 5.
fn connection(stream: UnixStream) -> Connection {
    // SAFETY: each test responds as a kernel could.
    unsafe { Connection::from_stream(owned(stream), FileDescriptor(5)) }
}

fn task(connection: Connection) -> Task<Connection> {
    // SAFETY: the server has a table of its own.
    unsafe { Task::new(connection, Process(1), FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) }
}

fn word(word: i64) -> [u8; 8] {
    word.to_le_bytes()
}

fn request(words: [i64; 7]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn expect(stream: &mut UnixStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    stream.read_exact(&mut got).unwrap();
    assert_eq!(got, bytes);
}

const RECVFROM: i64 = rsyscall::nr::RECVFROM as i64;
const SENDTO: i64 = rsyscall::nr::SENDTO as i64;

#[test]
fn a_request_is_seven_words_and_a_response_one() {
    let mut bytes = [0_u8; 56];
    bytes[0] = if cfg!(target_arch = "x86_64") { 0x22 } else { 0x13 };
    bytes[1] = if cfg!(target_arch = "x86_64") { 0x01 } else { 0 };
    bytes[18] = 0x08;
    let made = Request { nr: rsyscall::nr::EVENTFD2, args: [0, 0o2000000, 0, 0, 0, 0] };
    assert_eq!(made.to_bytes(), bytes);
    assert_eq!(Request::from_bytes(bytes), made);
    let responses: [([u8; 8], Result<usize, Errno>); 4] = [
        ([0x0d, 0, 0, 0, 0, 0, 0, 0], Ok(13)),
        ([0xea, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err(Errno::EINVAL)),
        ([0x01, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err(Errno::from_raw(4095).unwrap())),
        ([0x00, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Ok(-4096_isize as usize)),
    ];
    for (bytes, response) in responses {
        let ret = remote::response_from_bytes(bytes);
        assert_eq!(Errno::from_ret(ret), response);
        assert_eq!(remote::response_to_bytes(ret), bytes);
    }
}

#[test]
fn an_eventfd_through_a_connection_has_this_wire_format() {
    let (client, mut server) = UnixStream::pair().unwrap();
    let server = thread::spawn(move || {
        expect(&mut server, &request([rsyscall::nr::EVENTFD2 as i64, 7, 0o2000000, 0, 0, 0, 0]));
        server.write_all(&word(13)).unwrap();
        // The first memory: scratch space, and a check that it can be reached.
        expect(&mut server, &request([rsyscall::nr::MMAP as i64, 0, 4096, 3, 0x22, -1, 0]));
        server.write_all(&word(0x7000_0000)).unwrap();
        expect(&mut server, &request([SENDTO, 5, 0x7000_0000, 0, 0, 0, 0]));
        server.write_all(&word(0)).unwrap();
        expect(&mut server, &request([RECVFROM, 5, 0x7000_0000, 1, 0x40, 0, 0]));
        server.write_all(&word(-11)).unwrap();
        // A write: eight bytes to the server, then the call.
        expect(&mut server, &request([RECVFROM, 5, 0x7000_0000, 8, 0x100, 0, 0]));
        expect(&mut server, &[2, 0, 0, 0, 0, 0, 0, 0]);
        expect(&mut server, &request([rsyscall::nr::WRITE as i64, 13, 0x7000_0000, 8, 0, 0, 0]));
        server.write_all(&[word(8), word(8)].concat()).unwrap();
        // A read: the call, then eight bytes back and their count.
        expect(&mut server, &request([rsyscall::nr::READ as i64, 13, 0x7000_0000, 8, 0, 0, 0]));
        expect(&mut server, &request([SENDTO, 5, 0x7000_0000, 8, 0, 0, 0]));
        server.write_all(&[word(8), word(9), word(8)].concat()).unwrap();
        // A read that does not sleep: the vector to the server, its memory behind it.
        expect(&mut server, &request([RECVFROM, 5, 0x7000_0000, 16, 0x100, 0, 0]));
        expect(&mut server, &[word(0x7000_0010), word(8)].concat());
        expect(&mut server, &request([rsyscall::nr::PREADV2 as i64, 13, 0x7000_0000, 1, -1, 0, 8]));
        expect(&mut server, &request([SENDTO, 5, 0x7000_0010, 8, 0, 0, 0]));
        server.write_all(&[word(16), word(-11), word(0), word(8)].concat()).unwrap();
        expect(&mut server, &request([rsyscall::nr::CLOSE as i64, 13, 0, 0, 0, 0, 0]));
        server.write_all(&word(0)).unwrap();
        // The end: the scratch space is unmapped.
        expect(&mut server, &request([rsyscall::nr::MUNMAP as i64, 0x7000_0000, 4096, 0, 0, 0, 0]));
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
    });
    let task = task(connection(client));
    let bell = task.eventfd(7, EventfdFlags::empty()).unwrap();
    assert_eq!(bell.as_raw_fd(), 13);
    bell.write(2).unwrap();
    assert_eq!(bell.read(), Ok(9));
    assert_eq!(bell.try_read(), Ok(None));
    bell.close().unwrap();
    drop(task);
    server.join().unwrap();
}

#[test]
fn memory_that_goes_both_ways_and_memory_larger_than_the_scratch_space_arrive() {
    let (client, server) = UnixStream::pair().unwrap();
    let fd = FileDescriptor(server.as_raw_fd());
    let server = thread::spawn(move || {
        let server = owned(server);
        // SAFETY: the client is this test.
        unsafe { serve(&server, Policy::Everything) }
    });
    // SAFETY: `serve` is at the other end.
    let connection = unsafe { Connection::from_stream(owned(client), fd) };
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let (reader_fd, writer_fd) = (FileDescriptor(reader.as_raw_fd()), FileDescriptor(writer.as_raw_fd()));
    for len in [0_usize, 1, 7, 8, 9, 255, 256, 257, 4095, 4096, 4097, 50_000] {
        let sent: Vec<u8> = (0..len).map(|index| (index * 7 % 251) as u8).collect();
        // SAFETY: the pipe is this test's.
        assert_eq!(unsafe { near::write(&connection, writer_fd, &sent) }, Ok(len), "{len}");
        let mut got = vec![core::mem::MaybeUninit::uninit(); len];
        // SAFETY: as above.
        let got = unsafe { near::read(&connection, reader_fd, &mut got) }.unwrap();
        assert_eq!(got, sent, "{len}");
    }
    // Two that go both ways: a poll with a timeout.
    let mut entries = [near::PollFd { fd: writer_fd, events: near::PollFd::OUT, revents: 0 }; 3];
    entries[1].fd = FileDescriptor(-1);
    entries[2].fd = reader_fd;
    entries[2].events = near::PollFd::IN;
    assert_eq!(near::ppoll(&connection, &mut entries, Some(std::time::Duration::from_secs(9).into()), None), Ok(1));
    assert_eq!(entries.map(|entry| entry.revents), [near::PollFd::OUT, 0, 0]);
    drop(connection);
    // The client unmapped its scratch space without waiting for the response.
    assert!(matches!(server.join().unwrap(), Ok(()) | Err(ServeError::Vanished)));
    drop(writer);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

#[test]
fn memory_of_a_forked_childs_call_is_transferred_through_the_page_and_through_the_stream() {
    let (here, there) = UnixStream::pair().unwrap();
    let (here, there) = (owned(here), owned(there));
    let forked = remote::fork([&there]).unwrap();
    let [token] = forked.inherited;
    let there = token.attach(&forked.task).unwrap();
    let connection = forked.task.sysif();
    // Lengths that exactly fill the page, and ones that do not fit.
    for len in [0_usize, 1, 7, 8, 9, 4031, 4032, 4033, 50_000, 3] {
        let sent: Vec<u8> = (0..len).map(|index| (index * 7 % 251) as u8).collect();
        // SAFETY: both streams are this test's.
        assert_eq!(unsafe { near::write(connection, there.near(), &sent) }, Ok(len), "{len}");
        let mut got = vec![0xaa; len];
        let mut whole = got.as_mut_slice();
        while !whole.is_empty() {
            let uninit = std::mem::take(&mut whole);
            let memory = core::ptr::slice_from_raw_parts_mut(uninit.as_mut_ptr().cast(), uninit.len());
            // SAFETY: the same memory, in which only initialised bytes are written; the stream is this test's.
            let count = unsafe { near::recvfrom(&rsyscall::sysif::Local, here.near(), &mut *memory, 0) }.unwrap();
            whole = &mut uninit[count..];
        }
        assert!(got == sent, "{len} bytes there");
        // SAFETY: both streams are this test's; the memory has this length.
        unsafe {
            assert_eq!(near::sendto(&rsyscall::sysif::Local, here.near(), &sent, 0), Ok(len), "{len}");
            let mut memory = vec![core::mem::MaybeUninit::new(0xaa); len + 1];
            if len != 0 {
                let args = [there.near().into(), Arg::Out(&mut memory), Arg::Word(len)];
                assert_eq!(connection.syscall(rsyscall::nr::READ, args), Ok(len));
            }
            let memory: Vec<u8> = memory.into_iter().map(|byte| byte.assume_init()).collect();
            assert!(memory[..len] == sent, "{len} bytes back");
            assert_eq!(memory[len], 0xaa, "and no more than were read");
        }
    }
    // Both ways: memory that an error leaves unchanged, and several arguments at once.
    let mut entries = [near::PollFd { fd: there.near(), events: near::PollFd::OUT, revents: 0 }; 3];
    entries[1].fd = FileDescriptor(-1);
    entries[2].events = near::PollFd::IN;
    assert_eq!(near::ppoll(connection, &mut entries, Some(std::time::Duration::from_secs(9).into()), None), Ok(1));
    assert_eq!(entries.map(|entry| entry.revents), [near::PollFd::OUT, 0, 0]);
    // A call after those of a pipeline, whose memory goes through the stream.
    let bell = forked.task.eventfd(0, EventfdFlags::empty()).unwrap();
    let mut slots = [remote::CallSlot::EMPTY; 20];
    let mut pipeline = connection.pipeline(&mut slots).unwrap();
    for value in 1..=20 {
        pipeline.write(&bell, value).unwrap();
    }
    assert_eq!(bell.read(), Ok(210));
    for _ in 0..20 {
        assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(8));
    }
}

#[test]
fn bytes_that_a_read_did_not_write_are_unchanged_although_other_calls_have_used_the_memory() {
    use rsyscall::sysif::OutSlice;
    const MSG_DONTWAIT: u32 = 0x40;
    let check = |task: &Task<Connection>, case: &str| {
        let [reader, writer] = near::socketpair_stream(task.sysif()).unwrap();
        // As much as goes through shared memory, and as much as does not.
        for len in [16, 3000, 9000] {
            // SAFETY, here and below: both are open until the process ends.
            assert_eq!(unsafe { near::write(task.sysif(), writer, &vec![0x55; len]) }, Ok(len));
            let mut all = vec![MaybeUninit::new(0); len];
            assert_eq!(unsafe { near::read(task.sysif(), reader, &mut all) }.unwrap().len(), len);
            assert_eq!(unsafe { near::write(task.sysif(), writer, b"short") }, Ok(5));
            let mut memory = vec![MaybeUninit::new(0xaa_u8); len];
            assert_eq!(unsafe { near::read(task.sysif(), reader, &mut memory) }.unwrap(), b"short");
            let rest = |memory: &[MaybeUninit<u8>]| {
                // SAFETY: initialised above, and whatever is written is.
                memory.iter().all(|byte| unsafe { byte.assume_init() } == 0xaa)
            };
            assert!(rest(&memory[5..]), "{case} {len}");
            // Nothing was read at all, and a read in pieces.
            let refused = unsafe { near::recvfrom(task.sysif(), reader, &mut memory[5..], MSG_DONTWAIT) };
            assert_eq!(refused.map(drop), Err(Error::Os(Errno::EAGAIN)));
            assert!(rest(&memory[5..]), "{case} {len}");
            assert_eq!(unsafe { near::write(task.sysif(), writer, b"short") }, Ok(5));
            let (mut first, mut second) = ([MaybeUninit::new(0xaa); 3], vec![MaybeUninit::new(0xaa); len]);
            let vector = &mut [OutSlice::new(&mut first), OutSlice::new(&mut second)];
            let args = [reader.into(), Arg::OutVec(vector), Arg::Word(2)];
            assert_eq!(unsafe { task.sysif().syscall(nr::READV, args) }, Ok(5));
            assert!(rest(&second[2..]), "{case} {len}");
        }
    };
    check(&remote::fork([]).unwrap().task, "forked");
    let (task, server) = adopted(Policy::Everything);
    check(&task, "adopted");
    drop(task);
    let _either = server.join().unwrap();
}

/// A task whose server is not forked, but runs in a thread of this process.
fn adopted(policy: Policy<'static>) -> (Task<Connection>, thread::JoinHandle<Result<(), ServeError>>) {
    let (client, server) = UnixStream::pair().unwrap();
    let fd = FileDescriptor(server.as_raw_fd());
    let server = thread::spawn(move || {
        let server = owned(server);
        // SAFETY: the client is this test.
        unsafe { serve(&server, policy) }
    });
    // SAFETY: `serve` is at the other end.
    (task(unsafe { Connection::from_stream(owned(client), fd) }), server)
}

#[test]
fn a_fetched_descriptor_is_used_here_and_closed_separately() {
    let forked = remote::fork([]).unwrap();
    let (task, server) = adopted(Policy::Everything);
    // By pidfd_getfd, and over the stream.
    for task in [&forked.task, &task] {
        let there = task.eventfd(1, EventfdFlags::empty()).unwrap();
        for round in 0..3 {
            let here = there.fetch().unwrap();
            assert_eq!(here.is_cloexec(), Ok(true));
            here.write(6).unwrap();
            assert_eq!(there.read(), Ok(if round == 0 { 7 } else { 6 }));
            there.write(2).unwrap();
            assert_eq!(here.read(), Ok(2));
        }
        let here = there.fetch().unwrap();
        there.close().unwrap();
        here.write(1).unwrap();
        assert_eq!(here.read(), Ok(1));
    }
    // After responses without a waiter, and not among those of a pipeline.
    let there = task.eventfd(0, EventfdFlags::empty()).unwrap();
    let mut slots = [remote::CallSlot::EMPTY; 4];
    let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
    pipeline.write(&there, 3).unwrap();
    pipeline.write(&there, 4).unwrap();
    assert_eq!(there.fetch().map(drop), Err(Error::Os(Errno::EBUSY)));
    drop(pipeline);
    assert_eq!(there.fetch().unwrap().read(), Ok(7));
    drop(there);
    drop(task);
    let _either = server.join().unwrap();
}

#[test]
fn a_descriptor_that_cannot_be_fetched_stays_remote() {
    let (task, server) = adopted(Policy::EVENTFD);
    let there = task.eventfd(1, EventfdFlags::empty()).unwrap();
    assert_eq!(there.fetch().map(drop), Err(Error::Os(Errno::EPERM)));
    there.write(2).unwrap();
    assert_eq!(there.read(), Ok(3));
    drop(there);
    drop(task);
    let _either = server.join().unwrap();
    // A server that has ended.
    let mut forked = remote::fork([]).unwrap();
    let there = forked.task.eventfd(1, EventfdFlags::empty()).unwrap();
    forked.child.kill().unwrap();
    forked.child.wait().unwrap();
    assert_eq!(there.fetch().map(drop), Err(Error::NotSent));
    // One that shares the table.
    if rsyscall_tests::shares_files() {
        let forked = remote::fork_sharing_files().unwrap();
        let there = forked.task.eventfd(1, EventfdFlags::empty()).unwrap();
        let here = there.fetch().unwrap();
        assert_ne!(here.as_raw_fd(), there.as_raw_fd());
        drop(there);
        assert_eq!(here.read(), Ok(1));
    }
}

/// The addresses of a process's shared anonymous mappings.
fn shared_pages(process: Process) -> Vec<String> {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", process.0)).unwrap();
    let shared = maps.lines().filter(|line| line.contains("/dev/zero"));
    shared.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn a_page_is_shared_with_one_child_only() {
    if emulated() {
        return cannot("a page of one child", "qemu-user ignores MADV_DONTFORK");
    }
    let first = remote::fork([]).unwrap();
    // The call returned, so the first calls of the child are done.
    near::getpid(first.task.sysif()).unwrap();
    let [page] = &shared_pages(first.child.process())[..] else { panic!("one page") };
    assert!(shared_pages(Process(std::process::id() as i32)).contains(page));
    let second = remote::fork([]).unwrap();
    near::getpid(second.task.sysif()).unwrap();
    assert!(!shared_pages(second.child.process()).contains(page), "of the same parent");
}

#[test]
fn a_policy_returns_eperm_and_the_stream_stays_synchronised() {
    let (client, server) = UnixStream::pair().unwrap();
    let fd = FileDescriptor(server.as_raw_fd());
    let server = thread::spawn(move || {
        let server = owned(server);
        // SAFETY: the client is this test.
        unsafe {
            serve(
                &server,
                Policy::Only(&[rsyscall::nr::EVENTFD2, rsyscall::nr::CLOSE, rsyscall::nr::MMAP, rsyscall::nr::MUNMAP]),
            )
        }
    });
    // SAFETY: `serve` is at the other end.
    let connection = unsafe { Connection::from_stream(owned(client), fd) };
    let task = task(connection);
    let bell = task.eventfd(0, EventfdFlags::empty()).unwrap();
    // A write would need `recvfrom`: it is refused before its bytes could be parsed as a request.
    assert_eq!(bell.write(1), Err(Error::Os(Errno::EPERM)));
    assert_eq!(near::getpid(task.sysif()), Err(Error::Os(Errno::EPERM)));
    // SAFETY: a call that is not allowed is not executed, whatever the upper half of its number.
    let disguised = unsafe { task.sysif().syscall(rsyscall::nr::GETPID | 1 << 32, [] as [Arg<'_>; 0]) };
    assert_eq!(disguised, Err(Error::Os(Errno::EPERM)));
    bell.close().unwrap();
    drop(task);
    assert!(matches!(server.join().unwrap(), Ok(()) | Err(ServeError::Vanished)));
}

#[test]
fn the_policy_for_eventfds_is_enough_for_every_method() {
    let (client, server) = UnixStream::pair().unwrap();
    let fd = FileDescriptor(server.as_raw_fd());
    let server = thread::spawn(move || {
        let server = owned(server);
        // SAFETY: the client is this test.
        unsafe { serve(&server, Policy::EVENTFD) }
    });
    // SAFETY: `serve` is at the other end.
    let connection = unsafe { Connection::from_stream(owned(client), fd) };
    let task = task(connection);
    let mut bell = task.eventfd(1, EventfdFlags::NONBLOCK).unwrap();
    assert!(bell.try_write(3).unwrap());
    assert_eq!(bell.wait(), Ok(4));
    assert_eq!(bell.wait_timeout(std::time::Duration::from_millis(1)), Ok(None));
    assert_eq!(bell.try_read(), Ok(None));
    let again = bell.try_clone().unwrap();
    again.set_nonblocking(false).unwrap();
    assert_eq!(bell.is_nonblocking(), Ok(false));
    bell.inheritable().unwrap().restore().unwrap();
    assert_eq!(bell.is_cloexec(), Ok(true));
    again.close().unwrap();
    drop(bell);
    drop(task);
    assert!(matches!(server.join().unwrap(), Ok(()) | Err(ServeError::Vanished)));
}

#[test]
fn a_server_reads_not_one_byte_ahead() {
    let (mut client, server) = UnixStream::pair().unwrap();
    let fd = server.as_raw_fd();
    let thread = thread::spawn(move || {
        let server = owned(server);
        // SAFETY: the client is this test.
        unsafe { serve(&server, Policy::Everything) }
    });
    let mut memory = Box::new([0_u8; 64]);
    let address = memory.as_mut_ptr().expose_provenance();
    // A request, its data and the next request in one piece: a server that reads ahead would miss the data.
    let put = Request { nr: rsyscall::nr::RECVFROM, args: [fd as usize, address, 64, 0x100, 0, 0] };
    let next = Request { nr: rsyscall::nr::GETPID, args: [0; 6] };
    let data: Vec<u8> = (0..64).collect();
    client.write_all(&[&put.to_bytes()[..], &data, &next.to_bytes()].concat()).unwrap();
    expect(&mut client, &word(64));
    expect(&mut client, &word(std::process::id().into()));
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(thread.join().unwrap(), Ok(()));
    assert_eq!(memory[..], data);
}

// Interoperation: both ends also in C, written from the description of the format alone.

fn compiled(name: &str, case: &str) -> Option<PathBuf> {
    if cfg!(not(target_arch = "x86_64")) {
        cannot(case, "no C compiler for this architecture");
        return None;
    }
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("remote").join(name).with_extension("c");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("remote-{name}"));
    let output = Command::new("cc").args(["-O2", "-Wall", "-Werror", "-o"]).arg(&program).arg(source).output();
    let Ok(output) = output else {
        skip(case, "no C compiler is installed");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}

/// Starts a program with the stream as its standard input.
fn start(program: PathBuf, stream: UnixStream, argument: &str) -> Child {
    // SAFETY: std gives up ownership and takes it back.
    let stdin = unsafe { Stdio::from_raw_fd(stream.into_raw_fd()) };
    Command::new(program).arg(argument).stdin(stdin).spawn().unwrap()
}

#[test]
fn the_client_drives_a_server_in_c() {
    let Some(program) = compiled("server", "the client and a server in C") else { return };
    let (client, server) = UnixStream::pair().unwrap();
    let mut child = start(program, server, "");
    // SAFETY: a server of the format, with its end as file descriptor 0.
    let task = task(unsafe { Connection::from_stream(owned(client), FileDescriptor(0)) });
    let bell = task.eventfd(40, EventfdFlags::empty()).unwrap();
    bell.write(2).unwrap();
    assert_eq!(bell.read(), Ok(42));
    assert_eq!(bell.try_read(), Ok(None));
    assert_eq!(bell.wait_timeout(std::time::Duration::from_millis(1)), Ok(None));
    assert_eq!(near::getpid(task.sysif()), Ok(Process(child.id() as i32)));
    assert_eq!(bell.write(u64::MAX), Err(Error::Os(Errno::EINVAL)));
    drop(bell);
    task.exit(9).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn a_client_in_c_drives_the_server() {
    let Some(program) = compiled("client", "a client in C and the server") else { return };
    let (client, server) = UnixStream::pair().unwrap();
    let fd = server.as_raw_fd().to_string();
    let server = owned(server);
    let mut child = start(program, client, &fd);
    // SAFETY: the client requests only an eventfd and memory of its own.
    assert_eq!(unsafe { serve(&server, Policy::EVENTFD) }, Ok(()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_eventfd_is_sent_to_a_program_over_a_connection_and_read_here() {
    // The same counter seen from both sides, by a child that shares only what it inherited.
    let bell = EventFd::new(0, EventfdFlags::empty()).unwrap();
    let forked = remote::fork([bell.as_owned_fd()]).unwrap();
    let [token] = forked.inherited;
    let there = EventFd::from(token.attach(&forked.task).unwrap());
    there.write(1).unwrap();
    assert_eq!(bell.wait(), Ok(1));
    bell.write(2).unwrap();
    assert_eq!(there.wait(), Ok(2));
}

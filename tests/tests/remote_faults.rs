//! Every fault between a client and its server, produced for real.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{FileDescriptor, Process};
use rsyscall::remote::{
    self, CallSlot, Connection, ExitStatus, Forked, Operand, Pipeline, Policy, Request, ServeError, SubmitError,
    Ticket, serve,
};
use rsyscall::sys::signal::Signal;
use rsyscall::sysif::{Arg, Error, Local, SyscallInterface};
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask, Task, near};
use rsyscall_tests::{cannot, shares_files};
use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for any machine, and short enough to end a test that hangs.
const LONG: Duration = Duration::from_secs(60);

const EMPTY: EventfdFlags = EventfdFlags::empty();
const KILLED: ExitStatus = ExitStatus::Killed { signal: Signal::KILL, core_dumped: false };

fn fork() -> Forked {
    let forked = remote::fork([]).unwrap();
    forked.task.sysif().set_timeout(Some(LONG));
    forked
}

fn owned(stream: UnixStream) -> OwnedFd {
    // SAFETY: std gives up ownership.
    unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) }
}

/// A connection to a server that the test implements.
fn connection(stream: UnixStream) -> Connection {
    // SAFETY: no test lets more be read than was written.
    let connection = unsafe { Connection::from_stream(owned(stream), FileDescriptor(5)) };
    connection.set_timeout(Some(LONG));
    connection
}

fn task(connection: Connection) -> Task<Connection> {
    // SAFETY: the server has a table of its own.
    unsafe { Task::new(connection, Process(1), FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) }
}

/// Sleeps in the other process: a call that takes time.
fn submit_sleep(pipeline: &mut Pipeline<'_, '_>, time: Duration) -> Ticket {
    let time = [time.as_secs().to_ne_bytes(), u64::from(time.subsec_nanos()).to_ne_bytes()].concat();
    // SAFETY: `nanosleep` reads a time, and does not return the remaining one.
    unsafe {
        pipeline.submit(
            rsyscall::nr::CLOCK_NANOSLEEP,
            [Operand::Word(1), Operand::Word(0), Operand::In(&time), Operand::Word(0)],
        )
    }
    .unwrap()
}

fn sleep_there(connection: &Connection, time: Duration) -> Result<usize, Error> {
    let time = [time.as_secs().to_ne_bytes(), u64::from(time.subsec_nanos()).to_ne_bytes()].concat();
    // SAFETY: `nanosleep` reads a time, and does not return the remaining one.
    unsafe {
        connection.syscall(rsyscall::nr::CLOCK_NANOSLEEP, [Arg::Word(1), Arg::Word(0), Arg::In(&time), Arg::Word(0)])
    }
}

/// Waits until a child has left the server's `recvfrom` and sleeps in a call.
fn until_asleep_in_a_call(child: &remote::Child) {
    let start = Instant::now();
    let recvfrom = rsyscall::nr::RECVFROM.to_string();
    let path = format!("/proc/{}/syscall", child.process().0);
    loop {
        let syscall = std::fs::read_to_string(&path).unwrap();
        let number = syscall.split(' ').next().unwrap();
        if number.parse::<usize>().is_ok() && number != recvfrom {
            return;
        }
        assert!(start.elapsed() < LONG, "{syscall}");
        thread::yield_now();
    }
}

/// Waits until a thread of that process sleeps in the system call.
fn until_asleep(process: Process) {
    let start = Instant::now();
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.0)).unwrap();
        if stat.rsplit(") ").next().unwrap().starts_with('S') {
            return;
        }
        assert!(start.elapsed() < LONG);
        thread::yield_now();
    }
}

#[test]
fn a_killed_child_fails_the_current_call_with_hangup_and_the_next_with_not_sent() {
    let forked = fork();
    let bell = forked.task.eventfd(0, EMPTY).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            until_asleep(forked.child.process());
            thread::sleep(Duration::from_millis(20));
            forked.child.kill().unwrap();
        });
        // The read never returns: the eventfd is not written.
        assert_eq!(bell.read(), Err(Error::Hangup));
    });
    assert_eq!(bell.write(1), Err(Error::NotSent));
    assert!(!forked.task.sysif().is_open());
    let mut child = forked.child;
    drop(bell);
    assert_eq!(child.wait(), Ok(KILLED));
}

#[test]
fn a_child_killed_before_the_call_is_noticed_with_and_without_a_shared_table() {
    for share in [false, true] {
        if share && !shares_files() {
            cannot("a killed child that shares files", "clone(CLONE_FILES) fails with EINVAL here");
            continue;
        }
        let forked = if share { remote::fork_sharing_files().unwrap() } else { fork() };
        forked.task.sysif().set_timeout(Some(LONG));
        let bell = forked.task.eventfd(0, EMPTY).unwrap();
        forked.child.kill().unwrap();
        if let Some(pidfd) = forked.child.pidfd() {
            let mut entry = [near::PollFd { fd: pidfd.near(), events: near::PollFd::IN, revents: 0 }];
            near::ppoll(&Local, &mut entry, Some(LONG.into()), None).unwrap();
        }
        // Even if the request was written to a stream that was still open: it was not claimed.
        assert_eq!(bell.write(1), Err(Error::NotSent));
        assert_eq!(bell.write(1), Err(Error::NotSent));
    }
}

#[test]
fn a_child_that_shares_files_and_is_killed_fails_the_current_call_with_hangup() {
    if !shares_files() {
        return cannot("killed in a call, sharing files", "clone(CLONE_FILES) fails with EINVAL here");
    }
    let forked = remote::fork_sharing_files().unwrap();
    forked.task.sysif().set_timeout(Some(LONG));
    let bell = forked.task.eventfd(0, EMPTY).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(30));
            until_asleep(forked.child.process());
            forked.child.kill().unwrap();
        });
        assert_eq!(bell.read(), Err(Error::Hangup));
    });
}

#[test]
fn exit_succeeds_and_wait_returns_the_status() {
    for status in [0, 1, 255] {
        let mut forked = fork();
        forked.task.exit(status).unwrap();
        assert_eq!(forked.child.wait(), Ok(ExitStatus::Exited(status)));
    }
    if !shares_files() {
        return cannot("exit of a child that shares files", "clone(CLONE_FILES) fails with EINVAL here");
    }
    let mut forked = remote::fork_sharing_files().unwrap();
    forked.task.exit(7).unwrap();
    assert_eq!(forked.child.wait(), Ok(ExitStatus::Exited(7)));
}

#[test]
fn exit_of_a_dead_child_fails_with_not_sent() {
    let forked = fork();
    let mut child = forked.child;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(near::getpid(forked.task.sysif()).is_err());
    assert_eq!(forked.task.exit(0).map_err(|error| error.into_error()), Err(Error::NotSent));
}

#[test]
fn exec_succeeds_and_a_failed_exec_returns_the_task() {
    for share in [false, true] {
        if share && !shares_files() {
            cannot("exec of a child that shares files", "clone(CLONE_FILES) fails with EINVAL here");
            continue;
        }
        let Forked { task, mut child, .. } = if share { remote::fork_sharing_files().unwrap() } else { fork() };
        task.sysif().set_timeout(Some(LONG));
        let (task, error) = task.exec(c"/nowhere/at all", &[c"x"], &[]).unwrap_err().into_parts();
        assert_eq!(error, Error::Os(Errno::ENOENT));
        // It still serves.
        assert_eq!(task.eventfd(3, EMPTY).unwrap().read(), Ok(3));
        let script = c"test \"$1\" = 'two words' && test \"$A\" = b && exit 4";
        match task.exec(c"/bin/sh", &[c"sh", c"-c", script, c"sh", c"two words"], &[c"A=b", c"PATH=/bin:/usr/bin"]) {
            Ok(()) => assert_eq!(child.wait(), Ok(ExitStatus::Exited(4))),
            Err(error) if error == Errno::ENOEXEC => {
                cannot("exec", "programs of this architecture do not run here by themselves")
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn exec_passes_more_strings_than_the_scratch_space_holds() {
    let Forked { task, mut child, .. } = fork();
    let long = std::ffi::CString::new(vec![b'x'; 100_000]).unwrap();
    match task.exec(c"/bin/sh", &[c"sh", c"-c", c"test ${#1} = 100000", c"sh", &long], &[]) {
        Ok(()) => assert_eq!(child.wait(), Ok(ExitStatus::Exited(0))),
        Err(error) if error == Errno::ENOEXEC => {
            cannot("exec", "programs of this architecture do not run here by themselves")
        }
        Err(error) => panic!("{error}"),
    }
}

/// Sends bytes to a server and ends the stream.
fn served(bytes: &[u8]) -> Result<(), ServeError> {
    let (mut client, server) = UnixStream::pair().unwrap();
    client.write_all(bytes).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    // SAFETY: the client is this test.
    let ended = unsafe { serve(&owned(server), Policy::Everything) };
    drop(client);
    ended
}

#[test]
fn a_truncated_request_is_an_error_and_is_not_executed() {
    let request = Request { nr: rsyscall::nr::GETPID, args: [0; 6] }.to_bytes();
    assert_eq!(served(&[]), Ok(()));
    assert_eq!(served(&request), Ok(()));
    for len in [1, 8, 55] {
        assert_eq!(served(&request[..len]), Err(ServeError::Truncated));
        assert_eq!(served(&[&request, &request[..len]].concat()), Err(ServeError::Truncated));
    }
}

#[test]
fn serve_fails_on_a_descriptor_that_is_no_stream() {
    let no_stream = EventFd::new(0, EMPTY).unwrap().into_owned_fd();
    // SAFETY: nothing can be requested.
    assert_eq!(unsafe { serve(&no_stream, Policy::Everything) }, Err(ServeError::Os(Errno::ENOTSOCK)));
}

#[test]
fn a_truncated_response_fails_with_hangup() {
    for len in 1..8 {
        let (client, mut server) = UnixStream::pair().unwrap();
        let connection = connection(client);
        thread::scope(|scope| {
            scope.spawn(move || {
                server.read_exact(&mut [0; 56]).unwrap();
                server.write_all(&[1; 8][..len]).unwrap();
            });
            assert_eq!(near::getpid(&connection), Err(Error::Hangup));
            assert_eq!(near::getpid(&connection), Err(Error::NotSent));
        });
    }
}

#[test]
fn unsolicited_data_ends_the_connection_before_a_call_is_sent() {
    // An extra response: the first call takes it, as it looks valid; the second is not sent.
    let (client, mut server) = UnixStream::pair().unwrap();
    let connection = connection(client);
    thread::scope(|scope| {
        scope.spawn(move || {
            server.read_exact(&mut [0; 56]).unwrap();
            server.write_all(&[7_u64.to_le_bytes(), 8_u64.to_le_bytes()].concat()).unwrap();
            let mut more = Vec::new();
            server.read_to_end(&mut more).unwrap();
            assert_eq!(more, [], "nothing more is sent");
        });
        assert_eq!(near::getpid(&connection), Ok(Process(7)));
        assert_eq!(near::getpid(&connection), Err(Error::NotSent));
        drop(connection);
    });
}

#[test]
fn responses_before_a_clean_end_are_used_and_those_before_excess_data_are_not() {
    let responses = [7_u64, 8, 9].map(u64::to_le_bytes).concat();
    for (len, last) in [(20, Err(Error::Hangup)), (16, Ok(8))] {
        let (client, mut server) = UnixStream::pair().unwrap();
        let connection = connection(client);
        let mut slots = [CallSlot::EMPTY; 3];
        let mut pipeline = connection.pipeline(&mut slots).unwrap();
        // SAFETY: no argument and no effect.
        let submit = |pipeline: &mut Pipeline<'_, '_>| unsafe { pipeline.submit(rsyscall::nr::GETPID, []) };
        submit(&mut pipeline).unwrap();
        submit(&mut pipeline).unwrap();
        server.read_exact(&mut [0; 2 * 56]).unwrap();
        server.write_all(&responses[..len]).unwrap();
        drop(server);
        // All that arrived is read at once; the excess is detected before the next call is sent.
        assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(7));
        assert_eq!(submit(&mut pipeline), Err(SubmitError::Call(Error::NotSent)));
        assert_eq!(pipeline.complete(&mut []).unwrap().result, last);
    }
}

/// A server that returns scratch space and then these responses, whatever the request.
fn memory_server(responses: Vec<Vec<u8>>) -> (Task<Connection>, thread::JoinHandle<()>) {
    let (client, mut server) = UnixStream::pair().unwrap();
    let thread = thread::spawn(move || {
        for response in [4096_i64, 0, -11] {
            server.read_exact(&mut [0; 56]).unwrap();
            server.write_all(&response.to_le_bytes()).unwrap();
        }
        let mut bytes = [0; 1024];
        for response in responses {
            if server.read(&mut bytes).unwrap() == 0 {
                return;
            }
            server.write_all(&response).unwrap();
        }
        while server.read(&mut bytes).is_ok_and(|count| count != 0) {}
    });
    let task = task(connection(client));
    task.sysif().reserve_scratch(8).unwrap();
    (task, thread)
}

#[test]
fn an_invalid_memory_transfer_fails_with_hangup() {
    let word = i64::to_le_bytes;
    let cases: [(&str, Vec<u8>); 4] = [
        ("fewer bytes went there than were sent", [word(5), word(8)].concat()),
        ("the bytes were refused", [word(-14), word(8)].concat()),
        ("nonsense", vec![0xaa; 64]),
        ("nothing within the time", vec![]),
    ];
    for (case, response) in cases {
        let silent = response.is_empty();
        let (task, server) = memory_server(if silent { vec![] } else { vec![response] });
        // SAFETY: no process uses this file descriptor.
        let bell = unsafe { EventFd::adopt(&task, FileDescriptor(9)) };
        if silent {
            task.sysif().set_timeout(Some(Duration::from_millis(100)));
        }
        assert_eq!(bell.write(1), Err(Error::Hangup), "{case}");
        assert_eq!(bell.write(1), Err(Error::NotSent), "{case}");
        drop(bell);
        drop(task);
        server.join().unwrap();
    }
    // The length follows the memory that is returned.
    let (task, server) = memory_server(vec![[word(8), word(1), word(7)].concat()]);
    // SAFETY: no process uses this file descriptor.
    let bell = unsafe { EventFd::adopt(&task, FileDescriptor(9)) };
    assert_eq!(bell.read(), Err(Error::Hangup));
    drop(bell);
    drop(task);
    server.join().unwrap();
}

#[test]
fn an_impossible_response_is_an_error() {
    let word = i64::to_le_bytes;
    // A read of eight bytes that returns nine; an eventfd with an invalid file descriptor.
    let (task, server) = memory_server(vec![[word(9), word(1), word(8)].concat(), word(1 << 40).to_vec()]);
    // SAFETY: no process uses this file descriptor.
    let bell = unsafe { EventFd::adopt(&task, FileDescriptor(9)) };
    assert_eq!(bell.read(), Err(Error::Os(Errno::EIO)));
    assert_eq!(task.eventfd(0, EMPTY).map(drop), Err(Error::Os(Errno::EIO)));
    let _unowned = bell.into_raw_fd();
    drop(task);
    server.join().unwrap();
}

#[test]
fn after_a_shutdown_the_current_call_fails_with_hangup_and_others_with_not_sent() {
    let forked = fork();
    let bell = forked.task.eventfd(0, EMPTY).unwrap();
    let connection = forked.task.sysif();
    let mut slots = [CallSlot::EMPTY; 4];
    let mut pipeline = connection.pipeline(&mut slots).unwrap();
    pipeline.read(&bell).unwrap();
    pipeline.read(&bell).unwrap();
    until_asleep_in_a_call(&forked.child);
    connection.shutdown();
    assert_eq!(pipeline.complete(&mut []).unwrap().result, Err(Error::Hangup));
    assert_eq!(pipeline.read(&bell), Err(SubmitError::Call(Error::NotSent)));
    assert_eq!(bell.write(1), Err(Error::NotSent));
    assert_eq!(pipeline.complete(&mut []).unwrap().result, Err(Error::NotSent));
    assert_eq!(pipeline.complete(&mut []), None);
}

#[test]
fn a_half_closed_connection_completes_submitted_calls_and_then_the_server_ends() {
    let forked = fork();
    let mut child = forked.child;
    let bell = forked.task.eventfd(5, EMPTY).unwrap();
    let connection = forked.task.sysif();
    let mut slots = [CallSlot::EMPTY; 4];
    let mut pipeline = connection.pipeline(&mut slots).unwrap();
    submit_sleep(&mut pipeline, Duration::from_millis(50));
    pipeline.read(&bell).unwrap();
    connection.finish();
    assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(0));
    let mut count = [0; 8];
    assert_eq!(pipeline.complete(&mut count).unwrap().result, Ok(8));
    assert_eq!(count, 5_u64.to_ne_bytes());
    assert_eq!(bell.write(1), Err(Error::NotSent));
    assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)));
}

#[test]
fn a_client_that_disconnects_does_not_kill_the_server() {
    for moves_memory in [false, true] {
        let forked = fork();
        let mut child = forked.child;
        let bell = forked.task.eventfd(1, EMPTY).unwrap().into_raw_fd();
        // Rust's programs ignore SIGPIPE, and so does their child: here it has the default action, as in most programs.
        let default = [0_u8; 32];
        const SIGPIPE: u32 = 13;
        // SAFETY: the default action.
        let set = unsafe {
            forked
                .task
                .sysif()
                .syscall(rsyscall::nr::RT_SIGACTION, [SIGPIPE.into(), Arg::In(&default), Arg::Word(0), Arg::Word(8)])
        };
        assert_eq!(set, Ok(0));
        let mut slots = [CallSlot::EMPTY; 4];
        let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
        submit_sleep(&mut pipeline, Duration::from_millis(50));
        if moves_memory {
            // SAFETY: the eventfd above.
            unsafe {
                pipeline.submit(rsyscall::nr::READ, [FileDescriptor(bell).into(), Operand::Out(8), Operand::Word(8)])
            }
            .unwrap();
        }
        drop(pipeline);
        // A dropped task would kill it at once: it is busy.
        forked.task.sysif().shutdown();
        assert_eq!(child.wait(), Ok(ExitStatus::Exited(0)), "not killed by SIGPIPE");
    }
}

#[test]
fn serve_reports_a_client_that_disconnected_before_the_response() {
    let (mut client, server) = UnixStream::pair().unwrap();
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let request =
        Request { nr: rsyscall::nr::WRITE, args: [writer.into_raw_fd() as usize, c"!".as_ptr().addr(), 1, 0, 0, 0] };
    client.write_all(&request.to_bytes()).unwrap();
    drop(client);
    // SAFETY: the request above writes one byte.
    assert_eq!(unsafe { serve(&owned(server), Policy::Everything) }, Err(ServeError::Vanished));
    let mut byte = [0];
    reader.read_exact(&mut byte).unwrap();
    assert_eq!(byte, *b"!", "it was executed");
}

#[test]
fn a_server_does_not_outlive_its_parent() {
    // A process between this and the server, which is killed while the server sleeps in a call that never returns.
    let word = EventFd::new(0, EMPTY).unwrap();
    const SIGCHLD: u32 = 17;
    let none = || Arg::Word(0);
    // SAFETY: the child forks a server, sends its pid and waits to be killed; it shares no memory and does not return.
    let between =
        unsafe { Local.syscall(rsyscall::nr::CLONE, [SIGCHLD.into(), none(), none(), none(), none()]) }.unwrap();
    if between == 0 {
        let Ok(forked) = remote::fork([]) else { rsyscall::Current.exit(1) };
        let Ok(bell) = forked.task.eventfd(0, EMPTY) else { rsyscall::Current.exit(2) };
        let mut slots = [CallSlot::EMPTY; 1];
        let Some(mut pipeline) = forked.task.sysif().pipeline(&mut slots) else { rsyscall::Current.exit(3) };
        let _ticket = pipeline.read(&bell);
        let _told = word.write(forked.child.process().0 as u64);
        loop {
            let _forever = near::ppoll(&Local, &mut [], None, None);
        }
    }
    let server = word.wait_timeout(LONG).unwrap().expect("the process between sends the pid");
    until_asleep(Process(server as i32));
    // SAFETY: an unreaped child of this process.
    unsafe { near::kill(&Local, Process(between as i32), 9) }.unwrap();
    let start = Instant::now();
    loop {
        // Gone, or a zombie of the process that adopted it.
        let stat = std::fs::read_to_string(format!("/proc/{server}/stat"));
        match stat.as_deref().map(|stat| stat.rsplit(") ").next().unwrap()) {
            Ok(state) if !state.starts_with(['Z', 'X']) => {
                assert!(start.elapsed() < LONG, "the server lives on: {state}");
                thread::sleep(Duration::from_millis(5));
            }
            _ => break,
        }
    }
    let mut status = [0_u8; 4];
    // SAFETY: an unreaped child of this process; the call writes an `int`.
    unsafe { Local.syscall(rsyscall::nr::WAIT4, [Arg::Word(between), Arg::InOut(&mut status), none(), none()]) }
        .unwrap();
}

#[test]
fn a_call_that_blocks_delays_no_other_connection_and_fails_with_eintr_when_cancelled() {
    let (stuck, other) = (fork(), fork());
    let (bell, chime) = (stuck.task.eventfd(0, EMPTY).unwrap(), other.task.eventfd(0, EMPTY).unwrap());
    let mut slots = [CallSlot::EMPTY; 2];
    let mut pipeline = stuck.task.sysif().pipeline(&mut slots).unwrap();
    let read = pipeline.read(&bell).unwrap();
    // Other connections work.
    for value in 1..100 {
        chime.write(value).unwrap();
        assert_eq!(chime.read(), Ok(value));
    }
    // Completion has a timeout too, and a late response can still be received.
    assert_eq!(pipeline.try_complete(&mut []), None);
    assert_eq!(pipeline.complete_timeout(&mut [], Duration::from_millis(10)), None);
    assert_eq!(pipeline.pending(), 1);
    // Cancelled by a signal. A signal before the call sleeps has no effect, so it is repeated.
    let completion = loop {
        stuck.child.interrupt().unwrap();
        if let Some(completion) = pipeline.complete_timeout(&mut [], Duration::from_millis(10)) {
            break completion;
        }
    };
    assert_eq!((completion.ticket, completion.result), (read, Err(Error::Os(Errno::EINTR))));
    // The connection stays usable.
    bell.write(6).unwrap();
    assert_eq!(bell.read(), Ok(6));
    // Between calls, and during a memory transfer, an interruption has no effect.
    for value in 1..200 {
        stuck.child.interrupt().unwrap();
        bell.write(value).unwrap();
        stuck.child.interrupt().unwrap();
        assert_eq!(bell.wait(), Ok(value));
    }
}

#[test]
fn a_call_that_takes_longer_than_the_timeout_fails_with_hangup() {
    let forked = fork();
    let bell = forked.task.eventfd(0, EMPTY).unwrap();
    forked.task.sysif().set_timeout(Some(Duration::from_millis(30)));
    assert_eq!(bell.read(), Err(Error::Hangup));
    assert_eq!(bell.write(1), Err(Error::NotSent));
}

#[test]
fn full_buffers_do_not_deadlock() {
    let bell = EventFd::new(0, EMPTY).unwrap();
    let forked = remote::fork([bell.as_owned_fd()]).unwrap();
    let [token] = forked.inherited;
    let there = EventFd::from(token.attach(&forked.task).unwrap());
    let connection = forked.task.sysif();
    const LARGE: usize = 100_000;
    connection.reserve_scratch(LARGE).unwrap();
    let memory = vec![7_u8; LARGE];
    let mut slots = [CallSlot::EMPTY; 200];
    let mut pipeline = connection.pipeline(&mut slots).unwrap();
    pipeline.read(&there).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            // By now the stream is full, and the sender waits.
            thread::sleep(Duration::from_millis(100));
            bell.write(1).unwrap();
        });
        // Two megabytes that the child does not read before the eventfd is written. An eventfd does not take so much at
        // once: the call fails with EINVAL (or returns 8, before Linux 6.9) after everything was read.
        for _ in 0..20 {
            let operands = [there.near().into(), Operand::In(&memory), Operand::Word(LARGE)];
            // SAFETY: a write from this memory.
            unsafe { pipeline.submit(rsyscall::nr::WRITE, operands) }.unwrap();
        }
    });
    assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(8));
    for _ in 0..20 {
        let result = pipeline.complete(&mut []).unwrap().result;
        assert!(matches!(result, Err(Error::Os(Errno::EINVAL)) | Ok(8)), "{result:?}");
    }
    // The other direction: responses queue up until the stream is full, and nothing is lost.
    let mut submitted = 0;
    while pipeline.write(&there, 1).is_ok() {
        submitted += 1;
    }
    assert_eq!(pipeline.write(&there, 1), Err(SubmitError::Full));
    // Sixteen bytes each: that its memory has arrived, and the response.
    assert_eq!(submitted, 1792 / 16);
    // A call that waits reads past all of them.
    assert_eq!(there.try_clone().unwrap().close(), Ok(()));
    for _ in 0..submitted {
        assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(8));
    }
    assert_eq!(pipeline.complete(&mut []), None);
    let sum = there.read().unwrap();
    assert!(sum >= submitted, "{sum}");
}

#[test]
fn responses_without_a_waiter_are_discarded() {
    let forked = fork();
    let bell = forked.task.eventfd(0, EMPTY).unwrap();
    let connection = forked.task.sysif();
    for _ in 0..10 {
        let mut slots = [CallSlot::EMPTY; 8];
        let mut pipeline = connection.pipeline(&mut slots).unwrap();
        assert!(connection.pipeline(&mut []).is_none(), "one at a time");
        for _ in 0..4 {
            pipeline.write(&bell, 1).unwrap();
            pipeline.read(&bell).unwrap();
        }
        // The first is received, the others are left.
        assert_eq!(pipeline.complete(&mut []).unwrap().result, Ok(8));
        drop(pipeline);
        bell.write(3).unwrap();
        assert_eq!(bell.read(), Ok(3));
    }
    // A forgotten pipeline does no harm either.
    let mut slots = [CallSlot::EMPTY; 8];
    let mut pipeline = connection.pipeline(&mut slots).unwrap();
    pipeline.write(&bell, 1).unwrap();
    core::mem::forget(pipeline);
    assert_eq!(bell.read(), Ok(1));
    assert!(connection.pipeline(&mut []).is_none());
}

#[test]
fn much_memory_is_received_after_responses_without_a_waiter() {
    const MUCH: usize = 5000;
    let bytes: Vec<u8> = (0..MUCH).map(|at| (at % 251) as u8).collect();
    let (mut here, there) = UnixStream::pair().unwrap();
    let there = owned(there);
    let forked = remote::fork([&there]).unwrap();
    let [token] = forked.inherited;
    let there = token.attach(&forked.task).unwrap();
    let bell = forked.task.eventfd(0, EMPTY).unwrap();
    let connection = forked.task.sysif();
    connection.set_timeout(Some(LONG));
    for left in 0..4 {
        here.write_all(&bytes).unwrap();
        let mut slots = [CallSlot::EMPTY; 4];
        let mut pipeline = connection.pipeline(&mut slots).unwrap();
        for _ in 0..left {
            pipeline.write(&bell, 1).unwrap();
        }
        drop(pipeline);
        let mut memory = vec![0; MUCH];
        let args = [there.near().into(), Arg::InOut(&mut memory), Arg::Word(MUCH)];
        // SAFETY: the memory has this length.
        assert_eq!(unsafe { connection.syscall(rsyscall::nr::READ, args) }, Ok(MUCH));
        assert!(memory == bytes, "behind {left} responses");
    }
}

#[test]
fn signals_to_the_client_have_no_effect_on_a_call() {
    remote::install_interrupt_handler().unwrap();
    // SAFETY: no argument.
    let me = unsafe { Local.syscall(rsyscall::nr::GETTID, []) }.unwrap();
    let forked = fork();
    let bell = forked.task.eventfd(0, EMPTY).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                const SIGURG: u32 = 23;
                // SAFETY: a thread of this process that waits for this one; the signal's handler does nothing.
                unsafe {
                    Local.syscall(rsyscall::nr::TGKILL, [Arg::from(std::process::id()), Arg::Word(me), SIGURG.into()])
                }
                .unwrap();
                thread::sleep(Duration::from_micros(200));
            }
        });
        for timeout in [None, Some(LONG)] {
            forked.task.sysif().set_timeout(timeout);
            // The signals do arrive: calls of this process are interrupted.
            assert_eq!(near::ppoll(&Local, &mut [], Some(LONG.into()), None), Err(Errno::EINTR));
            assert_eq!(sleep_there(forked.task.sysif(), Duration::from_millis(50)), Ok(0));
            for value in 1..200 {
                bell.write(value).unwrap();
                assert_eq!(bell.read(), Ok(value));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_nonblocking_stream_works_at_either_end() {
    let (client, server) = UnixStream::pair().unwrap();
    client.set_nonblocking(true).unwrap();
    server.set_nonblocking(true).unwrap();
    let (client, server) = (owned(client), owned(server));
    let fd = server.near();
    thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: the client is this test.
            unsafe { serve(&server, Policy::Everything) }.ok();
        });
        // SAFETY: `serve` is at the other end.
        let task = task(unsafe { Connection::from_stream(client, fd) });
        let bell = task.eventfd(0, EMPTY).unwrap();
        bell.write(4).unwrap();
        assert_eq!(bell.read(), Ok(4));
        // More than fits at once, both ways.
        let (reader, writer) = UnixStream::pair().unwrap();
        let (reader, writer) = (FileDescriptor(reader.into_raw_fd()), FileDescriptor(writer.into_raw_fd()));
        let sent = vec![3_u8; 60_000];
        // SAFETY: this test's pipe.
        assert_eq!(unsafe { near::write(task.sysif(), writer, &sent) }, Ok(60_000));
        let mut got = vec![core::mem::MaybeUninit::uninit(); 600_000];
        // SAFETY: as above.
        assert_eq!(unsafe { near::read(task.sysif(), reader, &mut got) }, Ok(&mut [3; 60_000][..]));
        // SAFETY: this test's pipe.
        unsafe { near::close(&Local, reader).and(near::close(&Local, writer)) }.unwrap();
        bell.close().unwrap();
        drop(task);
    });
}

#[test]
fn a_remote_read_leaves_unwritten_memory_unchanged() {
    let forked = fork();
    let bell = forked.task.eventfd(3, EMPTY).unwrap();
    let mut memory = [MaybeUninit::new(0xaa); 20];
    let args = [bell.near().into(), Arg::Out(&mut memory), Arg::Word(20)];
    // SAFETY: the memory has this length.
    assert_eq!(unsafe { forked.task.sysif().syscall(rsyscall::nr::READ, args) }, Ok(8));
    // SAFETY: initialised where it was made.
    let memory = memory.map(|byte| unsafe { byte.assume_init() });
    assert_eq!(memory[..8], 3_u64.to_ne_bytes());
    assert_eq!(memory[8..], [0xaa; 12]);
}

#[test]
fn a_server_that_shares_the_table_exits_if_it_is_idle_and_is_killed_if_it_is_busy() {
    if !shares_files() {
        return cannot("the end of a server that shares files", "clone(CLONE_FILES) fails with EINVAL here");
    }
    let mut idle = remote::fork_sharing_files().unwrap();
    idle.task.eventfd(0, EMPTY).unwrap();
    drop(idle.task);
    assert_eq!(idle.child.wait(), Ok(ExitStatus::Exited(0)));
    let mut busy = remote::fork_sharing_files().unwrap();
    let mut slots = [CallSlot::EMPTY; 1];
    let mut pipeline = busy.task.sysif().pipeline(&mut slots).unwrap();
    submit_sleep(&mut pipeline, LONG);
    until_asleep_in_a_call(&busy.child);
    // Forgotten: its pending calls stay pending.
    core::mem::forget(pipeline);
    drop(busy.task);
    assert_eq!(busy.child.wait(), Ok(KILLED));
}

#[test]
fn a_connection_without_scratch_space_of_its_own_leaves_no_request_behind() {
    let (client, mut server) = UnixStream::pair().unwrap();
    drop(connection(client));
    let mut bytes = Vec::new();
    server.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, []);
}

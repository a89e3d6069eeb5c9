//! A client whose server sends any response: every method of the crate that goes through a connection.

use crate::bytes::Bytes;
use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor, Process};
use rsyscall::remote::{self, CallSlot, Child, Connection, Operand, Pipeline, REQUEST, Request, SubmitError};
use rsyscall::sys::epoll::{EpollEvents, EpollTask};
use rsyscall::sysif::{Arg, Error, Features, SyscallInterface};
use rsyscall::{EventFd, EventfdFlags, EventfdTask, Task, nr};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The server's file descriptor for its end.
const SERVER: usize = 5;
const WAITALL: usize = 0x100;

/// How a call of the client returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// With a response.
    Ok,
    /// It failed, or may have been executed, or is still in flight.
    Maybe,
    NotSent,
}

/// Each system call that the client made, in order.
type Log = RefCell<Vec<(usize, Outcome)>>;

/// The connection, with a log of its calls, and a check of the outcomes that must never follow.
struct Spy<'a> {
    connection: &'a Connection,
    log: &'a Log,
}

fn outcome<V>(result: &Result<V, Error>) -> Outcome {
    match result {
        Ok(_) => Outcome::Ok,
        Err(Error::NotSent) => Outcome::NotSent,
        Err(_) => Outcome::Maybe,
    }
}

/// After [`Error::NotSent`] and [`Error::Hangup`] every call fails with `NotSent`.
fn check<V>(was_open: bool, connection: &Connection, result: &Result<V, Error>) {
    let permanent = matches!(result, Err(Error::NotSent | Error::Hangup));
    assert!(was_open || matches!(result, Err(Error::NotSent)), "a response through a closed connection");
    assert!(!(permanent && connection.is_open()), "open after a permanent error");
}

// SAFETY: passed on unchanged.
unsafe impl SyscallInterface for Spy<'_> {
    type Error = Error;

    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Error> {
        let was_open = self.connection.is_open();
        // SAFETY: the caller's.
        let result = unsafe { self.connection.syscall(nr, args) };
        self.log.borrow_mut().push((nr, outcome(&result)));
        check(was_open, self.connection, &result);
        result
    }

    fn features(&self) -> Option<&Features> {
        self.connection.features()
    }
}

/// The requests of a client, as a correct server parses them.
#[derive(Default)]
struct Asked {
    /// The received part of a request.
    rest: VecDeque<u8>,
    /// How many bytes of data come before the next request.
    data: usize,
    /// The calls, without those that move memory and those that map it.
    calls: Vec<usize>,
    /// The request to respond to.
    requests: VecDeque<Request>,
}

impl Asked {
    fn feed(&mut self, bytes: &[u8]) {
        self.rest.extend(bytes);
        loop {
            let data = self.data.min(self.rest.len());
            self.rest.drain(..data);
            self.data -= data;
            if self.data != 0 || self.rest.len() < REQUEST {
                return;
            }
            let bytes: Vec<u8> = self.rest.drain(..REQUEST).collect();
            let request = Request::from_bytes(bytes.try_into().expect("so many"));
            self.requests.push_back(request);
            match request.nr {
                nr::RECVFROM if request.args[0] == SERVER && request.args[3] & WAITALL != 0 => {
                    self.data = request.args[2];
                }
                nr::RECVFROM | nr::SENDTO if request.args[0] == SERVER => {}
                nr::MMAP | nr::MUNMAP => {}
                nr => self.calls.push(nr),
            }
        }
    }
}

/// The server's end, simulated by a thread.
struct Server {
    stream: UnixStream,
    asked: Asked,
    /// Whether bytes may have been lost with the stream.
    lossy: bool,
}

impl Server {
    /// Receives a request, with a short timeout.
    fn next(&mut self) -> Option<Request> {
        let mut some = [0; 8192];
        loop {
            if let Some(request) = self.asked.requests.pop_front() {
                return Some(request);
            }
            match self.stream.read(&mut some) {
                Ok(count @ 1..) => self.asked.feed(&some[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return None,
            }
        }
    }

    /// The response of a correct server, without executing anything.
    fn honest(&self, request: Request) -> Vec<u8> {
        let Request { nr, args } = request;
        let word = match nr {
            nr::MMAP => 0x10_0000,
            nr::RECVFROM if args[3] & WAITALL == 0 => -11,
            nr::SENDTO if args[0] == SERVER => {
                let len = args[2].min(1 << 20);
                let mut bytes = vec![1; len];
                bytes.extend((len as i64).to_ne_bytes());
                return bytes;
            }
            nr::RECVFROM | nr::READ | nr::WRITE | nr::PREAD64 => args[2] as i64,
            nr::PREADV2 => 8,
            nr::EVENTFD2 | nr::EPOLL_CREATE1 => 7,
            nr::FCNTL if args[1] != 1 && args[1] != 3 => 9,
            nr::PPOLL | nr::EPOLL_PWAIT => 1,
            _ => 0,
        };
        word.to_ne_bytes().to_vec()
    }

    /// Any response, preferably one near a boundary.
    fn hostile(&self, request: Request, data: &mut Bytes<'_>) -> Vec<u8> {
        let word = match data.byte() % 14 {
            0 => 0,
            1 => i64::from(data.byte()),
            2 => -i64::from(data.byte()),
            3 => -4095,
            4 => -4096,
            5 => -4097 - i64::from(data.byte()),
            6 => i64::MIN,
            7 => i64::MAX,
            8 => 1 << 31,
            9 => (1 << 32) + 5,
            10 => -4,
            11 => -11,
            12 => -38,
            _ => data.value() as i64,
        };
        let mut bytes = word.to_ne_bytes().to_vec();
        if request.nr == nr::SENDTO && data.byte() % 2 == 0 {
            let len = request.args[2].min(1 << 16);
            let len = [len, len / 2, len + 1, len.saturating_sub(1)][usize::from(data.byte() % 4)];
            bytes.splice(0..0, (0..len).map(|at| at as u8));
        }
        bytes
    }

    fn say(&mut self, bytes: &[u8]) {
        // A client that does not read gets no more.
        let _gone = self.stream.write_all(bytes);
    }

    /// Closes the stream: the client also loses what was not read, and gets `ECONNRESET`.
    fn close(mut self, unread: bool) -> (Asked, bool) {
        let _gone = self.stream.shutdown(Shutdown::Both);
        if !unread {
            self.drain();
        }
        (self.asked, unread || self.lossy)
    }

    fn drain(&mut self) {
        let mut some = [0; 8192];
        while let Ok(count @ 1..) = self.stream.read(&mut some) {
            self.asked.feed(&some[..count]);
        }
    }

    /// Acts as the bytes say, then as they end. Returns the received requests, and whether they are complete.
    fn run(mut self, script: &[u8], end: u8) -> (Asked, bool) {
        let mut data = Bytes(script);
        self.stream.set_read_timeout(Some(Duration::from_millis(4))).expect("a stream");
        self.stream.set_write_timeout(Some(Duration::from_millis(4))).expect("a stream");
        while !data.is_empty() {
            match data.byte() % 16 {
                0..=5 => {
                    for _ in 0..1 + data.byte() % 8 {
                        let Some(request) = self.next() else { break };
                        let response = self.honest(request);
                        self.say(&response);
                    }
                }
                6..=8 => {
                    let Some(request) = self.next() else { continue };
                    let response = self.hostile(request, &mut data);
                    self.say(&response);
                }
                9 => {
                    let garbage: Vec<u8> = (0..data.byte()).map(|_| data.byte()).collect();
                    self.say(&garbage);
                }
                10 => {
                    let Some(request) = self.next() else { continue };
                    for byte in self.honest(request).iter().take(200) {
                        self.say(std::slice::from_ref(byte));
                        std::thread::yield_now();
                    }
                }
                11 => {
                    let Some(request) = self.next() else { continue };
                    let response = self.honest(request);
                    let len = usize::from(data.byte()) % (response.len() + 1);
                    self.say(&response[..len]);
                }
                12 => {
                    self.next();
                }
                13 => std::thread::sleep(Duration::from_micros(u64::from(data.byte()) * 16)),
                14 if data.byte() % 4 == 0 => {
                    let how = [Shutdown::Write, Shutdown::Read, Shutdown::Both][usize::from(data.byte() % 3)];
                    let _gone = self.stream.shutdown(how);
                }
                15 if data.byte() % 4 == 0 => return self.close(data.byte() % 2 == 0),
                _ => {}
            }
        }
        // Correct for a while, or not; then the end, which the client always sees.
        for _ in 0..if end % 2 == 0 { 200 } else { 0 } {
            let Some(request) = self.next() else { break };
            let response = self.honest(request);
            self.say(&response);
        }
        let _gone = self.stream.shutdown(Shutdown::Both);
        self.drain();
        (self.asked, self.lossy)
    }
}

/// Two connected streams, and the server's file descriptor for its end.
enum Where {
    /// A connection created from a stream.
    Adopted,
    /// The connection of a child, which is stopped: its end of the stream is simulated. It may share this process's
    /// table.
    Child { shared: bool },
}

/// Whatever a server sends: each call of its client returns, as failed, as not sent or as perhaps executed, or with the
/// server's result; no call that was sent completely returns `NotSent`; after the last two outcomes nothing more is
/// sent.
pub fn client(data: &[u8]) {
    let mut data = Bytes(data);
    let (mode, end, share) = (data.byte(), data.byte(), data.byte());
    let place = match mode % 8 {
        0 | 1 => Where::Child { shared: mode % 8 == 1 },
        _ => Where::Adopted,
    };
    let rest = data.0;
    let (for_server, for_client) = rest.split_at(rest.len() * usize::from(share) / 256);
    let (task, stream, child) = match place {
        Where::Adopted => {
            let (client, server) = UnixStream::pair().expect("descriptors");
            // SAFETY: std gives up ownership.
            let client = unsafe { OwnedFd::from_raw_fd(client.into_raw_fd()) };
            // SAFETY: no response is relied on further than it is checked here.
            let connection = unsafe { Connection::from_stream(client, FileDescriptor(SERVER as i32)) };
            // SAFETY: nothing is executed anywhere.
            let task = unsafe {
                Task::new(connection, Process(1), FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT)
            };
            (task, server, None)
        }
        Where::Child { shared } => match hijacked(shared) {
            Some((task, child, stream)) => (task, stream, Some(child)),
            // Not every kernel allows it.
            None => return,
        },
    };
    let server = Server { stream, asked: Asked::default(), lossy: false };
    let log = Log::default();
    let (asked, lossy) = std::thread::scope(|scope| {
        let server = scope.spawn(|| server.run(for_server, end));
        let known = play(task, child, for_client, &log);
        let (asked, lossy) = server.join().expect("the server does not panic");
        (known.then_some(asked), lossy)
    });
    // A child that did not claim the call has not executed it, whatever was read in its place.
    if let (Where::Adopted, Some(asked)) = (place, asked) {
        compare(&asked.calls, &log.borrow(), lossy);
    }
}

/// The stream of a stopped child, simulated by this process.
fn hijacked(shared: bool) -> Option<(Task<Connection>, Child, UnixStream)> {
    let (task, child) = if shared {
        let forked = remote::fork_sharing_files().ok()?;
        (forked.task, forked.child)
    } else {
        let forked = remote::fork([]).ok()?;
        (forked.task, forked.child)
    };
    // It serves, and so has made its first calls.
    near::getpid(task.sysif()).ok()?;
    // SAFETY: an unreaped child of this process.
    unsafe { libc::kill(child.process().0, libc::SIGSTOP) };
    let state = format!("/proc/{}/stat", child.process().0);
    while !std::fs::read_to_string(&state).ok()?.rsplit(") ").next()?.starts_with('T') {
        std::thread::yield_now();
    }
    let (pidfd, there) = (child.pidfd()?.as_raw_fd(), task.sysif().activity_fd().0);
    // SAFETY: requests a duplicate.
    let stream = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd, there, 0) };
    // SAFETY: just created.
    (stream >= 0).then(|| (task, child, unsafe { UnixStream::from_raw_fd(stream as i32) }))
}

/// The received requests are the calls of the client's log, in order. A call that failed may not have been sent: its
/// scratch space was refused.
fn compare(asked: &[usize], log: &[(usize, Outcome)], lossy: bool) {
    // Which prefixes of `asked` can have been sent by the prefix of the log.
    let mut lengths = vec![false; asked.len() + 1];
    lengths[0] = true;
    for (nr, outcome) in log {
        let may_be_missing = match outcome {
            Outcome::Ok => lossy,
            Outcome::Maybe => true,
            Outcome::NotSent => continue,
        };
        for length in (0..lengths.len()).rev() {
            let one_more = length > 0 && lengths[length - 1] && asked[length - 1] == *nr;
            lengths[length] = one_more || may_be_missing && lengths[length];
        }
    }
    assert_eq!(lengths.last(), Some(&true), "sent: {asked:?}, but the client's log has: {log:?}");
}

/// Uses the connection as the bytes say. Returns whether the log has every call.
fn play(mut task: Task<Connection>, child: Option<Child>, script: &[u8], log: &Log) -> bool {
    let mut data = Bytes(script);
    let connection = task.sysif();
    {
        let spy = Spy { connection, log };
        // Never this process's table, even if it is: descriptors that do not exist must not be closed here.
        // SAFETY: the same process; its handles are used through this task only.
        let spied = unsafe { Task::new(spy, task.process(), FdTable::new(), task.address_space(), task.pidns()) };
        let mut handles = Vec::new();
        while !data.is_empty() {
            one(&spied, connection, child.as_ref(), &mut handles, &mut data, log);
            if handles.len() > 4 {
                handles.swap_remove(0);
            }
        }
        if let Some(child) = child.as_ref().filter(|_| task.fd_table() == FdTable::CURRENT) {
            // Its end is waited for, which takes a second if it is stopped.
            child.kill().expect("an unreaped child");
        }
    }
    // In a table of this process it is a local call.
    if script.len() % 3 == 0 && task.fd_table() != FdTable::CURRENT {
        let was_open = task.sysif().is_open();
        // SAFETY: a file descriptor that is never closed, as its handle is not dropped.
        let there = std::mem::ManuallyDrop::new(unsafe { OwnedFd::adopt(&task, FileDescriptor(9)) });
        let fetched = there.fetch();
        check(was_open, task.sysif(), &fetched);
        // `Ok` only with a descriptor, which no server here sends.
        assert!(fetched.is_err(), "a descriptor without a server that sent one");
        log.borrow_mut().push((nr::SENDMSG, outcome(&fetched)));
    }
    let was_open = task.sysif().is_open();
    let long = std::ffi::CString::new(vec![b'x'; 9000]).expect("no zero");
    let (nr, result) = match data.0.len() % 4 + usize::from(script.first().copied().unwrap_or(0)) % 4 {
        0 => (nr::EXIT_GROUP, task.exit(1).map_err(|failed| *failed.error())),
        1 => (nr::EXECVE, task.exec(c"/no", &[c"x"], &[c"A=b"]).map_err(|failed| *failed.error())),
        2 => (nr::EXECVE, task.exec(c"/no", &[&long], &[]).map_err(|failed| *failed.error())),
        _ => {
            let result = task.unshare_files::<&Task<Connection>, 0>([]);
            assert!(was_open || result.is_err());
            return false;
        }
    };
    assert!(was_open || result == Err(Error::NotSent));
    // Success is the end of the stream, not a response.
    let outcome = if result == Err(Error::NotSent) { Outcome::NotSent } else { Outcome::Maybe };
    // The calls that prepare an exec, and undo it if it fails.
    let more = [nr::PRCTL, nr::PRCTL, nr::RT_SIGACTION, nr::RT_SIGPROCMASK].map(|nr| (nr, Outcome::Maybe));
    let more = more.into_iter().filter(|_| nr == nr::EXECVE);
    log.borrow_mut().extend(more.clone());
    log.borrow_mut().push((nr, outcome));
    log.borrow_mut().extend(more.rev());
    true
}

fn time(data: &mut Bytes<'_>) -> Duration {
    Duration::from_micros(u64::from(data.byte()) * 16)
}

fn one<'t>(
    task: &'t Task<Spy<'t>>,
    connection: &Connection,
    child: Option<&Child>,
    handles: &mut Vec<EventFd<&'t Task<Spy<'t>>>>,
    data: &mut Bytes<'_>,
    log: &Log,
) {
    let operation = data.byte() % 32;
    let handle = handles.get(usize::from(data.byte()) % handles.len().max(1));
    match (operation, handle) {
        (0..=2, _) | (_, None) if operation < 16 => {
            let flags = EventfdFlags::from_bits_retain(u32::from(data.byte()));
            if let Ok(made) = task.eventfd(data.value() as u32, flags) {
                assert!(made.as_raw_fd() >= 0);
                handles.push(made);
            }
        }
        (3, Some(handle)) => drop(handle.read()),
        (4, Some(handle)) => drop(handle.write(data.value())),
        (5, Some(handle)) => drop(handle.try_read()),
        (6, Some(handle)) => drop(handle.try_write(data.value())),
        (7, Some(handle)) => drop(handle.wait()),
        (8, Some(handle)) => drop(handle.wait_timeout(time(data))),
        (9, Some(handle)) => {
            if let Ok(clone) = handle.try_clone() {
                handles.push(clone);
            }
        }
        (10, Some(_)) if handles.len() > 1 => {
            let mut target = handles.swap_remove(0).into_owned_fd();
            let _replaced = handles[0].as_owned_fd().dup3(&mut target, data.byte() % 2 == 0);
        }
        (11, Some(handle)) => drop(handle.set_cloexec(data.byte() % 2 == 0)),
        (12, Some(handle)) => drop((handle.is_cloexec(), handle.is_nonblocking())),
        (13, Some(handle)) => drop(handle.set_nonblocking(data.byte() % 2 == 0)),
        (14, Some(_)) => drop(handles.swap_remove(0).close()),
        (15, Some(_)) => drop(handles.swap_remove(0).into_owned_fd().inheritable().map(|guard| guard.restore())),
        (16, _) => drop(connection.reserve_scratch(data.value() as usize % 100_000)),
        (17, handle) => {
            let Ok(epoll) = task.epoll() else { return };
            if let Some(handle) = handle {
                let _added = epoll.add(handle, EpollEvents::IN, 1);
            }
            let mut events = [MaybeUninit::uninit(); 3];
            let _ready = epoll.wait_timeout(&mut events, time(data)).map(|events| assert!(events.len() <= 3));
        }
        (18, _) => {
            let len = usize::from(data.byte()) * 300;
            let mut memory = vec![MaybeUninit::new(7_u8); len];
            let args = [Arg::Word(3), Arg::Out(&mut memory), Arg::Word(len), Arg::Word(0)];
            // SAFETY: the memory has this length.
            let _any = unsafe { task.sysif().syscall(nr::PREAD64, args) };
        }
        (19, _) => {
            let (into, mut both) = (vec![1; usize::from(data.byte()) * 300], vec![2; usize::from(data.byte())]);
            let mut out = [MaybeUninit::uninit(); 24];
            let args = [Arg::In(&into), Arg::InOut(&mut both), Arg::Out(&mut out), Arg::In(&into)];
            // SAFETY: nothing is executed.
            let _any = unsafe { task.sysif().syscall(nr::GETSOCKOPT, args) };
        }
        (20..=24, handle) => burst(connection, child, handle.map(EventFd::near), data, log),
        (25, _) => connection.set_timeout(Some(time(data))),
        (26, _) => connection.set_timeout((data.byte() % 2 == 0).then_some(Duration::from_secs(5))),
        (27, _) if data.byte() % 8 == 0 => connection.finish(),
        (28, _) if data.byte() % 8 == 0 => connection.shutdown(),
        (29, _) if data.byte() % 8 == 0 => drop(child.map(Child::kill)),
        (30, _) => drop(near::getpid(task.sysif())),
        _ => {}
    }
}

/// Several calls in flight at once, some of which are completed.
fn burst(
    connection: &Connection,
    child: Option<&Child>,
    handle: Option<FileDescriptor>,
    data: &mut Bytes<'_>,
    log: &Log,
) {
    let mut slots = [CallSlot::EMPTY; 6];
    let Some(mut pipeline) = connection.pipeline(&mut slots[..usize::from(data.byte() % 7)]) else { return };
    let fd = handle.unwrap_or(FileDescriptor(3));
    // The place in the log of each call in flight.
    let mut places = VecDeque::new();
    for _ in 0..data.byte() % 16 {
        let value = [1; 40];
        let operation = data.byte();
        let (nr, submitted) = match operation % 8 {
            0 | 1 => (nr::WRITE, submit(&mut pipeline, nr::WRITE, fd, Operand::In(&value[..8]), 8)),
            2 => (nr::READ, submit(&mut pipeline, nr::READ, fd, Operand::Out(8), 8)),
            3 => (nr::GETSOCKNAME, submit(&mut pipeline, nr::GETSOCKNAME, fd, Operand::InOut(&value), 40)),
            4 => {
                let len = usize::from(data.byte()) * 50;
                (nr::PREAD64, submit(&mut pipeline, nr::PREAD64, fd, Operand::Out(len), len))
            }
            _ => {
                let mut out = [0; 9];
                let completion = match operation % 8 {
                    5 => pipeline.try_complete(&mut out),
                    6 => pipeline.complete_timeout(&mut out[..usize::from(data.byte() % 10)], time(data)),
                    _ => pipeline.complete(&mut out),
                };
                if let Some(completion) = completion {
                    let place: usize = places.pop_front().expect("one was in flight");
                    // A forked child reports which calls it has begun; another server does not.
                    let not_sent = completion.result == Err(Error::NotSent);
                    assert!(!not_sent || child.is_some(), "submitted, but not sent");
                    log.borrow_mut()[place].1 = outcome(&completion.result);
                }
                continue;
            }
        };
        match submitted {
            Ok(_) => {
                places.push_back(log.borrow().len());
                log.borrow_mut().push((nr, Outcome::Maybe));
            }
            Err(SubmitError::Call(error)) => {
                log.borrow_mut().push((nr, outcome::<()>(&Err(error))));
                assert!(matches!(error, Error::Os(_)) || !connection.is_open());
            }
            Err(_) => {}
        }
        assert_eq!(pipeline.pending(), places.len());
    }
    if data.byte() % 16 == 0 {
        std::mem::forget(pipeline);
    }
}

fn submit(
    pipeline: &mut Pipeline<'_, '_>,
    nr: usize,
    fd: FileDescriptor,
    memory: Operand<'_>,
    len: usize,
) -> Result<remote::Ticket, SubmitError> {
    // SAFETY: nothing is executed.
    unsafe { pipeline.submit(nr, [fd.into(), memory, Operand::Word(len)]) }
}

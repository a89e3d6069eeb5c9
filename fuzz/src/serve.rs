//! A server in a process of its own, whose client sends anything.

use crate::bytes::Bytes;
use rsyscall::fd::OwnedFd;
use rsyscall::nr;
use rsyscall::remote::{Policy, Request, ServeError, serve as serve_stream};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The server's file descriptors: its stream, and an eventfd.
const STREAM: i32 = 20;
const COUNTER: i32 = 21;

/// The calls that the server allows; any other fails with `EPERM`.
const ALLOWED: [usize; 9] =
    [nr::WRITE, nr::GETPID, nr::RECVFROM, nr::SENDTO, nr::READ, nr::EVENTFD2, nr::CLOSE, nr::DUP3, nr::GETTID];

const WAITALL: usize = 0x100;
const EPERM: i64 = -1;

/// Memory of both processes: a page that may be written, and one that contains 1 and is only read. Nothing is mapped
/// after them.
fn arena() -> usize {
    static ARENA: OnceLock<usize> = OnceLock::new();
    *ARENA.get_or_init(|| {
        let (length, flags) = (4 * PAGE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new memory, at an address that the kernel chooses.
        let memory = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) };
        assert_ne!(memory, libc::MAP_FAILED);
        let address = memory.expose_provenance();
        // SAFETY: the third page of it.
        unsafe { std::ptr::with_exposed_provenance_mut::<u64>(address + ONE).write(1) };
        for (page, access) in [(1, libc::PROT_NONE), (2, libc::PROT_READ), (3, libc::PROT_NONE)] {
            let page = std::ptr::with_exposed_provenance_mut(address + page * PAGE);
            // SAFETY: pages of it, which nothing refers to.
            assert_eq!(unsafe { libc::mprotect(page, PAGE, access) }, 0);
        }
        address
    })
}

const PAGE: usize = 4096;
const ONE: usize = 2 * PAGE;

/// The expected behaviour of a server that was sent these bytes, as far as it is known beforehand.
#[derive(Default)]
struct Expected {
    /// The bytes of the responses; `None` is any byte.
    responses: Vec<Option<u8>>,
    /// How often the counter is written.
    writes: u64,
    /// How the server ends: 0, or 1 if the stream ends inside a request, 3 if inside memory that follows one.
    code: i32,
    /// Whether the rest is unknown: a call took bytes of the stream, or closed it.
    unknown: bool,
    /// Returns whether a call may block indefinitely.
    may_sleep: bool,
}

impl Expected {
    fn word(&mut self, word: Option<i64>) {
        match word {
            Some(word) => self.responses.extend(word.to_ne_bytes().map(Some)),
            None => self.responses.extend([None; 8]),
        }
    }

    /// Parses what was sent as the server does.
    fn of(mut sent: &[u8], pid: i64) -> Self {
        let mut expected = Self::default();
        let is = |word: usize, fd: i32| word as u32 == fd as u32;
        while !sent.is_empty() && !expected.unknown {
            let Some((request, rest)) = sent.split_first_chunk() else {
                expected.code = 1;
                return expected;
            };
            sent = rest;
            let Request { nr, args: [a, b, c, d, e, f] } = Request::from_bytes(*request);
            let writable = b == arena() && c <= PAGE && e == 0 && f == 0;
            match nr {
                nr::GETPID | nr::GETTID => expected.word(Some(pid)),
                nr::WRITE if a == COUNTER as usize && b == arena() + ONE && c == 8 => {
                    expected.writes += 1;
                    expected.word(Some(8));
                }
                nr::RECVFROM if a == STREAM as usize && d == WAITALL && writable => {
                    if sent.len() < c {
                        // The end comes first: a short count, or 0.
                        expected.word(Some(sent.len() as i64));
                        expected.code = 3;
                        return expected;
                    }
                    sent = &sent[c..];
                    expected.word(Some(c as i64));
                }
                nr::SENDTO if a == STREAM as usize && d == 0 && writable => {
                    expected.responses.extend(vec![None; c]);
                    expected.word(Some(c as i64));
                }
                nr::EVENTFD2 => expected.word(None),
                nr if ALLOWED.contains(&nr) => {
                    expected.unknown |= is(a, STREAM) || is(a, COUNTER) || is(b, STREAM) || is(b, COUNTER);
                    expected.may_sleep |= matches!(nr, nr::READ | nr::WRITE | nr::RECVFROM | nr::SENDTO);
                    expected.word(None);
                }
                _ => expected.word(Some(EPERM)),
            }
        }
        expected
    }
}

fn word(data: &mut Bytes<'_>) -> usize {
    match data.byte() % 12 {
        0 | 1 => STREAM as usize,
        2 | 3 => COUNTER as usize,
        4 => arena(),
        5 => arena() + ONE,
        6 => 8,
        7 => 0,
        8 => WAITALL,
        9 => arena() + usize::from(data.byte()),
        _ => data.value() as usize,
    }
}

/// One request, mostly a valid one, and the bytes that follow it.
fn request(data: &mut Bytes<'_>, bytes: &mut Vec<u8>) {
    let (stream, memory) = (STREAM as usize, arena());
    let mut more = 0;
    let (nr, args) = match data.byte() % 10 {
        0 | 1 => (nr::WRITE, [COUNTER as usize, memory + ONE, 8, 0, 0, 0]),
        2 => (nr::GETPID, [0; 6]),
        3 => {
            let len = usize::from(data.byte());
            more = if data.byte() % 8 == 0 { len / 2 } else { len };
            (nr::RECVFROM, [stream, memory, len, WAITALL, 0, 0])
        }
        4 => (nr::SENDTO, [stream, memory, usize::from(data.byte()) * 16, 0, 0, 0]),
        5 => (data.value() as usize, [(); 6].map(|()| data.value() as usize)),
        _ => {
            let nr = ALLOWED[usize::from(data.byte()) % ALLOWED.len()];
            (nr, [(); 6].map(|()| word(data)))
        }
    };
    bytes.extend(Request { nr, args }.to_bytes());
    bytes.extend((0..more).map(|_| data.byte()));
}

/// Starts the server, and returns its pid. It has its stream, the counter and nothing else.
fn start(stream: &UnixStream, counter: i32) -> i32 {
    // SAFETY: the child makes system calls and serves; it does not return.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0);
    if pid != 0 {
        return pid;
    }
    let served = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the child's copies of both, at unused file descriptors, and the end of all others.
        unsafe {
            libc::dup2(stream.as_raw_fd(), STREAM + 1000);
            libc::dup2(counter, COUNTER + 1000);
            libc::syscall(libc::SYS_close_range, 0, 1000 - 1, 0);
            libc::dup2(STREAM + 1000, STREAM);
            libc::dup2(COUNTER + 1000, COUNTER);
            libc::syscall(libc::SYS_close_range, 1000, u32::MAX, 0);
            // The action of most programs.
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        }
        // SAFETY: open, and without an owner in this process.
        let stream = std::mem::ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(STREAM) });
        // SAFETY: what the policy allows touches the stream, the counter and the arena, or fails.
        match unsafe { serve_stream(&stream, Policy::Only(&ALLOWED)) } {
            Ok(()) => 0,
            Err(ServeError::Truncated) => 1,
            Err(ServeError::Vanished) => 2,
            Err(ServeError::OutOfStep) => 3,
            Err(_) => 4,
        }
    }));
    // SAFETY: ends the child here.
    unsafe { libc::_exit(served.unwrap_or(101)) }
}

/// Whatever a client sends, in whatever pieces, and however it ends: the server sends one response to each request, in
/// order and only after all of it has arrived, makes no other call, and exits with a status that shows how the stream
/// ended.
pub fn serve(data: &[u8]) {
    let mut data = Bytes(data);
    let (mode, pieces) = (data.byte(), usize::from(data.byte()));
    let mut bytes = Vec::new();
    while !data.is_empty() && bytes.len() < 20_000 {
        match data.byte() {
            255 => bytes.extend((0..data.byte()).map(|_| data.byte()).collect::<Vec<_>>()),
            254 => bytes.truncate(bytes.len().saturating_sub(usize::from(data.byte() % 60))),
            _ => request(&mut data, &mut bytes),
        }
    }
    // SAFETY: no argument is memory.
    let counter = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK) };
    let (mut client, server) = UnixStream::pair().expect("descriptors");
    if mode & 4 != 0 {
        server.set_nonblocking(true).expect("a stream");
    }
    let pid = start(&server, counter);
    drop(server);
    let expected = Expected::of(&bytes, pid.into());
    let piece = if mode & 1 == 0 { bytes.len().max(1) } else { 1 + pieces };
    let vanishes = mode & 2 != 0;
    client.set_write_timeout(Some(Duration::from_secs(5))).expect("a stream");
    client.set_nonblocking(true).expect("a stream");
    let mut responses = Vec::new();
    let mut left = bytes.as_slice();
    let start = Instant::now();
    let mut open = true;
    // A server that is not read does not read: like any client, this one does both.
    while !left.is_empty() && open && start.elapsed() < Duration::from_secs(3) && !expected.may_sleep {
        match client.write(&left[..piece.min(left.len())]) {
            Ok(count) => left = &left[count..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => open = false,
        }
        if !vanishes {
            let mut some = [0; 4096];
            if let Ok(count) = client.read(&mut some) {
                responses.extend(&some[..count]);
            }
        }
        if vanishes && start.elapsed() > Duration::from_millis(20) {
            break;
        }
    }
    if expected.may_sleep {
        let _full = client.write(left);
    }
    if vanishes {
        drop(client);
    } else {
        let _gone = client.shutdown(Shutdown::Write);
        client.set_nonblocking(false).expect("a stream");
        let patience = if expected.may_sleep { Duration::from_millis(20) } else { Duration::from_secs(5) };
        client.set_read_timeout(Some(patience)).expect("a stream");
        let _late = client.read_to_end(&mut responses);
    }
    let (code, signal) = end(pid, expected.may_sleep);
    let mut count = [0_u8; 8];
    // SAFETY: reads eight bytes into eight.
    unsafe { libc::read(counter, count.as_mut_ptr().cast(), 8) };
    // SAFETY: owned by this process.
    unsafe { libc::close(counter) };
    let count = u64::from_ne_bytes(count);
    assert_eq!(signal, None, "killed; {code:?}");
    let Some(code) = code else {
        assert!(expected.may_sleep, "the server does not end");
        return;
    };
    assert!((0..=4).contains(&code), "exit status {code}");
    if expected.unknown || expected.may_sleep {
        return;
    }
    assert!(count <= expected.writes, "{count} writes, of {} requested", expected.writes);
    if vanishes {
        return;
    }
    assert_eq!(code, expected.code, "how the stream ended");
    assert_eq!(count, expected.writes, "writes");
    assert_eq!(responses.len(), expected.responses.len(), "bytes of responses");
    let right = responses.iter().zip(&expected.responses).all(|(is, want)| want.is_none_or(|want| want == *is));
    assert!(right, "a response does not match its request");
}

/// Waits for its end, and kills it after a timeout. Returns the exit status, or the signal if it was another than that.
fn end(pid: i32, may_sleep: bool) -> (Option<i32>, Option<i32>) {
    let start = Instant::now();
    let patience = if may_sleep { Duration::from_millis(30) } else { Duration::from_secs(5) };
    let mut killed = false;
    loop {
        let mut status = 0;
        // SAFETY: writes the status.
        let waited = unsafe { libc::waitpid(pid, &mut status, if killed { 0 } else { libc::WNOHANG }) };
        if waited == pid {
            if libc::WIFEXITED(status) {
                return (Some(libc::WEXITSTATUS(status)), None);
            }
            let signal = libc::WTERMSIG(status);
            return (None, Some(signal).filter(|signal| !(killed && *signal == libc::SIGKILL)));
        }
        if start.elapsed() > patience {
            killed = true;
            // SAFETY: an unreaped child of this process.
            unsafe { libc::kill(pid, libc::SIGKILL) };
        } else {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

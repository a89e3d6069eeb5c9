//! A server that another program started: the program of `examples/serve`, with its stream as an inherited descriptor.

use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{FileDescriptor, Process};
use rsyscall::remote::{CallSlot, Connection, Request};
use rsyscall::sysif::{Error, Local};
use rsyscall::{Errno, EventfdFlags, EventfdTask, Task, near};
use rsyscall_tests::guest::{Profile, TARGETS, build, core_of};
use rsyscall_tests::skip;
use std::io::{Read, Write};
use std::os::fd::{IntoRawFd, OwnedFd as StdFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

const EMPTY: EventfdFlags = EventfdFlags::empty();

fn program(case: &str) -> Option<PathBuf> {
    let target = TARGETS[0];
    if cfg!(not(target_arch = "x86_64")) {
        rsyscall_tests::cannot(case, "cargo builds the program on x86_64 only");
        return None;
    }
    if core_of(target).is_none() {
        skip(case, "the target's core is not installed; `ci/setup targets` installs it");
        return None;
    }
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let serve = build("examples/serve", "serve", target, Profile(None), target_dir);
    assert_eq!(serve.undefined(), Vec::<String>::new());
    assert!(!serve.is_dynamic());
    Some(serve.path)
}

fn start(program: &Path, arguments: &[&str]) -> (UnixStream, Child) {
    let (client, server) = UnixStream::pair().unwrap();
    let child = Command::new(program).args(arguments).stdin(StdFd::from(server)).spawn().unwrap();
    (client, child)
}

fn adopted(stream: UnixStream, child: &Child) -> Task<Connection> {
    // SAFETY: std gives up ownership.
    let stream = unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) };
    // SAFETY: the program serves on its standard input, file descriptor 0.
    let connection = unsafe { Connection::from_stream(stream, FileDescriptor(0)) };
    connection.set_timeout(Some(Duration::from_secs(60)));
    let process = Process(child.id() as i32);
    // SAFETY: a program of its own, with tables of its own.
    unsafe { Task::new(connection, process, FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) }
}

#[test]
fn a_server_started_by_another_program_is_adopted() {
    let Some(program) = program("adopting a server") else { return };
    let (client, mut child) = start(&program, &["0"]);
    let task = adopted(client, &child);
    assert_eq!(near::getpid(task.sysif()), Ok(task.process()));
    let bell = task.eventfd(0, EMPTY).unwrap();
    bell.write(2).unwrap();
    bell.write(3).unwrap();
    assert_eq!(bell.read(), Ok(5));
    assert_eq!(bell.try_read(), Ok(None));
    drop(bell);
    task.exit(6).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(6));
}

#[test]
fn an_adopted_server_is_interrupted_and_executes_another_program() {
    let Some(program) = program("interrupting an adopted server") else { return };
    let (client, mut child) = start(&program, &["0"]);
    let task = adopted(client, &child);
    let bell = task.eventfd(0, EMPTY).unwrap();
    let mut slots = [CallSlot::EMPTY; 1];
    let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
    pipeline.read(&bell).unwrap();
    let result = loop {
        const SIGURG: u32 = 23;
        // SAFETY: an unreaped child of this process; the signal's handler there does nothing.
        unsafe { near::kill(&Local, task.process(), SIGURG) }.unwrap();
        if let Some(completion) = pipeline.complete_timeout(&mut [], Duration::from_millis(5)) {
            break completion.result;
        }
    };
    assert_eq!(result, Err(Error::Os(Errno::EINTR)));
    drop(pipeline);
    drop(bell);
    task.exec(c"/bin/sh", &[c"sh", c"-c", c"exit 7"], &[]).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn the_exit_status_shows_how_the_stream_ended() {
    let Some(program) = program("how the stream ended") else { return };
    let request = Request { nr: rsyscall::nr::GETPID, args: [0; 6] }.to_bytes();
    let (client, mut child) = start(&program, &["0"]);
    drop(client);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let (mut client, mut child) = start(&program, &["0"]);
    client.write_all(&request[..17]).unwrap();
    drop(client);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    // Started by std, the program has the default action of SIGPIPE.
    let (mut client, mut child) = start(&program, &["0"]);
    client.write_all(&request).unwrap();
    drop(client);
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(2), None));
    let (mut client, mut child) = start(&program, &["1"]);
    // Its standard output is not a stream of the connection.
    assert!(matches!(child.wait().unwrap().code(), Some(3)), "not a socket");
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    for arguments in [&[] as &[&str], &["x"], &["0", "everything"]] {
        let (_client, mut child) = start(&program, arguments);
        assert_eq!(child.wait().unwrap().code(), Some(4), "{arguments:?}");
    }
}

#[test]
fn the_program_applies_a_policy_on_request() {
    let Some(program) = program("a policy") else { return };
    let (client, mut child) = start(&program, &["0", "eventfd"]);
    let task = adopted(client, &child);
    assert_eq!(near::getpid(task.sysif()), Err(Error::Os(Errno::EPERM)));
    let bell = task.eventfd(3, EMPTY).unwrap();
    assert_eq!(bell.read(), Ok(3));
    bell.close().unwrap();
    let exit = task.exit(0);
    assert_eq!(exit.map_err(|error| error.into_error()), Err(Error::Os(Errno::EPERM)));
    assert!(matches!(child.wait().unwrap().code(), Some(0 | 2)));
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// What a client sends to a program with the policy of an eventfd, and the expected result: the words of the responses
/// (`None` is any that is no error), and the exit status.
#[derive(Default)]
struct Script {
    bytes: Vec<u8>,
    responses: Vec<Option<i64>>,
    status: i32,
}

impl Script {
    fn random(state: &mut u64) -> Self {
        const STREAM: usize = 0;
        const WAITALL: usize = 0x100;
        let mut script = Self::default();
        for _ in 0..next(state) % 24 {
            let any = next(state) as usize;
            let mut data = 0;
            let (nr, args, response) = match next(state) % 12 {
                // Not on the list, whatever it is: neither are numbers with bits that the kernel would ignore.
                0 => (rsyscall::nr::GETPID, [any; 6], Some(Errno::EPERM)),
                1 => (rsyscall::nr::KILL, [any, 9, 0, 0, 0, 0], Some(Errno::EPERM)),
                2 => (rsyscall::nr::EVENTFD2 | 1 << 32, [0; 6], Some(Errno::EPERM)),
                3 => (any | 1 << 40, [any; 6], Some(Errno::EPERM)),
                4 => (rsyscall::nr::EXIT_GROUP, [any; 6], Some(Errno::EPERM)),
                5 => (rsyscall::nr::EVENTFD2, [any & 0xffff, 0, 0, 0, 0, 0], None),
                6 => (rsyscall::nr::EVENTFD2, [0, any | 1 << 20, 0, 0, 0, 0], Some(Errno::EINVAL)),
                7 => (rsyscall::nr::CLOSE, [any | 1 << 30, 0, 0, 0, 0, 0], Some(Errno::EBADF)),
                8 => (rsyscall::nr::SENDTO, [STREAM, usize::MAX - 4095, 1 + any % 4000, 0, 0, 0], Some(Errno::EFAULT)),
                9 => (rsyscall::nr::WRITE, [any | 1 << 30, 0, 8, 0, 0, 0], Some(Errno::EBADF)),
                10 => (rsyscall::nr::MUNMAP, [1, 4096, 0, 0, 0, 0], Some(Errno::EINVAL)),
                // At an unmapped address the program cannot tell whether the bytes were taken from the stream.
                _ if any % 4 == 0 => {
                    data = 1 + any % 100;
                    (rsyscall::nr::RECVFROM, [STREAM, usize::MAX - 4095, data, WAITALL, 0, 0], Some(Errno::EFAULT))
                }
                _ => (rsyscall::nr::PPOLL, [0, 0, usize::MAX - 4095, 0, 0, 0], Some(Errno::EFAULT)),
            };
            script.bytes.extend(Request { nr, args }.to_bytes());
            script.bytes.extend((0..data).map(|_| next(state) as u8));
            script.responses.push(response.map(|errno| errno.into_ret() as i64));
            if data != 0 {
                script.status = 1;
                break;
            }
        }
        if script.status == 0 && next(state) % 3 == 0 {
            let part = 1 + next(state) as usize % 55;
            script.bytes.extend((0..part).map(|_| next(state) as u8));
            script.status = 1;
        }
        script
    }
}

#[test]
fn the_program_sends_one_response_to_each_request_and_its_exit_status_shows_how_it_ended() {
    let Some(program) = program("any client") else { return };
    let first = std::env::var("RSYSCALL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20);
    for seed in first..first + 120 {
        let mut state = seed;
        let script = Script::random(&mut state);
        let (mut client, mut child) = start(&program, &["0", "eventfd"]);
        let case = format!("RSYSCALL_SEED={seed}");
        let piece = if next(&mut state) % 2 == 0 { 4096 } else { 1 + next(&mut state) as usize % 80 };
        client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut sent = true;
        for piece in script.bytes.chunks(piece) {
            sent = sent && client.write_all(piece).is_ok();
        }
        if next(&mut state) % 4 == 0 {
            // Disconnects before the responses are read.
            drop(client);
            let status = child.wait().unwrap();
            assert!(matches!(status.code(), Some(0..=2)), "{case}: {status:?}");
            continue;
        }
        let _ended_already = client.shutdown(std::net::Shutdown::Write);
        let mut responses = Vec::new();
        // The rest of what was sent may be lost with the stream, which is then no clean end.
        let clean = client.read_to_end(&mut responses).is_ok();
        assert!(clean || script.status == 1, "{case}");
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(script.status), None), "{case}");
        let words: Vec<_> = responses.chunks(8).map(|word| i64::from_ne_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words.len(), script.responses.len(), "{case}");
        for (word, response) in words.iter().zip(&script.responses) {
            assert!(response.map_or(*word >= 0, |response| response == *word), "{case}: {word}, not {response:?}");
        }
    }
}

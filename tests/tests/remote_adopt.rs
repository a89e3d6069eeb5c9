//! A server that somebody else started: the program of `examples/serve`, with its stream as an inherited descriptor.

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
        skip(case, "the target's core is not installed; `ci/setup targets` does");
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
    // SAFETY: std gives the number away.
    let stream = unsafe { OwnedFd::from_raw_fd(stream.into_raw_fd()) };
    // SAFETY: the program serves on its standard input, number 0.
    let connection = unsafe { Connection::from_stream(stream, FileDescriptor(0)) };
    connection.set_timeout(Some(Duration::from_secs(60)));
    let process = Process(child.id() as i32);
    // SAFETY: a program of its own, with tables of its own.
    unsafe { Task::new(connection, process, FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) }
}

#[test]
fn a_server_started_by_somebody_else_is_adopted() {
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
        // SAFETY: our child, which is not waited for yet; there the signal's handler does nothing.
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
fn the_program_tells_how_the_stream_ended() {
    let Some(program) = program("how the stream ended") else { return };
    let request = Request { nr: rsyscall::nr::GETPID, args: [0; 6] }.to_bytes();
    let (client, mut child) = start(&program, &["0"]);
    drop(client);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let (mut client, mut child) = start(&program, &["0"]);
    client.write_all(&request[..17]).unwrap();
    drop(client);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    // Started by std, SIGPIPE would be deadly to it.
    let (mut client, mut child) = start(&program, &["0"]);
    client.write_all(&request).unwrap();
    drop(client);
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(2), None));
    let (mut client, mut child) = start(&program, &["1"]);
    // Its standard output is no stream of ours.
    assert!(matches!(child.wait().unwrap().code(), Some(3)), "not a socket");
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    for arguments in [&[] as &[&str], &["x"], &["0", "everything"]] {
        let (_client, mut child) = start(&program, arguments);
        assert_eq!(child.wait().unwrap().code(), Some(4), "{arguments:?}");
    }
}

#[test]
fn the_program_contains_mistakes_when_told_to() {
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

//! A server, a client, and both.

use super::other::{child, process, streams};
use rsyscall::far::{AddressSpace, FdTable, PidNamespace};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::remote::{self, CallSlot, Completion, Connection, Policy, Request};
use rsyscall::sysif::Error;
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask, Task, nr};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

static CLIENT: AtomicI32 = AtomicI32::new(-1);
static SERVER: AtomicI32 = AtomicI32::new(-1);

const LONG: Duration = Duration::from_secs(50);

/// Keeps one end of a new stream in this process, and runs `other` with the other end in a child.
fn stream(mine: usize, other: impl FnOnce(i32)) -> i32 {
    let pair = streams();
    CLIENT.store(pair[0], Ordering::Relaxed);
    SERVER.store(pair[1], Ordering::Relaxed);
    let (mine, theirs) = (pair[mine], pair[1 - mine]);
    child(|| {
        // SAFETY: the child's own copy.
        unsafe { libc::close(mine) };
        other(theirs);
    });
    // SAFETY: the child has its own.
    unsafe { libc::close(theirs) };
    mine
}

/// A client whose request arrives late, for a server whose stream is nonblocking.
pub fn late_client(_: &EventFd) {
    let server = stream(1, |client| {
        let request = Request { nr: nr::GETPID, args: [0; 6] }.to_bytes();
        let mut response = [0_u8; 8];
        // SAFETY: one word.
        unsafe { libc::usleep(20_000) };
        // SAFETY: the call reads these bytes.
        unsafe { libc::write(client, request.as_ptr().cast(), request.len()) };
        // SAFETY: the call writes these bytes.
        unsafe { libc::read(client, response.as_mut_ptr().cast(), response.len()) };
    });
    // SAFETY: three words.
    assert_eq!(unsafe { libc::fcntl(server, libc::F_SETFL, libc::O_NONBLOCK) }, 0);
    // SAFETY: no handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

pub fn serve(_: &EventFd) -> Result<bool, Errno> {
    remote::install_interrupt_handler()?;
    // SAFETY: created for this; it is never closed, as a server does not close its stream.
    let stream = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(SERVER.load(Ordering::Relaxed)) });
    // SAFETY: the policy refuses what is requested.
    Ok(unsafe { remote::serve(&stream, Policy::Only(&[])) } == Ok(()))
}

/// A server, without a filter.
pub fn server(_: &EventFd) {
    stream(0, |server| {
        // SAFETY: created for this.
        let stream = unsafe { OwnedFd::from_raw_fd(server) };
        // SAFETY: the client is the function below.
        let _ended = unsafe { remote::serve(&stream, Policy::Everything) };
    });
}

pub fn connection(_: &EventFd) -> Result<bool, Errno> {
    // SAFETY: created for this.
    let stream = unsafe { OwnedFd::from_raw_fd(CLIENT.load(Ordering::Relaxed)) };
    // SAFETY: the server above, whose end has this file descriptor.
    let connection = unsafe { Connection::from_stream(stream, FileDescriptor(SERVER.load(Ordering::Relaxed))) };
    connection.set_timeout(Some(LONG));
    // SAFETY: a process of its own, with tables of its own.
    let task = unsafe { Task::new(connection, process(), FdTable::new(), AddressSpace::new(), PidNamespace::CURRENT) };
    let done = || {
        let bell = task.eventfd(1, EventfdFlags::empty())?;
        bell.write(2)?;
        let read = bell.read()? == 3;
        drop(bell.fetch()?);
        task.sysif().reserve_scratch(10_000)?;
        let late = piped(task.sysif(), &bell);
        task.sysif().set_timeout(Some(Duration::from_millis(10)));
        let late = late && bell.read() == Err(Error::Hangup);
        task.sysif().finish();
        task.sysif().shutdown();
        Ok::<_, Error>(read && late)
    };
    Ok(done() == Ok(true))
}

/// Two calls in flight at once; the second one completes late.
fn piped(connection: &Connection, bell: &EventFd<&Task<Connection>>) -> bool {
    let mut slots = [CallSlot::EMPTY; 2];
    let Some(mut pipeline) = connection.pipeline(&mut slots) else { return false };
    let submitted = pipeline.write(bell, 4).is_ok() && pipeline.read(bell).is_ok();
    let mut out = [0; 8];
    let early = pipeline.try_complete(&mut out).or_else(|| pipeline.complete(&mut out));
    let late = pipeline.complete_timeout(&mut out, LONG);
    let done = |completion: Option<Completion>| completion.is_some_and(|completion| completion.result == Ok(8));
    submitted && done(early) && done(late) && out == 4_u64.to_ne_bytes()
}

pub fn forked(_: &EventFd) -> Result<bool, Errno> {
    let done = || {
        let forked = remote::fork([])?;
        forked.task.sysif().set_timeout(Some(LONG));
        let bell = forked.task.eventfd(1, EventfdFlags::empty())?;
        bell.write(2)?;
        drop(bell.fetch()?);
        let read = bell.read()?;
        // The clock is read only for a shorter timeout, or if the response takes longer than a tick.
        forked.task.sysif().set_timeout(Some(Duration::from_millis(99)));
        near::getpid(forked.task.sysif())?;
        Ok::<_, Error>(read == 3)
    };
    Ok(done() == Ok(true))
}

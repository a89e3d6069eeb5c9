//! An eventfd in the reactors that programs use: each sees it become readable from another thread, reads the count,
//! and deregisters it.

use interop::Census;
use rsyscall::{Errno, EventFd, EventfdFlags};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// So long that only a hanging test reaches it.
const LIMIT: Duration = Duration::from_secs(60);

fn bell() -> EventFd {
    EventFd::new(0, EventfdFlags::NONBLOCK).unwrap()
}

#[test]
fn tokio_waits_for_an_event_fd_in_an_async_fd() {
    use tokio::io::unix::AsyncFd;
    let census = Census::take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
    let sum = runtime.block_on(async {
        // SAFETY: an `Arc` of an `EventFd` has the same file descriptor all its life, and keeps it open.
        let bell = unsafe { AsyncFd::register(Arc::new(bell())) }.unwrap();
        let ringer = Arc::clone(bell.get_ref());
        // One after another: each is written only after the one before was read.
        let mut sum = 0;
        for value in [1, 10, 100] {
            let writer = thread::spawn({
                let ringer = Arc::clone(&ringer);
                move || ringer.write(value)
            });
            let one = tokio::time::timeout(LIMIT, async {
                loop {
                    let mut ready = bell.readable().await?;
                    // `WouldBlock` tells an `AsyncFd` to wait again.
                    match ready.try_io(|bell| bell.get_ref().read().map_err(io::Error::from)) {
                        Ok(count) => return count,
                        Err(_would_block) => continue,
                    }
                }
            });
            sum += one.await.expect("in time").unwrap();
            writer.join().unwrap().unwrap();
        }
        sum
    });
    assert_eq!(sum, 111);
    drop(runtime);
    census.assert_opened(&[]);
}

#[test]
fn mio_waits_for_an_event_fd_as_a_source_fd() {
    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};
    let census = Census::take();
    let bell = bell();
    let mut poll = Poll::new().unwrap();
    let fd = bell.as_raw_fd();
    poll.registry().register(&mut SourceFd(&fd), Token(7), Interest::READABLE).unwrap();
    let mut events = Events::with_capacity(4);
    for value in [1, 10, 100] {
        thread::scope(|scope| {
            scope.spawn(|| bell.write(value).unwrap());
            events.clear();
            while events.is_empty() {
                // No event in all that time: the assertion below fails.
                match poll.poll(&mut events, Some(LIMIT)) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => {
                        result.unwrap();
                        break;
                    }
                }
            }
        });
        let tokens: Vec<_> = events.iter().filter(|event| event.is_readable()).map(|event| event.token()).collect();
        assert_eq!(tokens, [Token(7)]);
        assert_eq!(bell.read(), Ok(value));
        assert_eq!(bell.read(), Err(Errno::EAGAIN));
    }
    poll.registry().deregister(&mut SourceFd(&fd)).unwrap();
    drop((poll, events, bell));
    census.assert_opened(&[]);
}

#[test]
fn polling_waits_for_an_event_fd() {
    use polling::{Event, Events, Poller};
    let census = Census::take();
    let bell = bell();
    let poller = Poller::new().unwrap();
    // SAFETY: deleted below, before it is closed.
    unsafe { poller.add(&bell, Event::readable(7)) }.unwrap();
    let mut events = Events::new();
    for value in [1, 10, 100] {
        thread::scope(|scope| {
            scope.spawn(|| bell.write(value).unwrap());
            events.clear();
            poller.wait(&mut events, Some(LIMIT)).unwrap();
        });
        assert_eq!(events.iter().map(|event| (event.key, event.readable)).collect::<Vec<_>>(), [(7, true)]);
        assert_eq!(bell.read(), Ok(value));
        poller.modify(&bell, Event::readable(7)).unwrap();
    }
    poller.delete(&bell).unwrap();
    drop((poller, bell));
    census.assert_opened(&[]);
}

#[test]
fn async_io_waits_for_an_event_fd_and_makes_it_nonblocking() {
    use async_io::{Async, block_on};
    let mut census = Census::take();
    // Its thread and its poller live as long as the process.
    block_on(async { Async::new(bell()).unwrap().get_ref().write(1).unwrap() });
    census.retake();
    let bell = Async::new(EventFd::new(0, EventfdFlags::empty()).unwrap()).unwrap();
    assert_eq!(bell.get_ref().is_nonblocking(), Ok(true));
    for value in [1, 10, 100] {
        thread::scope(|scope| {
            scope.spawn(|| bell.get_ref().write(value).unwrap());
            let count = block_on(bell.read_with(|bell| bell.read().map_err(io::Error::from)));
            assert_eq!(count.unwrap(), value);
        });
    }
    let back = bell.into_inner().unwrap();
    census.assert_opened(&[back.as_raw_fd()]);
    drop(back);
    census.assert_opened(&[]);
}

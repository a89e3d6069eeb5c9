//! An eventfd in the reactors that programs have: each sees it become readable from another thread, reads the count,
//! and lets go of it.

use interop::Census;
use rsyscall::{Errno, EventFd, EventfdFlags};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// So long that only something that hangs gets there.
const LIMIT: Duration = Duration::from_secs(60);

fn bell() -> EventFd {
    EventFd::new(0, EventfdFlags::NONBLOCK).unwrap()
}

#[test]
fn tokio_waits_for_it_in_an_async_fd() {
    use tokio::io::unix::AsyncFd;
    let census = Census::take();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
    let sum = runtime.block_on(async {
        // SAFETY: an `Arc` of an `EventFd` has the same number all its life, and it stays open for so long.
        let bell = unsafe { AsyncFd::register(Arc::new(bell())) }.unwrap();
        let ringer = Arc::clone(bell.get_ref());
        // One after another: the next is written only once the one before was taken.
        let mut sum = 0;
        for value in [1, 10, 100] {
            let writer = thread::spawn({
                let ringer = Arc::clone(&ringer);
                move || ringer.write(value)
            });
            let one = tokio::time::timeout(LIMIT, async {
                loop {
                    let mut ready = bell.readable().await?;
                    // `WouldBlock` is how an `AsyncFd` learns that it has to wait again.
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
fn mio_waits_for_it_as_a_source_fd() {
    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};
    let census = Census::take();
    let bell = bell();
    let mut poll = Poll::new().unwrap();
    let number = bell.as_raw_fd();
    poll.registry().register(&mut SourceFd(&number), Token(7), Interest::READABLE).unwrap();
    let mut events = Events::with_capacity(4);
    for value in [1, 10, 100] {
        thread::scope(|scope| {
            scope.spawn(|| bell.write(value).unwrap());
            events.clear();
            while events.is_empty() {
                // Nothing in all that time: then the assertion below says so.
                match poll.poll(&mut events, Some(LIMIT)) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    answer => {
                        answer.unwrap();
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
    poll.registry().deregister(&mut SourceFd(&number)).unwrap();
    drop((poll, events, bell));
    census.assert_opened(&[]);
}

#[test]
fn polling_waits_for_it() {
    use polling::{Event, Events, Poller};
    let census = Census::take();
    let bell = bell();
    let poller = Poller::new().unwrap();
    // SAFETY: taken out again below, before it is closed.
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
fn async_io_waits_for_it_and_makes_it_nonblocking_itself() {
    use async_io::{Async, block_on};
    let mut census = Census::take();
    // Its own thread and its poller stay for as long as the process.
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

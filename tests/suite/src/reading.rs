//! R: what a read takes, and when it fails.

use crate::check::Verdict;
use crate::{Case, Environment, calls};
use core::mem::MaybeUninit;
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask, near};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 13] {
    [
        Case {
            id: "R1.1",
            sentence: "read fails with EINVAL for a buffer of fewer than eight bytes, before any other check",
            run: short_buffers,
        },
        Case { id: "R1.2", sentence: "read of an empty nonblocking counter fails with EAGAIN", run: empty },
        Case {
            id: "R1.3",
            sentence: "read to a bad address fails with EFAULT, and the value is lost",
            run: bad_address,
        },
        Case { id: "R1.4", sentence: "read checks the count before the address", run: bad_address_of_empty },
        Case { id: "R2.1", sentence: "a read takes the whole count and leaves none", run: takes_all },
        Case { id: "R2.2", sentence: "a read of a semaphore takes 1", run: takes_one },
        Case { id: "R2.3", sentence: "read writes only the first eight bytes of a longer buffer", run: long_buffer },
        Case { id: "R2.4", sentence: "the bytes are in native order", run: byte_order },
        Case { id: "R2.5", sentence: "readv spreads the eight bytes over its pieces", run: pieces },
        Case { id: "R4.1", sentence: "preadv2(RWF_NOWAIT) does not sleep on a blocking counter", run: nowait },
        Case { id: "R4.2", sentence: "preadv2(RWF_NOWAIT) of a semaphore takes 1", run: nowait_takes_one },
        Case { id: "R4.3", sentence: "pread and pwrite fail with ESPIPE", run: positions },
        Case { id: "R4.4", sentence: "lseek returns 0 from Linux 6.0 on, before that it fails with ESPIPE", run: seek },
    ]
}

/// A read of exactly this many bytes.
fn read<T: EventfdTask>(bell: &EventFd<T>, len: usize) -> Result<usize, T::Error> {
    let mut buffer = [MaybeUninit::uninit(); 32];
    let buffer = buffer.get_mut(..len).unwrap_or_default();
    // SAFETY: borrowed, so open, for the whole call.
    unsafe { near::read(bell.task().sysif(), bell.near(), buffer) }.map(|read| read.len())
}

fn short_buffers<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    // On the empty one a wrong order would block for ever.
    let full = ok!(task.eventfd(3, EventfdFlags::empty()));
    let empty = ok!(task.eventfd(0, EventfdFlags::empty()));
    for len in 0..8 {
        refused!(read(&full, len), EINVAL);
        refused!(read(&empty, len), EINVAL);
    }
    is!(ok!(full.read()), 3);
    Ok(())
}

fn empty<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for flags in [EventfdFlags::empty(), EventfdFlags::SEMAPHORE] {
        let bell = ok!(task.eventfd(0, flags | EventfdFlags::NONBLOCK));
        refused!(bell.read(), EAGAIN);
        refused!(read(&bell, 8), EAGAIN);
        ok!(bell.write(1));
        ok!(bell.read());
        refused!(bell.read(), EAGAIN);
    }
    Ok(())
}

fn bad_address<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.faults?;
    let bell = ok!(task.eventfd(3, EventfdFlags::NONBLOCK));
    refused!(calls::read_nowhere(bell.as_owned_fd(), 7), EINVAL);
    refused!(calls::read_nowhere(bell.as_owned_fd(), 8), EFAULT);
    refused!(bell.read(), EAGAIN);
    Ok(())
}

fn bad_address_of_empty<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.faults?;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    refused!(calls::read_nowhere(bell.as_owned_fd(), 8), EAGAIN);
    Ok(())
}

fn takes_all<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(3, EventfdFlags::NONBLOCK));
    ok!(bell.write(4));
    is!(ok!(bell.read()), 7);
    refused!(bell.read(), EAGAIN);
    let blocking = ok!(task.eventfd(3, EventfdFlags::empty()));
    is!(ok!(blocking.read()), 3);
    is!(ok!(read(&ok!(task.eventfd(3, EventfdFlags::empty())), 8)), 8);
    Ok(())
}

fn takes_one<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(1, EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK));
    ok!(bell.write(2));
    is!((ok!(bell.read()), ok!(bell.read()), ok!(bell.read())), (1, 1, 1));
    refused!(bell.read(), EAGAIN);
    let blocking = ok!(task.eventfd(2, EventfdFlags::SEMAPHORE));
    is!((ok!(blocking.read()), ok!(blocking.read())), (1, 1));
    Ok(())
}

fn long_buffer<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for len in [8, 9, 16, 32] {
        let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
        let mut buffer = [0xaa; 32];
        is!(ok!(calls::read_over(bell.as_owned_fd(), buffer.get_mut(..len).unwrap_or_default())), 8);
        let (count, rest) = some!(buffer.split_first_chunk());
        is!(u64::from_ne_bytes(*count), 3);
        holds!(rest.iter().all(|byte| *byte == 0xaa));
    }
    Ok(())
}

fn byte_order<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    const COUNT: u64 = 0x0102_0304_0506_0708;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    ok!(bell.write(COUNT));
    let mut buffer = [0; 8];
    is!(ok!(calls::read_over(bell.as_owned_fd(), &mut buffer)), 8);
    is!(buffer, COUNT.to_ne_bytes());
    ok!(bell.write(COUNT));
    is!(ok!(bell.read()), COUNT);
    Ok(())
}

fn pieces<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.beyond?;
    environment.order?;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    const COUNT: u64 = 0x0102_0304_0506_0708;
    ok!(bell.write(COUNT));
    let (mut first, mut second) = ([0; 3], [0; 8]);
    let read = calls::readv(bell.as_owned_fd(), &mut first, &mut second);
    if !environment.since((5, 8)) {
        // Each piece was a read of its own, and the first is too short.
        refused!(read, EINVAL);
        return Ok(());
    }
    is!(ok!(read), 8);
    let [a, b, c] = first;
    // What follows the eight bytes is unspecified: memory of an `OutVec` counts as uninitialised.
    let [d, e, f, g, h, ..] = second;
    is!(u64::from_ne_bytes([a, b, c, d, e, f, g, h]), COUNT);
    Ok(())
}

fn nowait<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.nowait?;
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    is!(ok!(read_nowait(&bell)), 3);
    refused!(read_nowait(&bell), EAGAIN);
    holds!(!ok!(bell.is_nonblocking()));
    Ok(())
}

fn nowait_takes_one<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.nowait?;
    let bell = ok!(task.eventfd(2, EventfdFlags::SEMAPHORE));
    is!((ok!(read_nowait(&bell)), ok!(read_nowait(&bell))), (1, 1));
    refused!(read_nowait(&bell), EAGAIN);
    Ok(())
}

fn read_nowait<T: EventfdTask>(bell: &EventFd<T>) -> Result<u64, T::Error> {
    let mut buffer = [MaybeUninit::uninit(); 8];
    // SAFETY: borrowed, so open, for the whole call.
    let read = unsafe { near::read_nowait(bell.task().sysif(), bell.near(), &mut buffer) }?;
    read.first_chunk().copied().map(u64::from_ne_bytes).ok_or_else(|| Errno::EIO.into())
}

fn positions<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.beyond?;
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    refused!(calls::pread(bell.as_owned_fd(), &mut [0; 8], 0), ESPIPE);
    refused!(calls::pwrite(bell.as_owned_fd(), &1_u64.to_ne_bytes(), 0), ESPIPE);
    is!(ok!(bell.read()), 3);
    Ok(())
}

fn seek<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.beyond?;
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    for whence in 0..3 {
        let sought = calls::lseek(bell.as_owned_fd(), 5, whence);
        if environment.since((6, 0)) {
            is!(ok!(sought), 0);
        } else {
            refused!(sought, ESPIPE);
        }
    }
    is!(ok!(bell.read()), 3);
    Ok(())
}

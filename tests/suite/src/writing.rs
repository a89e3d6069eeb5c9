//! W: what a write adds, and when it fails.

use crate::check::Verdict;
use crate::{Case, Environment, calls};
use rsyscall::{EventFd, EventfdFlags, EventfdTask, near};

const MAX: u64 = u64::MAX - 1;

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 10] {
    [
        Case {
            id: "W1.1",
            sentence: "write fails with EINVAL for fewer than eight bytes and adds nothing",
            run: short_buffers,
        },
        Case {
            id: "W1.2",
            sentence: "write of more than eight bytes fails with EINVAL from Linux 6.9 on, before that takes eight",
            run: long_buffers,
        },
        Case { id: "W1.3", sentence: "write from a bad address fails with EFAULT and adds nothing", run: bad_address },
        Case { id: "W1.4", sentence: "write checks the length before the address", run: length_before_address },
        Case {
            id: "W1.5",
            sentence: "write of u64::MAX fails with EINVAL at any count, and adds nothing",
            run: forbidden_value,
        },
        Case { id: "W2.1", sentence: "the count can reach MAX−2 and MAX−1, but not MAX", run: ladder },
        Case {
            id: "W2.2",
            sentence: "write of a value that does not fit fails with EAGAIN, and adds nothing",
            run: nothing_lost,
        },
        Case { id: "W2.3", sentence: "a semaphore has the same maximum", run: semaphore_ladder },
        Case { id: "W3.1", sentence: "write of 0 succeeds at every count and adds nothing", run: zero },
        Case { id: "W3.2", sentence: "pwritev2(RWF_NOWAIT) fails with EOPNOTSUPP", run: nowait },
    ]
}

/// A write of exactly this many bytes, of which the first eight are 1.
fn write<T: EventfdTask>(bell: &EventFd<T>, len: usize) -> Result<usize, T::Error> {
    let mut bytes = [0; 32];
    if let Some(first) = bytes.first_chunk_mut() {
        *first = 1_u64.to_ne_bytes();
    }
    // SAFETY: borrowed, so open, for the whole call.
    unsafe { near::write(bell.task().sysif(), bell.near(), bytes.get(..len).unwrap_or_default()) }
}

fn short_buffers<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    for len in 0..8 {
        refused!(write(&bell, len), EINVAL);
    }
    refused!(bell.read(), EAGAIN);
    is!(ok!(write(&bell, 8)), 8);
    is!(ok!(bell.read()), 1);
    Ok(())
}

fn long_buffers<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    for len in [9, 16, 32] {
        if environment.since((6, 9)) {
            refused!(write(&bell, len), EINVAL);
            refused!(bell.read(), EAGAIN);
        } else {
            is!(ok!(write(&bell, len)), 8);
            is!(ok!(bell.read()), 1);
        }
    }
    Ok(())
}

fn bad_address<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.faults?;
    let bell = ok!(task.eventfd(3, EventfdFlags::NONBLOCK));
    refused!(calls::write_nowhere(bell.as_owned_fd(), 8), EFAULT);
    is!(ok!(bell.read()), 3);
    Ok(())
}

fn length_before_address<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.faults?;
    let bell = ok!(task.eventfd(3, EventfdFlags::NONBLOCK));
    refused!(calls::write_nowhere(bell.as_owned_fd(), 7), EINVAL);
    is!(ok!(bell.read()), 3);
    Ok(())
}

fn forbidden_value<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    // Blocking, so that a sleep in place of the error would be noticed.
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    refused!(bell.write(u64::MAX), EINVAL);
    is!(ok!(bell.read()), 3);
    refused!(bell.write(u64::MAX), EINVAL);
    ok!(bell.write(MAX));
    refused!(bell.write(u64::MAX), EINVAL);
    is!(ok!(bell.read()), MAX);
    Ok(())
}

fn ladder<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    ok!(bell.write(MAX - 1));
    ok!(bell.write(1));
    refused!(bell.write(1), EAGAIN);
    refused!(bell.write(MAX), EAGAIN);
    refused!(bell.write(u64::MAX), EINVAL);
    ok!(bell.write(0));
    is!(ok!(bell.read()), MAX);
    refused!(bell.read(), EAGAIN);
    ok!(bell.write(MAX));
    is!(ok!(bell.read()), MAX);
    Ok(())
}

fn nothing_lost<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    ok!(bell.write(MAX - 3));
    refused!(bell.write(4), EAGAIN);
    refused!(bell.write(MAX), EAGAIN);
    ok!(bell.write(3));
    is!(ok!(bell.read()), MAX);
    Ok(())
}

fn semaphore_ladder<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK));
    ok!(bell.write(MAX));
    refused!(bell.write(1), EAGAIN);
    is!(ok!(bell.read()), 1);
    refused!(bell.write(2), EAGAIN);
    ok!(bell.write(1));
    refused!(bell.write(1), EAGAIN);
    Ok(())
}

fn zero<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    ok!(bell.write(0));
    refused!(bell.read(), EAGAIN);
    ok!(bell.write(3));
    ok!(bell.write(0));
    is!(ok!(bell.read()), 3);
    ok!(bell.write(MAX));
    ok!(bell.write(0));
    is!(ok!(bell.read()), MAX);
    Ok(())
}

fn nowait<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.beyond?;
    environment.nowait?;
    let bell = ok!(task.eventfd(3, EventfdFlags::empty()));
    refused!(calls::pwritev2_zero(bell.as_owned_fd(), calls::RWF_NOWAIT), EOPNOTSUPP);
    is!(ok!(bell.read()), 3);
    Ok(())
}

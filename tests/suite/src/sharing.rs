//! S: what duplicates, children and /proc see.

use crate::check::Verdict;
use crate::{Case, Environment, calls};
use rsyscall::fd::OwnedFd;
use rsyscall::{EventFd, EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 11] {
    [
        Case { id: "S1.1", sentence: "duplicates share the count", run: count },
        Case { id: "S1.2", sentence: "duplicates share O_NONBLOCK, whichever of them sets it", run: nonblocking },
        Case { id: "S1.3", sentence: "FD_CLOEXEC belongs to the file descriptor", run: cloexec },
        Case { id: "S1.4", sentence: "a child made by fork shares the count", run: forked },
        Case {
            id: "S1.5",
            sentence: "pidfd_getfd shares the count, and the new file descriptor has FD_CLOEXEC",
            run: pidfd,
        },
        Case {
            id: "S2.1",
            sentence: "dup clears FD_CLOEXEC, dup3 and F_DUPFD_CLOEXEC set it as requested",
            run: duplicates,
        },
        Case { id: "S2.2", sentence: "O_NONBLOCK takes effect with the next call, set or cleared", run: next_call },
        Case { id: "S2.3", sentence: "F_SETFL and FIONBIO change the same flag", run: same_flag },
        Case { id: "S4.1", sentence: "its link in /proc reads anon_inode:[eventfd]", run: link },
        Case { id: "S4.2", sentence: "its fdinfo shows the count, in hexadecimal", run: fdinfo_count },
        Case {
            id: "S4.3",
            sentence: "its fdinfo shows an id from Linux 5.2 on, and whether it is a semaphore from 6.5 on",
            run: fdinfo_rest,
        },
    ]
}

fn count<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.order?;
    let bell = ok!(task.eventfd(1, EventfdFlags::NONBLOCK));
    let twin = ok!(bell.try_clone());
    holds!(bell.near() != twin.near());
    ok!(twin.write(2));
    is!(ok!(bell.read()), 3);
    refused!(twin.read(), EAGAIN);
    ok!(bell.write(4));
    ok!(bell.close());
    is!(ok!(twin.read()), 4);
    Ok(())
}

fn nonblocking<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let twin = ok!(bell.try_clone());
    ok!(bell.set_nonblocking(true));
    holds!(ok!(twin.is_nonblocking()));
    refused!(twin.read(), EAGAIN);
    ok!(twin.set_nonblocking(false));
    holds!(!ok!(bell.is_nonblocking()));
    Ok(())
}

fn cloexec<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let twin = ok!(bell.try_clone());
    ok!(bell.set_cloexec(false));
    is!((ok!(bell.is_cloexec()), ok!(twin.is_cloexec())), (false, true));
    ok!(bell.set_cloexec(true));
    ok!(twin.set_cloexec(false));
    is!((ok!(bell.is_cloexec()), ok!(twin.is_cloexec())), (true, false));
    Ok(())
}

fn forked<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.here?;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    // SAFETY: the child makes one system call and nothing else; the environment claims that the task is here.
    let child = ok!(unsafe { calls::fork(task, || bell.write(7).is_ok()) });
    let succeeded = ok!(child.succeeded());
    holds!(succeeded);
    is!(ok!(bell.read()), 7);
    Ok(())
}

fn pidfd<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.pidfd?;
    environment.order?;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK));
    let twin = EventFd::from(ok!(calls::pidfd_getfd(task, bell.near())));
    ok!(twin.write(3));
    is!(ok!(bell.read()), 3);
    refused!(twin.read(), EAGAIN);
    holds!(ok!(twin.is_cloexec()));
    Ok(())
}

fn duplicates<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.beyond?;
    let bell = ok!(task.eventfd(0, EventfdFlags::NONBLOCK)).into_owned_fd();
    holds!(ok!(bell.is_cloexec()));
    let twin = ok!(calls::dup(&bell));
    holds!(!ok!(twin.is_cloexec()));
    ok!(calls::dup3(&bell, &twin, calls::O_CLOEXEC));
    holds!(ok!(twin.is_cloexec()));
    ok!(calls::dup3(&bell, &twin, 0));
    holds!(!ok!(twin.is_cloexec()));
    // From one without FD_CLOEXEC.
    holds!(ok!(ok!(twin.try_clone()).is_cloexec()));
    let (bell, twin) = (EventFd::from(bell), EventFd::from(twin));
    ok!(bell.write(2));
    is!(ok!(twin.read()), 2);
    Ok(())
}

fn next_call<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    ok!(bell.set_nonblocking(true));
    refused!(bell.read(), EAGAIN);
    ok!(bell.set_nonblocking(true));
    refused!(bell.read(), EAGAIN);
    ok!(bell.set_nonblocking(false));
    ok!(bell.write(2));
    is!(ok!(bell.read()), 2);
    holds!(!ok!(bell.is_nonblocking()));
    Ok(())
}

fn same_flag<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.beyond?;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let fd = bell.as_owned_fd();
    ok!(calls::setfl(fd, calls::O_NONBLOCK));
    holds!(ok!(bell.is_nonblocking()));
    refused!(bell.read(), EAGAIN);
    ok!(bell.set_nonblocking(false));
    is!(ok!(calls::getfl(task, bell.near())) & calls::O_NONBLOCK, 0);
    Ok(())
}

/// `/proc/self/<folder>/<fd>` as a C string, in the given memory.
fn path<'b, T: EventfdTask>(folder: &str, fd: &OwnedFd<T>, memory: &'b mut [u8; 64]) -> Option<&'b core::ffi::CStr> {
    let text = crate::Text::of(format_args!("/proc/self/{folder}/{}\0", fd.as_raw_fd()));
    let bytes = text.as_str().as_bytes();
    memory.get_mut(..bytes.len())?.copy_from_slice(bytes);
    core::ffi::CStr::from_bytes_until_nul(memory).ok()
}

fn link<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.proc?;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let (mut memory, mut target) = ([0; 64], [0; 64]);
    let path = some!(path("fd", bell.as_owned_fd(), &mut memory));
    is!(ok!(calls::readlink(task, path, &mut target)), b"anon_inode:[eventfd]");
    Ok(())
}

/// What follows `prefix` in the line of an eventfd's fdinfo that begins with it.
fn fdinfo<'b, T: EventfdTask>(
    bell: &EventFd<T>,
    prefix: &str,
    memory: &'b mut [u8; 512],
) -> Result<Option<&'b [u8]>, T::Error> {
    let mut name = [0; 64];
    let Some(path) = path("fdinfo", bell.as_owned_fd(), &mut name) else { return Ok(None) };
    let file = calls::open(bell.task(), path)?;
    let len = calls::read_over(&file, memory)?;
    let mut lines = memory.get(..len).unwrap_or_default().split(|byte| *byte == b'\n');
    Ok(lines.find_map(|line| line.strip_prefix(prefix.as_bytes())).map(<[u8]>::trim_ascii))
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

fn fdinfo_count<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.proc?;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    for count in [0, 0xab, u64::MAX - 1 - 0xab] {
        ok!(bell.write(count));
        let mut memory = [0; 512];
        let shown = some!(ok!(fdinfo(&bell, "eventfd-count:", &mut memory)));
        let expected = if count > 0xab { u64::MAX - 1 } else { count };
        is!(hexadecimal(shown), Some(expected));
    }
    Ok(())
}

fn fdinfo_rest<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.proc?;
    let mut memory = [0; 512];
    for semaphore in [false, true] {
        let flags = if semaphore { EventfdFlags::SEMAPHORE } else { EventfdFlags::empty() };
        let bell = ok!(task.eventfd(0, flags));
        let id = ok!(fdinfo(&bell, "eventfd-id:", &mut memory));
        is!(id.is_some(), environment.since((5, 2)));
        let shown = ok!(fdinfo(&bell, "eventfd-semaphore:", &mut memory));
        let expected = environment.since((6, 5)).then_some(u64::from(semaphore));
        is!(shown.and_then(hexadecimal), expected);
    }
    Ok(())
}

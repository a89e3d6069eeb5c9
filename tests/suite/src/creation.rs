//! C: what `eventfd2` creates, and when it fails.

use crate::check::Verdict;
use crate::{Case, Environment, calls};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::{EventFd, EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 9] {
    [
        Case {
            id: "C1.1",
            sentence: "eventfd2 fails with EINVAL for each of the 29 bits that are not flags",
            run: unknown_bits,
        },
        Case {
            id: "C2.1",
            sentence: "every 32-bit initial value is valid and is the first count",
            run: initial_values,
        },
        Case { id: "C2.2", sentence: "the upper halves of both registers are ignored", run: upper_halves },
        Case {
            id: "C3.1",
            sentence: "each of the eight flag sets gives O_RDWR, and NONBLOCK as requested",
            run: status_flags,
        },
        Case {
            id: "C3.2",
            sentence: "the file descriptor has FD_CLOEXEC only if CLOEXEC was requested",
            run: descriptor_flags,
        },
        Case {
            id: "C3.3",
            sentence: "created through a task, the file descriptor always has FD_CLOEXEC",
            run: always_cloexec,
        },
        Case { id: "C3.4", sentence: "the file descriptor is the lowest free one", run: lowest_descriptor },
        Case { id: "C3.5", sentence: "0 is a file descriptor like any other", run: descriptor_zero },
        Case { id: "C4.1", sentence: "at RLIMIT_NOFILE creating and duplicating fail with EMFILE", run: too_many },
    ]
}

pub(crate) fn flag_sets() -> impl Iterator<Item = EventfdFlags> {
    let all = [EventfdFlags::SEMAPHORE, EventfdFlags::NONBLOCK, EventfdFlags::CLOEXEC];
    (0_u8..8).map(move |set| {
        let chosen = all.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
        chosen.fold(EventfdFlags::empty(), |flags, (_, flag)| flags | *flag)
    })
}

/// Creates one with exactly these flags; a task adds `CLOEXEC`.
fn verbatim<T: EventfdTask>(task: T, flags: EventfdFlags) -> Result<EventFd<T>, T::Error> {
    let fd = near::eventfd(task.sysif(), 0, flags)?;
    // SAFETY: the call just created it for this caller.
    Ok(unsafe { EventFd::adopt(task, fd) })
}

fn unknown_bits<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let mut tried = 0;
    for bit in (0..32).map(|bit| EventfdFlags::from_bits_retain(1 << bit)) {
        if EventfdFlags::all().contains(bit) {
            continue;
        }
        refused!(verbatim(task, bit), EINVAL);
        refused!(verbatim(task, bit | EventfdFlags::all()), EINVAL);
        refused!(task.eventfd(0, bit), EINVAL);
        tried += 1;
    }
    is!(tried, 29);
    Ok(())
}

fn initial_values<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for initval in (0..32).map(|bit| 1_u32 << bit).chain([u32::MAX - 1, u32::MAX]) {
        let bell = ok!(task.eventfd(initval, EventfdFlags::NONBLOCK));
        is!(ok!(bell.read()), u64::from(initval));
    }
    refused!(ok!(task.eventfd(0, EventfdFlags::NONBLOCK)).read(), EAGAIN);
    Ok(())
}

fn upper_halves<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    const UPPER: usize = 0xdead_beef_0000_0000_u64 as usize;
    let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
    let bell = EventFd::from(ok!(calls::eventfd2(task, UPPER | 7, UPPER | flags.bits() as usize)));
    is!(ok!(bell.read()), 7);
    refused!(bell.read(), EAGAIN);
    holds!(ok!(bell.is_cloexec()));
    Ok(())
}

fn status_flags<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for flags in flag_sets() {
        let expected = if flags.contains(EventfdFlags::NONBLOCK) { calls::O_NONBLOCK } else { 0 };
        let bell = ok!(verbatim(task, flags));
        /// qemu-user adds it from version 10 on. Its value differs on aarch64.
        const O_LARGEFILE: usize = if cfg!(any(target_arch = "aarch64", target_arch = "arm")) {
            0o400_000
        } else if cfg!(target_arch = "powerpc64") {
            0o200_000
        } else {
            0o100_000
        };
        is!(ok!(calls::getfl(task, bell.near())) & !O_LARGEFILE, calls::O_RDWR | expected);
        is!(ok!(bell.is_nonblocking()), expected != 0);
        let typed = ok!(task.eventfd(0, flags));
        is!(ok!(typed.is_nonblocking()), expected != 0);
    }
    Ok(())
}

fn descriptor_flags<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for flags in flag_sets() {
        let asked = flags.contains(EventfdFlags::CLOEXEC);
        let bell = ok!(verbatim(task, flags));
        is!(ok!(calls::getfd(task, bell.near())), usize::from(asked));
        is!(ok!(bell.is_cloexec()), asked);
    }
    Ok(())
}

fn always_cloexec<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    for flags in flag_sets() {
        let bell = ok!(task.eventfd(0, flags));
        is!(ok!(calls::getfd(task, bell.near())), 1);
    }
    Ok(())
}

fn lowest_descriptor<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    let below = ok!(task.eventfd(0, EventfdFlags::empty()));
    let middle = ok!(task.eventfd(0, EventfdFlags::empty()));
    let above = ok!(task.eventfd(0, EventfdFlags::empty()));
    holds!(below.near() < middle.near() && middle.near() < above.near());
    let free = middle.near();
    ok!(middle.close());
    let again = ok!(task.eventfd(0, EventfdFlags::empty()));
    is!(again.near(), free);
    Ok(())
}

fn descriptor_zero<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    environment.beyond?;
    const ZERO: FileDescriptor = FileDescriptor(0);
    // What is open at 0 is restored afterwards, with its own flag.
    let before = match calls::getfd(task, ZERO) {
        Ok(flag) => {
            let kept = ok!(calls::dup_from(task, ZERO, 3));
            // SAFETY: the environment claims that nothing else uses this table meanwhile.
            ok!(unsafe { near::close(task.sysif(), ZERO) });
            Some((kept, flag))
        }
        Err(_) => None,
    };
    let seen = works_at_zero(task);
    if let Some((kept, flag)) = before {
        ok!(calls::dup3_onto(&kept, ZERO, if flag == 0 { 0 } else { calls::O_CLOEXEC }));
    }
    seen
}

fn works_at_zero<T: EventfdTask>(task: T) -> Verdict {
    let bell = Some(ok!(task.eventfd(5, EventfdFlags::NONBLOCK)));
    let bell = some!(bell);
    is!(bell.as_raw_fd(), 0);
    is!(ok!(bell.read()), 5);
    let owned: Option<OwnedFd<T>> = Some(bell.into_owned_fd());
    is!(some!(&owned).as_raw_fd(), 0);
    drop(owned);
    refused!(calls::getfd(task, FileDescriptor(0)), EBADF);
    Ok(())
}

fn too_many<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    environment.limits?;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let limit = ok!(calls::limit(task, calls::RLIMIT_NOFILE));
    let next = ok!(calls::lowest_free(task));
    let [_, hard] = limit;
    ok!(calls::set_limit(task, calls::RLIMIT_NOFILE, [u64::from(next.0.unsigned_abs()), hard]));
    let made = task.eventfd(0, EventfdFlags::empty());
    let cloned = bell.try_clone();
    // Restored before a check can end the case.
    ok!(calls::set_limit(task, calls::RLIMIT_NOFILE, limit));
    refused!(made, EMFILE);
    refused!(cloned, EMFILE);
    is!(ok!(bell.try_clone()).near(), next);
    Ok(())
}

//! C: what `eventfd2` makes, and when it refuses.

use crate::check::Verdict;
use crate::{Case, World, calls};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::{EventFd, EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 9] {
    [
        Case { id: "C1.1", says: "each of the 29 bits that are not flags is EINVAL", run: unknown_bits },
        Case { id: "C2.1", says: "every 32-bit initial value is legal and is the first count", run: initial_values },
        Case { id: "C2.2", says: "the upper halves of both registers are ignored", run: upper_halves },
        Case { id: "C3.1", says: "each of the eight flag sets gives O_RDWR, and NONBLOCK as asked", run: status_flags },
        Case { id: "C3.2", says: "the number is closed by execve only if CLOEXEC was asked", run: number_flags },
        Case { id: "C3.3", says: "made through a task, the number is always closed by execve", run: always_cloexec },
        Case { id: "C3.4", says: "the number is the lowest free one", run: lowest_number },
        Case { id: "C3.5", says: "0 is a number like any other", run: number_zero },
        Case { id: "C4.1", says: "at RLIMIT_NOFILE a new one and a duplicate are EMFILE", run: too_many },
    ]
}

pub(crate) fn flag_sets() -> impl Iterator<Item = EventfdFlags> {
    let all = [EventfdFlags::SEMAPHORE, EventfdFlags::NONBLOCK, EventfdFlags::CLOEXEC];
    (0_u8..8).map(move |set| {
        let chosen = all.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1);
        chosen.fold(EventfdFlags::empty(), |flags, (_, flag)| flags | *flag)
    })
}

/// With exactly these flags, unlike those that a task makes.
fn verbatim<T: EventfdTask>(task: T, flags: EventfdFlags) -> Result<EventFd<T>, T::Error> {
    let fd = near::eventfd(task.sysif(), 0, flags)?;
    // SAFETY: the call just made it for us.
    Ok(unsafe { EventFd::adopt(task, fd) })
}

fn unknown_bits<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
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

fn initial_values<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for initval in (0..32).map(|bit| 1_u32 << bit).chain([u32::MAX - 1, u32::MAX]) {
        let bell = ok!(task.eventfd(initval, EventfdFlags::NONBLOCK));
        is!(ok!(bell.read()), u64::from(initval));
    }
    refused!(ok!(task.eventfd(0, EventfdFlags::NONBLOCK)).read(), EAGAIN);
    Ok(())
}

fn upper_halves<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    const UPPER: usize = 0xdead_beef_0000_0000_u64 as usize;
    let flags = EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
    let bell = EventFd::from(ok!(calls::eventfd2(task, UPPER | 7, UPPER | flags.bits() as usize)));
    is!(ok!(bell.read()), 7);
    refused!(bell.read(), EAGAIN);
    holds!(ok!(bell.is_cloexec()));
    Ok(())
}

fn status_flags<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for flags in flag_sets() {
        let expected = if flags.contains(EventfdFlags::NONBLOCK) { calls::O_NONBLOCK } else { 0 };
        let bell = ok!(verbatim(task, flags));
        /// qemu-user adds it from version 10 on. The number differs on aarch64.
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

fn number_flags<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for flags in flag_sets() {
        let asked = flags.contains(EventfdFlags::CLOEXEC);
        let bell = ok!(verbatim(task, flags));
        is!(ok!(calls::getfd(task, bell.near())), usize::from(asked));
        is!(ok!(bell.is_cloexec()), asked);
    }
    Ok(())
}

fn always_cloexec<T: EventfdTask>(task: T, _: &World<'_>) -> Verdict {
    for flags in flag_sets() {
        let bell = ok!(task.eventfd(0, flags));
        is!(ok!(calls::getfd(task, bell.near())), 1);
    }
    Ok(())
}

fn lowest_number<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.alone?;
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

fn number_zero<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.alone?;
    world.beyond?;
    const ZERO: FileDescriptor = FileDescriptor(0);
    // Whatever is there now is put back afterwards, with its own flag.
    let before = match calls::getfd(task, ZERO) {
        Ok(flag) => {
            let kept = ok!(calls::dup_from(task, ZERO, 3));
            // SAFETY: nobody else uses this table meanwhile.
            ok!(unsafe { near::close(task.sysif(), ZERO) });
            Some((kept, flag))
        }
        Err(_) => None,
    };
    let seen = works_at_zero(task);
    if let Some((kept, flag)) = before {
        ok!(calls::dup3_number(&kept, ZERO, if flag == 0 { 0 } else { calls::O_CLOEXEC }));
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

fn too_many<T: EventfdTask>(task: T, world: &World<'_>) -> Verdict {
    world.alone?;
    world.limits?;
    let bell = ok!(task.eventfd(0, EventfdFlags::empty()));
    let limit = ok!(calls::limit(task, calls::RLIMIT_NOFILE));
    let next = ok!(calls::lowest_free(task));
    let [_, hard] = limit;
    ok!(calls::set_limit(task, calls::RLIMIT_NOFILE, [u64::from(next.0.unsigned_abs()), hard]));
    let made = task.eventfd(0, EventfdFlags::empty());
    let cloned = bell.try_clone();
    // Before any check can end the case.
    ok!(calls::set_limit(task, calls::RLIMIT_NOFILE, limit));
    refused!(made, EMFILE);
    refused!(cloned, EMFILE);
    is!(ok!(bell.try_clone()).near(), next);
    Ok(())
}

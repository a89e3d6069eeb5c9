//! E: how an error is distinguished from a result, and the errors of a file descriptor that is not open or is not an
//! eventfd.

use crate::check::Verdict;
use crate::interfaces::Through;
use crate::{Case, Environment, calls};
use core::cell::Cell;
use core::mem::MaybeUninit;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::sysif::SyscallError;
use rsyscall::{Errno, EventFd, EventfdFlags, EventfdTask};

pub(crate) fn cases<T: EventfdTask>() -> [Case<T>; 7] {
    [
        Case { id: "E1.1", sentence: "−4095 is an error and −4096 is not", run: range },
        Case {
            id: "E1.2",
            sentence: "every errno survives the conversion to a return value and back",
            run: every_errno,
        },
        Case {
            id: "E2.1",
            sentence: "every call on a file descriptor that is not open fails with EBADF",
            run: never_open,
        },
        Case {
            id: "E2.2",
            sentence: "every call on a closed file descriptor fails with EBADF, a second close too",
            run: closed,
        },
        Case {
            id: "E3.1",
            sentence: "read fails with EIO if the file returns another length than 8",
            run: other_length,
        },
        Case {
            id: "E3.2",
            sentence: "write fails with EIO if the file takes another length than 8",
            run: other_length_taken,
        },
        Case { id: "E4.1", sentence: "an error of the interface is returned unchanged", run: refusals },
    ]
}

fn range<T: EventfdTask>(_: T, _: &Environment<'_>) -> Verdict {
    const LAST: usize = 4095_usize.wrapping_neg();
    is!(Errno::from_ret(LAST).map_err(Errno::raw), Err(4095));
    is!(Errno::from_ret(LAST - 1), Ok(LAST - 1));
    is!(Errno::from_ret(usize::MAX), Err(Errno::EPERM));
    is!(Errno::from_ret(0), Ok(0));
    is!(Errno::from_ret(isize::MAX as usize), Ok(isize::MAX as usize));
    is!(Errno::from_raw(4095).map(Errno::into_ret), Some(LAST));
    is!((Errno::from_raw(4096), Errno::from_raw(0), Errno::from_raw(-1)), (None, None, None));
    Ok(())
}

fn every_errno<T: EventfdTask>(_: T, _: &Environment<'_>) -> Verdict {
    for raw in 1..=4095 {
        let errno = some!(Errno::from_raw(raw));
        is!(errno.raw(), raw);
        is!(Errno::from_ret(errno.into_ret()), Err(errno));
    }
    Ok(())
}

fn never_open<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    // No table is large enough for the first; the others are negative.
    for fd in [FileDescriptor(i32::MAX), FileDescriptor(-1), FileDescriptor(i32::MIN)] {
        let sysif = task.sysif();
        let mut count = [MaybeUninit::uninit(); 8];
        // SAFETY: no table has this file descriptor, so nothing is read.
        refused!(unsafe { near::read(sysif, fd, &mut count) }, EBADF);
        // SAFETY: no table has this file descriptor, so nothing is written.
        refused!(unsafe { near::write(sysif, fd, &1_u64.to_ne_bytes()) }, EBADF);
        // SAFETY: no table has this file descriptor.
        refused!(unsafe { near::dup_cloexec(sysif, fd) }, EBADF);
        // SAFETY: no table has this file descriptor.
        refused!(unsafe { near::is_cloexec(sysif, fd) }, EBADF);
        // SAFETY: no table has this file descriptor.
        refused!(unsafe { near::set_cloexec(sysif, fd, true) }, EBADF);
        // SAFETY: no table has this file descriptor.
        refused!(unsafe { near::is_nonblocking(sysif, fd) }, EBADF);
        // SAFETY: no table has this file descriptor.
        refused!(unsafe { near::set_nonblocking(sysif, fd, true) }, EBADF);
        // SAFETY: no table has this file descriptor, so nothing is closed.
        refused!(unsafe { near::close(sysif, fd) }, EBADF);
    }
    Ok(())
}

fn closed<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    let bell = ok!(task.eventfd(1, EventfdFlags::empty()));
    let fd = bell.near();
    ok!(bell.close());
    let mut count = [MaybeUninit::uninit(); 8];
    // SAFETY: nothing else uses this table meanwhile, so the file descriptor is still closed.
    refused!(unsafe { near::read(task.sysif(), fd, &mut count) }, EBADF);
    // SAFETY: as above.
    refused!(unsafe { near::write(task.sysif(), fd, &1_u64.to_ne_bytes()) }, EBADF);
    // SAFETY: as above.
    refused!(unsafe { near::close(task.sysif(), fd) }, EBADF);
    Ok(())
}

fn other_length<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.kinds?;
    let (reader, writer) = ok!(calls::pipe(task));
    let wrong = EventFd::from(reader);
    for len in [1, 3, 7] {
        // SAFETY: borrowed, so open, for the whole call.
        is!(ok!(unsafe { near::write(task.sysif(), writer.near(), [0; 8].get(..len).unwrap_or_default()) }), len);
        refused!(wrong.read(), EIO);
    }
    // SAFETY: as above.
    is!(ok!(unsafe { near::write(task.sysif(), writer.near(), &[0; 5]) }), 5);
    refused!(wrong.wait(), EIO);
    ok!(writer.close());
    refused!(wrong.read(), EIO);
    refused!(wrong.wait(), EIO);
    Ok(())
}

fn other_length_taken<T: EventfdTask>(task: T, environment: &Environment<'_>) -> Verdict {
    environment.alone?;
    environment.limits?;
    environment.kinds?;
    // A file that may grow to five bytes takes five of eight.
    let limit = ok!(calls::limit(task, calls::RLIMIT_FSIZE));
    let [_, hard] = limit;
    let file = EventFd::from(ok!(calls::memfd(task)));
    ok!(calls::set_limit(task, calls::RLIMIT_FSIZE, [5, hard]));
    let written = file.write(1);
    // Restored before a check can end the case.
    ok!(calls::set_limit(task, calls::RLIMIT_FSIZE, limit));
    refused!(written, EIO);
    Ok(())
}

fn refusals<T: EventfdTask>(task: T, _: &Environment<'_>) -> Verdict {
    let refusal = Cell::new(None);
    let through = Through { task, before: &|_| refusal.get(), known: None };
    let bell = ok!(through.eventfd(1, EventfdFlags::NONBLOCK));
    for errno in [Errno::EPERM, Errno::ENOSYS, Errno::ENOMEM, Errno::ENFILE] {
        refusal.set(Some(errno));
        let errors = [
            through.eventfd(0, EventfdFlags::empty()).err(),
            bell.read().err(),
            bell.write(1).err(),
            bell.try_write(1).err(),
            bell.wait().err(),
            bell.try_clone().err(),
            bell.set_cloexec(true).err(),
            bell.set_nonblocking(true).err(),
            bell.is_cloexec().err(),
            bell.is_nonblocking().err(),
            bell.try_read().err(),
            bell.wait_timeout(core::time::Duration::ZERO).err(),
        ];
        refusal.set(None);
        for error in errors {
            is!(some!(error).errno(), Some(errno));
        }
    }
    is!(ok!(bell.read()), 1);
    Ok(())
}

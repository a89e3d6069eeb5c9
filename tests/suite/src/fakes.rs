//! The suite in the fake kernel, as one version of Linux or another.

use crate::{Can, Environment, Failure, Line, Outcome, Text, run};
use core::time::Duration;
use rsyscall::fake::{Kernel, Storage};

/// What a fake kernel does not have.
const NO_PROC: Can = Err("a fake has no /proc");
const NO_PIDFD: Can = Err("a fake has one process and no pidfds");
const NO_KINDS: Can = Err("a fake has eventfds and epolls, no pipes and no files");

const TOO_OLD: Can = Err("preadv2(RWF_NOWAIT) on an eventfd came with Linux 5.8");

/// Runs all cases, and returns how many failed. A case that is skipped for a reason that is not one of a fake's has
/// failed, and so has a run that leaves a descriptor open.
pub fn fake(name: &str, (major, minor): (u16, u16), print: &mut dyn FnMut(&Line<'_>)) -> u32 {
    let mut storage = Storage::<64, 64, 16>::new();
    // A call takes a microsecond, as on a real machine: waits then end even if every one of them is interrupted.
    let kernel = Kernel::new(&mut storage).with_version(major, minor).with_call_time(Duration::from_micros(1));
    let task = kernel.into_task();
    let mut environment = Environment::fake(name, (major.into(), minor.into()));
    (environment.faults, environment.clock, environment.beyond, environment.epoll, environment.limits) =
        (Ok(()), Ok(()), Ok(()), Ok(()), Ok(()));
    (environment.proc, environment.pidfd, environment.kinds) = (NO_PROC, NO_PIDFD, NO_KINDS);
    environment.nowait = if (major, minor) < (5, 8) { TOO_OLD } else { Ok(()) };
    let reasons = [environment.proc, environment.pidfd, environment.here, environment.kinds, environment.nowait];
    let mut failed = 0_u32;
    let mut report = |id, sentence, outcome| {
        failed = failed.saturating_add(u32::from(matches!(outcome, Outcome::Failed(_))));
        print(&Line { environment: &environment, id, sentence, outcome });
    };
    let fault = |what, got| Outcome::Failed(Failure { file: file!(), line: line!(), what, got });
    run(&task, &environment, &mut |id, sentence, outcome| match outcome {
        Outcome::Skipped(reason) if !reasons.contains(&Err(reason)) => {
            report(id, sentence, fault("a reason that is one of a fake's", Text::of(format_args!("{reason}"))));
        }
        outcome => report(id, sentence, outcome),
    });
    let open = task.sysif().descriptors().count();
    if open > 0 {
        report("-", "the cases leave no descriptor open", fault("0", Text::of(format_args!("{open}"))));
    }
    failed
}

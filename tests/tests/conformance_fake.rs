//! The suite in the fake kernel: as the newest Linux, and as versions before a change.
//!
//! It prints a line for each case, as the suite does everywhere, and fails if a case failed, or if a case was skipped
//! for a reason that does not apply to a fake.

use rsyscall::fake::{Kernel, Storage};
use rsyscall_suite::{Can, Environment, Line, Outcome, run};
use std::process::ExitCode;
use std::time::Duration;

/// What a fake kernel does not have.
const NO_PROC: Can = Err("a fake has no /proc");
const NO_PIDFD: Can = Err("a fake has one process and no pidfds");
const NO_KINDS: Can = Err("a fake has eventfds and epolls, no pipes and no files");

const TOO_OLD: Can = Err("preadv2(RWF_NOWAIT) on an eventfd came with Linux 5.8");

fn main() -> ExitCode {
    // For programs that count tests before they run them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance_fake: test");
        return ExitCode::SUCCESS;
    }
    let environments = [("fake", (6, 18)), ("fake-6.8", (6, 8)), ("fake-5.19", (5, 19)), ("fake-5.7", (5, 7))];
    let failed: u32 = environments.iter().map(|(name, version)| one(name, *version)).sum();
    println!("conformance_fake: {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(name: &str, (major, minor): (u16, u16)) -> u32 {
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
    let tally = run(&task, &environment, &mut |id, sentence, outcome| {
        if let Outcome::Skipped(reason) = outcome {
            assert!(reasons.contains(&Err(reason)), "{id} is skipped for a reason that is not a fake's: {reason}");
        }
        println!("{}", Line { environment: &environment, id, sentence, outcome });
    });
    assert_eq!(task.sysif().descriptors().count(), 0, "a case left a descriptor open");
    tally.failed
}

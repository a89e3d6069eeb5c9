//! The suite in the fake kernel: as the newest Linux, and as ones from before what changed.
//!
//! It prints a line for each case, as the suite does everywhere, and fails if a case failed, or if a case was skipped
//! for a reason that is not one of a fake's.

use rsyscall::fake::{Kernel, Storage};
use rsyscall_suite::{Can, Line, Outcome, World, run};
use std::process::ExitCode;
use std::time::Duration;

/// What a fake kernel is not.
const NO_PROC: Can = Err("a fake has no /proc");
const NO_PIDFD: Can = Err("a fake has one process and no pidfds");
const NO_KINDS: Can = Err("a fake has eventfds and epolls, no pipes and no files");

const TOO_OLD: Can = Err("preadv2(RWF_NOWAIT) on an eventfd came with Linux 5.8");

fn main() -> ExitCode {
    // Something that counts tests before it runs them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance_fake: test");
        return ExitCode::SUCCESS;
    }
    let worlds = [("fake", (6, 18)), ("fake-6.8", (6, 8)), ("fake-5.19", (5, 19)), ("fake-5.7", (5, 7))];
    let failed: u32 = worlds.iter().map(|(name, version)| one(name, *version)).sum();
    println!("conformance_fake: {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn one(name: &str, (major, minor): (u16, u16)) -> u32 {
    let mut storage = Storage::<64, 64, 16>::new();
    // A call takes a microsecond, as on a real machine: waits then end though they are interrupted every time.
    let kernel = Kernel::new(&mut storage).with_version(major, minor).with_call_time(Duration::from_micros(1));
    let task = kernel.into_task();
    let mut world = World::fake(name, (major.into(), minor.into()));
    (world.faults, world.clock, world.beyond, world.epoll, world.limits) = (Ok(()), Ok(()), Ok(()), Ok(()), Ok(()));
    (world.proc, world.pidfd, world.kinds) = (NO_PROC, NO_PIDFD, NO_KINDS);
    world.nowait = if (major, minor) < (5, 8) { TOO_OLD } else { Ok(()) };
    let reasons = [world.proc, world.pidfd, world.here, world.kinds, world.nowait];
    let tally = run(&task, &world, &mut |id, says, outcome| {
        if let Outcome::Skipped(reason) = outcome {
            assert!(reasons.contains(&Err(reason)), "{id} is skipped for a reason that is not a fake's: {reason}");
        }
        println!("{}", Line { world: &world, id, says, outcome });
    });
    assert_eq!(task.sysif().descriptors().count(), 0, "a case left a descriptor open");
    tally.failed
}

//! The suite in another process: a child with a table of its own, and one that shares ours.
//!
//! It prints a line for each case, for people and for the `table` program, and fails if a case failed. What a world
//! cannot run is not taken from its name: it is tried.

use rsyscall::remote::Connection;
use rsyscall::sys::pollable::PollTask;
use rsyscall::{Task, remote};
use rsyscall_suite::{Case, Line, Outcome, World, each};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    // Something that counts tests before it runs them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance_remote: test");
        return ExitCode::SUCCESS;
    }
    let arch = std::env::consts::ARCH;
    let own = remote::fork([]).expect("a child");
    let name = if World::is_emulated(&own.task) { "qemu-user" } else { "host" };
    let mut failed = failures(&own.task, &format!("{name}-{arch}-remote"));
    drop(own);
    match remote::fork_sharing_files() {
        Ok(sharing) => failed += failures(&sharing.task, &format!("{name}-{arch}-remote-sharing")),
        Err(errno) => eprintln!("SKIPPED {name}-{arch}-remote-sharing: clone(CLONE_FILES) is {errno} here"),
    }
    println!("conformance_remote: {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn failures(task: &Task<Connection>, name: &str) -> u32 {
    // A call that never ends ends the connection, and so the run.
    task.sysif().set_timeout(Some(Duration::from_secs(100)));
    in_world(task, name)
}

fn in_world<T: PollTask>(task: T, name: &str) -> u32 {
    let mut world = World::of(task, name);
    // A call takes some microseconds, and some hundreds in an emulator.
    world.rounds = 500;
    world.here = Err("a child is not this process");
    let mut failed = 0;
    each(&mut |case: &Case<T>| {
        let (id, says) = (case.id, case.says);
        let outcome = case.run(task, &world);
        failed += u32::from(matches!(outcome, Outcome::Failed(_)));
        println!("{}", Line { world: &world, id, says, outcome });
    });
    failed
}

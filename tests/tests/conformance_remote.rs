//! The suite in another process: a child with a table of its own, and one that shares this process's.
//!
//! It prints a line for each case, for people and for the `table` program, and fails if a case failed. What an
//! environment cannot run does not depend on its name: it is tried.

use rsyscall::remote::Connection;
use rsyscall::sys::pollable::PollTask;
use rsyscall::{Task, remote};
use rsyscall_suite::{Case, Environment, Line, Outcome, each};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    // For programs that count tests before they run them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance_remote: test");
        return ExitCode::SUCCESS;
    }
    let arch = std::env::consts::ARCH;
    let own = remote::fork([]).expect("a child");
    let name = if Environment::is_emulated(&own.task) { "qemu-user" } else { "host" };
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
    // A call that never returns ends the connection, and so the run.
    task.sysif().set_timeout(Some(Duration::from_secs(100)));
    in_environment(task, name)
}

fn in_environment<T: PollTask>(task: T, name: &str) -> u32 {
    let mut environment = Environment::of(task, name);
    // A call takes some microseconds, and some hundreds in an emulator.
    environment.rounds = 500;
    environment.here = Err("a child is not this process");
    let mut failed = 0;
    each(&mut |case: &Case<T>| {
        let (id, sentence) = (case.id, case.sentence);
        let outcome = case.run(task, &environment);
        failed += u32::from(matches!(outcome, Outcome::Failed(_)));
        println!("{}", Line { environment: &environment, id, sentence, outcome });
    });
    failed
}

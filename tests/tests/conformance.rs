//! The suite in this process: as the current process, and as a task whose interface is this process.
//!
//! It prints a line for each case, for people and for the `table` program, and fails if a case failed. The
//! environment's name is `host`, or `qemu-user` under emulation; `RSYSCALL_ENVIRONMENT` sets another one. What an
//! environment cannot run does not depend on its name: it is tried.

use rsyscall::sys::pollable::PollTask;
use rsyscall::sysif::Local;
use rsyscall::{Current, Task, far, near};
use rsyscall_suite::{Case, Environment, Line, Outcome, each};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The report of a run that hangs: the line of the case that runs.
static HANGS: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    // For programs that count tests before they run them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance: test");
        return ExitCode::SUCCESS;
    }
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(100));
        println!("{} | timeout", HANGS.lock().unwrap_or_else(PoisonError::into_inner));
        std::process::exit(1);
    });
    let emulated = Environment::is_emulated(Current);
    let name = std::env::var("RSYSCALL_ENVIRONMENT")
        .unwrap_or_else(|_| format!("{}-{}", if emulated { "qemu-user" } else { "host" }, std::env::consts::ARCH));
    // SAFETY: `Local` is this process, and these are its tables.
    let task = unsafe {
        let me = near::Process(std::process::id() as i32);
        Task::new(Local, me, far::FdTable::CURRENT, far::AddressSpace::CURRENT, far::PidNamespace::CURRENT)
    };
    let failed = failures(Current, &name) + failures(&task, &format!("{name}-task"));
    println!("conformance: {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn failures<T: PollTask>(task: T, name: &str) -> u32 {
    let environment = Environment::of(task, name);
    let mut failed = 0;
    each(&mut |case: &Case<T>| {
        let (id, sentence) = (case.id, case.sentence);
        *HANGS.lock().unwrap_or_else(PoisonError::into_inner) = format!("CASE {name} {id} failed {sentence}");
        let outcome = case.run(task, &environment);
        failed += u32::from(matches!(outcome, Outcome::Failed(_)));
        println!("{}", Line { environment: &environment, id, sentence, outcome });
    });
    failed
}

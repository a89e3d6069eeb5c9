//! The suite in this process: as the current process, and as a task whose interface is this process.
//!
//! It prints a line for each case, for people and for the `table` program, and fails if a case failed. The world's name
//! is `host`, or `qemu-user` where it finds itself emulated; `RSYSCALL_WORLD` gives another one. What a world cannot
//! run is not taken from the name: it is tried.

use rsyscall::sys::pollable::PollTask;
use rsyscall::sysif::Local;
use rsyscall::{Current, Task, far, near};
use rsyscall_suite::{Case, Line, Outcome, World, each};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How a run ends that does not end: the line of the case that runs.
static HANGS: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    // Something that counts tests before it runs them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance: test");
        return ExitCode::SUCCESS;
    }
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(100));
        println!("{} | no end", HANGS.lock().unwrap_or_else(PoisonError::into_inner));
        std::process::exit(1);
    });
    let emulated = World::is_emulated(Current);
    let name = std::env::var("RSYSCALL_WORLD")
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
    let world = World::of(task, name);
    let mut failed = 0;
    each(&mut |case: &Case<T>| {
        let (id, says) = (case.id, case.says);
        *HANGS.lock().unwrap_or_else(PoisonError::into_inner) = format!("CASE {name} {id} failed {says}");
        let outcome = case.run(task, &world);
        failed += u32::from(matches!(outcome, Outcome::Failed(_)));
        println!("{}", Line { world: &world, id, says, outcome });
    });
    failed
}

//! The suite in this process: as the current process, and as a task whose interface is this process.
//!
//! It prints a line for each case, for people and for the `table` program, and fails if a case failed. The world's name is
//! `host`, or `qemu-user` where it finds itself emulated; `RSYSCALL_WORLD` gives another one. What a world cannot run is
//! not taken from the name: it is tried.

use rsyscall::sysif::Local;
use rsyscall::{Current, EventfdTask, Task, far, near};
use rsyscall_suite::{Line, Tally, World, run};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The case that runs, for whoever finds that it hangs.
static LAST: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    // Something that counts tests before it runs them; this is one.
    if std::env::args().any(|argument| argument == "--list") {
        println!("conformance: test");
        return ExitCode::SUCCESS;
    }
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(100));
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        eprintln!("no end after 300 s; the last case that ended: {last}");
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
    let current = report(Current, &name);
    let through_task = report(&task, &format!("{name}-task"));
    let failed = current.failed + through_task.failed;
    println!("conformance: {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report<T: EventfdTask>(task: T, name: &str) -> Tally {
    let world = World::of(task, name);
    run(task, &world, &mut |id, says, outcome| {
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = format!("{name} {id} {says}");
        println!("{}", Line { world: &world, id, says, outcome });
    })
}

//! What an eventfd does, as cases that run unchanged in any world.
//!
//! A world is a kernel and a way to it: the host, an emulator, a real kernel with this as its PID 1, another process
//! behind a connection, a fake kernel. A case is a sentence, a number and a function that is generic over the task; it
//! makes all its calls through the task's interface and names memory only as [`Arg`](rsyscall::sysif::Arg)s. Nothing
//! here allocates, and a case that fails does not stop the others.
//!
//! Numbers: C creation, R reading, W writing, P readiness, S sharing; A what the typed layer adds; E errors; M waiting
//! for many; N notifiers and futures; G signals and children; L long runs.
//!
//! # To run it in another world
//!
//! ```
//! use rsyscall_suite::{Line, World, run};
//! # use rsyscall::{Task, far, near, sysif::Local};
//! # // SAFETY: `Local` is this process, and these are its tables.
//! # let task = unsafe {
//! #     let (table, space) = (far::FdTable::CURRENT, far::AddressSpace::CURRENT);
//! #     Task::new(Local, near::Process(0), table, space, far::PidNamespace::CURRENT)
//! # };
//! let mut world = World::of(&task, "mine"); // asks the kernel behind the task for its version
//! world.rounds = 1_000; // a slow world makes fewer rounds in the long cases
//! world.alone = Err("other threads open descriptors here"); // what it cannot run, and why
//! let tally = run(&task, &world, &mut |id, says, outcome| println!("{}", Line { world: &world, id, says, outcome }));
//! assert_eq!(tally.failed, 0);
//! ```
//!
//! A fake kernel of which only the crate's own calls can be asked starts from [`World::fake`], and lifts what it does
//! have: `let mut world = World::fake("fake", (6, 18)); world.epoll = Ok(());`. The lines of all worlds, put together,
//! are what the `table` program of the tests turns into a table.
#![no_std]
#![expect(clippy::result_large_err, reason = "a failure carries its text, as nothing here allocates; it happens once")]

#[macro_use]
mod check;
mod calls;
mod children;
mod interfaces;
mod line;
mod text;
mod world;

mod creation;
mod errors;
mod long;
mod notifying;
mod readiness;
mod reading;
mod sharing;
mod typed;
mod waiting;
mod writing;

pub use check::{Failure, Outcome};
pub use line::Line;
pub use text::Text;
pub use world::{Can, Version, World};

use check::Verdict;
use rsyscall::EventfdTask;
use rsyscall::sys::pollable::PollTask;

/// A sentence about eventfds, and the function that finds out whether it is true.
pub struct Case<T> {
    /// The number: a letter for the chapter, the row, the case within it.
    pub id: &'static str,
    /// The sentence.
    pub says: &'static str,
    run: fn(T, &World<'_>) -> Verdict,
}

impl<T: EventfdTask> Case<T> {
    /// Finds out, in this world.
    pub fn run(&self, task: T, world: &World<'_>) -> Outcome {
        Outcome::from((self.run)(task, world))
    }
}

/// How many cases ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The sentence is true.
    pub passed: u32,
    /// It is not.
    pub failed: u32,
    /// This world cannot say.
    pub skipped: u32,
}

/// Visits every case, in the order of their numbers.
pub fn each<T: PollTask>(visit: &mut dyn FnMut(&Case<T>)) {
    creation::cases().iter().for_each(&mut *visit);
    reading::cases().iter().for_each(&mut *visit);
    writing::cases().iter().for_each(&mut *visit);
    readiness::cases().iter().for_each(&mut *visit);
    sharing::cases().iter().for_each(&mut *visit);
    typed::cases().iter().for_each(&mut *visit);
    errors::cases().iter().for_each(&mut *visit);
    waiting::cases().iter().for_each(&mut *visit);
    notifying::cases().iter().for_each(&mut *visit);
    children::cases().iter().for_each(&mut *visit);
    long::cases().iter().for_each(&mut *visit);
}

/// Runs every case, reports each as soon as it has ended, and counts them.
pub fn run<T: PollTask>(
    task: T,
    world: &World<'_>,
    report: &mut dyn FnMut(&'static str, &'static str, Outcome),
) -> Tally {
    let mut tally = Tally::default();
    each(&mut |case: &Case<T>| {
        let outcome = case.run(task, world);
        let count = match outcome {
            Outcome::Passed => &mut tally.passed,
            Outcome::Failed(_) => &mut tally.failed,
            Outcome::Skipped(_) => &mut tally.skipped,
        };
        *count = count.saturating_add(1);
        report(case.id, case.says, outcome);
    });
    tally
}

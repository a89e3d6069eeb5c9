//! Proves that the crate behaves alike in every environment: what eventfds, notifiers, futures, signals and children
//! do, as cases that run unchanged in all of them.
//!
//! An environment is a kernel and a way to reach it: the host, an emulator, a real kernel with this as its PID 1,
//! another process behind a connection, a fake kernel. A case is a sentence, an identifier and a function that is
//! generic over the task; it makes all its calls through the task's interface and names memory only as
//! [`Arg`](rsyscall::sysif::Arg)s. Nothing here allocates, and a case that fails does not stop the others.
//!
//! Identifiers: C creation, R reading, W writing, P readiness, S sharing; A what the typed layer adds; E errors; M
//! waiting for many; N notifiers and futures; G signals and children; L long runs.
//!
//! # Running it in another environment
//!
//! ```
//! use rsyscall_suite::{Line, Environment, run};
//! # use rsyscall::{Task, far, near, sysif::Local};
//! # // SAFETY: `Local` is this process, and these are its tables.
//! # let task = unsafe {
//! #     let (table, space) = (far::FdTable::CURRENT, far::AddressSpace::CURRENT);
//! #     Task::new(Local, near::Process(0), table, space, far::PidNamespace::CURRENT)
//! # };
//! let mut environment = Environment::of(&task, "mine"); // reads the version of the kernel behind the task
//! environment.rounds = 1_000; // the long cases make fewer rounds in a slow environment
//! environment.alone = Err("other threads open descriptors here"); // what it cannot run, and why
//! let tally = run(&task, &environment, &mut |id, sentence, outcome| {
//!     println!("{}", Line { environment: &environment, id, sentence, outcome });
//! });
//! assert_eq!(tally.failed, 0);
//! ```
//!
//! The crate's own fake kernel is an environment already: `fake` (feature `fake`). A fake kernel that implements only
//! the crate's own calls starts from [`Environment::fake`], and sets what else it implements to `Ok`:
//! `let mut environment = Environment::fake("fake", (6, 18)); environment.epoll = Ok(());`. The `table` program of the
//! tests turns the lines of all environments into a table.
#![no_std]
#![expect(clippy::result_large_err, reason = "a failure contains its text, as nothing here allocates; it is rare")]

#[macro_use]
mod check;
mod calls;
mod children;
mod environment;
#[cfg(feature = "fake")]
mod fakes;
mod interfaces;
mod line;
mod text;

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
pub use environment::{Can, Environment, Version};
#[cfg(feature = "fake")]
pub use fakes::fake;
pub use line::Line;
pub use text::Text;

use check::Verdict;
use rsyscall::EventfdTask;
use rsyscall::sys::pollable::PollTask;

/// A sentence about eventfds, and the function that checks whether it is true.
pub struct Case<T> {
    /// The identifier: a letter for the chapter, the row, the case within it.
    pub id: &'static str,
    /// The sentence.
    pub sentence: &'static str,
    run: fn(T, &Environment<'_>) -> Verdict,
}

impl<T: EventfdTask> Case<T> {
    /// Runs it in this environment.
    pub fn run(&self, task: T, environment: &Environment<'_>) -> Outcome {
        Outcome::from((self.run)(task, environment))
    }
}

/// How many cases passed, failed and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// The sentence is true.
    pub passed: u32,
    /// The sentence is false.
    pub failed: u32,
    /// This environment cannot run it.
    pub skipped: u32,
}

/// Visits every case, in the order of the identifiers.
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
    environment: &Environment<'_>,
    report: &mut dyn FnMut(&'static str, &'static str, Outcome),
) -> Tally {
    let mut tally = Tally::default();
    each(&mut |case: &Case<T>| {
        let outcome = case.run(task, environment);
        let count = match outcome {
            Outcome::Passed => &mut tally.passed,
            Outcome::Failed(_) => &mut tally.failed,
            Outcome::Skipped(_) => &mut tally.skipped,
        };
        *count = count.saturating_add(1);
        report(case.id, case.sentence, outcome);
    });
    tally
}

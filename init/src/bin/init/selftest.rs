//! The self-test, for test builds. The service is this program again: it fails once; restarted, it creates a thousand
//! processes, half of them orphans in sessions of their own, and sends init SIGTERM.

use crate::options::{Options, Restart};
use core::ffi::CStr;
use rsyscall::near::{self, Process};
use rsyscall::start::Arguments;
use rsyscall::sys::signal::{Signal, SignalTask, Target};
use rsyscall::sys::stdio::Stdio;
use rsyscall::sysif::Local;
use rsyscall::{Current, EventFd, EventfdFlags};
use rsyscall_init::{Command, Program, Step, StringList, Strings, spawn};

const CHILDREN: i32 = 1000;

/// Runs this process's part of the test, if it has one, and returns its exit status.
pub(crate) fn part(arguments: Arguments, stdio: Stdio) -> Option<i32> {
    let mut strings = arguments.args();
    let program = strings.next()?;
    match strings.next()?.to_bytes() {
        b"--selftest-failure" => {
            let _printed = stdio.error().write_all(b"service: fails, to be started again\n");
            Some(1)
        }
        b"--selftest-service" => Some(run(program, stdio)),
        b"--selftest-orphan" => Some(i32::from(!start(program, c"--selftest-wait", &[Step::NewSession]))),
        b"--selftest-wait" => Some(wait()),
        _ => None,
    }
}

/// Blocks until a signal ends the process.
fn wait() -> i32 {
    EventFd::new(0, EventfdFlags::empty()).and_then(|never| never.wait()).map_or(1, |_| 0)
}

fn start(program: &CStr, part: &CStr, steps: &[Step<'_>]) -> bool {
    let mut list = StringList::<3>::new();
    let full = list.push(program).and_then(|()| list.push(part));
    let command = Command { arguments: list.as_strings(), steps, ..Command::new(Program::Path(program)) };
    full.is_ok() && spawn(&command).is_ok()
}

fn run(program: &CStr, stdio: Stdio) -> i32 {
    let say = |text: &str| {
        let _printed = stdio.error().write_all(text.as_bytes());
    };
    for number in 0..CHILDREN {
        let part = if number % 2 == 0 { c"--selftest-wait" } else { c"--selftest-orphan" };
        let mut list = StringList::<3>::new();
        let full = list.push(program).and_then(|()| list.push(part));
        let command = Command { arguments: list.as_strings(), ..Command::new(Program::Path(program)) };
        let Some(mut child) = full.ok().and_then(|()| spawn(&command).ok()) else {
            say("service: cannot start a child\n");
            return 1;
        };
        // Its child becomes an orphan when it exits.
        if number % 2 == 1 && !child.wait().is_ok_and(|status| status.success()) {
            say("service: an orphan is missing\n");
            return 1;
        }
    }
    say("service: 1000 processes started\n");
    let parent = near::getppid(&Local).unwrap_or(Process(0));
    let _told = Current.send_signal(Target::Process(parent), Signal::TERM);
    wait()
}

/// Returns the arguments of the service: for the first start, and for every restart.
pub(crate) fn service<'a>(
    program: &'static CStr,
    lists: &'a mut [StringList<'static, 256>],
) -> Option<(Strings<'a>, Strings<'a>)> {
    let [first, then] = lists else { return None };
    first.push(program).and_then(|()| first.push(c"--selftest-failure")).ok()?;
    then.push(program).and_then(|()| then.push(c"--selftest-service")).ok()?;
    Some((first.as_strings(), then.as_strings()))
}

/// Prints the result and returns the exit status: the service was reaped twice, and each of the five hundred children
/// and five hundred orphans once.
pub(crate) fn verdict(options: &Options, stdio: Stdio, reaped: i32, status: i32) -> i32 {
    const EXPECTED: i32 = 1 + 1 + CHILDREN;
    if !options.selftest {
        return status;
    }
    let passed = reaped == EXPECTED && options.restart == Restart::OnFailure;
    let text = if passed { "RESULT: passed\n" } else { "RESULT: failed\n" };
    let _printed = stdio.output().write_all(text.as_bytes());
    i32::from(!passed)
}

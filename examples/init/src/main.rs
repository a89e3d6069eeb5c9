//! An init: starts a service, restarts it by a rule, takes leave of every orphan, forwards signals, and stops in order.
//!
//! As PID 1 of a machine, as PID 1 of a container, or as a subreaper. README.md says what it does; this file reads the
//! arguments, and the others do it.
#![no_std]
#![no_main]

mod demo;
mod log;
mod memory;
mod service;
mod start;
mod supervisor;
mod sys;

use core::ffi::CStr;
use log::Line;
use rsyscall::Current;
use service::{Program, Restart, Service};
use start::{Arguments, Strings};
use supervisor::{Rules, Supervisor};

fn main(arguments: Arguments) -> ! {
    let machine = sys::is_machine();
    let mut rules = Rules {
        talk: machine,
        // A machine without its service is of no use; a container whose service has ended is over.
        restart: if machine { Restart::OnFailure } else { Restart::Never },
        grace: 5,
    };
    let mut program = arguments.strings();
    program.next();
    let selftest =
        read_options(&mut rules, &mut program) || arguments.environment().any(|entry| is(entry, b"selftest=1"));
    let program = match program.clone().next() {
        _ if selftest => Program::Demo { children: 1000 },
        None => Program::Demo { children: 0 },
        Some(_) => Program::Execute { arguments: program, environment: arguments.environment() },
    };
    if selftest {
        rules = Rules { talk: true, restart: Restart::OnFailure, ..rules };
    }
    if sys::getpid() != 1 {
        sys::become_subreaper();
    }
    let status = match Supervisor::new(rules, Service::new(program)).and_then(Supervisor::run) {
        Ok(end) if selftest => demo::verdict(&end),
        Ok(end) => end.status,
        Err(errno) => {
            Line::new(b"init: cannot start: error ").number(errno.raw() as u32).print(2);
            125
        }
    };
    if machine {
        sys::sync();
        sys::power_off();
    }
    Current.exit(status)
}

/// Reads `[-v] [-r never|failure|always] [-g SECONDS] [--]`; what is left in `program` are the service's arguments. Whether
/// the only word is `selftest`.
fn read_options(rules: &mut Rules, program: &mut Strings) -> bool {
    loop {
        let mut ahead = *program;
        match ahead.next().map(CStr::to_bytes) {
            Some(b"-v") => rules.talk = true,
            Some(b"-r") => match ahead.next().map(CStr::to_bytes) {
                Some(b"never") => rules.restart = Restart::Never,
                Some(b"failure") => rules.restart = Restart::OnFailure,
                Some(b"always") => rules.restart = Restart::Always,
                _ => usage(),
            },
            Some(b"-g") => match ahead.next().and_then(number) {
                Some(grace) => rules.grace = grace,
                None => usage(),
            },
            Some(b"--") => {
                *program = ahead;
                return program.clone().next().is_some_and(|word| is(word, b"selftest"));
            }
            Some(b"selftest") => return true,
            Some(word) if word.first() == Some(&b'-') => usage(),
            _ => return false,
        }
        *program = ahead;
    }
}

fn is(string: &CStr, what: &[u8]) -> bool {
    string.to_bytes() == what
}

fn number(string: &CStr) -> Option<u32> {
    let digits = string.to_bytes();
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}

fn usage() -> ! {
    sys::print(
        2,
        b"usage: init [-v] [-r never|failure|always] [-g SECONDS] [--] [PROGRAM [ARGUMENT]...] | init selftest\n",
    );
    Current.exit(125)
}

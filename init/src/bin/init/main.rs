//! An init: starts a service, restarts it, forwards signals to it, reaps orphans, and shuts down in order.
//!
//! It runs as process 1 of a container or of a machine, or as a subreaper. Called `tini` or `dumb-init` it has their
//! options and defaults. README.md describes it.
//!
//! | file | what it holds |
//! |---|---|
//! | `main.rs` | start and exit |
//! | `options.rs` | command line and environment |
//! | `supervisor.rs` | the event loop |
//! | `terminal.rs` | job control |
//! | `log.rs`, `texts.rs` | messages; usage and version |
#![cfg_attr(not(test), no_std, no_main)]
#![forbid(unsafe_code)]

mod log;
mod options;
#[cfg(feature = "selftest")]
mod selftest;
mod supervisor;
mod terminal;
mod texts;

use log::{Log, Message};
use options::{Options, Style, flag};
use rsyscall::near::Process;
use rsyscall::start::{Arguments, Strings};
use rsyscall::sys::stdio::Stdio;
use rsyscall_init::reboot::{self, End};
use rsyscall_init::{Command, Program, StringList, path, process};
use supervisor::{Service, supervise};

rsyscall::start!(main);

fn main(arguments: Arguments, stdio: Stdio) -> i32 {
    #[cfg(feature = "selftest")]
    if let Some(status) = selftest::part(arguments, stdio) {
        return status;
    }
    let mut options = Options::new(arguments.args().next(), reboot::is_machine());
    let strings = options::parse(&mut options, arguments, stdio);
    let program = strings.clone().next().unwrap_or_default();
    let mut lists = [const { StringList::new() }; LISTS];
    let service = service(&options, &arguments, strings, &mut lists);
    let log = Log::new(stdio, &options, program);
    prepare(&options, &log);
    let errno = supervise(&options, service, &log, stdio);
    log.errno(Message::CannotStart, errno);
    end(&log, End::PowerOff, if options.style == Style::Init { 125 } else { 1 })
}

/// Becomes a subreaper and sets the parent-death signal, as the options say.
fn prepare(options: &Options, log: &Log<'_>) {
    if process::pid() != Ok(Process(1)) {
        if options.has(flag::SUBREAPER) {
            if let Err(errno) = process::become_subreaper() {
                log.errno(Message::NoSubreaper, errno);
            }
        } else if options.style == Style::Tini && process::is_subreaper() != Ok(true) {
            log.say(Message::NotFirst);
        }
    }
    if options.parent_death.is_some() {
        if let Err(errno) = process::die_with_parent(options.parent_death) {
            log.errno(Message::NoParentDeath, errno);
        }
    }
}

/// How many argument lists are built that differ from the kernel's.
const LISTS: usize = if cfg!(feature = "selftest") { 2 } else { 1 };

/// Returns the command to run. tini removes a `--` after the program's name.
fn service<'a>(
    options: &Options,
    arguments: &Arguments,
    strings: Strings,
    lists: &'a mut [StringList<'static, 256>; LISTS],
) -> Option<Service<'a>> {
    let program = strings.clone().next()?;
    let mut all = rsyscall_init::Strings::from(strings.clone());
    #[cfg(feature = "selftest")]
    if options.selftest {
        let (first, then) = selftest::service(program, lists)?;
        let command = |arguments| Command { arguments, ..Command::new(Program::Path(program)) };
        return Some(Service { command: command(first), again: command(then) });
    }
    if options.style == Style::Tini {
        let [list, ..] = lists;
        let mut rest = (0..).zip(strings);
        if rest.all(|(n, word)| n == 1 && options::is(word.to_bytes(), b"--") || list.push(word).is_ok()) {
            all = list.as_strings();
        }
    }
    let path = options::var(*arguments, b"PATH=").unwrap_or(path::DEFAULT);
    let command = Command {
        arguments: all,
        environment: arguments.vars().into(),
        interpreter: Some(c"/bin/sh"),
        ..Command::new(Program::Search { name: program, path })
    };
    Some(Service {
        command,
        #[cfg(feature = "selftest")]
        again: command,
    })
}

/// Shuts the machine down, on which no other process is left, or exits.
fn end(log: &Log<'_>, end: End, status: i32) -> ! {
    if log.options.machine {
        log.say(if end == End::Restart { Message::Restarting } else { Message::PoweringOff });
        reboot::sync();
        // It returns only on failure.
        log.errno(Message::Reboot, reboot::end(end));
    }
    rsyscall::Current.exit(status)
}

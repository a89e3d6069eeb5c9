//! An init: starts a service, starts it again by a rule, forwards signals to it, reaps every orphan, and stops in
//! order.
//!
//! As process 1 of a container or of a machine, or as a subreaper; called `tini` or `dumb-init` it has their options
//! and defaults. README.md says what it does. This file is the order of it, `options.rs` what was asked for,
//! `supervisor.rs` the loop.
#![cfg_attr(not(test), no_std, no_main)]
#![forbid(unsafe_code)]

mod log;
mod options;
#[cfg(feature = "selftest")]
mod selftest;
mod supervisor;
mod terminal;

use core::ffi::CStr;
use core::mem::ManuallyDrop;
use log::{Level, Log};
use options::{Done, Options, Style};
use rsyscall::near::Process;
use rsyscall::start::{Arguments, Strings};
use rsyscall::sys::stdio::Stdio;
use rsyscall_init::{StringList, path, process, reboot};
use supervisor::{Service, Supervisor};

rsyscall::start!(main);

fn main(arguments: Arguments, stdio: Stdio) -> i32 {
    #[cfg(feature = "selftest")]
    if let Some(status) = selftest::part(arguments, stdio) {
        return status;
    }
    let machine = reboot::is_machine();
    let mut options = options::defaults(arguments, machine);
    let strings = match options::parse(&mut options, arguments, stdio, machine) {
        Ok(strings) => strings,
        Err(Done(status)) if !machine => return status,
        // Process 1 of a machine must not end.
        Err(Done(_)) => end_machine(Log::new(stdio, "init: ", Level::Info), reboot::End::PowerOff),
    };
    let prefix = match options.style {
        Style::Init => "init: ",
        Style::Tini => "[tini] ",
        Style::DumbInit => "[dumb-init] ",
    };
    let log = Log::new(stdio, prefix, options.level);
    prepare(&options, log);

    let mut lists = [const { StringList::new() }; LISTS];
    let service = service(&options, &arguments, strings, &mut lists);
    let (status, end) = match Supervisor::new(&options, service, log, stdio, machine) {
        Ok(supervisor) => {
            // All that it holds ends with the process.
            let mut supervisor = ManuallyDrop::new(supervisor);
            let status = supervisor.run();
            #[cfg(feature = "selftest")]
            let status = selftest::verdict(&options, stdio, supervisor.reaped(), status);
            (status, supervisor.end)
        }
        Err(errno) => {
            log.errno(Level::Error, "cannot begin: %", errno);
            (if options.style == Style::Init { 125 } else { 1 }, reboot::End::PowerOff)
        }
    };
    if machine {
        end_machine(log, end);
    }
    status
}

/// What this process is to others: the reaper of its descendants, and what its parent's end means to it.
fn prepare(options: &Options, log: Log) {
    let first = process::pid() == Ok(Process(1));
    if !first && options.subreaper {
        if let Err(errno) = process::become_subreaper() {
            log.errno(Level::Warning, "cannot become a subreaper: %", errno);
        }
    } else if !first && options.style == Style::Tini && process::is_subreaper() != Ok(true) {
        log.say(Level::Warning, "not process 1, and not a subreaper (-s): zombie reaping won't work", &[]);
    }
    if options.parent_death.is_some() {
        if let Err(errno) = process::die_with_parent(options.parent_death) {
            log.errno(Level::Error, "cannot set the parent-death signal: %", errno);
        }
    }
}

/// Lists of arguments that are not as the kernel has given them.
const LISTS: usize = if cfg!(feature = "selftest") { 2 } else { 1 };

/// The service out of the arguments. tini drops a `--` behind the program.
fn service<'a>(
    options: &Options,
    arguments: &Arguments,
    strings: Strings,
    lists: &'a mut [StringList<'static, 256>; LISTS],
) -> Option<Service<'a>> {
    let mut rest = strings.clone();
    let program = rest.next()?;
    let mut after = rest.clone();
    let mut all = rsyscall_init::Strings::from(strings);
    #[cfg(feature = "selftest")]
    if options.selftest {
        let (arguments, again) = selftest::service(program, lists)?;
        return Some(Service { program, arguments, environment: rsyscall_init::Strings::EMPTY, path: b"", again });
    }
    if options.style == Style::Tini && after.next().map(CStr::to_bytes) == Some(b"--") {
        let [list, ..] = lists;
        let copied = list.push(program).and_then(|()| after.try_for_each(|argument| list.push(argument)));
        if copied.is_ok() {
            all = list.as_strings();
        }
    }
    Some(Service {
        program,
        arguments: all,
        environment: arguments.vars().into(),
        path: options::var(*arguments, b"PATH").unwrap_or(path::DEFAULT),
        #[cfg(feature = "selftest")]
        again: all,
    })
}

/// Ends the machine, in which nothing runs any more. It comes back only where it is forbidden.
fn end_machine(log: Log, end: reboot::End) -> ! {
    log.say(Level::Info, if end == reboot::End::Restart { "restarting" } else { "powering off" }, &[]);
    reboot::sync();
    let errno = reboot::end(end);
    log.errno(Level::Error, "reboot: %", errno);
    rsyscall::Current.exit(125)
}

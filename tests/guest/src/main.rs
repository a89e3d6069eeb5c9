//! The suite as a static program without a libc: as PID 1 of a machine, under an emulator, or here.
//!
//! Then in other processes (`through`), and in the fake kernel.
//!
//! It prints a line for each case, then `RESULT: passed` or `RESULT: failed`. As PID 1 it then powers the machine off,
//! else its status is 0 or 1. The program's argument names its environment; without one the name is
//! `linux-<version>-<arch>` as PID 1, `qemu-user-<arch>-static` under emulation, and `static-<arch>` otherwise.
#![cfg_attr(not(test), no_std, no_main)]

#[allow(dead_code)]
mod os;
mod through;

use os::{getpid, mount_proc, power_off};
use rsyscall::Current;
use rsyscall::start::Arguments;
use rsyscall::sys::stdio::{Output, Stdio};
use rsyscall_suite::{Environment, Line, Text, fake, run};

rsyscall::start!(main, panic message);

fn main(arguments: Arguments, stdio: Stdio) -> i32 {
    let first = getpid() == 1;
    if first {
        mount_proc();
    }
    let passed = report(first, arguments, stdio.output());
    let _unreported = writeln!(stdio.output(), "RESULT: {}", if passed { "passed" } else { "failed" });
    if first {
        power_off();
    }
    i32::from(!passed)
}

fn report(first: bool, arguments: Arguments, console: Output) -> bool {
    let arch = os::ARCH;
    let (major, minor) = Environment::of(Current, "").kernel;
    let emulated = Environment::is_emulated(Current);
    // A kernel passes its own arguments on to PID 1.
    let argument = arguments.args().skip(1).find_map(|argument| argument.to_str().ok()).filter(|_| !first);
    let name = match (first, emulated) {
        _ if argument.is_some() => Text::of(format_args!("{}", argument.unwrap_or_default())),
        (true, _) => Text::of(format_args!("linux-{major}.{minor}-{arch}")),
        (false, true) => Text::of(format_args!("qemu-user-{arch}-static")),
        (false, false) => Text::of(format_args!("static-{arch}")),
    };
    let mut environment = Environment::of(Current, name.as_str());
    if first {
        // The machines that boot it in tests are emulated down to their clocks.
        environment.rounds = 10_000;
    }
    let tally = run(Current, &environment, &mut |id, sentence, outcome| {
        let _unreported = writeln!(console, "{}", Line { environment: &environment, id, sentence, outcome });
    });
    let mut print = |line: &Line<'_>| {
        let _unreported = writeln!(console, "{line}");
    };
    let remote = through::passed(name.as_str(), &mut print);
    let in_memory = fake(Text::of(format_args!("fake-{arch}")).as_str(), (6, 18), &mut print) == 0;
    remote && in_memory && tally.failed == 0 && tally.passed > 0
}

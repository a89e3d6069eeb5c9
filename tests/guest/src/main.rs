//! The suite as a static program without a libc: as PID 1 of a machine, under an emulator, or here.
//!
//! It prints a line for each case, then `RESULT: passed` or `RESULT: failed`. As PID 1 it then powers the machine off,
//! else its status is 0 or 1. Its world is called by the program's argument, or else `linux-<version>-<arch>` as PID 1,
//! `qemu-user-<arch>-static` where it finds itself emulated, and `static-<arch>`.
#![cfg_attr(not(test), no_std, no_main)]

mod os;
mod through;

use os::{getpid, mount_proc, power_off};
use rsyscall::Current;
use rsyscall::start::Arguments;
use rsyscall::sys::stdio::{Output, Stdio};
use rsyscall_suite::{Line, Text, World, run};

rsyscall::start!(main, panic message);

fn main(arguments: Arguments, stdio: Stdio) -> i32 {
    let first = getpid() == 1;
    if first {
        mount_proc();
    }
    let passed = report(first, arguments, stdio.output());
    let _nobody_to_tell = writeln!(stdio.output(), "RESULT: {}", if passed { "passed" } else { "failed" });
    if first {
        power_off();
    }
    i32::from(!passed)
}

fn report(first: bool, arguments: Arguments, console: Output) -> bool {
    let arch = os::ARCH;
    let (major, minor) = World::of(Current, "").kernel;
    let emulated = World::is_emulated(Current);
    // A kernel hands its own arguments on to PID 1.
    let argument = arguments.args().skip(1).find_map(|argument| argument.to_str().ok()).filter(|_| !first);
    let name = match (first, emulated) {
        _ if argument.is_some() => Text::of(format_args!("{}", argument.unwrap_or_default())),
        (true, _) => Text::of(format_args!("linux-{major}.{minor}-{arch}")),
        (false, true) => Text::of(format_args!("qemu-user-{arch}-static")),
        (false, false) => Text::of(format_args!("static-{arch}")),
    };
    let mut world = World::of(Current, name.as_str());
    if first {
        // The machines that boot it in tests are emulated down to their clocks.
        world.rounds = 10_000;
    }
    let tally = run(Current, &world, &mut |id, says, outcome| {
        let _nobody_to_tell = writeln!(console, "{}", Line { world: &world, id, says, outcome });
    });
    let remote = through::passed(name.as_str(), &mut |line| {
        let _nobody_to_tell = writeln!(console, "{line}");
    });
    remote && tally.failed == 0 && tally.passed > 0
}

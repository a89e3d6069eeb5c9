//! The suite as a static program without a libc: as PID 1 of a machine, under an emulator, or here.
//!
//! It prints a line for each case, then `RESULT: passed` or `RESULT: failed`. As PID 1 it then powers the machine off,
//! else its status is 0 or 1. Its world is called `linux-<version>-<arch>` as PID 1, `qemu-user-<arch>-static` where it
//! finds itself emulated, else `static-<arch>`.
#![no_std]
#![no_main]

mod memory;
mod os;
mod start;

use core::fmt::Write;
use os::{Console, Os};
use rsyscall::Current;
use rsyscall_suite::{Line, Text, World, run};

/// What `_start` calls, on an aligned stack.
extern "C" fn main() -> ! {
    let first = Os.getpid() == 1;
    if first {
        Os.mount_proc();
    }
    let passed = report(first);
    end(first, passed)
}

fn report(first: bool) -> bool {
    let arch = if cfg!(target_arch = "x86_64") {
        "x86_64"
    } else if cfg!(target_arch = "aarch64") {
        "aarch64"
    } else {
        "riscv64"
    };
    let (major, minor) = World::of(Current, "").kernel;
    let emulated = World::is_emulated(Current);
    let name = match (first, emulated) {
        (true, _) => Text::of(format_args!("linux-{major}.{minor}-{arch}")),
        (false, true) => Text::of(format_args!("qemu-user-{arch}-static")),
        (false, false) => Text::of(format_args!("static-{arch}")),
    };
    let mut world = World::of(Current, name.as_str());
    if first {
        // A machine that is wholly emulated is slow.
        world.rounds = 10_000;
    }
    let mut console = Console::new();
    let tally = run(Current, &world, &mut |id, says, outcome| {
        let _ = writeln!(console, "{}", Line { world: &world, id, says, outcome });
    });
    tally.failed == 0 && tally.passed > 0
}

fn end(first: bool, passed: bool) -> ! {
    let _ = writeln!(Console::new(), "RESULT: {}", if passed { "passed" } else { "failed" });
    if first {
        Os.power_off();
    }
    Current.exit(i32::from(!passed))
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let _ = writeln!(Console::new(), "{info}");
    end(Os.getpid() == 1, false)
}

/// Without link-time optimisation, `core` as it is shipped asks for it; nothing here unwinds.
#[cfg(not(test))]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

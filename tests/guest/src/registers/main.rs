//! Which registers a system call destroys: fills all with a pattern, makes a call, and compares the changed registers
//! with those that the file of the architecture in `arch/` declares. Both sets must be equal. It needs a real kernel:
//! qemu-user preserves too many.
//!
//! It prints what changed in each situation, then `RESULT: passed` or `RESULT: failed`; as PID 1 it powers the machine
//! off.
#![cfg_attr(not(test), no_std, no_main)]

#[path = "../os.rs"]
#[allow(dead_code)]
mod os;

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "loongarch64", path = "loongarch64.rs")]
#[cfg_attr(target_arch = "powerpc64", path = "powerpc64.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod here;

use here::{ARGUMENTS, CONTRACT, NAMES, NUMBER, RESULT};
use os::{child, getpid, kill, power_off, wait};
use rsyscall::near::{self, Process};
use rsyscall::sys::stdio::{Output, Stdio};
use rsyscall::sysif::{Arg, Local, SyscallInterface};
use rsyscall::{nr, remote};

rsyscall::start!(main, panic message);

/// The registers, in the order of the block of a file's `probe`: general ones first, vectors from word [`VECTORS`] on.
struct Names {
    /// Empty for a word without a register.
    general: &'static [&'static str],
    /// The beginning of their names, their number, and the words of each.
    vectors: (&'static str, usize, usize),
}

const VECTORS: usize = 64;
const WORDS: usize = 256;

#[repr(C, align(64))]
struct Block([usize; WORDS]);

unsafe extern "C" {
    /// Fills the registers from `before`, makes the call, and writes them to `after`.
    fn probe(before: *const Block, after: *mut Block, nr: usize);
}

/// Which words of a block changed.
type Changed = [bool; WORDS];

/// Makes a call with these arguments and returns what it changed; `seed` makes patterns differ.
fn changed(nr: usize, arguments: &[usize], seed: usize) -> Changed {
    let mut before = Block([0; WORDS]);
    let mut after = Block([0; WORDS]);
    for (index, word) in before.0.iter_mut().enumerate() {
        *word = 0x0123_4567_89ab_cd01_u64.wrapping_mul((2 * (index + seed) + 1) as u64) as usize;
    }
    for (index, name) in NAMES.general.iter().enumerate() {
        let word = &mut before.0[index];
        // Some bits of these cannot be chosen: the conditions, the carry.
        match *name {
            "flags" if cfg!(any(target_arch = "x86", target_arch = "x86_64")) => *word = 0x8d5,
            "flags" => *word = 0xf000_0000,
            "cr1-7" => *word &= 0x0fff_ffff,
            "xer" => *word = 0x2000_0000,
            _ => {}
        }
    }
    for (slot, argument) in ARGUMENTS.iter().zip(arguments) {
        before.0[*slot] = *argument;
    }
    if let Some(slot) = NUMBER {
        before.0[slot] = nr;
    }
    // SAFETY: it preserves callee-saved registers; the calls below touch no memory in use.
    unsafe { probe(&before, &mut after, nr) };
    core::array::from_fn(|index| {
        let mask = match NAMES.general.get(index) {
            Some(&"") => 0,
            Some(&"flags") if cfg!(any(target_arch = "x86", target_arch = "x86_64")) => 0x8d5,
            Some(_) => usize::MAX,
            None if index >= VECTORS && index < VECTORS + NAMES.vectors.1 * NAMES.vectors.2 => usize::MAX,
            None => 0,
        };
        RESULT != Some(index) && (before.0[index] ^ after.0[index]) & mask != 0
    })
}

/// Whether the file of the architecture declares this general register as destroyed.
fn is_declared(index: usize) -> bool {
    let Some(name) = NAMES.general.get(index).filter(|name| !name.is_empty()) else { return false };
    let in_operands = CONTRACT
        .match_indices(name)
        .any(|(at, _)| CONTRACT[..at].ends_with("lateout(\"") && CONTRACT[at + name.len()..].starts_with("\")"));
    // Where the register of each argument is destroyed, so is that of an absent one.
    let with_arguments = CONTRACT.contains("inlateout($register) $arg => _") && ARGUMENTS.contains(&index);
    in_operands || with_arguments
}

/// Prints what changed, and returns whether all of it is declared.
fn report(out: Output, situation: &str, changed: &Changed) -> bool {
    let _no_console = write!(out, "{situation}: changed:");
    let mut right = true;
    for (index, _) in changed.iter().enumerate().filter(|(_, changed)| **changed) {
        let declared = is_declared(index);
        right &= declared;
        let _no_console = match NAMES.general.get(index) {
            Some(name) => write!(out, " {name}{}", if declared { "" } else { " (NOT DECLARED)" }),
            None => write!(out, " {}{} (NOT DECLARED)", NAMES.vectors.0, (index - VECTORS) / NAMES.vectors.2),
        };
    }
    let _no_console = writeln!(out, "{}", if changed.contains(&true) { "" } else { " nothing" });
    right
}

fn unite(all: &mut Changed, more: &Changed) {
    all.iter_mut().zip(more).for_each(|(all, more)| *all |= more);
}

fn main(stdio: Stdio) -> i32 {
    let first = getpid() == 1;
    let out = stdio.output();
    let mut seen = [false; WORDS];
    let mut right = true;
    let mut say = |situation: &str, changed: Changed| {
        right &= report(out, situation, &changed);
        unite(&mut seen, &changed);
    };
    say("plain: getpid", changed(nr::GETPID, &[], 1));
    say("failing: close(-1)", changed(nr::CLOSE, &[usize::MAX], 2));
    say("failing: clock_gettime of no clock", changed(nr::CLOCK_GETTIME, &[99], 3));
    say("interrupted by a signal: ppoll", interrupted());
    say("after switches to a process with other patterns: sched_yield", switched());
    let traced = traced();
    let _no_console =
        writeln!(stdio.output(), "under ptrace: {}", if traced { "as declared" } else { "NOT AS DECLARED" });
    right &= traced;
    for (index, name) in NAMES.general.iter().enumerate() {
        if is_declared(index) && !seen[index] && RESULT != Some(index) {
            let _no_console = writeln!(stdio.output(), "{name}: declared, and never changed");
            right = false;
        }
    }
    let _no_console = writeln!(stdio.output(), "RESULT: {}", if right { "passed" } else { "failed" });
    if first {
        power_off();
    }
    i32::from(!right)
}

fn sleep_ms(ms: i64) {
    let time = [[0; 8], (ms * 1_000_000).to_ne_bytes()];
    let args = [Arg::Word(1), Arg::Word(0), Arg::In(time.as_flattened()), Arg::Word(0)];
    // SAFETY: the call reads sixteen bytes.
    let _interrupted = unsafe { Local.syscall(nr::CLOCK_NANOSLEEP, args) };
}

fn interrupted() -> Changed {
    const SIGURG: u32 = 23;
    let parent = Process(getpid() as i32);
    let _refused = remote::install_interrupt_handler();
    let mut all = [false; WORDS];
    for seed in 0..5 {
        let killer = child(|| {
            sleep_ms(30);
            // SAFETY: the parent handles it.
            i32::from(unsafe { near::kill(&Local, parent, SIGURG) }.is_err())
        });
        unite(&mut all, &changed(nr::PPOLL, &[0, 0, 0, 0, 8], 10 + seed));
        wait(killer);
    }
    all
}

fn switched() -> Changed {
    let busy = child(|| {
        loop {
            changed(nr::SCHED_YIELD, &[], 777);
        }
    });
    let mut all = [false; WORDS];
    for seed in 0..200 {
        unite(&mut all, &changed(nr::SCHED_YIELD, &[], 20 + seed));
    }
    kill(busy);
    all
}

/// A child whose every call stops twice for its tracer.
fn traced() -> bool {
    const PTRACE_TRACEME: usize = 0;
    const PTRACE_SYSCALL: usize = 24;
    const SIGSTOP: u32 = 19;
    // SAFETY: the requests of a tracer for its own child.
    let ptrace = |request: usize, pid: usize| unsafe { Local.syscall(nr::PTRACE, [request, pid, 0, 0].map(Arg::Word)) };
    let traced = child(|| {
        if ptrace(PTRACE_TRACEME, 0).is_err() {
            return 2;
        }
        // SAFETY: stops this process until its tracer continues it.
        let _stopped = unsafe { near::kill(&Local, Process(getpid() as i32), SIGSTOP) };
        let all_declared =
            |changed: Changed| changed.iter().enumerate().all(|(index, changed)| !changed || is_declared(index));
        let declared = (0..3).all(|seed| {
            all_declared(changed(nr::GETPID, &[], 50 + seed))
                && all_declared(changed(nr::CLOSE, &[usize::MAX], 60 + seed))
        });
        i32::from(!declared)
    });
    loop {
        let status = wait(traced);
        if status & 0x7f == 0 {
            return status == 0;
        }
        if status & 0xff != 0x7f || ptrace(PTRACE_SYSCALL, traced.0 as usize).is_err() {
            return false;
        }
    }
}

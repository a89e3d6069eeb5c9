//! The table: every operation with every peer that has it.
//!
//! A case is a function of its own that creates what it needs and then does the operation N times in a loop, as a
//! user's loop would: the peer is inlined into it as far as the peer allows. Values created before the loop go through
//! a `black_box`, because a user's loop does not see how its descriptor was created.

mod counter;
mod many;
mod remote;
mod waiting;
mod waking;

use crate::peers::Peer;
use crate::peers::asm::Asm;
use crate::peers::bare::Bare;
use crate::peers::futex::Futex;
use crate::peers::libc::Libc;
use crate::peers::mio::Mio;
use crate::peers::nix::Nix;
use crate::peers::pipe::Pipe;
use crate::peers::polling::Polling;
use crate::peers::rsyscall::{Rsyscall, RsyscallNotifier};
use crate::peers::rustix::Rustix;
use crate::peers::sc::Sc;
use crate::peers::sets::{AsmSet, LibcSet, MioSet, NixSet, PollingSet, RsyscallSet, RustixSet};
use crate::peers::syscalls::Syscalls;
use crate::peers::vmm::Vmm;
use std::time::{Duration, Instant};

pub struct Operation {
    pub name: &'static str,
    pub cases: &'static [Case],
    /// Whether each run executes the same. The number of instructions is counted only then.
    pub exact: bool,
    /// The number of descriptors that it needs.
    pub descriptors: u64,
}

pub struct Case {
    pub peer: &'static str,
    /// Does it so many times and returns how long that took, without the setup.
    pub run: fn(u64) -> Duration,
}

macro_rules! operation {
    ($name:expr, $exact:expr, $module:ident :: $run:ident, [$($peer:ty),* $(,)?]) => {
        Operation {
            name: $name,
            exact: $exact,
            descriptors: 64,
            cases: &[$(Case {
                peer: <$peer as Peer>::NAME,
                run: |n| $module::$run::<$peer>(n).expect(<$peer as Peer>::NAME),
            }),*],
        }
    };
}

/// How long N of them take.
#[inline(always)]
fn timed<E>(n: u64, mut operation: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    let start = Instant::now();
    for _ in 0..n {
        operation()?;
    }
    Ok(start.elapsed())
}

pub const OPERATIONS: &[Operation] = &[
    operation!(
        "create, close",
        true,
        counter::create_close,
        [Asm, Rsyscall, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm, Pipe]
    ),
    operation!(
        "write, read",
        true,
        counter::write_read,
        [Asm, Rsyscall, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm, Pipe, Futex]
    ),
    operation!("write", true, counter::write, [Asm, Rsyscall, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm, Futex]),
    operation!(
        "semaphore",
        true,
        counter::semaphore,
        [Asm, Rsyscall, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm, Futex]
    ),
    operation!("read, empty", true, counter::read_miss, [Asm, Rsyscall, Sc, Syscalls, Rustix, Libc, Nix, Vmm]),
    operation!("try_read, empty", true, counter::try_read_miss, [Asm, Rsyscall, Rustix, Libc]),
    operation!("write, wait_timeout", true, waiting::ready, [Asm, Rsyscall, Rustix, Libc, Nix]),
    operation!("wait_timeout, 1 µs", true, waiting::expires, [Asm, Rsyscall, Rustix, Libc, Nix]),
    operation!(
        "try_clone, close",
        true,
        counter::duplicate,
        [Asm, Rsyscall, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm]
    ),
    operation!(
        "redundant notify",
        true,
        waking::redundant,
        [Asm, Rsyscall, RsyscallNotifier, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm, Futex, Mio, Polling]
    ),
    operation!(
        "there and back, one processor",
        false,
        waking::together,
        [Asm, Rsyscall, RsyscallNotifier, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm, Pipe, Futex, Mio, Polling]
    ),
    operation!(
        "there and back, two processors",
        false,
        waking::apart,
        [Asm, Rsyscall, RsyscallNotifier, Bare, Sc, Syscalls, Rustix, Libc, Nix, Vmm, Pipe, Futex, Mio, Polling]
    ),
    operation!(
        "write, wait for any of 1, read",
        true,
        many::of_1,
        [AsmSet, RsyscallSet, RustixSet, LibcSet, NixSet, MioSet, PollingSet]
    ),
    operation!(
        "write, wait for any of 10, read",
        false,
        many::of_10,
        [AsmSet, RsyscallSet, RustixSet, LibcSet, NixSet, MioSet, PollingSet]
    ),
    operation!(
        "write, wait for any of 100, read",
        false,
        many::of_100,
        [AsmSet, RsyscallSet, RustixSet, LibcSet, NixSet, MioSet, PollingSet]
    ),
    Operation {
        descriptors: 1100,
        ..operation!(
            "write, wait for any of 1000, read",
            false,
            many::of_1000,
            [AsmSet, RsyscallSet, RustixSet, LibcSet, NixSet, MioSet, PollingSet]
        )
    },
    Operation {
        descriptors: 10100,
        ..operation!(
            "write, wait for any of 10 000, read",
            false,
            many::of_10000,
            [AsmSet, RsyscallSet, RustixSet, LibcSet, NixSet, MioSet, PollingSet]
        )
    },
    Operation { name: "a call in another process", cases: remote::ONE, exact: false, descriptors: 64 },
    Operation { name: "the same, 50 pipelined", cases: remote::PIPELINED, exact: false, descriptors: 64 },
];

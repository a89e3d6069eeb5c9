//! Tests an eventfd in a program without libc, which can be PID 1 of a machine.
//!
//! Prints each test, and at the end `RESULT: passed` or `RESULT: failed`: a machine that powers off has no exit
//! status.
#![cfg_attr(not(test), no_std, no_main)]

mod platform;

use core::mem::MaybeUninit;
use core::time::Duration;
use platform::{is_first_process, kernel, power_off};
use rsyscall::start::Arguments;
use rsyscall::sys::stdio::Stdio;
use rsyscall::{Errno, EventFd, EventfdFlags};

rsyscall::start!(main);

fn main(arguments: Arguments, stdio: Stdio) -> i32 {
    let print = |text: &[u8]| {
        let _no_console = stdio.output().write_all(text);
    };
    let mut names = MaybeUninit::uninit();
    let [machine, release] = kernel(&mut names);
    print(machine);
    print(b", Linux ");
    print(release);
    print(if is_first_process() { b", as PID 1\n" as &[u8] } else { b"\n" });
    for argument in arguments.args().skip(1) {
        print(b"argument: ");
        print(argument.to_bytes());
        print(b"\n");
    }

    let mut passed = true;
    for (sentence, case) in &CASES {
        let result = case();
        print(sentence.as_bytes());
        print(match result {
            Ok(true) => b": ok\n" as &[u8],
            Ok(false) => b": WRONG\n",
            Err(_) => b": ERROR\n",
        });
        passed &= result == Ok(true);
    }
    print(if passed { b"RESULT: passed\n" as &[u8] } else { b"RESULT: failed\n" });

    if is_first_process() {
        power_off();
    }
    i32::from(!passed)
}

type Case = fn() -> Result<bool, Errno>;

static CASES: [(&str, Case); 5] = [
    ("a read returns what was written", || {
        let counter = EventFd::new(3, EventfdFlags::empty())?;
        counter.write(4)?;
        Ok(counter.read()? == 7)
    }),
    ("a semaphore returns one at a time", || {
        let semaphore = EventFd::new(2, EventfdFlags::SEMAPHORE)?;
        Ok(semaphore.read()? == 1 && semaphore.read()? == 1 && semaphore.try_read()?.is_none())
    }),
    ("a wait ends at its timeout", || {
        let counter = EventFd::new(0, EventfdFlags::empty())?;
        Ok(counter.wait_timeout(Duration::from_millis(10))?.is_none())
    }),
    ("a read of an empty nonblocking counter fails with EAGAIN", || {
        let counter = EventFd::new(0, EventfdFlags::NONBLOCK)?;
        Ok(counter.read() == Err(Errno::EAGAIN))
    }),
    ("an error of the kernel has a name", || {
        let unknown = EventfdFlags::from_bits_retain(1 << 30);
        Ok(matches!(EventFd::new(0, unknown), Err(Errno::EINVAL)))
    }),
];

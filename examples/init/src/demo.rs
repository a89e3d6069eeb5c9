//! The service that is built in, and what a self-test makes of it.

use crate::log::Line;
use crate::supervisor::End;
use crate::sys::{self, SIGTERM};
use rsyscall::near::{Timespec, ppoll};
use rsyscall::sysif::Local;

/// Fails the first time, so that it is restarted; then it makes children, and orphans of half of them, and has init told to
/// stop. With no children to make it only waits to be told to end.
pub fn service(starts: u32, children: u32) -> i32 {
    if children > 0 && starts == 0 {
        sys::print(2, b"service: fails, to be started again\n");
        return 1;
    }
    // Parents that have left and are not yet taken leave of; they are this process's own.
    let mut leaving = 0;
    for number in 0..children {
        let child = sys::fork(|| {
            if number % 2 == 0 {
                return wait_for_the_end();
            }
            // A session of its own, and a parent that leaves: no group or descent leads to this one any more.
            sys::setsid();
            i32::from(sys::fork(wait_for_the_end).is_err())
        });
        if child.is_err() {
            sys::print(2, b"service: cannot fork\n");
            return 1;
        }
        leaving += number % 2;
        // At once, for a small machine has not many more processes than these.
        while leaving > 0 {
            match sys::reap() {
                Ok(Some((_, status))) if status.code() == 0 => leaving -= 1,
                Ok(None) => {
                    let _time_over = ppoll(&Local, &mut [], Some(BRIEFLY), None);
                }
                _ => {
                    sys::print(2, b"service: an orphan is missing\n");
                    return 1;
                }
            }
        }
    }
    if children > 0 {
        Line::new(b"service: processes made: ").number(children).print(2);
        let _told = sys::kill(sys::getppid(), SIGTERM);
    }
    wait_for_the_end()
}

const BRIEFLY: Timespec = Timespec { seconds: 0, nanoseconds: 100_000 };

/// Sleeps until a signal ends it.
fn wait_for_the_end() -> i32 {
    loop {
        let _nothing_to_wait_for = ppoll(&Local, &mut [], None, None);
    }
}

/// What the self-test has shown: of the service that failed and the one that did not, of five hundred children and five
/// hundred orphans, each was taken leave of once.
pub fn verdict(end: &End) -> i32 {
    const EXPECTED: u32 = 1 + 1 + 500 + 500;
    Line::new(b"selftest: processes expected: ").number(EXPECTED).print(2);
    let passed = end.no_child_left && end.reaped == EXPECTED;
    sys::print(1, if passed { b"RESULT: passed\n" as &[u8] } else { b"RESULT: failed\n" });
    i32::from(!passed)
}

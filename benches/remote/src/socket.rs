//! Calls in a forked child, through the crate. An earlier version of it compiles this file too.

use crate::batches::{pin_to, serve};
use rsyscall::{EventfdFlags, EventfdTask, near, remote};
use std::time::Duration;

/// `call`, `deadline` (a call with a timeout of 100 ms) or `eventfd` (a write and a read), and the processor of the
/// child.
pub fn run(arguments: &[String]) {
    let [kind, processor] = arguments else { panic!("a kind and a processor") };
    let forked = remote::fork([]).unwrap();
    pin_to(forked.child.process().0, processor.parse().unwrap());
    let connection = forked.task.sysif();
    match kind.as_str() {
        "call" => serve(|| assert!(near::getpid(connection).is_ok())),
        "deadline" => {
            connection.set_timeout(Some(Duration::from_millis(100)));
            serve(|| assert!(near::getpid(connection).is_ok()));
        }
        "eventfd" => {
            let eventfd = forked.task.eventfd(0, EventfdFlags::empty()).unwrap();
            serve(|| {
                eventfd.write(1).unwrap();
                assert_eq!(eventfd.read(), Ok(1));
            });
        }
        _ => panic!("call, deadline or eventfd"),
    }
}

//! Compares the part of a list for another process ("there") with the calls that the process makes.
//!
//! Each case is given a child that serves, which is traced while the case runs. The loop of its server, `recvfrom` and
//! `sendto`, is made for every request, and not distinguished from the same calls for a request's memory.

use super::{calls, lists, written};
use rsyscall::near;
use rsyscall::remote::{self, Connection, Forked};
use rsyscall::{Current, Task};
use rsyscall_tests::trace::{Act, Step, Tracer};
use rsyscall_tests::{cannot, shares_files};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;

/// The calls of the server's loop.
const LOOP: [&str; 2] = ["recvfrom", "sendto"];

struct There {
    item: &'static str,
    /// The other calls of its list, made only on another kernel or in another case.
    elsewhere: &'static [&'static str],
    /// Whether the child shares the table.
    shares: bool,
    /// What is done before.
    before: fn(&Task<Connection>),
    run: fn(Task<Connection>),
}

const fn there(item: &'static str, run: fn(Task<Connection>)) -> There {
    There { item, elsewhere: &[], shares: false, before: |_| (), run }
}

fn exec(task: Task<Connection>) {
    // More strings than any scratch space had room for.
    let long = CString::new(vec![b'x'; 20_000]).unwrap();
    let failed = task.exec(c"/no/such", &[&long], &[]).unwrap_err();
    assert_eq!(*failed.error(), rsyscall::sysif::Error::Os(rsyscall::Errno::ENOENT));
    // It is dropped when its calls are known.
    std::mem::forget(failed);
}

/// More than the initial scratch space of the child, so that it is freed.
fn some_scratch(task: &Task<Connection>) {
    task.sysif().reserve_scratch(5000).unwrap();
}

pub const ITEMS: [&str; 5] =
    ["Task::exec", "Task::exec_with", "Task::exit", "Task::unshare_files", "Connection::reserve_scratch"];

fn cases() -> Vec<There> {
    vec![
        There { before: some_scratch, ..there(ITEMS[0], exec) },
        There {
            before: some_scratch,
            ..there(ITEMS[1], |task| {
                let long = CString::new(vec![b'x'; 20_000]).unwrap();
                let options = remote::ExecOptions::new().killed_with_parent(false);
                std::mem::forget(task.exec_with(&options, c"/no/such", &[&long], &[]).unwrap_err());
            })
        },
        there(ITEMS[2], |task| task.exit(0).unwrap()),
        There {
            // Of what is numbered 0 to 2 and would not be kept.
            elsewhere: &["close"],
            shares: true,
            ..there(ITEMS[3], |mut task| {
                task.unshare_files::<Current, 0>([]).unwrap();
                std::mem::forget(task);
            })
        },
        There {
            before: some_scratch,
            ..there(ITEMS[4], |task| {
                task.sysif().reserve_scratch(20_000).unwrap();
                std::mem::forget(task);
            })
        },
    ]
}

/// What a list says of the other process. All of these begin with "there", or refer to one that does.
fn there_of(item: &str, lists: &BTreeMap<String, String>) -> BTreeSet<String> {
    let list = lists.get(item).unwrap_or_else(|| panic!("{item} has no list"));
    let there = list.split("; here").next().unwrap_or_default();
    assert!(there.trim_start().starts_with("there, ") || there.contains("those of"), "{item}: {list}");
    calls(item, there, &|other| Some(there_of(other, lists)), lists).unwrap()
}

#[test]
fn each_item_makes_the_calls_in_another_process_that_its_documentation_lists_for_there() {
    const CASE: &str = "the calls of each item in another process";
    let lists = lists();
    let mut wrong = Vec::new();
    for case in cases() {
        if case.shares && !shares_files() {
            cannot(CASE, "clone(CLONE_FILES) fails with EINVAL here");
            continue;
        }
        let Forked { task, child, .. } =
            if case.shares { remote::fork_sharing_files() } else { remote::fork([]) }.unwrap();
        (case.before)(&task);
        assert_eq!(near::getpid(task.sysif()), Ok(task.process()));
        let Ok(tracer) = Tracer::start(child.process().0, Step { nth: usize::MAX, act: Act::Pause }) else {
            return cannot(CASE, "nothing can be traced here (ptrace)");
        };
        (case.run)(task);
        let stops = tracer.finish().stops;
        drop(child);
        let stops = stops.iter().filter(|stop| stop.ret.is_none());
        let made: BTreeSet<_> = stops.map(|stop| written(stop.nr, stop.args)).collect();
        let made: BTreeSet<_> = made.into_iter().filter(|call| !LOOP.contains(&call.as_str())).collect();
        let listed = there_of(case.item, &lists);
        let unlisted: Vec<_> = made.difference(&listed).collect();
        let unmade: Vec<_> = listed
            .difference(&made)
            .filter(|call| !LOOP.contains(&call.as_str()) && !case.elsewhere.contains(&call.as_str()))
            .collect();
        if !unlisted.is_empty() || !unmade.is_empty() {
            wrong.push(format!(
                "{}, there: makes and does not list {unlisted:?}, lists and does not make {unmade:?}",
                case.item
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! The suite under seccomp policies: only the documented calls, no eventfd2, no preadv2.
//!
//! Each runs in a child made by `fork`, which reports through a pipe created beforehand and makes no other calls than
//! the crate's own: no call of a test harness reaches the filter.

mod documented;
mod parts;

use parts::Part;
use rsyscall::near::{self, FileDescriptor};
use rsyscall::nr::{self, used_by};
use rsyscall::sysif::Local;
use rsyscall::{Current, Errno, EventFd, EventfdFlags, EventfdTask};
use rsyscall_suite::{Environment, Line, run};
use rsyscall_tests::guest::{Profile, TARGETS, build, core_of};
use rsyscall_tests::{cannot, skip};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read as _;
use std::os::fd::FromRawFd as _;
use std::path::Path;

/// The name of a call in the documentation, its number, and its second argument if that is part of the name.
fn known_calls() -> BTreeMap<&'static str, (usize, Option<u64>)> {
    BTreeMap::from([
        ("eventfd2", (nr::EVENTFD2, None)),
        ("read", (nr::READ, None)),
        ("write", (nr::WRITE, None)),
        ("close", (nr::CLOSE, None)),
        ("preadv2", (nr::PREADV2, None)),
        ("ppoll", (nr::PPOLL, None)),
        ("clock_gettime", (nr::CLOCK_GETTIME, None)),
        ("exit_group", (nr::EXIT_GROUP, None)),
        ("futex", (nr::FUTEX, None)),
        // `include/uapi/asm-generic/fcntl.h`, `include/uapi/linux/fcntl.h`, `include/uapi/asm-generic/ioctls.h`.
        ("fcntl(F_GETFD)", (nr::FCNTL, Some(1))),
        ("fcntl(F_SETFD)", (nr::FCNTL, Some(2))),
        ("fcntl(F_GETFL)", (nr::FCNTL, Some(3))),
        ("fcntl(F_DUPFD_CLOEXEC)", (nr::FCNTL, Some(1030))),
        ("ioctl(FIONBIO)", (nr::IOCTL, Some(0x5421))),
    ])
}

/// The files with the documentation of eventfds, their descriptors and tasks.
const EVENTFDS: [&str; 7] = [
    "sys/eventfd/mod.rs",
    "sys/eventfd/counter.rs",
    "sys/eventfd/wait.rs",
    "sys/eventfd/descriptor.rs",
    "fd/mod.rs",
    "fd/inheritable.rs",
    "task.rs",
];

/// The calls that the documentation in these files lists.
fn documented_calls(files: &[&str]) -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let mut calls = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(source.join(file)).unwrap();
        let text = text.lines().map(|line| line.trim().trim_start_matches("///")).collect::<Vec<_>>().join("\n");
        for paragraph in text.split("System calls:").skip(1) {
            // The first sentence lists them; code that is not a link to another item stands between single backticks.
            let sentence = paragraph.split("\n\n").next().unwrap_or_default();
            let sentence = sentence.split(". ").next().unwrap_or_default();
            for (n, word) in sentence.split('`').enumerate() {
                let link = sentence.contains(&format!("[`{word}`]"));
                // Made only where `ppoll` is refused, and no filter here refuses it.
                if n % 2 == 1 && !link && word != "pselect6" {
                    calls.insert(word.to_owned());
                }
            }
        }
    }
    calls
}

/// Allows these calls, and kills on every other.
fn only(calls: &BTreeSet<String>) -> BpfProgram {
    let known = known_calls();
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in calls {
        let (number, second) = *known.get(call.as_str()).unwrap_or_else(|| panic!("the documentation lists {call}"));
        let rules = rules.entry(number as i64).or_default();
        if let Some(second) = second {
            // All 64 bits: a filter sees the bits that a narrower register would hide.
            let is = SeccompCondition::new(1, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, second).unwrap();
            rules.push(SeccompRule::new(vec![is]).unwrap());
        }
    }
    filter(rules, SeccompAction::KillProcess, SeccompAction::Allow)
}

/// Fails one call with this error, and allows every other.
fn refusing(number: usize, errno: Errno) -> BpfProgram {
    let rules = BTreeMap::from([(number as i64, vec![])]);
    filter(rules, SeccompAction::Allow, SeccompAction::Errno(errno.raw() as u32))
}

fn filter(rules: BTreeMap<i64, Vec<SeccompRule>>, other: SeccompAction, these: SeccompAction) -> BpfProgram {
    let arch = std::env::consts::ARCH.try_into().unwrap();
    SeccompFilter::new(rules, other, these, arch).unwrap().try_into().unwrap()
}

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Status(i32),
    /// Killed by SIGSYS.
    KilledByFilter,
    Signal(i32),
    /// The filter could not be installed: nothing was run.
    NoFilter,
}

/// The status of a child that could not install its filter.
const NO_FILTER: i32 = 77;

/// A child's report: whole lines, written to a pipe by the crate's own `write`.
struct Report(FileDescriptor);

impl std::fmt::Write for Report {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        // SAFETY: the child's own copy of the pipe, which nothing in it closes.
        unsafe { near::write(&Local, self.0, text.as_bytes()) }.map(drop).map_err(|_| std::fmt::Error)
    }
}

/// Runs `work` in a child under a filter; its status is 0 if `work` returned true. Returns its report and how it ended.
///
/// `work` must make no calls but the crate's, and must not allocate: the child is one thread of a copy of many.
fn under(filter: &BpfProgram, work: impl Fn(&mut Report) -> bool) -> (String, End) {
    under_after(|| {}, filter, work)
}

/// The same, with a preparation in the child before the filter is installed.
fn under_after(prepare: impl Fn(), filter: &BpfProgram, work: impl Fn(&mut Report) -> bool) -> (String, End) {
    let mut ends = [0; 2];
    // SAFETY: the call writes two `int`s.
    assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: the child makes system calls only.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // A case that hangs ends here, and not the test.
        // SAFETY: one word; no handler is installed, so the signal kills.
        unsafe { libc::alarm(60) };
        prepare();
        if seccompiler::apply_filter(filter).is_err() {
            Current.exit(NO_FILTER);
        }
        let done = work(&mut Report(FileDescriptor(ends[1])));
        Current.exit(if done { 0 } else { 1 });
    }
    // SAFETY: created above, and not closed elsewhere.
    drop(unsafe { std::fs::File::from_raw_fd(ends[1]) });
    // SAFETY: created above, and not closed elsewhere.
    let mut reader = unsafe { std::fs::File::from_raw_fd(ends[0]) };
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let mut status = 0;
    // SAFETY: an unreaped child of this process; the call writes one `int`.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    let end = if libc::WIFSIGNALED(status) {
        match libc::WTERMSIG(status) {
            libc::SIGSYS => End::KilledByFilter,
            signal => End::Signal(signal),
        }
    } else {
        match libc::WEXITSTATUS(status) {
            NO_FILTER => End::NoFilter,
            status => End::Status(status),
        }
    };
    (text, end)
}

/// The suite in this environment, with a line for each case.
fn suite(environment: &Environment<'_>, report: &mut Report) -> bool {
    let tally = run(Current, environment, &mut |id, sentence, outcome| {
        let _seen_by_the_parent = writeln!(report, "{}", Line { environment, id, sentence, outcome });
    });
    tally.failed == 0 && tally.passed > 0
}

/// The environment of a child of this process, with this name.
fn environment(name: &str) -> Environment<'_> {
    // The child has none of the parent's other threads, and a table of its own.
    Environment { rounds: 1_000, ..Environment::of(Current, name) }
}

/// Fails, skips, or prints the child's lines.
fn passed(test: &str, (text, end): (String, End)) {
    match end {
        End::NoFilter => skip(test, "no seccomp filter can be installed here"),
        End::Status(0) => print!("{text}"),
        end => panic!("{end:?}, after:\n{text}"),
    }
}

#[test]
fn the_suite_makes_only_the_calls_that_the_documentation_lists() {
    let calls = documented_calls(&EVENTFDS);
    let environment = environment("only-documented").only_documented();
    let ended = under(&only(&calls), |report| suite(&environment, report));
    passed("the_suite_makes_only_the_calls_that_the_documentation_lists", ended);
}

/// Runs a part under a filter that kills on all but these calls, and the one that ends the child.
fn under_list(part: &Part, list: &[usize], exit: &[usize]) -> End {
    let bell = EventFd::new(1, EventfdFlags::empty()).unwrap();
    // The end of a signal handler is no call of the part.
    let rules = list.iter().chain(exit).chain(&[nr::RT_SIGRETURN]).map(|nr| (*nr as i64, vec![])).collect();
    let filter = filter(rules, SeccompAction::KillProcess, SeccompAction::Allow);
    under_after(|| (part.prepare)(&bell), &filter, |_| (part.work)(&bell) == Ok(true)).1
}

/// Runs a part with its list and `more`, and with each call of the list but the last few removed; `end` is how it ends
/// when nothing is missing.
fn all_and_no_other(test: &str, part: &Part, more: &[usize], end: &End) -> bool {
    match under_list(part, part.list, more) {
        End::NoFilter => {
            skip(test, "no seccomp filter can be installed here");
            return false;
        }
        ended => assert_eq!(ended, *end, "{}", part.name),
    }
    for missing in &part.list[..part.list.len() - part.older] {
        let less: Vec<_> = part.list.iter().copied().filter(|nr| nr != missing).collect();
        let more: Vec<_> = more.iter().copied().filter(|nr| nr != missing).collect();
        let ended = under_list(part, &less, &more);
        if part.several {
            assert_ne!(ended, *end, "{} without {:?}", part.name, nr::name(*missing));
        } else {
            assert_eq!(ended, End::KilledByFilter, "{} without {:?}", part.name, nr::name(*missing));
        }
    }
    true
}

#[test]
fn each_part_makes_all_the_calls_of_its_list_and_no_other() {
    const TEST: &str = "each_part_makes_all_the_calls_of_its_list_and_no_other";
    for part in &parts::PARTS {
        if !all_and_no_other(TEST, part, used_by::TASK, &End::Status(0)) {
            return;
        }
    }
}

#[test]
fn a_forked_task_makes_all_the_calls_of_its_list_and_no_other() {
    const TEST: &str = "a_forked_task_makes_all_the_calls_of_its_list_and_no_other";
    // The calls of the eventfd itself.
    let eventfd = [nr::EVENTFD2, nr::READ, nr::WRITE];
    all_and_no_other(TEST, &parts::FORK, &eventfd, &End::Status(0));
}

#[test]
fn a_program_without_libc_makes_all_the_calls_of_its_list_and_no_other() {
    const TEST: &str = "a_program_without_libc_makes_all_the_calls_of_its_list_and_no_other";
    if cfg!(not(target_arch = "x86_64")) {
        return cannot(TEST, "cargo builds the program on x86_64 only");
    }
    if core_of(TARGETS[0]).is_none() {
        return skip(TEST, "the target's core is not installed; `ci/setup targets` installs it");
    }
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = build("tests/guest", "start", TARGETS[0], Profile(None), target_dir);
    parts::set_program(&program.path);
    // It ends with an error, which it prints.
    all_and_no_other(TEST, &parts::START, &[nr::EXECVE], &End::Status(1));
}

#[test]
fn the_documentation_of_eventfds_names_the_calls_of_their_list() {
    let known = known_calls();
    let documented: BTreeSet<_> = documented_calls(&EVENTFDS).iter().map(|call| known[call.as_str()].0).collect();
    let listed = [used_by::EVENTFD, used_by::TASK].concat().into_iter().collect();
    assert_eq!(documented, listed);
}

#[test]
fn the_documentation_lists_no_call_that_the_suite_never_makes() {
    let all = documented_calls(&EVENTFDS);
    let environment = environment("one-less").only_documented();
    for missing in &all {
        let mut calls = all.clone();
        calls.remove(missing);
        let (text, end) = under(&only(&calls), |report| suite(&environment, report));
        if end == End::NoFilter {
            return skip("the_documentation_lists_no_call_that_the_suite_never_makes", "no seccomp filter");
        }
        assert_eq!(end, End::KilledByFilter, "without {missing}:\n{text}");
    }
}

#[test]
fn the_fallback_without_preadv2_passes_every_case() {
    for errno in [Errno::ENOSYS, Errno::EOPNOTSUPP] {
        let mut environment = environment("no-preadv2");
        environment.nowait = Err("a policy refuses preadv2");
        let ended = under(&refusing(nr::PREADV2, errno), |report| suite(&environment, report));
        passed("the_fallback_without_preadv2_passes_every_case", ended);
    }
}

#[test]
fn a_refused_eventfd2_returns_the_error_of_the_policy() {
    for errno in [Errno::ENOSYS, Errno::EPERM] {
        let ended = under(&refusing(nr::EVENTFD2, errno), |_| {
            EventfdFlags::all().iter().all(|flag| {
                EventFd::new(0, flag).err() == Some(errno)
                    && Current.eventfd(1, flag).err() == Some(errno)
                    && near::eventfd(&Local, 1, flag) == Err(errno)
            })
        });
        passed("a_refused_eventfd2_returns_the_error_of_the_policy", ended);
    }
}

#[test]
fn an_eventfd_created_before_a_stricter_policy_stays_usable() {
    let bell = EventFd::new(0, EventfdFlags::NONBLOCK).unwrap();
    let ended = under(&refusing(nr::EVENTFD2, Errno::EPERM), |_| {
        bell.write(3).is_ok() && bell.try_clone().is_ok_and(|twin| twin.read() == Ok(3))
    });
    passed("an_eventfd_created_before_a_stricter_policy_stays_usable", ended);
}

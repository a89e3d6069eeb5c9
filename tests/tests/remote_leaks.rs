//! Children that come and go leave nothing behind. Alone in its program, so that no other test opens or maps anything.

use rsyscall::near::{PollFd, ppoll};
use rsyscall::remote::{self, CallSlot, ExitStatus};
use rsyscall::sys::signal::Signal;
use rsyscall::sysif::Local;
use rsyscall::{EventFd, EventfdFlags, EventfdTask};

const EMPTY: EventfdFlags = EventfdFlags::empty();
const KILLED: ExitStatus = ExitStatus::Killed { signal: Signal::KILL, core_dumped: false };

/// Open file descriptors, mappings, and children, including zombies.
fn owned() -> (usize, usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    let mappings = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let me = std::process::id().to_string();
    let children = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // After the name: the state, the parent.
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(&me)
    });
    (descriptors, mappings, children.count())
}

fn come_and_go(round: usize, bell: &EventFd, shares: bool) {
    let shared = shares && round % 2 == 1;
    let (task, mut child) = if shared {
        let forked = remote::fork_sharing_files().unwrap();
        (forked.task, forked.child)
    } else {
        let forked = remote::fork([bell.as_owned_fd()]).unwrap();
        let [token] = forked.inherited;
        let there = EventFd::from(token.attach(&forked.task).unwrap());
        there.write(1).unwrap();
        drop(there);
        (forked.task, forked.child)
    };
    let there = task.eventfd(0, EMPTY).unwrap();
    there.write(1).unwrap();
    // More than the first scratch space.
    if round & 7 == 0 {
        task.sysif().reserve_scratch(10_000).unwrap();
        assert_eq!(there.try_read(), Ok(Some(1)));
    }
    match round % 5 {
        // Killed, waited for, found to have ended.
        0 => {
            child.kill().unwrap();
            assert_eq!(child.wait(), Ok(KILLED));
            assert!(there.write(1).is_err());
        }
        // Killed during a call.
        1 => {
            let mut slots = [CallSlot::EMPTY; 2];
            let mut pipeline = task.sysif().pipeline(&mut slots).unwrap();
            // SAFETY: a read of an eventfd that is not closed meanwhile.
            unsafe {
                pipeline.submit(
                    rsyscall::nr::READ,
                    [there.near().into(), remote::Operand::Out(8), remote::Operand::Word(8)],
                )
            }
            .unwrap();
            child.kill().unwrap();
        }
        // Dropped without a wait.
        2 => drop(child),
        // The end of the stream.
        3 => {
            drop(there);
            drop(task);
            // If it shares the table it is waited for, and killed if the machine is too busy to let it end.
            let status = child.wait().unwrap();
            assert!(status == ExitStatus::Exited(0) || shared && status == KILLED, "{status:?}");
        }
        // An end of its own.
        _ => {
            drop(there);
            task.exit(3).unwrap();
            assert_eq!(child.wait(), Ok(ExitStatus::Exited(3)));
        }
    }
}

#[test]
fn a_thousand_children_leak_no_descriptor_no_mapping_and_no_zombie() {
    let shares = rsyscall_tests::shares_files();
    let bell = EventFd::new(0, EMPTY).unwrap();
    for round in 0..40 {
        come_and_go(round, &bell, shares);
    }
    let before = owned();
    for round in 0..1000 {
        come_and_go(round, &bell, shares);
    }
    let after = owned();
    assert_eq!(after, before, "descriptors, mappings, children");
    assert_eq!(ppoll(&Local, &mut [PollFd { fd: bell.near(), events: PollFd::IN, revents: 0 }], None, None), Ok(1));
    let rounds = if shares { 520 } else { 1040 };
    assert_eq!(bell.read(), Ok(rounds));
}

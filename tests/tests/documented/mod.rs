//! Compares "System calls:" of each item with the calls that it makes.
//!
//! A child of this test uses each item in turn, between two calls of `sched_yield`, which nothing here makes otherwise.
//! It is traced (`ptrace`). Each call in between must be in the item's list, and each one of the list must have been
//! made, unless the case names where it is made instead.

mod more;
mod there;

use rsyscall::deadline::Deadline;
use rsyscall::near::{self, FileDescriptor, PollFd};
use rsyscall::remote::{self, CallSlot};
use rsyscall::sys::epoll::{Epoll, EpollEvents, EpollTask as _};
use rsyscall::sys::pidfd::PidfdTask as _;
use rsyscall::sys::poll::{PollEvents, PollSet};
use rsyscall::sys::signal::{Preset, Signal, SignalTask as _, Target};
use rsyscall::sys::signalfd::{SignalFd, SignalfdTask as _};
use rsyscall::sys::wait::{Changes, Children, WaitTask as _};
use rsyscall::sysif::Local;
use rsyscall::{Current, EventFd, EventfdFlags, EventfdTask as _, Notifier, nr};
use rsyscall_tests::cannot;
use rsyscall_tests::trace::{Act, Step, Tracer};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(2);

/// Runs `work` between the two marks. Its return value is forgotten, so that nothing is closed.
fn watch<R>(watched: impl FnOnce() -> R) {
    let mark = || {
        // SAFETY: no argument and no effect.
        unsafe { libc::syscall(libc::SYS_sched_yield) }
    };
    mark();
    std::mem::forget(watched());
    mark();
}

struct Case {
    /// The item, as `Type::function` or the name of a free function.
    item: &'static str,
    /// The calls of its list that are made only elsewhere: on another kernel, in another process.
    elsewhere: &'static [&'static str],
    run: fn(),
}

const fn case(item: &'static str, run: fn()) -> Case {
    Case { item, elsewhere: &[], run }
}

fn bell(count: u32, flags: EventfdFlags) -> EventFd {
    EventFd::new(count, flags).unwrap()
}

fn empty() -> EventFd {
    bell(0, EventfdFlags::empty())
}

/// Runs `work` on another thread, which is not traced, after the traced one has had time to fall asleep.
fn later(what: impl FnOnce() + Send + 'static) {
    std::thread::spawn(move || {
        std::thread::sleep(20 * MOMENT);
        what();
    });
}

/// A pidfd of a child that runs until it is killed.
fn with_child(what: impl FnOnce(&remote::Child)) {
    let forked = remote::fork([]).unwrap();
    what(&forked.child);
    drop(forked);
}

fn cases() -> Vec<Case> {
    let mut cases = of_near();
    cases.extend(of_descriptors());
    cases.extend(of_waits());
    cases.extend(of_processes());
    cases.extend(more::cases());
    cases
}

/// The raw calls: each makes the system call of its name.
fn of_near() -> Vec<Case> {
    vec![
        case("epoll_create1", || watch(|| near::epoll_create1(&Local, near::EpollFlags::CLOEXEC))),
        case("eventfd", || watch(|| near::eventfd(&Local, 0, EventfdFlags::empty()))),
        // SAFETY, here and below: the file descriptors are this child's own.
        case("dup_cloexec", || watch(|| unsafe { near::dup_cloexec(&Local, FileDescriptor(2)) })),
        case("is_cloexec", || {
            let fd = empty();
            watch(|| unsafe { near::is_cloexec(&Local, fd.near()) });
        }),
        case("set_cloexec", || {
            let fd = empty();
            watch(|| unsafe { near::set_cloexec(&Local, fd.near(), true) });
        }),
        case("is_nonblocking", || {
            let fd = empty();
            watch(|| unsafe { near::is_nonblocking(&Local, fd.near()) });
        }),
        case("set_nonblocking", || {
            let fd = empty();
            watch(|| unsafe { near::set_nonblocking(&Local, fd.near(), true) });
        }),
        case("read", || {
            let fd = bell(1, EventfdFlags::empty());
            let mut buffer = [MaybeUninit::uninit(); 8];
            watch(|| unsafe { near::read(&Local, fd.near(), &mut buffer) });
        }),
        case("read_nowait", || {
            let fd = bell(1, EventfdFlags::empty());
            let mut buffer = [MaybeUninit::uninit(); 8];
            watch(|| unsafe { near::read_nowait(&Local, fd.near(), &mut buffer) });
        }),
        case("write", || {
            let fd = empty();
            watch(|| unsafe { near::write(&Local, fd.near(), &[1; 8]) });
        }),
        case("close", || {
            let fd = FileDescriptor(empty().into_raw_fd());
            watch(|| unsafe { near::close(&Local, fd) });
        }),
        case("mmap_anonymous", || {
            watch(|| near::mmap_anonymous(&Local, 4096));
        }),
        case("munmap", || {
            let page = near::mmap_anonymous(&Local, 4096).unwrap();
            watch(|| unsafe { near::munmap(&Local, page, 4096) });
        }),
        case("ppoll", || {
            watch(|| near::ppoll(&Local, &mut [], Some(near::Timespec::ZERO), None));
        }),
        case("getpid", || {
            watch(|| near::getpid(&Local));
        }),
        case("getppid", || {
            watch(|| near::getppid(&Local));
        }),
        case("kill", || {
            let me = near::getpid(&Local).unwrap();
            watch(|| unsafe { near::kill(&Local, me, 0) });
        }),
        case("socketpair_stream", || {
            watch(|| near::socketpair_stream(&Local));
        }),
        case("sendto", || {
            let [end, _other] = near::socketpair_stream(&Local).unwrap();
            watch(|| unsafe { near::sendto(&Local, end, b"x", 0) });
        }),
        case("recvfrom", || {
            let [end, other] = near::socketpair_stream(&Local).unwrap();
            unsafe { near::sendto(&Local, other, b"x", 0) }.unwrap();
            let mut buffer = [MaybeUninit::uninit(); 8];
            watch(|| unsafe { near::recvfrom(&Local, end, &mut buffer, 0) });
        }),
        case("shutdown", || {
            let [end, _other] = near::socketpair_stream(&Local).unwrap();
            watch(|| unsafe { near::shutdown(&Local, end, near::Shutdown::Both) });
        }),
        case("bytes_available", || {
            let [end, _other] = near::socketpair_stream(&Local).unwrap();
            watch(|| unsafe { near::bytes_available(&Local, end) });
        }),
        case("dup3", || {
            let (fd, target) = (empty(), empty());
            watch(|| unsafe { near::dup3(&Local, fd.near(), target.near(), true) });
        }),
        case("close_range", || {
            watch(|| unsafe { near::close_range(&Local, u32::MAX, u32::MAX) });
        }),
        case("clock_monotonic", || {
            watch(|| near::clock_monotonic(&Local));
        }),
    ]
}

fn of_descriptors() -> Vec<Case> {
    vec![
        case("EventFd::new", || {
            watch(|| EventFd::new(0, EventfdFlags::empty()));
        }),
        case("EventfdTask::eventfd", || {
            watch(|| Current.eventfd(0, EventfdFlags::empty()));
        }),
        case("EventFd::read", || {
            let fd = bell(1, EventfdFlags::empty());
            watch(|| fd.read());
        }),
        case("EventFd::write", || {
            let fd = empty();
            watch(|| fd.write(1));
        }),
        case("EventFd::try_clone", || {
            let fd = empty();
            watch(|| fd.try_clone());
        }),
        case("EventFd::is_nonblocking", || {
            let fd = empty();
            watch(|| fd.is_nonblocking());
        }),
        case("EventFd::set_nonblocking", || {
            let fd = empty();
            watch(|| fd.set_nonblocking(true));
        }),
        case("EventFd::is_cloexec", || {
            let fd = empty();
            watch(|| fd.is_cloexec());
        }),
        case("EventFd::set_cloexec", || {
            let fd = empty();
            watch(|| fd.set_cloexec(false));
        }),
        case("EventFd::inheritable", || {
            let mut fd = empty();
            watch(|| drop(fd.inheritable().unwrap()));
        }),
        case("Inheritable::restore", || {
            let mut fd = empty();
            let guard = fd.inheritable().unwrap();
            watch(|| guard.restore());
        }),
        case("EventFd::for_task", || {
            let fd = empty();
            watch(|| fd.for_task(Current));
        }),
        case("EventFd::move_to", || {
            let fd = empty();
            watch(|| fd.move_to(Current));
        }),
        case("EventFd::close", || {
            let fd = empty();
            watch(|| fd.close());
        }),
        case("OwnedFd::close", || {
            let fd = empty().into_owned_fd();
            watch(|| drop(fd));
        }),
        case("OwnedFd::try_clone", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.try_clone());
        }),
        case("OwnedFd::is_nonblocking", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.is_nonblocking());
        }),
        case("OwnedFd::set_nonblocking", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.set_nonblocking(true));
        }),
        case("OwnedFd::is_cloexec", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.is_cloexec());
        }),
        case("OwnedFd::set_cloexec", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.set_cloexec(false));
        }),
        case("OwnedFd::inheritable", || {
            let mut fd = empty().into_owned_fd();
            watch(|| drop(fd.inheritable().unwrap()));
        }),
        case("OwnedFd::for_task", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.for_task(Current));
        }),
        case("OwnedFd::move_to", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.move_to(Current));
        }),
        case("Token::attach", || {
            let token = empty().detach();
            watch(|| token.attach(Current));
        }),
        case("OwnedFd::dup3", || {
            let (fd, mut target) = (empty().into_owned_fd(), empty().into_owned_fd());
            watch(|| fd.dup3(&mut target, true));
        }),
        case("OwnedFd::dup2", || {
            let (fd, mut target) = (empty().into_owned_fd(), empty().into_owned_fd());
            watch(|| fd.dup2(&mut target));
        }),
        case("Epoll::new", || watch(Epoll::new)),
        case("EpollTask::epoll", || watch(|| Current.epoll())),
        case("Epoll::add", || {
            let (epoll, fd) = (Epoll::new().unwrap(), empty());
            watch(|| epoll.add(&fd, EpollEvents::IN, 0));
        }),
        case("Epoll::modify", || {
            let (epoll, fd) = (Epoll::new().unwrap(), empty());
            watch(|| epoll.modify(&fd, EpollEvents::IN, 0));
        }),
        case("Epoll::delete", || {
            let (epoll, fd) = (Epoll::new().unwrap(), empty());
            watch(|| epoll.delete(&fd));
        }),
        case("Epoll::close", || {
            let epoll = Epoll::new().unwrap();
            watch(|| epoll.close());
        }),
        case("SignalFd::new", || {
            watch(|| SignalFd::new(near::SignalSet::EMPTY));
        }),
        case("SignalfdTask::signalfd", || {
            watch(|| Current.signalfd(near::SignalSet::EMPTY));
        }),
        case("SignalFd::set", || {
            let fd = SignalFd::new(near::SignalSet::EMPTY).unwrap();
            watch(|| fd.set(near::SignalSet::ALL));
        }),
        case("SignalFd::close", || {
            let fd = SignalFd::new(near::SignalSet::EMPTY).unwrap();
            watch(|| fd.close());
        }),
    ]
}

fn of_waits() -> Vec<Case> {
    vec![
        Case {
            item: "EventFd::try_read",
            // On Linux before 5.8, as probed with an eventfd of its own.
            elsewhere: &["ppoll", "read", "eventfd2", "close", "pselect6"],
            run: || {
                let fd = bell(1, EventfdFlags::empty());
                watch(|| (fd.try_read().is_ok(), fd.try_read().is_ok()));
            },
        },
        case("EventFd::try_write", || {
            let fd = bell(0, EventfdFlags::NONBLOCK);
            watch(|| fd.try_write(1));
        }),
        Case {
            item: "EventFd::wait",
            // Where `ppoll` is refused.
            elsewhere: &["pselect6"],
            run: || {
                let fd = Arc::new(bell(0, EventfdFlags::NONBLOCK));
                let twin = Arc::clone(&fd);
                later(move || twin.write(1).unwrap());
                watch(|| fd.wait().unwrap());
            },
        },
        Case {
            item: "EventFd::wait_timeout",
            elsewhere: &["read", "eventfd2", "close", "pselect6"],
            run: || {
                let fd = empty();
                watch(|| fd.wait_timeout(MOMENT));
            },
        },
        Case {
            item: "EventFd::wait_until",
            elsewhere: &["read", "eventfd2", "close", "pselect6"],
            run: || {
                let fd = empty();
                let deadline = Deadline::after(&Local, MOMENT).unwrap();
                watch(|| fd.wait_until(deadline));
            },
        },
        case("Deadline::after", || {
            watch(|| Deadline::after(&Local, MOMENT));
        }),
        case("Deadline::remaining", || {
            let deadline = Deadline::after(&Local, MOMENT).unwrap();
            watch(|| deadline.remaining(&Local));
        }),
        case("Epoll::pwait", || on_epoll(|epoll, memory| epoll.pwait(memory, Some(MOMENT), None).is_ok())),
        case("Epoll::wait", || {
            on_epoll(|epoll, memory| epoll.wait(memory).is_ok());
        }),
        case("Epoll::wait_timeout", || {
            let (epoll, mut memory) = (Epoll::new().unwrap(), [const { MaybeUninit::uninit() }; 2]);
            watch(|| epoll.wait_timeout(&mut memory, MOMENT));
        }),
        case("Epoll::wait_until", || {
            let (epoll, mut memory) = (Epoll::new().unwrap(), [const { MaybeUninit::uninit() }; 2]);
            let deadline = Deadline::after(&Local, MOMENT).unwrap();
            watch(|| epoll.wait_until(&mut memory, deadline));
        }),
        case("PollSet::ppoll", || on_poll(|set| set.ppoll(Some(MOMENT), None).is_ok())),
        case("PollSet::wait", || {
            let (fd, mut memory) = (bell(1, EventfdFlags::empty()), [PollFd::UNUSED; 2]);
            let mut set = PollSet::new(Current, &mut memory);
            set.add(&fd, PollEvents::IN).unwrap();
            watch(|| set.wait());
        }),
        case("PollSet::wait_timeout", || on_poll(|set| set.wait_timeout(MOMENT).is_ok())),
        case("PollSet::wait_until", || {
            let deadline = Deadline::after(&Local, MOMENT).unwrap();
            let mut memory = [PollFd::UNUSED; 2];
            let mut set = PollSet::new(Current, &mut memory);
            watch(|| set.wait_until(deadline));
        }),
        Case {
            item: "Notifier::notify",
            // For a waiter in a poll.
            elsewhere: &["write"],
            run: || {
                let notifier = Arc::new(Notifier::new().unwrap());
                let waiter = Arc::clone(&notifier);
                let thread = std::thread::spawn(move || waiter.wait());
                std::thread::sleep(20 * MOMENT);
                watch(|| notifier.notify());
                thread.join().unwrap().unwrap();
            },
        },
        case("Notifier::try_wait", || {
            let notifier = Notifier::new().unwrap();
            watch(|| notifier.try_wait());
        }),
        case("Notifier::wait", || {
            let notifier = Arc::new(Notifier::new().unwrap());
            let other = Arc::clone(&notifier);
            later(move || other.notify().unwrap());
            watch(|| notifier.wait().unwrap());
        }),
        case("Notifier::wait_timeout", || {
            let notifier = Notifier::new().unwrap();
            watch(|| notifier.wait_timeout(MOMENT));
        }),
        case("Notifier::wait_until", || {
            let notifier = Notifier::new().unwrap();
            let deadline = Deadline::after(&Local, MOMENT).unwrap();
            watch(|| notifier.wait_until(deadline));
        }),
        case("Notifier::arm", || {
            let notifier = Notifier::new().unwrap();
            watch(|| notifier.arm());
        }),
        case("Notifier::disarm", || {
            let notifier = Notifier::new().unwrap();
            watch(|| notifier.disarm());
        }),
        Case {
            item: "Notifier::acknowledge",
            elsewhere: &["ppoll", "read", "eventfd2", "close", "pselect6"],
            run: || {
                let notifier = Notifier::new().unwrap();
                watch(|| notifier.acknowledge());
            },
        },
    ]
}

fn on_epoll(what: impl FnOnce(&Epoll, &mut [MaybeUninit<near::EpollEvent>]) -> bool) {
    let (epoll, fd, mut memory) = (Epoll::new().unwrap(), bell(1, EventfdFlags::empty()), [MaybeUninit::uninit(); 2]);
    epoll.add(&fd, EpollEvents::IN, 0).unwrap();
    watch(|| what(&epoll, &mut memory));
}

fn on_poll(what: impl FnOnce(&mut PollSet<'_, '_, Current>) -> bool) {
    let mut memory = [PollFd::UNUSED; 2];
    let mut set = PollSet::new(Current, &mut memory);
    watch(|| what(&mut set));
}

fn of_processes() -> Vec<Case> {
    vec![
        case("SignalTask::block_signals", || {
            watch(|| drop(Current.block_signals(near::SignalSet::EMPTY)));
        }),
        case("SignalTask::signal_mask", || {
            watch(|| Current.signal_mask());
        }),
        case("SignalTask::disposition", || {
            watch(|| Current.disposition(Signal::USR1));
        }),
        case("SignalTask::set_disposition", || {
            watch(|| Current.set_disposition(Signal::USR1, Preset::Ignore));
        }),
        case("SignalTask::send_signal", || {
            let me = near::getpid(&Local).unwrap();
            watch(|| Current.send_signal(Target::Process(me), Signal::URG));
        }),
        case("PidfdTask::pidfd_open", || {
            let me = near::getpid(&Local).unwrap();
            watch(|| Current.pidfd_open(me));
        }),
        case("PidFd::send_signal", || {
            let me = Current.pidfd_open(near::getpid(&Local).unwrap()).unwrap();
            watch(|| me.send_signal(Signal::URG));
        }),
        case("PidFd::peek", || {
            with_child(|child| {
                let pidfd = Current.pidfd_open(child.process()).unwrap();
                watch(|| pidfd.peek());
            });
        }),
        case("PidFd::try_wait", || {
            with_child(|child| {
                let pidfd = Current.pidfd_open(child.process()).unwrap();
                watch(|| pidfd.try_wait());
            });
        }),
        Case {
            elsewhere: &["pselect6"],
            ..case("PidFd::wait_timeout", || {
                // Of this child's own child, made as C makes one: `waitid` finds it without a flag.
                let pidfd = Current.pidfd_open(near::Process(sleeper())).unwrap();
                watch(|| pidfd.wait_timeout(MOMENT));
                pidfd.send_signal(Signal::KILL).unwrap();
            })
        },
        Case {
            elsewhere: &["pselect6"],
            ..case("PidFd::wait", || {
                let pid = sleeper();
                let pidfd = Current.pidfd_open(near::Process(pid)).unwrap();
                // SAFETY: this child's own child.
                later(move || assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0));
                watch(|| pidfd.wait());
            })
        },
        case("PidFd::close", || {
            let me = Current.pidfd_open(near::getpid(&Local).unwrap()).unwrap();
            watch(|| me.close());
        }),
        case("WaitTask::try_wait", || {
            watch(|| Current.try_wait(Children::Any, Changes::ENDED));
        }),
        case("install_interrupt_handler", || {
            watch(remote::install_interrupt_handler);
        }),
        Case {
            item: "Child::signal",
            // Without a pidfd.
            elsewhere: &["waitid", "kill"],
            run: || {
                with_child(|child| {
                    watch(|| child.signal(0));
                });
            },
        },
        Case {
            item: "Child::kill",
            // Without a pidfd.
            elsewhere: &["waitid", "kill"],
            run: || {
                with_child(|child| {
                    watch(|| child.kill());
                });
            },
        },
        Case {
            item: "Child::wait",
            // With a nonblocking pidfd, and before Linux 5.4.
            elsewhere: &["ppoll", "pselect6", "pidfd_send_signal"],
            run: || {
                let mut forked = remote::fork([]).unwrap();
                forked.child.kill().unwrap();
                watch(|| forked.child.wait());
            },
        },
        Case {
            item: "Child::try_wait",
            // Before Linux 5.4.
            elsewhere: &["pidfd_send_signal"],
            run: || {
                let mut forked = remote::fork([]).unwrap();
                watch(|| forked.child.try_wait());
            },
        },
        Case {
            item: "Pipeline::write",
            // To get scratch space, and if the stream is full.
            elsewhere: &["recvfrom", "ppoll", "clock_gettime"],
            run: || {
                with_pipeline(|pipeline, bell| {
                    watch(|| pipeline.write(bell, 1));
                });
            },
        },
        Case {
            item: "Pipeline::read",
            // To get scratch space, and if the stream is full.
            elsewhere: &["recvfrom", "ppoll", "clock_gettime"],
            run: || {
                with_pipeline(|pipeline, bell| {
                    watch(|| pipeline.read(bell));
                    pipeline.write(bell, 1).unwrap();
                });
            },
        },
        case("Pipeline::complete", || {
            with_pipeline(|pipeline, bell| {
                pipeline.write(bell, 1).unwrap();
                watch(|| pipeline.complete(&mut []));
            });
        }),
        case("Pipeline::complete_timeout", || {
            with_pipeline(|pipeline, bell| {
                pipeline.read(bell).unwrap();
                watch(|| pipeline.complete_timeout(&mut [0; 8], MOMENT));
            });
        }),
        case("Pipeline::try_complete", || {
            with_pipeline(|pipeline, bell| {
                pipeline.read(bell).unwrap();
                watch(|| pipeline.try_complete(&mut [0; 8]));
            });
        }),
    ]
}

type There<'t> = EventFd<&'t rsyscall::Task<remote::Connection>>;

fn with_pipeline(what: impl FnOnce(&mut remote::Pipeline<'_, '_>, &There<'_>)) {
    let forked = remote::fork([]).unwrap();
    let bell = forked.task.eventfd(0, EventfdFlags::empty()).unwrap();
    let mut slots = [CallSlot::EMPTY; 4];
    let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
    what(&mut pipeline, &bell);
    let _ended = forked.child.kill();
}

/// A child that sleeps until it is killed.
fn sleeper() -> i32 {
    // SAFETY: the child makes one system call, over and over.
    match unsafe { libc::fork() } {
        0 => loop {
            // SAFETY: as above.
            unsafe { libc::pause() };
        },
        pid => pid,
    }
}

/// The lists of the documentation, by item: the paragraph after "System calls:".
fn lists() -> BTreeMap<String, String> {
    fn collect(folder: &Path, texts: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, texts);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut texts = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"), &mut texts);
    let mut lists = BTreeMap::new();
    texts.iter().for_each(|text| read(text, &mut lists));
    // What a macro writes for every kind of file descriptor.
    let written =
        texts.iter().find(|text| text.contains("macro_rules! kind ")).unwrap().replace("        impl", "impl");
    for text in &texts {
        for (_, kind) in text.split("\nkind! {\n").skip(1).filter_map(|call| call.split_once(',')?.0.split_once("    "))
        {
            read(&written.replace("$name", kind), &mut lists);
        }
    }
    lists
}

fn read(text: &str, lists: &mut BTreeMap<String, String>) {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let (mut owner, mut doc) = (String::new(), Vec::new());
    for line in text.lines() {
        let code = line.trim_start();
        if let Some(text) = code.strip_prefix("///") {
            doc.push(text.trim());
            continue;
        }
        if code.starts_with('#') || code.starts_with("//") || code.starts_with(')') {
            continue;
        }
        if line.starts_with("impl") {
            let subject = line.split(" for ").last().unwrap_or_default();
            let subject = if line.contains(" for ") { subject } else { subject.trim_start_matches("impl") };
            let subject = if subject.starts_with('<') {
                let mut depth = 0;
                let end = subject.find(|c| {
                    depth += i32::from(c == '<') - i32::from(c == '>');
                    depth == 0
                });
                &subject[end.unwrap_or(0) + 1..]
            } else {
                subject
            };
            owner = word(subject.trim_start_matches([' ', '&']));
        } else if let Some((_, name)) = line.strip_prefix("pub ").and_then(|line| line.split_once("trait ")) {
            owner = word(name);
        } else if line == "}" {
            owner.clear();
        }
        // What other crates cannot call has lists for who reads the source.
        let private = code.starts_with("pub(");
        if let (Some((_, name)), false) = (code.split_once("fn "), doc.is_empty() || private) {
            let doc = doc.join("\n");
            if let Some((_, list)) = doc.split_once("System calls:") {
                let path = if owner.is_empty() { word(name) } else { format!("{owner}::{}", word(name)) };
                lists.insert(path, list.split("\n\n").next().unwrap_or_default().replace('\n', " "));
            }
        }
        doc.clear();
    }
}

/// The calls in an item's list, including those of the items that it refers to.
fn listed(item: &str, lists: &BTreeMap<String, String>) -> Option<BTreeSet<String>> {
    let list = lists.get(item)?;
    let here = list.split("; in the child").next()?.split(". ").next()?;
    calls(item, here, &|other| listed(other, lists), lists)
}

/// The calls in a part of an item's list; `of` says those of another item.
fn calls(
    item: &str,
    part: &str,
    of: &dyn Fn(&str) -> Option<BTreeSet<String>>,
    lists: &BTreeMap<String, String>,
) -> Option<BTreeSet<String>> {
    let mut calls = BTreeSet::new();
    for (_, word) in part.split('`').enumerate().filter(|(n, _)| n % 2 == 1) {
        if part.contains(&format!("[`{word}`]")) {
            let sibling = format!("{}::{word}", item.split("::").next().unwrap_or_default());
            let other = if sibling != item && lists.contains_key(&sibling) { sibling } else { word.to_owned() };
            // Any other link only names the place.
            if part.contains("those of") || part.contains("as [") {
                calls.extend(of(&other)?);
            }
        } else if word.starts_with(|c: char| c.is_ascii_lowercase()) {
            // Only these two have their variant in the list.
            let all = word.starts_with("fcntl(") || word.starts_with("ioctl(");
            calls.insert(if all { word } else { word.split('(').next().unwrap_or_default() }.to_owned());
        }
    }
    Some(calls)
}

/// The name of a call as the documentation writes it.
fn written(number: usize, args: [u64; 2]) -> String {
    let name = nr::name(number).map_or_else(|| format!("syscall {number}"), str::to_owned);
    // `include/uapi/asm-generic/fcntl.h`, `include/uapi/linux/fcntl.h`, `include/uapi/asm-generic/ioctls.h`.
    let command = match (number, args[1]) {
        (nr::FCNTL, 1) => "F_GETFD",
        (nr::FCNTL, 2) => "F_SETFD",
        (nr::FCNTL, 3) => "F_GETFL",
        (nr::FCNTL, 1030) => "F_DUPFD_CLOEXEC",
        (nr::IOCTL, 0x5421) => "FIONBIO",
        (nr::IOCTL, 0x541b) => "FIONREAD",
        _ => return name,
    };
    format!("{name}({command})")
}

/// Waits with `WNOWAIT`, so that the tracer sees the end too. Its stops are seen here as well.
fn has_ended(pid: i32) -> bool {
    // SAFETY: all zeros are a `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: it writes the structure.
    unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, libc::WEXITED | libc::WNOWAIT | libc::WNOHANG) };
    matches!(info.si_code, libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED)
}

/// The calls between the marks of each case, as the child of `run` made them; `None` where nothing can be traced.
fn traced(cases: &[Case]) -> Option<Vec<BTreeSet<String>>> {
    let (mut gate, child_gate) = std::os::unix::net::UnixStream::pair().unwrap();
    // SAFETY: the child runs the cases, which take no lock that another thread could hold but the allocator's, which
    // the C library resets after `fork`, and ends without this process's destructors.
    let pid = match unsafe { libc::fork() } {
        0 => {
            let mut byte = [0];
            let begun = std::io::Read::read(&mut { child_gate }, &mut byte);
            let run = || {
                cases.iter().for_each(|case| {
                    (case.run)();
                    // SAFETY: no argument and no effect: the end of the case.
                    unsafe { libc::syscall(libc::SYS_getegid) };
                })
            };
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(begun.is_err() || ended.is_err())) }
        }
        pid => pid,
    };
    drop(child_gate);
    let never = Step { nth: usize::MAX, act: Act::Pause };
    let tracer = Tracer::start(pid, never);
    std::io::Write::write_all(&mut gate, b"x").unwrap();
    while !has_ended(pid) {
        std::thread::sleep(MOMENT);
    }
    let traced = tracer.map(Tracer::finish);
    let mut status = 0;
    // SAFETY: it writes the status.
    unsafe { libc::waitpid(pid, &mut status, 0) };
    let stops = traced.ok()?.stops;
    assert_eq!(status, 0, "the child's cases ran");
    let mut found = vec![BTreeSet::new(); cases.len()];
    let (mut case, mut watching) = (0, false);
    for stop in stops.iter().filter(|stop| stop.ret.is_none()) {
        match stop.nr as i64 {
            libc::SYS_sched_yield => watching = !watching,
            libc::SYS_getegid => case += 1,
            _ if watching => {
                found[case].insert(written(stop.nr, stop.args));
            }
            _ => {}
        }
    }
    assert_eq!(case, cases.len());
    Some(found)
}

#[test]
fn each_item_makes_the_calls_that_its_documentation_lists_and_no_others() {
    let cases = cases();
    let Some(found) = traced(&cases) else {
        return cannot("the calls of each item", "nothing can be traced here (ptrace)");
    };
    let lists = lists();
    assert!(lists.len() > 100, "{} lists", lists.len());
    let mut wrong = Vec::new();
    for (case, made) in cases.iter().zip(found) {
        let Some(listed) = listed(case.item, &lists) else {
            wrong.push(format!("{}: no list, and makes {made:?}", case.item));
            continue;
        };
        let unlisted: Vec<_> = made.difference(&listed).collect();
        let unmade = listed.difference(&made).filter(|call| !case.elsewhere.contains(&call.as_str()));
        let unmade: Vec<_> = unmade.collect();
        if !unlisted.is_empty() || !unmade.is_empty() {
            wrong.push(format!(
                "{}: makes and does not list {unlisted:?}, lists and does not make {unmade:?}",
                case.item
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_list_is_compared_with_what_is_made_or_named_here_with_its_reason() {
    let run: BTreeSet<_> = cases().iter().map(|case| case.item).chain(there::ITEMS).collect();
    let named: BTreeSet<_> = more::NOT_RUN.iter().map(|(item, _)| *item).collect();
    let lists = lists();
    let covered = |item: &str| run.contains(item) || named.contains(item);
    let unknown: Vec<_> = lists.keys().filter(|item| !covered(item)).collect();
    assert_eq!(unknown, Vec::<&String>::new(), "these have a list, and nothing compares it");
    let needless: Vec<_> = named.iter().filter(|item| run.contains(*item) || !lists.contains_key(**item)).collect();
    assert_eq!(needless, Vec::<&&str>::new(), "these are named, and run all the same or have no list");
    assert!(more::NOT_RUN.iter().all(|(_, reason)| !reason.is_empty()));
}

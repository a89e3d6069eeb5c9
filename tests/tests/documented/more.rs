//! The items that are made of others: the reactor, standard streams, connections, and the rest of `near`.

use super::{Case, MOMENT, case, empty, later, sleeper, watch, with_child, with_pipeline};
use rsyscall::deadline::Deadline;
use rsyscall::fd::{OwnedFd, UnclosedList};
use rsyscall::near::{self, FileDescriptor, Process, SignalSet};
use rsyscall::notify::StaticNotifier;
use rsyscall::reactor::{Reactor, WaitSlot};
use rsyscall::remote::{self, CallSlot, Connection, ForkOptions, Forked, Operand, Policy, Request};
use rsyscall::sys::epoll::{Epoll, EpollEvents};
use rsyscall::sys::listen_fds::ListenFds;
use rsyscall::sys::pidfd::PidfdTask as _;
use rsyscall::sys::signal::{Signal, SignalTask as _};
use rsyscall::sys::signalfd::SignalFd;
use rsyscall::sys::socket::{recv_fd, send_fd};
use rsyscall::sys::stdio::Stdio;
use rsyscall::sys::wait::{Changes, Children, WaitTask as _};
use rsyscall::sysif::Local;
use rsyscall::{Current, EventfdFlags, EventfdTask as _, Notifier, nr};
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What is not run here, and why.
pub const NOT_RUN: &[(&str, &str)] = &[
    ("exit_group", "it ends the process; the filters of `used_by::TASK` hold it"),
    ("Current::exit", "it ends the process; the filters of `used_by::TASK` hold it"),
    ("Strings::as_ptr", "only a program that begins with `start!` has one"),
    ("Reactor::next", "its calls are those of the source"),
];

/// What `EventFd::try_read` makes only before Linux 5.8, or where a policy refuses something.
const OLDER: &[&str] = &["ppoll", "read", "eventfd2", "close", "pselect6"];

/// A notifier of this case's own.
macro_rules! notifier {
    () => {{
        static NOTIFIER: StaticNotifier = StaticNotifier::new();
        &NOTIFIER
    }};
}

fn with_reactor(notifier: &'static StaticNotifier, what: impl FnOnce(&Reactor<'_>)) {
    let slots = [const { WaitSlot::new() }; 2];
    what(&Reactor::new(notifier, &slots).unwrap());
}

/// A connected pair.
fn pair() -> [OwnedFd; 2] {
    // SAFETY: just made, and known to nothing else.
    near::socketpair_stream(&Local).unwrap().map(|fd| unsafe { OwnedFd::from_raw_fd(fd.0) })
}

/// A server in a thread, which is not traced.
fn with_server(what: impl FnOnce(&Connection)) {
    let [client, server] = pair();
    let number = server.near();
    // SAFETY: the client is the case.
    let thread = std::thread::spawn(move || unsafe { remote::serve(&server, Policy::Everything) });
    // SAFETY: `serve` is at the other end, and no call is given up.
    let connection = unsafe { Connection::from_stream(client, number) };
    what(&connection);
    drop(connection);
    let _either = thread.join().unwrap();
}

/// A child that shares the table and sleeps in a read.
fn with_busy_child(what: impl FnOnce(&Forked)) {
    let forked = remote::fork_sharing_files().unwrap();
    let bell = empty();
    let mut slots = [CallSlot::EMPTY; 1];
    let mut pipeline = forked.task.sysif().pipeline(&mut slots).unwrap();
    // SAFETY: open for as long as the call may be made.
    unsafe { pipeline.submit(nr::READ, [bell.near().into(), Operand::Out(8), Operand::Word(8)]) }.unwrap();
    std::thread::sleep(20 * MOMENT);
    what(&forked);
    drop(pipeline);
}

/// Puts `/dev/null` under this number.
fn nothing_under(number: i32) {
    // SAFETY: of the traced child, whose standard streams nothing else uses.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        assert_eq!(libc::dup2(null, number), number);
    }
}

fn stdio() -> Stdio {
    // SAFETY: std has opened what was missing before `main`.
    unsafe { Stdio::assume_open() }
}

pub fn cases() -> Vec<Case> {
    let mut cases = of_near();
    cases.extend(of_descriptors());
    cases.extend(of_reactors());
    cases.extend(of_connections());
    cases.extend(of_processes());
    cases
}

fn of_near() -> Vec<Case> {
    vec![
        case("epoll_ctl", || {
            let (epoll, fd) = (Epoll::new().unwrap(), empty());
            let event = near::EpollEvent::new(EpollEvents::IN, 0);
            // SAFETY, here and below: the numbers are this child's own.
            watch(|| unsafe { near::epoll_ctl(&Local, epoll.near(), near::EpollOp::Add, fd.near(), event) });
        }),
        case("epoll_pwait", || {
            let (epoll, mut memory) = (Epoll::new().unwrap(), [MaybeUninit::uninit(); 1]);
            watch(|| unsafe { near::epoll_pwait(&Local, epoll.near(), &mut memory, 0, None).map(drop) });
        }),
        case("pidfd_open", || {
            let me = near::getpid(&Local).unwrap();
            watch(|| near::pidfd_open(&Local, me));
        }),
        case("pidfd_getfd", || {
            let me = Current.pidfd_open(near::getpid(&Local).unwrap()).unwrap();
            watch(|| unsafe { near::pidfd_getfd(&Local, me.near(), FileDescriptor(2)) });
        }),
        case("pidfd_send_signal", || {
            let me = Current.pidfd_open(near::getpid(&Local).unwrap()).unwrap();
            watch(|| unsafe { near::pidfd_send_signal(&Local, me.near(), 0) });
        }),
        case("pidfd_send_signal_to_group", || {
            let me = Current.pidfd_open(near::getpid(&Local).unwrap()).unwrap();
            watch(|| unsafe { near::pidfd_send_signal_to_group(&Local, me.near(), 0) });
        }),
        case("signalfd", || {
            watch(|| unsafe { near::signalfd(&Local, FileDescriptor(-1), SignalSet::EMPTY, 0) });
        }),
    ]
}

fn of_descriptors() -> Vec<Case> {
    vec![
        case("BorrowedFd::try_clone_to_owned", || {
            let fd = empty().into_owned_fd();
            watch(|| fd.as_borrowed_fd().try_clone_to_owned());
        }),
        case("UnclosedList::reap", || {
            let unclosed = UnclosedList::<1>::new();
            let forked = remote::fork_sharing_files().unwrap();
            let there = empty().move_to(unclosed.keep_for(&forked.task)).unwrap();
            forked.task.sysif().finish();
            drop(there);
            watch(|| assert_eq!(unclosed.reap(Current), Ok(1)));
        }),
        case("send_fd", || {
            let ([here, _there], fd) = (pair(), empty());
            watch(|| send_fd(&here, b"x", fd.as_owned_fd()));
        }),
        case("recv_fd", || {
            let ([here, there], fd) = (pair(), empty());
            send_fd(&there, b"x", fd.as_owned_fd()).unwrap();
            let mut bytes = [MaybeUninit::uninit(); 1];
            watch(|| recv_fd(&here, &mut bytes));
        }),
        case("Input::read", || {
            nothing_under(0);
            watch(|| stdio().input().read(&mut [0; 4]));
        }),
        case("Output::write_all", || {
            nothing_under(1);
            watch(|| stdio().output().write_all(b"nothing"));
        }),
        case("Output::write_fmt", || {
            nothing_under(1);
            watch(|| write!(stdio().output(), "{}", 1));
        }),
        case("ListenFds::take", || {
            nothing_under(3);
            let pid = std::process::id().to_string();
            let var = |name: &str| match name {
                "LISTEN_PID" => Some(pid.as_bytes()),
                "LISTEN_FDS" => Some(&b"1"[..]),
                _ => None,
            };
            // SAFETY: what this names was put there just now.
            watch(|| unsafe { ListenFds::take(var) }.unwrap());
        }),
        case("SignalFd::read", || with_signal(|signals| assert!(signals.read().is_ok()))),
        case("SignalFd::try_read", || with_signal(|signals| assert!(signals.try_read().is_ok()))),
        Case {
            elsewhere: &["pselect6"],
            ..case("SignalFd::wait", || {
                let _blocked = Current.block_signals(SignalSet::of(&[Signal::USR1])).unwrap();
                let signals = SignalFd::new(SignalSet::of(&[Signal::USR1])).unwrap();
                // SAFETY: this thread, which outlives the other.
                let me = unsafe { libc::pthread_self() } as usize;
                later(move || {
                    // SAFETY: as above.
                    unsafe { libc::pthread_kill(me as libc::pthread_t, libc::SIGUSR1) };
                });
                watch(|| signals.wait().unwrap());
            })
        },
        Case {
            elsewhere: &["pselect6"],
            ..case("SignalFd::wait_timeout", || {
                let signals = SignalFd::new(SignalSet::EMPTY).unwrap();
                watch(|| signals.wait_timeout(MOMENT));
            })
        },
    ]
}

fn with_signal(what: impl FnOnce(&SignalFd)) {
    let _blocked = Current.block_signals(SignalSet::of(&[Signal::USR2])).unwrap();
    let signals = SignalFd::new(SignalSet::of(&[Signal::USR2])).unwrap();
    // SAFETY: to this very thread, where it is blocked.
    unsafe { libc::raise(libc::SIGUSR2) };
    watch(|| what(&signals));
}

fn of_reactors() -> Vec<Case> {
    vec![
        case("Notifier::new", || watch(Notifier::new)),
        case("StaticNotifier::waker", || {
            let notifier = notifier!();
            watch(|| notifier.waker().map(std::mem::forget));
        }),
        case("Reactor::new", || {
            let notifier = notifier!();
            watch(|| Reactor::new(notifier, &[]));
        }),
        case("Reactor::readable", || {
            with_reactor(notifier!(), |reactor| {
                let bell = empty();
                let mut readable = Some(Box::pin(reactor.readable(&bell)));
                watch(|| {
                    let pinned = readable.as_mut().unwrap().as_mut();
                    assert!(Future::poll(pinned, &mut Context::from_waker(Waker::noop())).is_pending());
                    drop(readable.take());
                });
            });
        }),
        case("Reactor::block_on", || {
            with_reactor(notifier!(), |reactor| {
                let mut begun = false;
                let twice = poll_fn(|context| {
                    context.waker().wake_by_ref();
                    if std::mem::replace(&mut begun, true) { Poll::Ready(()) } else { Poll::Pending }
                });
                watch(|| reactor.block_on(twice));
            });
        }),
        Case {
            elsewhere: OLDER,
            ..case("Reactor::run_once", || {
                let notifier = notifier!();
                with_reactor(notifier, |reactor| {
                    let waker = notifier.waker().unwrap();
                    later(move || waker.wake());
                    watch(|| assert_eq!(reactor.run_once(Some(Duration::from_secs(60))), Ok(true)));
                });
            })
        },
        Case {
            elsewhere: OLDER,
            ..case("Reactor::run_once_until", || {
                let notifier = notifier!();
                with_reactor(notifier, |reactor| {
                    let waker = notifier.waker().unwrap();
                    let deadline = Deadline::after(&Local, Duration::from_secs(60)).unwrap();
                    later(move || waker.wake());
                    watch(|| assert_eq!(reactor.run_once_until(deadline), Ok(true)));
                });
            })
        },
    ]
}

fn of_connections() -> Vec<Case> {
    vec![
        case("Connection::from_stream", || {
            let [client, server] = pair();
            let number = server.near();
            // SAFETY: nothing is ever requested.
            watch(|| unsafe { Connection::from_stream(client, number) });
        }),
        case("Connection::set_timeout", || {
            with_server(|connection| watch(|| connection.set_timeout(Some(Duration::from_secs(1)))));
        }),
        case("Connection::finish", || with_server(|connection| watch(|| connection.finish()))),
        case("Connection::shutdown", || with_busy_child(|forked| watch(|| forked.task.sysif().shutdown()))),
        Case {
            // The way of a forked child is another one; and those of the connection itself, here and there.
            elsewhere: &["ppoll", "recvmsg", "recvfrom", "sendmsg", "fcntl(F_DUPFD_CLOEXEC)"],
            ..case("OwnedFd::fetch", || {
                let forked = remote::fork([]).unwrap();
                let there = forked.task.eventfd(0, EventfdFlags::empty()).unwrap();
                watch(|| there.as_owned_fd().fetch().unwrap());
            })
        },
        Case {
            elsewhere: &["ppoll", "recvmsg", "recvfrom", "sendmsg", "fcntl(F_DUPFD_CLOEXEC)"],
            ..case("EventFd::fetch", || {
                let forked = remote::fork([]).unwrap();
                let there = forked.task.eventfd(0, EventfdFlags::empty()).unwrap();
                watch(|| there.fetch().unwrap());
            })
        },
        Case {
            // To get scratch space, and in a full stream.
            elsewhere: &["recvfrom", "ppoll", "clock_gettime"],
            ..case("Pipeline::submit", || {
                with_pipeline(|pipeline, _| {
                    // SAFETY: it only reads a flag.
                    watch(|| unsafe { pipeline.submit(nr::GETPID, []) }.unwrap());
                });
            })
        },
        case("serve", || {
            // A client that comes late to a nonblocking stream and leaves; `SIGPIPE` has its default action.
            let [client, server] = pair();
            server.set_nonblocking(true).unwrap();
            // SAFETY: the default action.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            let fd = client.as_raw_fd() as usize;
            later(move || {
                // What is requested is a call that is in the list.
                let request = Request { nr: nr::FCNTL, args: [fd, 2, 1, 0, 0, 0] };
                // SAFETY: open.
                assert_eq!(unsafe { near::sendto(&Local, client.near(), &request.to_bytes(), 0) }, Ok(56));
                std::thread::sleep(MOMENT);
                drop(client);
            });
            // SAFETY: the client is the case.
            watch(|| unsafe { remote::serve(&server, Policy::Everything) });
        }),
    ]
}

fn of_processes() -> Vec<Case> {
    vec![
        Case {
            // Before Linux 6.9, and where clone makes no pidfd.
            elsewhere: &["getpid", "waitid"],
            ..case("fork", || watch(|| remote::fork([]).unwrap()))
        },
        Case {
            elsewhere: &["getpid", "waitid"],
            ..case("ForkOptions::fork", || watch(|| ForkOptions::new().outlive_thread(true).fork([]).unwrap()))
        },
        Case {
            // At the end; and the server's end stays open here.
            elsewhere: &["getpid", "waitid", "ppoll", "pidfd_send_signal", "close"],
            ..case("fork_sharing_files", || watch(|| remote::fork_sharing_files().unwrap()))
        },
        Case {
            // Without a pidfd.
            elsewhere: &["waitid", "kill"],
            ..case("Child::interrupt", || with_child(|child| watch(|| child.interrupt())))
        },
        case("PidFd::getfd", || {
            let me = Current.pidfd_open(near::getpid(&Local).unwrap()).unwrap();
            // SAFETY: standard error, of which there may be duplicates.
            watch(|| unsafe { me.getfd(FileDescriptor(2)) });
        }),
        Case {
            // Before Linux 6.9.
            elsewhere: &["waitid", "kill"],
            ..case("PidFd::send_signal_to_group", || {
                let leader = sleeper();
                // SAFETY: this child's own child.
                assert_eq!(unsafe { libc::setpgid(leader, leader) }, 0);
                let pidfd = Current.pidfd_open(Process(leader)).unwrap();
                watch(|| pidfd.send_signal_to_group(Process(leader), Signal::KILL));
            })
        },
        case("Blocked::keep", || {
            let blocked = Current.block_signals(SignalSet::EMPTY).unwrap();
            watch(|| blocked.keep());
        }),
        case("WaitTask::waitid", || {
            let child = ended();
            watch(|| Current.waitid(Children::Process(child), Changes::ENDED).unwrap());
        }),
        case("WaitTask::wait", || {
            let child = ended();
            watch(|| Current.wait(Children::Process(child), Changes::ENDED).unwrap());
        }),
    ]
}

/// A child that ends.
fn ended() -> Process {
    let pid = sleeper();
    // SAFETY: this child's own child.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
    Process(pid)
}

//! The fake kernel against the real one: random programs of calls, each with the same outcome in both.
//!
//! A failure shrinks to a short program and prints it; its seed is kept in `differential.regressions` beside this file
//! and run first from then on. `PROPTEST_CASES` sets how many programs are tried.
//!
//! A call that would sleep is never made on the real kernel: descriptors are made nonblocking for its duration, and
//! `EAGAIN` from one that was blocking counts as "it sleeps".

mod program;

use program::{Events, Flags, Handle, Program, Step, Value, programs};
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestCaseResult, TestError, TestRunner};
use rsyscall::fake::{Fault, Kernel, Storage, nr};
use rsyscall::fd::OwnedFd;
use rsyscall::near::{self, FileDescriptor, PollFd};
use rsyscall::sysif::{Arg, Local, OutSlice, SyscallInterface};
use rsyscall::task::FileDescriptorTask;
use rsyscall::{Current, Errno, EventFd, EventfdFlags};
use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::time::Duration;

const RWF_NOWAIT: u32 = 8;
const FIOCLEX: u32 = 0x5451;
/// `struct epoll_event` is packed on x86_64 only.
const EPOLL_EVENT: usize = if cfg!(target_arch = "x86_64") { 12 } else { 16 };

/// The outcome of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Done,
    Number(usize),
    Count(Option<u64>),
    Is(bool),
    /// The return value, and the contents of the buffers up to the last byte that was changed.
    Bytes(usize, Vec<Vec<u8>>),
    Ready(usize, Vec<i16>),
    /// The handle and the events of each report.
    Events(Vec<(Handle, Events)>),
    /// A new handle.
    Made,
    Sleeps,
    Refused(Errno),
}

/// One of the two kernels and the program's handles in it.
struct Side<T: FileDescriptorTask<Error = Errno>> {
    task: T,
    handles: BTreeMap<usize, EventFd<T>>,
    epoll: OwnedFd<T>,
    /// Whether a call that would sleep must be avoided.
    real: bool,
}

impl<T: FileDescriptorTask<Error = Errno>> Side<T> {
    fn new(task: T, real: bool) -> Self {
        // SAFETY: words only; it creates a file descriptor.
        let epoll = unsafe { task.sysif().syscall(nr::EPOLL_CREATE1, [Arg::Word(0)]) }.expect("an epoll");
        // SAFETY: created a line above.
        let epoll = unsafe { OwnedFd::adopt(task, FileDescriptor(epoll as i32)) };
        Self { task, handles: BTreeMap::new(), epoll, real }
    }

    fn handle(&self, index: usize) -> &EventFd<T> {
        self.handles.get(&index).expect("a program uses only open handles")
    }

    fn made(&mut self, handle: Handle, fd: FileDescriptor) -> Outcome {
        // SAFETY: a call just created it for this program.
        self.handles.insert(handle.0, unsafe { EventFd::adopt(self.task, fd) });
        Outcome::Made
    }

    fn call<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Errno> {
        // SAFETY: the calls of this file use the program's own handles and the memory that their arguments name.
        unsafe { self.task.sysif().syscall(nr, args) }
    }

    /// Makes a call that may sleep, or finds that it would.
    fn may_sleep(&self, index: usize, call: impl FnOnce() -> Result<Outcome, Errno>) -> Result<Outcome, Errno> {
        let fd = self.handle(index);
        let must_not = self.real && !fd.is_nonblocking()?;
        if must_not {
            fd.set_nonblocking(true)?;
        }
        let outcome = call();
        if must_not {
            fd.set_nonblocking(false)?;
        }
        match outcome {
            Err(Errno::EAGAIN) if must_not => Ok(Outcome::Sleeps),
            Err(Errno::EDEADLK) if !self.real => Ok(Outcome::Sleeps),
            outcome => outcome,
        }
    }

    fn perform(&mut self, step: &Step) -> Outcome {
        self.try_perform(step).unwrap_or_else(Outcome::Refused)
    }

    fn try_perform(&mut self, step: &Step) -> Result<Outcome, Errno> {
        use Step::*;
        Ok(match *step {
            Create(new, initval, Flags(flags)) => {
                let fd = near::eventfd(self.task.sysif(), initval, EventfdFlags::from_bits_retain(flags))?;
                self.made(new, fd)
            }
            Clone(new, h) => {
                let clone = self.handle(h.0).try_clone()?;
                self.handles.insert(new.0, clone);
                Outcome::Made
            }
            Dup(new, h) => {
                let fd = self.call(nr::DUP, [self.handle(h.0).near().into()])?;
                self.made(new, FileDescriptor(fd as i32))
            }
            #[cfg(target_arch = "x86_64")]
            Dup2(from, to) => {
                let (from, to) = (self.handle(from.0).near(), self.handle(to.0).near());
                Outcome::Is(self.call(33, [from.into(), to.into()])? == to.0 as usize)
            }
            // The other architectures have no such call.
            #[cfg(not(target_arch = "x86_64"))]
            Dup2(..) => Outcome::Done,
            Dup3(from, to, Flags(flags)) => {
                let (from, to) = (self.handle(from.0).near(), self.handle(to.0).near());
                let fd = self.call(nr::DUP3, [from.into(), to.into(), flags.into()])?;
                Outcome::Is(fd == to.0 as usize)
            }
            Close(h) => {
                self.handles.remove(&h.0).expect("a program uses only open handles").close()?;
                Outcome::Done
            }
            Read(h) => self.may_sleep(h.0, || self.handle(h.0).read().map(|count| Outcome::Count(Some(count))))?,
            Write(h, Value(value)) => self.may_sleep(h.0, || self.handle(h.0).write(value).map(|()| Outcome::Done))?,
            TryRead(h) => Outcome::Count(self.handle(h.0).try_read()?),
            TryWrite(h, Value(value)) => Outcome::Is(self.handle(h.0).try_write(value)?),
            WaitNoTime(h) => Outcome::Count(self.handle(h.0).wait_timeout(Duration::ZERO)?),
            SetNonblocking(h, on) => self.handle(h.0).set_nonblocking(on).map(|()| Outcome::Done)?,
            IsNonblocking(h) => Outcome::Is(self.handle(h.0).is_nonblocking()?),
            SetCloexec(h, on) => self.handle(h.0).set_cloexec(on).map(|()| Outcome::Done)?,
            IsCloexec(h) => Outcome::Is(self.handle(h.0).is_cloexec()?),
            Fcntl(h, command, value) => {
                Outcome::Number(self.call(nr::FCNTL, [self.handle(h.0).near().into(), command.into(), value.into()])?)
            }
            Ioctl(h, command) => {
                let on = 1_i32.to_ne_bytes();
                Outcome::Number(self.call(nr::IOCTL, [self.handle(h.0).near().into(), command.into(), Arg::In(&on)])?)
            }
            Poll(events) => {
                let invalid = FileDescriptor(-1);
                let fds = self.handles.values().map(EventFd::near).chain([invalid]);
                let mut entries: Vec<_> = fds.map(|fd| PollFd { fd, events, revents: 0 }).collect();
                let ready = near::ppoll(self.task.sysif(), &mut entries, Some(Duration::ZERO.into()), None)?;
                Outcome::Ready(ready, entries.iter().map(|entry| entry.revents).collect())
            }
            RawRead(h, len) => self.may_sleep(h.0, || {
                let mut buffer = [MaybeUninit::new(UNTOUCHED); 24];
                let args = [self.handle(h.0).near().into(), Arg::Out(&mut buffer[..len]), Arg::Word(len)];
                let returned = self.call(nr::READ, args)?;
                Ok(Outcome::Bytes(returned, vec![touched(&buffer)]))
            })?,
            RawWrite(h, Value(value), len) => self.may_sleep(h.0, || {
                let mut buffer = [0; 24];
                buffer[..8].copy_from_slice(&value.to_ne_bytes());
                let args = [self.handle(h.0).near().into(), Arg::In(&buffer[..len]), Arg::Word(len)];
                self.call(nr::WRITE, args).map(Outcome::Number)
            })?,
            ReadNowhere(h, len) => self.may_sleep(h.0, || {
                let args = [self.handle(h.0).near().into(), Arg::Word(0), Arg::Word(len)];
                self.call(nr::READ, args).map(Outcome::Number)
            })?,
            WriteNowhere(h, len) => self.may_sleep(h.0, || {
                let args = [self.handle(h.0).near().into(), Arg::Word(0), Arg::Word(len)];
                self.call(nr::WRITE, args).map(Outcome::Number)
            })?,
            Readv(h, lens) => self.may_sleep(h.0, || {
                self.vector(lens, |vector, pieces| {
                    self.call(nr::READV, [self.handle(h.0).near().into(), vector, Arg::Word(pieces)])
                })
            })?,
            Preadv2(h, lens, position, flags) => {
                let call = || {
                    self.vector(lens, |vector, pieces| {
                        let (fd, position) = (self.handle(h.0).near().into(), Arg::Word(position as usize));
                        self.call(nr::PREADV2, [fd, vector, Arg::Word(pieces), position, Arg::Word(0), flags.into()])
                    })
                };
                if flags & RWF_NOWAIT != 0 { call()? } else { self.may_sleep(h.0, call)? }
            }
            Pread(h, position) => {
                let mut buffer = [MaybeUninit::new(UNTOUCHED); 24];
                let fd = self.handle(h.0).near().into();
                let args = [fd, Arg::Out(&mut buffer[..8]), Arg::Word(8), Arg::Word(position as usize)];
                let returned = self.call(nr::PREAD64, args)?;
                Outcome::Bytes(returned, vec![touched(&buffer)])
            }
            Lseek(h, whence) => {
                Outcome::Number(self.call(nr::LSEEK, [self.handle(h.0).near().into(), Arg::Word(1), whence.into()])?)
            }
            Watch(h, events) => self.epoll_ctl(1, h, events)?,
            Unwatch(h) => self.epoll_ctl(2, h, Events(0))?,
            Rewatch(h, events) => self.epoll_ctl(3, h, events)?,
            EpollWait(max) => {
                let mut memory = [0; EVENTS * EPOLL_EVENT];
                let args = [
                    self.epoll.near().into(),
                    Arg::InOut(&mut memory),
                    Arg::Word(max),
                    Arg::Word(0),
                    Arg::Word(0),
                    Arg::Word(8),
                ];
                let count = self.call(nr::EPOLL_PWAIT, args)?;
                let events = memory.chunks_exact(EPOLL_EVENT).take(count).map(|event| {
                    let events = u32::from_ne_bytes(event[..4].try_into().expect("four bytes"));
                    let data = u64::from_ne_bytes(event[EPOLL_EVENT - 8..].try_into().expect("eight bytes"));
                    (Handle(data as usize), Events(events))
                });
                Outcome::Events(events.collect())
            }
            Invalid(nr) => {
                // An `unsigned int` that no table contains, and a command that every emulator implements.
                let command = if nr == nr::IOCTL { FIOCLEX } else { 0 };
                Outcome::Number(self.call(nr, [Arg::from(-1_i32), command.into(), Arg::Word(0)])?)
            }
        })
    }

    fn epoll_ctl(&self, operation: u32, h: Handle, events: Events) -> Result<Outcome, Errno> {
        let mut event = [0; EPOLL_EVENT];
        event[..4].copy_from_slice(&events.0.to_ne_bytes());
        event[EPOLL_EVENT - 8..].copy_from_slice(&h.0.to_ne_bytes());
        let args = [self.epoll.near().into(), operation.into(), self.handle(h.0).near().into(), Arg::In(&event)];
        self.call(nr::EPOLL_CTL, args).map(Outcome::Number)
    }

    fn vector(
        &self,
        lens: [usize; 3],
        call: impl FnOnce(Arg<'_>, usize) -> Result<usize, Errno>,
    ) -> Result<Outcome, Errno> {
        let mut buffers = [[MaybeUninit::new(UNTOUCHED); 24]; 3];
        let pieces = lens.iter().position(|len| *len == 0).unwrap_or(3);
        let returned = {
            let [a, b, c] = &mut buffers;
            let [first, second, third] = lens;
            let mut vector =
                [OutSlice::new(&mut a[..first]), OutSlice::new(&mut b[..second]), OutSlice::new(&mut c[..third])];
            call(Arg::OutVec(&mut vector), pieces)?
        };
        Ok(Outcome::Bytes(returned, buffers.iter().map(|buffer| touched(buffer)).collect()))
    }
}

/// The contents of a buffer before a call.
const UNTOUCHED: u8 = 0xaa;

/// As many as fit the memory.
const EVENTS: usize = 16;

fn touched(buffer: &[MaybeUninit<u8>]) -> Vec<u8> {
    // SAFETY: every byte was initialised when the buffer was made.
    let bytes = buffer.iter().map(|byte| unsafe { byte.assume_init() });
    let len = bytes.clone().rposition(|byte| byte != UNTOUCHED).map_or(0, |last| last + 1);
    bytes.take(len).collect()
}

/// Properties of the kernel that the test runs on.
#[derive(Debug, Clone, Copy)]
struct Host {
    version: (u16, u16),
    has_preadv2: bool,
    /// Whether a bad address is detected only after the count was taken; an emulator checks first.
    loses_count_to_bad_address: bool,
}

impl Host {
    fn probe() -> Self {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted");
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse().expect("a number"));
        let version = (numbers.next().expect("a version"), numbers.next().expect("a version"));
        let fd = EventFd::new(1, EventfdFlags::NONBLOCK).expect("an eventfd");
        let nowait = near_read_nowait(&fd);
        fd.write(1).expect("room");
        // SAFETY: an address where nothing is mapped.
        let lost = unsafe { Local.syscall(nr::READ, [fd.near().into(), Arg::Word(0), Arg::Word(8)]) };
        assert_eq!(lost, Err(Errno::EFAULT));
        Self {
            version,
            has_preadv2: nowait != Err(Errno::ENOSYS),
            loses_count_to_bad_address: fd.read() == Err(Errno::EAGAIN),
        }
    }

    fn can_run(&self, step: &Step) -> bool {
        // An emulator checks first, and all the memory of the argument.
        self.loses_count_to_bad_address
            || match step {
                Step::ReadNowhere(..) | Step::WriteNowhere(..) => false,
                Step::EpollWait(events) => *events <= EVENTS,
                _ => true,
            }
    }
}

fn near_read_nowait(fd: &EventFd) -> Result<(), Errno> {
    let mut count = [MaybeUninit::uninit(); 8];
    // SAFETY: owned by the caller.
    unsafe { near::read_nowait(&Local, fd.near(), &mut count) }.map(drop)
}

/// The count without taking it, from `/proc/self/fdinfo`.
fn count(fd: &EventFd) -> u64 {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).expect("an open descriptor");
    let count = info.lines().find_map(|line| line.strip_prefix("eventfd-count:")).expect("an eventfd");
    u64::from_str_radix(count.trim(), 16).expect("hexadecimal")
}

fn same_in_both(host: Host, program: &Program) -> TestCaseResult {
    let mut storage = Storage::<64, 64, 0, 64>::new();
    let task = Kernel::new(&mut storage).with_version(host.version.0, host.version.1).into_task();
    let kernel = task.sysif();
    if !host.has_preadv2 {
        kernel.inject(Fault::error(Errno::ENOSYS).of(nr::PREADV2).always()).expect("the first fault");
    }
    let mut real = Side::new(Current, true);
    let mut fake = Side::new(&task, false);
    for step in program.steps.iter().filter(|step| host.can_run(step)) {
        let (expected, outcome) = (real.perform(step), fake.perform(step));
        if expected != outcome {
            return Err(TestCaseError::fail(format!("{step:?}: the kernel: {expected:?}, the fake: {outcome:?}")));
        }
    }
    for (index, real) in &real.handles {
        let (expected, outcome) = (count(real), kernel.count(fake.handle(*index).near()));
        if outcome != Some(expected) {
            let handle = Handle(*index);
            return Err(TestCaseError::fail(format!("{handle:?} counts {expected}, in the fake {outcome:?}")));
        }
    }
    drop((real, fake));
    if let Some(left) = kernel.descriptors().next() {
        return Err(TestCaseError::fail(format!("{left:?} is left open in the fake")));
    }
    Ok(())
}

/// Programs that failed once, kept longer than the generator's seeds.
fn found() -> Vec<Program> {
    use Step::*;
    let (a, b, both) = (Handle(0), Handle(1), Events(1 | 4 | 1 << 31));
    let last_woken_first = vec![
        Create(a, 0, Flags(0)),
        Clone(b, a),
        Watch(b, both),
        Watch(a, Events(1)),
        EpollWait(16),
        Write(a, Value(2)),
        EpollWait(16),
    ];
    let out = Events(4 | 1 << 31);
    let exclusive_woken_last = vec![
        Create(a, 0, Flags(0)),
        Clone(b, a),
        Write(a, Value(2)),
        Watch(b, out),
        Watch(a, Events(out.0 | 1 << 28)),
        EpollWait(16),
        TryRead(a),
        EpollWait(16),
    ];
    let edge = Events(1 | 1 << 31);
    let modified_keeps_its_turn = vec![
        Create(a, 0, Flags(0)),
        Clone(b, a),
        Watch(a, edge),
        Watch(b, edge),
        Rewatch(a, edge),
        Write(a, Value(1)),
        EpollWait(16),
    ];
    let modified_keeps_its_place = vec![
        Create(a, 0, Flags(0)),
        Create(b, 0, Flags(0)),
        Watch(a, edge),
        Watch(b, edge),
        Write(a, Value(1)),
        Write(b, Value(1)),
        Rewatch(a, edge),
        EpollWait(16),
    ];
    [last_woken_first, exclusive_woken_last, modified_keeps_its_turn, modified_keeps_its_place]
        .map(|steps| Program { steps })
        .into()
}

#[test]
fn programs_that_once_differed_have_the_same_outcome() {
    let host = Host::probe();
    for program in found() {
        if let Err(error) = same_in_both(host, &program) {
            panic!("{error}\n{program:?}");
        }
    }
}

#[test]
fn every_program_of_calls_has_the_same_outcome_in_the_kernel_and_the_fake() {
    let host = Host::probe();
    eprintln!("{host:?}");
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 4096;
    }
    // Thousands of steps before it stops shrinking.
    config.max_shrink_iters = 20_000;
    config.source_file = Some(file!());
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/differential.regressions"
    ))));
    match TestRunner::new(config).run(&programs(), |program| same_in_both(host, &program)) {
        Ok(()) => {}
        Err(TestError::Fail(_, program)) => {
            let program = program.shortest(|program| same_in_both(host, program).is_err());
            panic!("{}\n{program:?}", same_in_both(host, &program).unwrap_err());
        }
        Err(error) => panic!("{error}"),
    }
}

//! Random programs of calls on a few eventfds, printed as programs when they fail.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rsyscall::EventfdFlags;
use rsyscall::fake::nr;
use rsyscall::sys::epoll::{EpollEvent, EpollEvents};
use std::fmt;

/// One of the program's descriptors, by order of creation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Handle(pub usize);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u8::try_from(self.0) {
            Ok(index @ 0..26) => write!(f, "{}", char::from(b'a' + index)),
            _ => write!(f, "h{}", self.0),
        }
    }
}

/// A value to write, shown by its distance from the largest value if it is near it.
#[derive(Clone, Copy)]
pub struct Value(pub u64);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match u64::MAX - self.0 {
            0 => f.write_str("MAX"),
            below @ 1..=9 => write!(f, "MAX - {below}"),
            _ => write!(f, "{}", self.0),
        }
    }
}

/// Flags of an eventfd, shown by name.
#[derive(Clone, Copy)]
pub struct Flags(pub u32);

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = EventfdFlags::from_bits_retain(self.0);
        let names = flags.iter_names().map(|(name, _)| name.to_owned());
        let rest = Some(flags.bits() & !EventfdFlags::all().bits()).filter(|rest| *rest != 0);
        let all: Vec<_> = names.chain(rest.map(|rest| format!("{rest:#x}"))).collect();
        f.write_str(if all.is_empty() { "0".to_owned() } else { all.join(" | ") }.as_str())
    }
}

/// `EPOLLWAKEUP`, for which the crate has no name.
const WAKEUP: u32 = 1 << 29;

/// Events that epoll is requested to report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Events(pub u32);

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = EpollEvents::from_bits_retain(self.0);
        f.write_str(&flags.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join(" | "))?;
        if self.0 & WAKEUP != 0 { f.write_str(" | WAKEUP") } else { Ok(()) }
    }
}

/// One call. The first handle of those that create one is the new one.
#[derive(Debug, Clone)]
pub enum Step {
    Create(Handle, u32, Flags),
    Clone(Handle, Handle),
    Dup(Handle, Handle),
    Dup2(Handle, Handle),
    Dup3(Handle, Handle, Flags),
    Close(Handle),
    Read(Handle),
    Write(Handle, Value),
    TryRead(Handle),
    TryWrite(Handle, Value),
    WaitNoTime(Handle),
    SetNonblocking(Handle, bool),
    IsNonblocking(Handle),
    SetCloexec(Handle, bool),
    IsCloexec(Handle),
    Fcntl(Handle, u32, u32),
    Ioctl(Handle, u32),
    Poll(i16),
    RawRead(Handle, usize),
    RawWrite(Handle, Value, usize),
    ReadNowhere(Handle, usize),
    WriteNowhere(Handle, usize),
    Readv(Handle, [usize; 3]),
    Preadv2(Handle, [usize; 3], i64, u32),
    Pread(Handle, i64),
    Lseek(Handle, u32),
    Watch(Handle, Events),
    Rewatch(Handle, Events),
    Unwatch(Handle),
    EpollWait(usize),
    /// A call on the file descriptor −1.
    Invalid(usize),
}

/// The maximum of events for `epoll_pwait`: `EP_MAX_EVENTS` of `fs/eventpoll.c`.
const MAX_EVENTS: usize = i32::MAX as usize / size_of::<EpollEvent>();

const SEMAPHORE: u32 = 1;
const NONBLOCK: u32 = 0o4000;
const CLOEXEC: u32 = 0o2000000;
const KNOWN: u32 = SEMAPHORE | NONBLOCK | CLOEXEC;

#[derive(Clone)]
pub struct Program {
    pub steps: Vec<Step>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            write!(f, "\n    {step:?};")?;
        }
        Ok(())
    }
}

impl Step {
    /// The handle that it creates, if it succeeds.
    fn made(&self) -> Option<Handle> {
        match self {
            Self::Create(new, ..) | Self::Clone(new, _) | Self::Dup(new, _) => Some(*new),
            _ => None,
        }
    }

    /// The handles that it uses.
    fn used(&mut self) -> Vec<&mut Handle> {
        use Step::*;
        match self {
            Create(..) | Poll(_) | EpollWait(_) | Invalid(_) => vec![],
            Dup2(from, to) | Dup3(from, to, _) => vec![from, to],
            Clone(_, h)
            | Dup(_, h)
            | Close(h)
            | Read(h)
            | Write(h, _)
            | TryRead(h)
            | TryWrite(h, _)
            | WaitNoTime(h) => {
                vec![h]
            }
            SetNonblocking(h, _) | IsNonblocking(h) | SetCloexec(h, _) | IsCloexec(h) | Fcntl(h, ..) | Ioctl(h, _) => {
                vec![h]
            }
            RawRead(h, _) | RawWrite(h, ..) | ReadNowhere(h, _) | WriteNowhere(h, _) | Readv(h, _) => vec![h],
            Preadv2(h, ..) | Pread(h, _) | Lseek(h, _) | Watch(h, _) | Rewatch(h, _) | Unwatch(h) => vec![h],
        }
    }
}

impl Program {
    /// Replaces handles that are not open by open ones, and drops the steps if there is none.
    fn new(mut steps: Vec<Step>) -> Self {
        let (mut open, mut made) = (Vec::new(), 0);
        steps.retain_mut(|step| {
            for used in step.used() {
                if open.is_empty() {
                    return false;
                }
                *used = open[used.0 % open.len()];
            }
            match step {
                Step::Create(_, _, Flags(flags)) if *flags & !KNOWN != 0 => {}
                Step::Create(new, ..) | Step::Clone(new, _) | Step::Dup(new, _) => {
                    *new = Handle(made);
                    open.push(*new);
                    made += 1;
                }
                Step::Close(old) => open.retain(|handle| handle != old),
                _ => {}
            }
            true
        });
        Self { steps }
    }

    /// The program without one step, and without the steps that need its handle.
    fn without(&self, index: usize) -> Self {
        let mut steps = self.steps.clone();
        let removed = steps.remove(index);
        if let Some(gone) = removed.made() {
            let mut gone = vec![gone];
            steps.retain_mut(|step| {
                let stays = step.used().iter().all(|handle| !gone.contains(handle));
                if !stays {
                    gone.extend(step.made());
                }
                stays
            });
        }
        Self { steps }
    }

    /// Removes steps for as long as the program still fails. A generator's own shrinking stops earlier: when it removes
    /// a step that creates a handle, the handles of all later steps change.
    pub fn shortest(self, fails: impl Fn(&Self) -> bool) -> Self {
        let shorter = (0..self.steps.len()).map(|index| self.without(index)).find(|program| fails(program));
        match shorter {
            Some(program) => program.shortest(fails),
            None => self,
        }
    }
}

pub fn programs() -> impl Strategy<Value = Program> {
    vec(step(), 1..24).prop_map(|mut steps| {
        // A program begins with a descriptor, without which it does nothing.
        if !matches!(steps.first(), Some(Step::Create(..))) {
            steps.insert(0, Step::Create(Handle(0), 0, Flags(0)));
        }
        Program::new(steps)
    })
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let new = Just(Handle(0));
    let h = || (0_usize..6).prop_map(Handle);
    let len = || select(vec![8_usize, 0, 1, 4, 7, 9, 16, 17, 24]);
    let lens = || [piece(), piece(), piece()];
    // The order is that of simplicity: a failing program shrinks towards the first of a choice.
    prop_oneof![
        6 => h().prop_map(Read),
        8 => (h(), value()).prop_map(|(h, value)| Write(h, value)),
        4 => h().prop_map(TryRead),
        2 => h().prop_map(WaitNoTime),
        4 => (h(), value()).prop_map(|(h, value)| TryWrite(h, value)),
        6 => (new, initval(), flags()).prop_map(|(new, initval, flags)| Create(new, initval, flags)),
        3 => (new, h()).prop_map(|(new, h)| Clone(new, h)),
        2 => (new, h()).prop_map(|(new, h)| Dup(new, h)),
        1 => (h(), h()).prop_map(|(from, to)| Dup2(from, to)),
        1 => (h(), h(), select(vec![0, CLOEXEC, 1, NONBLOCK]))
            .prop_map(|(from, to, flags)| Dup3(from, to, Flags(flags))),
        3 => h().prop_map(Close),
        3 => (h(), any::<bool>()).prop_map(|(h, on)| SetNonblocking(h, on)),
        2 => h().prop_map(IsNonblocking),
        2 => (h(), any::<bool>()).prop_map(|(h, on)| SetCloexec(h, on)),
        2 => h().prop_map(IsCloexec),
        2 => (h(), fcntl()).prop_map(|(h, (command, value))| Fcntl(h, command, value)),
        1 => (h(), select(vec![0x5421, 0x5451, 0x5450, 0x5452, 0x541b])).prop_map(|(h, command)| Ioctl(h, command)),
        3 => select(vec![5_i16, 1, 4, 0, 0x40, 0x7f, -1]).prop_map(Poll),
        2 => (h(), len()).prop_map(|(h, len)| RawRead(h, len)),
        2 => (h(), value(), len()).prop_map(|(h, value, len)| RawWrite(h, value, len)),
        1 => (h(), len()).prop_map(|(h, len)| ReadNowhere(h, len)),
        1 => (h(), len()).prop_map(|(h, len)| WriteNowhere(h, len)),
        1 => (h(), lens()).prop_map(|(h, lens)| Readv(h, lens)),
        2 => (
            h(),
            lens(),
            select(vec![-1_i64, 0, 1, -2, i64::MIN]),
            select(vec![8_u32, 0, 1, 2, 4, 6, 16, 0x8000_0000]),
        )
            .prop_map(|(h, lens, position, flags)| Preadv2(h, lens, position, flags)),
        1 => (h(), select(vec![0_i64, 1, -1])).prop_map(|(h, position)| Pread(h, position)),
        1 => (h(), select(vec![0_u32, 1, 2, 3, 4, 5, u32::MAX])).prop_map(|(h, whence)| Lseek(h, whence)),
        4 => (h(), events()).prop_map(|(h, events)| Watch(h, events)),
        1 => (h(), events()).prop_map(|(h, events)| Rewatch(h, events)),
        1 => h().prop_map(Unwatch),
        6 => select(vec![16_usize, 1, 2]).prop_map(EpollWait),
        // More events than there will be, up to the maximum and beyond.
        1 => select(vec![MAX_EVENTS, MAX_EVENTS + 1, 0, i32::MAX as usize, usize::MAX]).prop_map(EpollWait),
        1 => select(vec![nr::READ, nr::WRITE, nr::CLOSE, nr::DUP, nr::FCNTL, nr::IOCTL, nr::LSEEK])
            .prop_map(Invalid),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    const MAX: u64 = u64::MAX;
    prop_oneof![
        6 => select(vec![1, 0, 2, 3, MAX - 1, MAX, MAX - 2, MAX - 3, MAX / 2, MAX / 2 + 1, 1 << 32, 1 << 63]),
        1 => any::<u64>(),
    ]
    .prop_map(Value)
}

fn initval() -> impl Strategy<Value = u32> {
    prop_oneof![4 => select(vec![0, 1, 2, 3, u32::MAX, 1 << 31]), 1 => any::<u32>()]
}

fn flags() -> impl Strategy<Value = Flags> {
    let named = [0, SEMAPHORE, NONBLOCK, CLOEXEC];
    let sets = named.iter().flat_map(|a| named.iter().map(move |b| a | b)).chain([KNOWN]).collect::<Vec<_>>();
    prop_oneof![12 => select(sets), 1 => (0_u32..32).prop_map(|bit| 1 << bit)].prop_map(Flags)
}

fn events() -> impl Strategy<Value = Events> {
    const ET: u32 = 1 << 31;
    const ONESHOT: u32 = 1 << 30;
    const EXCLUSIVE: u32 = 1 << 28;
    // The flags that an exclusive watch allows, and one that it does not.
    let with = [0, 0x8, 0x10, WAKEUP, ET, 0x2, ONESHOT, 0x2000];
    let how = prop_oneof![
        4 => select(vec![0, ET, ONESHOT, ET | ONESHOT]),
        1 => select(with.map(|with| EXCLUSIVE | with).to_vec()),
        1 => select(vec![WAKEUP, 0x2, 0x8, 0x10]),
    ];
    (select(vec![1_u32, 4, 5, 0]), how).prop_map(|(readiness, how)| Events(readiness | how))
}

/// Commands whose result does not depend on the file descriptors of the table.
fn fcntl() -> impl Strategy<Value = (u32, u32)> {
    select(vec![
        (3, 0),          // F_GETFL
        (1, 0),          // F_GETFD
        (2, 0),          // F_SETFD
        (2, 1),          // F_SETFD, FD_CLOEXEC
        (2, u32::MAX),   // F_SETFD, and all that it ignores
        (4, 0),          // F_SETFL
        (4, NONBLOCK),   // F_SETFL, O_NONBLOCK
        (4, 0o2000),     // F_SETFL, O_APPEND
        (4, KNOWN | 3),  // F_SETFL, and what it ignores
        (0, u32::MAX),   // F_DUPFD from beyond the end
        (1030, 1 << 31), // F_DUPFD_CLOEXEC from beyond the end
        (999, 0),        // no command
    ])
}

/// The length of a piece of a vector; 0 ends the vector.
fn piece() -> impl Strategy<Value = usize> {
    select(vec![8_usize, 0, 4, 1, 16])
}

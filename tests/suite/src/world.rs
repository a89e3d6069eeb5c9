//! A world: what is known of the kernel behind a task, and what cannot be asked of it.

use crate::calls;
use rsyscall::EventfdTask;
use rsyscall::sysif::SyscallError;
use rsyscall::{Errno, EventfdFlags, near};

/// Whether a world can run a kind of case; if not, the reason, which the report then gives.
pub type Can = Result<(), &'static str>;

/// A kernel's version: major and minor.
pub type Version = (u32, u32);

/// A kernel and a way to it.
///
/// A fact that is `Ok` is a claim: where it turns out to be false, cases fail; they do not skip.
#[derive(Debug, Clone)]
pub struct World<'a> {
    /// One word, for the table's head.
    pub name: &'a str,
    /// The version whose behaviour is expected.
    pub kernel: Version,
    /// How many rounds the long cases make: 100 000 where a call takes a microsecond.
    pub rounds: u32,
    /// Bad addresses are found out when the kernel comes to them, and are `EFAULT`.
    pub faults: Can,
    /// `preadv2` with `RWF_NOWAIT` reads an eventfd.
    pub nowait: Can,
    /// A count has the machine's byte order through every descriptor and call.
    pub order: Can,
    /// The clock passes, and sleeping in `ppoll` takes time.
    pub clock: Can,
    /// Nobody else opens or closes descriptors in the table meanwhile.
    pub alone: Can,
    /// Calls on an eventfd that the crate itself never makes: `dup`, `dup3`, `fcntl(F_SETFL)`, `readv`, `lseek` …
    pub beyond: Can,
    /// Descriptors of other kinds: `pipe2`, `memfd_create`.
    pub kinds: Can,
    /// Epoll.
    pub epoll: Can,
    /// `/proc` of the task's process.
    pub proc: Can,
    /// `prlimit64` of the task's process.
    pub limits: Can,
    /// `pidfd_open` and `pidfd_getfd` of the task's own process.
    pub pidfd: Can,
    /// Signals that the task's process sends itself, and that it has one thread and no children.
    pub signals: Can,
    /// The task is this process: what is not made through it is the same world, and a child that `clone` makes goes on
    /// here.
    pub here: Can,
}

impl<'a> World<'a> {
    /// The world behind a task whose calls a Linux kernel answers, directly, through an emulator or over a connection.
    ///
    /// The version is what `uname` says. What a real kernel of that version has is claimed; what an emulator may lack
    /// is tried. Wherever the task is not this process, `here` must be set to `Err` by the caller.
    pub fn of<T: EventfdTask>(task: T, name: &'a str) -> Self {
        let kernel = calls::kernel_version(task).unwrap_or((0, 0));
        let mut world = Self {
            name,
            kernel,
            rounds: 100_000,
            faults: Ok(()),
            nowait: since(kernel, (5, 8), "preadv2(RWF_NOWAIT) on an eventfd came with Linux 5.8"),
            order: Ok(()),
            clock: Ok(()),
            alone: Ok(()),
            beyond: Ok(()),
            kinds: Ok(()),
            epoll: Ok(()),
            proc: Ok(()),
            limits: Ok(()),
            pidfd: since(kernel, (5, 6), "pidfd_getfd came with Linux 5.6"),
            signals: Ok(()),
            here: Ok(()),
        };
        if !calls::can_open(task, c"/proc/self/fd") {
            world.proc = Err("/proc is not mounted");
        }
        if Self::is_emulated(task) {
            if cfg!(target_endian = "big") {
                world.order =
                    Err("qemu-user swaps bytes only in read and write of the descriptor that eventfd2 returned");
                world.nowait = world.order;
            }
            world.faults = Err("qemu-user looks at every address before anything else");
            world.limits =
                world.limits.and(tried(calls::limit(task, calls::RLIMIT_NOFILE), "the emulator has no prlimit64"));
            if let Ok(bell) = task.eventfd(1, EventfdFlags::empty()) {
                let mut count = [core::mem::MaybeUninit::uninit(); 8];
                // SAFETY: owned, so open, for as long as `bell` lives.
                let read = unsafe { near::read_nowait(task.sysif(), bell.near(), &mut count) };
                world.nowait = world.nowait.and(tried(read, "qemu-user before 10 has no preadv2"));
                world.pidfd =
                    world.pidfd.and(tried(calls::pidfd_getfd(task, bell.near()), "the emulator has no pidfd_getfd"));
            }
        } else if let Err(error) = calls::pidfd_getfd(task, near::FileDescriptor(-1)) {
            // Containers may forbid it; a bad number is what a kernel without such a policy complains of.
            if error.errno() == Some(Errno::EPERM) {
                world.pidfd = Err("a policy forbids pidfd_getfd");
            }
        }
        world
    }

    /// A kernel that is not one: only the calls that the crate makes, no addresses, and a clock that may stand still.
    pub fn fake(name: &'a str, kernel: Version) -> Self {
        const NO: Can = Err("the fake has only the calls that the crate makes");
        Self {
            name,
            kernel,
            rounds: 1_000,
            faults: Err("a fake has no addresses"),
            nowait: Ok(()),
            order: Ok(()),
            clock: Err("a fake's clock stands still"),
            alone: Ok(()),
            beyond: NO,
            kinds: NO,
            epoll: NO,
            proc: NO,
            limits: NO,
            pidfd: NO,
            signals: Ok(()),
            here: Err("a fake is not this process"),
        }
    }

    /// The same world, in which no call may be made but those that the documentation lists.
    #[must_use]
    pub fn only_documented(self) -> Self {
        const NO: Can = Err("makes calls that the documentation does not list");
        Self {
            faults: self.faults,
            beyond: NO,
            kinds: NO,
            epoll: NO,
            proc: NO,
            limits: NO,
            pidfd: NO,
            signals: NO,
            here: NO,
            ..self
        }
    }

    /// Whether an emulator answers instead of the kernel: it shows the program as `/proc/self/exe`, and itself under
    /// the other name of the same link.
    pub fn is_emulated<T: EventfdTask>(task: T) -> bool {
        let (mut told, mut real) = ([0; 256], [0; 256]);
        let told = calls::readlink(task, c"/proc/self/exe", &mut told);
        let real = calls::readlink(task, c"/proc/thread-self/exe", &mut real);
        matches!((told, real), (Ok(told), Ok(real)) if told != real)
    }

    /// Whether the kernel is at least of this version.
    pub(crate) fn since(&self, version: Version) -> bool {
        self.kernel >= version
    }
}

fn since(kernel: Version, needed: Version, reason: &'static str) -> Can {
    if kernel >= needed { Ok(()) } else { Err(reason) }
}

/// Not there is not there; any other error is the cases' to find.
fn tried<V, E: SyscallError>(result: Result<V, E>, reason: &'static str) -> Can {
    match result.err().and_then(|error| error.errno()) {
        Some(Errno::ENOSYS | Errno::EOPNOTSUPP) => Err(reason),
        _ => Ok(()),
    }
}

//! An environment: what is known of the kernel behind a task, and what cannot run there.

use crate::calls;
use rsyscall::EventfdTask;
use rsyscall::sysif::SyscallError;
use rsyscall::{Errno, EventfdFlags, near};

/// Whether an environment can run a kind of case; if not, the reason, which the report shows.
pub type Can = Result<(), &'static str>;

/// A kernel's version: major and minor.
pub type Version = (u32, u32);

/// A kernel and a way to reach it.
///
/// A fact that is `Ok` is a claim: cases fail where it is false, they are not skipped.
#[derive(Debug, Clone)]
pub struct Environment<'a> {
    /// One word, for the table's head.
    pub name: &'a str,
    /// The version whose behaviour is expected.
    pub kernel: Version,
    /// How many rounds the long cases make: 100 000 where a call takes a microsecond.
    pub rounds: u32,
    /// An access to a bad address fails with `EFAULT`, after the checks that the kernel makes before it.
    pub faults: Can,
    /// `preadv2` with `RWF_NOWAIT` reads an eventfd.
    pub nowait: Can,
    /// A count has the machine's byte order through every file descriptor and call.
    pub order: Can,
    /// The clock advances, and sleeping in `ppoll` takes time.
    pub clock: Can,
    /// Nothing else opens or closes file descriptors in the table meanwhile.
    pub alone: Can,
    /// Calls on an eventfd that the crate itself never makes: `dup`, `dup3`, `fcntl(F_SETFL)`, `readv`, `lseek` …
    pub beyond: Can,
    /// File descriptors of other kinds: `pipe2`, `memfd_create`.
    pub kinds: Can,
    /// Epoll.
    pub epoll: Can,
    /// `/proc` of the task's process.
    pub proc: Can,
    /// `prlimit64` of the task's process.
    pub limits: Can,
    /// `pidfd_open` and `pidfd_getfd` of the task's own process.
    pub pidfd: Can,
    /// The task's process sends itself signals, and has one thread and no children.
    pub signals: Can,
    /// The task is this process: calls that do not go through it reach the same environment, and a child that `clone`
    /// makes continues in this program.
    pub here: Can,
}

impl<'a> Environment<'a> {
    /// The environment behind a task whose calls a Linux kernel serves, directly, through an emulator or a connection.
    ///
    /// The version is what `uname` says. What a real kernel of that version has is claimed; what an emulator may lack
    /// is tried. If the task is not this process, the caller must set `here` to `Err`.
    pub fn of<T: EventfdTask>(task: T, name: &'a str) -> Self {
        let kernel = calls::kernel_version(task).unwrap_or((0, 0));
        let mut environment = Self {
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
            environment.proc = Err("/proc is not mounted");
        }
        if Self::is_emulated(task) {
            if cfg!(target_endian = "big") {
                environment.order =
                    Err("qemu-user swaps bytes only in read and write of the file descriptor that eventfd2 returned");
                environment.nowait = environment.order;
            }
            environment.faults = Err("qemu-user checks every address before anything else");
            environment.limits = environment
                .limits
                .and(tried(calls::limit(task, calls::RLIMIT_NOFILE), "the emulator has no prlimit64"));
            if let Ok(bell) = task.eventfd(1, EventfdFlags::empty()) {
                let mut count = [core::mem::MaybeUninit::uninit(); 8];
                // SAFETY: owned, so open, for as long as `bell` lives.
                let read = unsafe { near::read_nowait(task.sysif(), bell.near(), &mut count) };
                environment.nowait = environment.nowait.and(tried(read, "qemu-user before 10 has no preadv2"));
                environment.pidfd = environment
                    .pidfd
                    .and(tried(calls::pidfd_getfd(task, bell.near()), "the emulator has no pidfd_getfd"));
            }
        } else if let Err(error) = calls::pidfd_getfd(task, near::FileDescriptor(-1)) {
            // A container may forbid it; a kernel without such a policy fails with EBADF.
            if error.errno() == Some(Errno::EPERM) {
                environment.pidfd = Err("a policy forbids pidfd_getfd");
            }
        }
        environment
    }

    /// A fake kernel: only the calls that the crate makes, no addresses, and a clock that may stand still.
    pub fn fake(name: &'a str, kernel: Version) -> Self {
        const NO: Can = Err("the fake implements only the calls that the crate makes");
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

    /// The same environment, restricted to the calls that the documentation lists.
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

    /// Returns whether the task runs in an emulator: it shows the program as `/proc/self/exe`, and itself under the
    /// other name of the same link.
    pub fn is_emulated<T: EventfdTask>(task: T) -> bool {
        let (mut shown, mut real) = ([0; 256], [0; 256]);
        let shown = calls::readlink(task, c"/proc/self/exe", &mut shown);
        let real = calls::readlink(task, c"/proc/thread-self/exe", &mut real);
        matches!((shown, real), (Ok(shown), Ok(real)) if shown != real)
    }

    /// Returns whether the kernel is at least of this version.
    pub(crate) fn since(&self, version: Version) -> bool {
        self.kernel >= version
    }
}

fn since(kernel: Version, needed: Version, reason: &'static str) -> Can {
    if kernel >= needed { Ok(()) } else { Err(reason) }
}

/// A missing call is the reason; any other error is left for the cases to find.
fn tried<V, E: SyscallError>(result: Result<V, E>, reason: &'static str) -> Can {
    match result.err().and_then(|error| error.errno()) {
        Some(Errno::ENOSYS | Errno::EOPNOTSUPP) => Err(reason),
        _ => Ok(()),
    }
}

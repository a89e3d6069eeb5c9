//! Dispatch of system calls, and the faults applied to them.

use super::Kernel;
use super::fault::Effect;
use super::memory::Arguments;
use crate::Errno;
use crate::nr;
use crate::sysif::{Arg, Features, SyscallInterface};

// SAFETY: the call is complete when it returns: the state that its result describes is the kernel's own. Where a result
// means that bytes were written (the eight of a count, the `k` of a short transfer, a `timespec`, a `utsname`, an
// `rlimit`, as many `epoll_event`s as it counts), `Arguments::write` and similar methods have just written all of them,
// through the caller's own borrow; a borrow never outlives the call. Descriptors and addresses of a fake kernel mean
// nothing to any other, so no result can make the typed layer access memory that it does not own.
unsafe impl SyscallInterface for Kernel<'_> {
    type Error = Errno;

    unsafe fn syscall<const N: usize>(&self, nr: usize, mut args: [Arg<'_>; N]) -> Result<usize, Errno> {
        const { assert!(N <= 6, "a system call has at most six arguments") };
        self.run(nr, &mut Arguments::new(&mut args))
    }

    fn features(&self) -> Option<&Features> {
        Some(&self.known)
    }
}

impl Kernel<'_> {
    fn run(&self, nr: usize, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        let call = self.log.begin(nr, args.registers());
        self.advance(self.call_time);
        let result = match self.faults.hit(nr) {
            None => self.call(nr, args),
            Some(Effect::Short(bytes)) => self.short(nr, args, bytes),
            Some(Effect::Error(errno)) => {
                // Linux frees the file descriptor before it calls the file's `flush`, which returns these errors.
                let closed = matches!(errno, Errno::EINTR | Errno::EIO | Errno::ENOSPC | Errno::EDQUOT);
                if nr == nr::CLOSE && closed { self.close(args).and(Err(errno)) } else { Err(errno) }
            }
        };
        self.log.end(call, result);
        result
    }

    fn call(&self, nr: usize, args: &mut Arguments<'_, '_>) -> Result<usize, Errno> {
        match nr {
            nr::CLOCK_GETTIME => self.clock_gettime(args),
            nr::CLOSE => self.close(args),
            nr::DUP => self.dup(args),
            nr::DUP2_OR_NONE => self.dup2(args),
            nr::DUP3 => self.dup3(args),
            nr::EPOLL_CREATE1 => self.epoll_create1(args),
            nr::EPOLL_CTL => self.epoll_ctl(args),
            nr::EPOLL_PWAIT => self.epoll_pwait(args),
            nr::EVENTFD2 => self.eventfd2(args),
            nr::FCNTL => self.fcntl(args),
            nr::IOCTL => self.ioctl(args),
            nr::LSEEK => self.lseek(args),
            nr::PPOLL => self.ppoll(args),
            nr::PREAD64 | nr::PWRITE64 => self.positioned(args),
            nr::PREADV2 => self.preadv2(args),
            nr::PWRITEV2 => self.pwritev2(args),
            nr::PRLIMIT64 => self.prlimit64(args),
            nr::READ => self.read(args),
            nr::READV => self.readv(args, 0),
            nr::UNAME => self.uname(args),
            nr::WRITE => self.write(args),
            nr::GETPID | nr::GETTID => self.getpid(),
            nr::TGKILL => self.tgkill(args),
            nr::KILL => self.kill(args),
            nr::PIDFD_OPEN => self.pidfd_open(args),
            nr::PIDFD_SEND_SIGNAL => self.pidfd_send_signal(args),
            nr::RT_SIGACTION => self.rt_sigaction(args),
            nr::RT_SIGPROCMASK => self.rt_sigprocmask(args),
            nr::SIGNALFD4 => self.signalfd4(args),
            nr::WAITID => self.waitid(args),
            _ => Err(Errno::ENOSYS),
        }
    }

    /// Transfers `bytes` bytes, or as many as there is memory for.
    fn short(&self, nr: usize, args: &mut Arguments<'_, '_>, bytes: usize) -> Result<usize, Errno> {
        self.table.open(args.fd(0))?;
        Ok(match nr {
            nr::WRITE => bytes.min(args.word(2)).min(args.bytes(1).map_or(0, <[u8]>::len)),
            nr::READ => {
                let bytes = bytes.min(args.word(2));
                args.zero(1, bytes)
            }
            _ => args.zero(1, bytes),
        })
    }
}

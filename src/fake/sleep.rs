//! Calls that would sleep: a fake kernel has no other process that could wake them, so the test decides.

use super::Kernel;
use super::counter::Counter;
use super::table::{Kind, Open};
use crate::Errno;
use crate::near::{FileDescriptor, PollFd};
use core::time::Duration;

/// What a call that would sleep waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// A `read` (or `readv`, `preadv2`) waits until the count of this eventfd is above 0.
    Read(FileDescriptor),
    /// A `write` waits until this eventfd has room for all of the value.
    Write(FileDescriptor, u64),
    /// A `ppoll` or an `epoll_pwait` waits until one of its entries is ready.
    Poll {
        /// The first file descriptor that is polled.
        fd: Option<FileDescriptor>,
        /// When the timeout expires, on the kernel's clock; `None` is never.
        deadline: Option<Duration>,
    },
    /// A `waitid` waits until a child changes state.
    Child,
}

impl Blocked {
    /// Returns the file descriptor that the call waits for.
    #[must_use]
    pub const fn fd(self) -> Option<FileDescriptor> {
        match self {
            Self::Read(fd) | Self::Write(fd, _) => Some(fd),
            Self::Poll { fd, .. } => fd,
            Self::Child => None,
        }
    }
}

/// What ends the sleep of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A wakeup, perhaps a spurious one: the call checks again, and asks the test again if it still would sleep. A
    /// signal handler with `SA_RESTART` has the same effect on a `read` or a `write`.
    Retry,
    /// A signal handler without `SA_RESTART`: the call fails with `EINTR`.
    Interrupt,
    /// No wakeup, ever: a call with a deadline sleeps until then; one without fails with `EDEADLK`, which no eventfd of
    /// Linux returns.
    Nothing,
}

/// A function that decides what happens while a call sleeps. It may make calls of the kernel, as another process would;
/// one of them that would sleep fails with `EDEADLK`.
pub type OnBlock<'a> = &'a dyn Fn(&Kernel<'_>, Blocked) -> Wake;

impl Kernel<'_> {
    /// Asks the test what happens while the call sleeps.
    pub(super) fn sleep(&self, blocked: Blocked) -> Wake {
        self.blocked.set(Some(blocked));
        let Some(on_block) = self.on_block.take() else { return Wake::Nothing };
        let wake = on_block(self, blocked);
        self.on_block.set(Some(on_block));
        wake
    }

    /// Repeats an operation on a counter until it succeeds, sleeping in between if `may_sleep`.
    pub(super) fn attempt<R>(
        &self,
        open: Open,
        may_sleep: bool,
        blocked: Blocked,
        attempt: impl Fn(&mut Counter) -> Option<R>,
    ) -> Result<R, Errno> {
        // A sleeping call keeps the open file description, even if its last file descriptor is closed meanwhile.
        let index = open.slot.description;
        self.table.keep(index);
        let result = loop {
            let done = self.table.change(index, |description| match &mut description.kind {
                Kind::Eventfd(counter) => Ok(attempt(counter)),
                // They have neither `read` nor `write`.
                Kind::Epoll | Kind::Signalfd(_) | Kind::Pidfd(_) => Err(Errno::EINVAL),
            });
            match done.unwrap_or(Err(Errno::EBADF)) {
                Ok(Some(done)) => break Ok(done),
                Ok(None) => {}
                Err(errno) => break Err(errno),
            }
            if !may_sleep {
                break Err(Errno::EAGAIN);
            }
            match self.sleep(blocked) {
                Wake::Retry => {}
                Wake::Interrupt => break Err(Errno::EINTR),
                Wake::Nothing => break Err(Errno::EDEADLK),
            }
        };
        if result.is_ok() {
            // A read makes it writable, and a write makes it readable.
            self.wake(index, if matches!(blocked, Blocked::Read(_)) { PollFd::OUT } else { PollFd::IN });
        }
        self.table.release(index);
        result
    }
}

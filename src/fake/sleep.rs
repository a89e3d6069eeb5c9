//! Calls that would sleep: there is nobody else in a fake kernel who could wake them, so the test is asked.

use super::Kernel;
use super::counter::Counter;
use super::table::{Kind, Open};
use crate::Errno;
use crate::near::{FileDescriptor, PollFd};
use core::time::Duration;

/// What a call that cannot go on waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocked {
    /// A `read` (or `readv`, `preadv2`) waits until this eventfd counts more than 0.
    Read(FileDescriptor),
    /// A `write` waits until this eventfd has room for all of the value.
    Write(FileDescriptor, u64),
    /// A `ppoll` or an `epoll_pwait` waits until one of its entries is ready.
    Poll {
        /// The number in its first entry that has one.
        fd: Option<FileDescriptor>,
        /// When it gives up, on the kernel's clock; `None` is never.
        deadline: Option<Duration>,
    },
    /// A `waitid` waits until a child has changed.
    Child,
}

impl Blocked {
    /// The number that it waits for.
    #[must_use]
    pub const fn fd(self) -> Option<FileDescriptor> {
        match self {
            Self::Read(fd) | Self::Write(fd, _) => Some(fd),
            Self::Poll { fd, .. } => fd,
            Self::Child => None,
        }
    }
}

/// What happened while a call slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something may have changed: the call looks again, and the test is asked again if it still cannot go on. It is
    /// also what a signal handler with `SA_RESTART` does to a `read` or a `write`.
    Retry,
    /// A signal handler without `SA_RESTART` ran: the call is `EINTR`.
    Interrupt,
    /// Nothing, and nothing ever will: a `ppoll` sleeps until its deadline, a call that has none is `EDEADLK`, which no
    /// real eventfd answers.
    Nothing,
}

/// Says what happens while a call sleeps. It may use the kernel as another process would; a call of its own that would
/// sleep is `EDEADLK`.
pub type OnBlock<'a> = &'a dyn Fn(&Kernel<'_>, Blocked) -> Wake;

impl Kernel<'_> {
    /// Asks the test what happens now.
    pub(super) fn sleep(&self, blocked: Blocked) -> Wake {
        self.blocked.set(Some(blocked));
        let Some(on_block) = self.on_block.take() else { return Wake::Nothing };
        let wake = on_block(self, blocked);
        self.on_block.set(Some(on_block));
        wake
    }

    /// Repeats an attempt at a counter until it succeeds, sleeping in between unless that is not wanted.
    pub(super) fn attempt<R>(
        &self,
        open: Open,
        may_sleep: bool,
        blocked: Blocked,
        attempt: impl Fn(&mut Counter) -> Option<R>,
    ) -> Result<R, Errno> {
        // Whoever sleeps keeps the description, even if the last of its numbers is closed meanwhile.
        let index = open.slot.description;
        self.table.keep(index);
        let result = loop {
            let done = self.table.change(index, |description| match &mut description.kind {
                Kind::Eventfd(counter) => Ok(attempt(counter)),
                // It has neither `read` nor `write`.
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
            // A read makes room, and a write something to read, whatever there was before.
            self.wake(index, if matches!(blocked, Blocked::Read(_)) { PollFd::OUT } else { PollFd::IN });
        }
        self.table.release(index);
        result
    }
}

//! The server of a connection, where this process forked it: what it has claimed, and its end.

use super::page::Page;
use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, Address, FileDescriptor, PollFd, SIGKILL, Timespec, WALL, WEXITED, WNOHANG, WNOWAIT, WaitId};
use crate::sysif::Local;
use core::sync::atomic::AtomicU32;

/// How long the end of a killed process is awaited.
const END: Timespec = Timespec { seconds: 1, nanoseconds: 0 };

/// How often it is looked for where there is no better way, once in a millisecond.
const ATTEMPTS: usize = 1000;

/// Sleeps for a millisecond, and returns whether that can be done.
#[inline]
fn pause() -> bool {
    let word = AtomicU32::new(0);
    let address = Address(word.as_ptr().expose_provenance());
    let Ok(now) = near::clock_monotonic(&Local) else { return false };
    let then = now.saturating_add(Timespec { seconds: 0, nanoseconds: 1_000_000 });
    matches!(near::futex_wait(&Local, address, 0, Some(then), false), Err(Errno::ETIMEDOUT | Errno::EINTR))
}

/// What is open in this process's table for a server that shares it.
pub(super) struct SharedFds {
    /// The server's end of the stream: while it is open, the end of the server's process does not end the stream.
    pub(super) _server: OwnedFd,
    /// What the server looks at when it begins, to see whether its parent lives. It may not have looked yet.
    pub(super) _parent: OwnedFd,
}

/// A server that this process forked.
pub(super) struct Peer {
    page: Page,
    /// Readable once the process has ended. `None` where the kernel has none, and then the table is not shared.
    pidfd: Option<OwnedFd>,
    shared: Option<SharedFds>,
}

impl Peer {
    #[inline]
    pub(super) const fn new(page: Page, pidfd: Option<OwnedFd>, shared: Option<SharedFds>) -> Self {
        Self { page, pidfd, shared }
    }

    /// Readable in a poll once the process has ended.
    #[inline]
    pub(super) fn pidfd(&self) -> Option<FileDescriptor> {
        self.pidfd.as_ref().map(OwnedFd::near)
    }

    #[inline]
    pub(super) const fn page(&self) -> &Page {
        &self.page
    }

    #[inline]
    pub(super) const fn shares_table(&self) -> bool {
        self.shared.is_some()
    }

    /// From now on the server's end is only in the server's own table.
    #[inline]
    pub(super) fn unshared(&mut self) {
        self.shared = None;
    }

    /// What to poll for the end of the process, if the stream does not tell.
    #[inline]
    pub(super) fn watched(&self) -> Option<FileDescriptor> {
        if self.shares_table() { self.pidfd() } else { None }
    }

    #[inline]
    pub(super) fn kill(&self) {
        if let Some(pidfd) = &self.pidfd {
            // Ignored: it fails only for a process that has ended.
            // SAFETY: the file descriptor is ours, and so is the process.
            let _ignored = unsafe { near::pidfd_send_signal(&Local, pidfd.near(), SIGKILL) };
        }
    }

    /// Waits for at most a second for the end of the process, and returns whether it has ended. `false` too where that
    /// cannot be known.
    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        let Some(pidfd) = &self.pidfd else { return false };
        let ended = loop {
            match near::ppoll(&Local, &mut [in_entry(pidfd.near())], Some(END), None) {
                Err(Errno::EINTR) => {}
                ended => break ended,
            }
        };
        match ended {
            Ok(ready) => ready != 0,
            // Where `ppoll` fails for good it is asked for again and again.
            Err(_) => (0..ATTEMPTS).any(|_| self.is_dead() || !pause()),
        }
    }

    /// Whether the end of the process has to be watched for, and has come.
    #[inline]
    pub(super) fn is_watched_and_dead(&self) -> bool {
        self.shares_table() && self.is_dead()
    }

    #[inline]
    fn is_dead(&self) -> bool {
        let Some(pidfd) = &self.pidfd else { return false };
        let look = near::waitid(&Local, WaitId::PidFd, pidfd.as_raw_fd(), WEXITED | WNOWAIT | WNOHANG | WALL);
        matches!(look, Ok(Some(_)) | Err(Errno::ECHILD))
    }

    /// Ends the process once the stream is shut down: by itself if it is idle, and by `SIGKILL` otherwise.
    #[inline]
    pub(super) fn end(&mut self, busy: bool) {
        let ended = self.shares_table() && !busy && self.has_ended();
        if busy || (self.shares_table() && !ended) {
            self.kill();
        }
        if self.shares_table() && !ended && !self.has_ended() {
            // It may still use its end, whose number must not become another file's.
            core::mem::forget(self.shared.take());
        }
    }
}

/// An entry of a poll for readable data.
#[inline]
pub(super) const fn in_entry(fd: FileDescriptor) -> PollFd {
    PollFd { fd, events: PollFd::IN, revents: 0 }
}

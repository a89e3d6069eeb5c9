//! A server that this process forked: its shared page, and its end.

use super::page::Page;
use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, Address, FileDescriptor, PollFd, SIGKILL, Timespec, WALL, WEXITED, WNOHANG, WNOWAIT, WaitId};
use crate::sysif::Local;
use core::sync::atomic::AtomicU32;

/// How long to wait for the end of a killed process.
const END: Timespec = Timespec { seconds: 1, nanoseconds: 0 };

/// How often to check for it without `ppoll`, every millisecond.
const ATTEMPTS: usize = 1000;

/// Sleeps for a millisecond, and returns whether that is possible.
#[inline]
fn sleep_millisecond() -> bool {
    let word = AtomicU32::new(0);
    let address = Address(word.as_ptr().expose_provenance());
    let Ok(now) = near::clock_monotonic(&Local) else { return false };
    let then = now.saturating_add(Timespec { seconds: 0, nanoseconds: 1_000_000 });
    matches!(near::futex_wait(&Local, address, 0, Some(then), false), Err(Errno::ETIMEDOUT | Errno::EINTR))
}

/// File descriptors that are kept open in this process's table for a server that shares it.
pub(super) struct SharedFds {
    /// The server's end of the stream: while it is open, the stream does not end with the server's process.
    pub(super) _server: OwnedFd,
    /// The pidfd by which the server checks at its start whether its parent is alive. It may not have done so yet.
    pub(super) _parent: OwnedFd,
}

/// A server that this process forked.
pub(super) struct Peer {
    page: Page,
    /// The pidfd. `None` if the kernel does not support it; then the table is not shared.
    pidfd: Option<OwnedFd>,
    shared: Option<SharedFds>,
}

impl Peer {
    #[inline]
    pub(super) const fn new(page: Page, pidfd: Option<OwnedFd>, shared: Option<SharedFds>) -> Self {
        Self { page, pidfd, shared }
    }

    /// Returns the pidfd, readable in a poll once the process has ended.
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

    /// Records that the server's end is only in the server's own table from now on.
    #[inline]
    pub(super) fn unshared(&mut self) {
        self.shared = None;
    }

    /// Returns the pidfd if the end of the process has to be polled for: the stream does not end with it.
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

    /// Waits for at most a second for the end of the process, and returns whether it has ended. Also `false` without a
    /// pidfd.
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
            // Without `ppoll`, check repeatedly.
            Err(_) => (0..ATTEMPTS).any(|_| self.is_dead() || !sleep_millisecond()),
        }
    }

    /// Returns whether the server shares the table, and its process has ended.
    #[inline]
    pub(super) fn is_watched_and_dead(&self) -> bool {
        self.shares_table() && self.is_dead()
    }

    #[inline]
    fn is_dead(&self) -> bool {
        let Some(pidfd) = &self.pidfd else { return false };
        let ended = near::waitid(&Local, WaitId::PidFd, pidfd.as_raw_fd(), WEXITED | WNOWAIT | WNOHANG | WALL);
        matches!(ended, Ok(Some(_)) | Err(Errno::ECHILD))
    }

    /// Ends the process after the stream was shut down: an idle server ends by itself, a busy one is killed.
    #[inline]
    pub(super) fn end(&mut self, busy: bool) {
        let ended = self.shares_table() && !busy && self.has_ended();
        if busy || (self.shares_table() && !ended) {
            self.kill();
        }
        if self.shares_table() && !ended && !self.has_ended() {
            // The server may still use its end of the stream, so that file descriptor must not be reused.
            core::mem::forget(self.shared.take());
        }
    }
}

/// Returns a poll entry for readability.
#[inline]
pub(super) const fn in_entry(fd: FileDescriptor) -> PollFd {
    PollFd { fd, events: PollFd::IN, revents: 0 }
}

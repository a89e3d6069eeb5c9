//! A stream of bytes to another process: sending, receiving, until when, and whether the process lives. It knows no calls.

use super::peer::{Peer, in_entry};
use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor, MSG_DONTWAIT, MSG_NOSIGNAL, PollFd, Shutdown, Timespec};
use crate::sysif::Local;
use core::mem::MaybeUninit;
use core::time::Duration;

/// A moment of `CLOCK_MONOTONIC`, or never.
pub(super) type Deadline = Option<Timespec>;

/// Why a connection carries nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disconnect {
    /// A call took longer than its timeout.
    TimedOut,
    /// The stream or the server's process has ended.
    Ended,
    /// The bytes of the stream are not the answers to what was requested.
    OutOfStep,
    /// This end was shut down by the caller.
    Closed,
}

/// The client's end.
pub(super) struct Stream {
    fd: OwnedFd,
    peer: Option<Peer>,
}

impl Stream {
    #[inline]
    pub(super) const fn new(fd: OwnedFd, peer: Option<Peer>) -> Self {
        Self { fd, peer }
    }

    /// The server's process, if this process forked it.
    #[inline]
    pub(super) const fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    #[inline]
    pub(super) const fn peer_mut(&mut self) -> Option<&mut Peer> {
        self.peer.as_mut()
    }

    /// Whether the kernel may block in a call on the stream: nothing else has to be watched meanwhile.
    #[inline]
    fn may_block(&self, deadline: Deadline) -> bool {
        deadline.is_none() && self.peer.as_ref().is_none_or(|peer| !peer.shares_table())
    }

    /// Sends as many bytes as there is room for, and returns how many: 0 if there is none. It blocks until there is, if it is
    /// `alone` to be waited for.
    #[inline]
    pub(super) fn send(&self, bytes: &[u8], alone: bool, deadline: Deadline) -> Result<usize, Disconnect> {
        let block = alone && self.may_block(deadline);
        let flags = if block { MSG_NOSIGNAL } else { MSG_NOSIGNAL | MSG_DONTWAIT };
        // SAFETY: the stream is ours.
        match unsafe { near::sendto(&Local, self.fd.near(), bytes, flags) } {
            Ok(count) => Ok(count),
            Err(Errno::EINTR | Errno::EAGAIN) => Ok(0),
            Err(_) => Err(Disconnect::Ended),
        }
    }

    /// Sends all of a few bytes if there is room for them, and none otherwise.
    #[inline]
    pub(super) fn send_last(&self, bytes: &[u8]) {
        // Ignored: the connection ends.
        // SAFETY: the stream is ours.
        let _ignored = unsafe { near::sendto(&Local, self.fd.near(), bytes, MSG_NOSIGNAL | MSG_DONTWAIT) };
    }

    /// Blocks until something has arrived, and receives at least one byte. `flags` count where the kernel blocks.
    #[inline]
    pub(super) fn receive(
        &self,
        buffer: &mut [MaybeUninit<u8>],
        flags: u32,
        deadline: Deadline,
    ) -> Result<usize, Disconnect> {
        if buffer.is_empty() {
            // More has arrived than was ever requested.
            return Err(Disconnect::OutOfStep);
        }
        let flags = if self.may_block(deadline) { flags } else { MSG_DONTWAIT };
        loop {
            // SAFETY: the stream is ours.
            match unsafe { near::recvfrom(&Local, self.fd.near(), buffer, flags) } {
                Ok(0) => return Err(Disconnect::Ended),
                Ok(count) => return Ok(count),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    self.wait(PollFd::IN, deadline)?;
                }
                Err(_) => return Err(Disconnect::Ended),
            }
        }
    }

    /// Blocks until the stream is ready, and returns for what; 0 for a spurious wakeup.
    #[cold]
    #[inline]
    pub(super) fn wait(&self, events: i16, deadline: Deadline) -> Result<i16, Disconnect> {
        let left = deadline.map(|deadline| deadline.checked_sub(now()).unwrap_or(Timespec::ZERO));
        let watched = self.peer.as_ref().and_then(Peer::watched).unwrap_or(FileDescriptor(-1));
        let mut entries = [PollFd { fd: self.fd.near(), events, revents: 0 }, in_entry(watched)];
        let ready = near::ppoll(&Local, &mut entries, left, None);
        let [stream, process] = entries;
        match ready {
            Err(Errno::EINTR) => Ok(0),
            Err(_) => Err(Disconnect::Ended),
            Ok(0) => Err(Disconnect::TimedOut),
            // What the process sent before it ended is still received.
            Ok(_) if stream.revents & events & PollFd::IN != 0 => Ok(stream.revents),
            Ok(_) if process.revents != 0 => Err(Disconnect::Ended),
            Ok(_) => Ok(stream.revents),
        }
    }

    #[inline]
    pub(super) fn shutdown(&self, how: Shutdown) {
        // Ignored: it fails only where the other end is gone, which is what is wanted.
        // SAFETY: the stream is ours.
        let _ignored = unsafe { near::shutdown(&Local, self.fd.near(), how) };
    }
}

#[inline]
pub(super) fn now() -> Timespec {
    // It does not fail; if a policy forbids it, every deadline has passed.
    near::clock_monotonic(&Local).unwrap_or(Timespec::from(Duration::MAX))
}

/// The moment that is `timeout` from now.
#[inline]
pub(super) fn deadline_after(timeout: Duration) -> Timespec {
    now().saturating_add(timeout.into())
}

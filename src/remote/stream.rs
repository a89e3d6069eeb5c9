//! A stream of bytes to another process: sending, receiving, until when, and whether the process lives. It knows no
//! calls.

use super::disconnect::Disconnect;
use super::peer::{Peer, in_entry};
use crate::Errno;
pub(super) use crate::deadline::Deadline as Moment;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, PollFd, Shutdown, Timespec};
use crate::sys::socket::{Received, recv_fd};
use crate::sysif::Local;
use core::mem::MaybeUninit;
use core::time::Duration;

/// A moment, or never.
pub(super) type Deadline = Option<Moment>;

/// The client's end.
pub(super) struct Stream {
    fd: OwnedFd,
    peer: Option<Peer>,
    /// Whether a receive that blocks ends by itself before the timeout of a call that begins now.
    armed: bool,
    /// Whether the deadline that comes next is that of a call which has just begun, and the socket is armed for it.
    fresh: bool,
}

/// The shortest timeout that is left to the socket, which counts in ticks of up to 10 ms.
const TEN_TICKS: Duration = Duration::from_millis(100);

impl Stream {
    #[inline]
    pub(super) const fn new(fd: OwnedFd, peer: Option<Peer>) -> Self {
        Self { fd, peer, armed: false, fresh: false }
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

    /// Prepares for calls with this timeout: with `SO_RCVTIMEO`, a receive that is in time needs no `ppoll` before it.
    ///
    /// The socket is up to an eighth too late, so it is armed with three quarters of the timeout; `ppoll` does the
    /// rest.
    #[inline]
    pub(super) fn set_timeout(&mut self, timeout: Option<Duration>) {
        let timeout = timeout.filter(|timeout| *timeout >= TEN_TICKS && self.watched().is_none());
        if !self.armed && timeout.is_none() {
            return;
        }
        let all = timeout.map_or(0, |timeout| i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX));
        let early = all.wrapping_sub(all / 4);
        let (seconds, microseconds) = (early / 1_000_000, early % 1_000_000);
        // Refused, each receive is preceded by a `ppoll`.
        // SAFETY: the stream is ours.
        let set = unsafe { near::set_receive_timeout(&Local, self.fd.near(), seconds, microseconds) };
        self.armed = set.is_ok() && timeout.is_some();
    }

    /// Returns when a call that begins now must be answered.
    #[inline]
    pub(super) fn begin(&mut self, timeout: Option<Duration>) -> Deadline {
        self.fresh = self.armed;
        timeout.map(deadline_after)
    }

    /// Prepares for a wait with a deadline of its own.
    #[inline]
    pub(super) const fn begin_wait(&mut self) {
        self.fresh = false;
    }

    /// What has to be polled besides the stream.
    #[inline]
    fn watched(&self) -> Option<FileDescriptor> {
        self.peer.as_ref().and_then(Peer::watched)
    }

    /// Sends as many bytes as there is room for, and returns how many: 0 if there is none. It blocks until there is, if
    /// it is `alone` to be waited for.
    #[inline]
    pub(super) fn send(&self, bytes: &[u8], alone: bool, deadline: Deadline) -> Result<usize, Disconnect> {
        let block = alone && deadline.is_none() && self.watched().is_none();
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
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        flags: u32,
        deadline: Deadline,
    ) -> Result<usize, Disconnect> {
        if buffer.is_empty() {
            // More has arrived than was ever requested.
            return Err(Disconnect::OutOfStep);
        }
        // The kernel may block in the receive itself if it wakes in time, and nothing else has to be watched meanwhile.
        // With a timeout it is armed for all of a call, and so can only count for the first receive.
        let fresh = core::mem::replace(&mut self.fresh, false);
        let block = (fresh || deadline.is_none()) && self.watched().is_none();
        let mut flags = if block { flags } else { MSG_DONTWAIT };
        loop {
            // SAFETY: the stream is ours.
            match unsafe { near::recvfrom(&Local, self.fd.near(), buffer, flags) } {
                Ok(0) => return Err(Disconnect::Ended),
                Ok(count) => return Ok(count),
                // Repeated, it would block for all of the timeout again.
                Err(Errno::EINTR) if deadline.is_some() => flags = MSG_DONTWAIT,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    self.wait(PollFd::IN, deadline)?;
                }
                Err(_) => return Err(Disconnect::Ended),
            }
        }
    }

    /// Blocks until something has arrived, and receives it with the file descriptor that comes with it. Returns how
    /// many bytes there were, the file descriptor, and whether one came with them, be it lost or not.
    #[inline]
    pub(super) fn receive_fd(
        &self,
        buffer: &mut [MaybeUninit<u8>],
        deadline: Deadline,
    ) -> Result<(usize, Option<OwnedFd>, bool), Disconnect> {
        loop {
            if self.wait(PollFd::IN, deadline)? == 0 {
                continue;
            }
            match recv_fd(&self.fd, buffer) {
                Ok(Received { bytes: [], .. }) => return Err(Disconnect::Ended),
                Ok(Received { bytes, fd, truncated }) => {
                    let came = truncated || fd.is_some();
                    return Ok((bytes.len(), fd, came));
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(_) => return Err(Disconnect::Ended),
            }
        }
    }

    /// Blocks until the stream is ready, and returns for what; 0 for a spurious wakeup.
    #[cold]
    #[inline]
    pub(super) fn wait(&self, events: i16, deadline: Deadline) -> Result<i16, Disconnect> {
        let left = deadline.map(|deadline| deadline.remaining(&Local).unwrap_or(None).unwrap_or(Timespec::ZERO));
        let watched = self.watched();
        let mut entries =
            [PollFd { fd: self.fd.near(), events, revents: 0 }, in_entry(watched.unwrap_or(FileDescriptor(-1)))];
        let ready = near::ppoll(&Local, &mut entries, left, None);
        let [stream, process] = entries;
        match ready {
            Err(Errno::EINTR) => Ok(0),
            Err(_) => self.wait_without_poll(events, left),
            Ok(0) => Err(Disconnect::TimedOut),
            // What the process sent before it ended is still received.
            Ok(_) if stream.revents & events & PollFd::IN != 0 => Ok(stream.revents),
            Ok(_) if process.revents != 0 => Err(Disconnect::Ended),
            Ok(_) => Ok(stream.revents),
        }
    }

    /// Waits as [`wait`](Self::wait) does where `ppoll` fails for good: with `EINVAL` if `RLIMIT_NOFILE` is 0 or 1, or
    /// because of a seccomp filter. A receive blocks, takes nothing, and is limited by `SO_RCVTIMEO`.
    ///
    /// Returns 0 or `POLLOUT` after at most a slice in which nothing arrived. Where the socket cannot be given a limit
    /// either, deadlines are not kept.
    #[cold]
    #[inline]
    fn wait_without_poll(&self, events: i16, left: Option<Timespec>) -> Result<i16, Disconnect> {
        /// Between two looks at the deadline, at the process, and at room in the stream.
        const SLICE: Timespec = Timespec { seconds: 0, nanoseconds: 10_000_000 };
        if left == Some(Timespec::ZERO) {
            return Err(Disconnect::TimedOut);
        }
        let slice = left.unwrap_or(SLICE).min(SLICE);
        // Rounded up: zero is no limit.
        let microseconds = slice.nanoseconds.wrapping_div(1000).wrapping_add(1);
        // SAFETY: the stream is ours, and each receive and send that must not block says so.
        let blocking = unsafe { near::set_nonblocking(&Local, self.fd.near(), false) };
        // SAFETY: the stream is ours.
        let limited = unsafe { near::set_receive_timeout(&Local, self.fd.near(), 0, microseconds) };
        let mut byte = [MaybeUninit::uninit()];
        // SAFETY: the stream is ours.
        match unsafe { near::recvfrom(&Local, self.fd.near(), &mut byte, MSG_PEEK) } {
            Ok(_) => Ok(PollFd::IN),
            Err(Errno::EINTR) => Ok(0),
            Err(Errno::EAGAIN) if self.peer.as_ref().is_some_and(Peer::is_watched_and_dead) => Err(Disconnect::Ended),
            Err(Errno::EAGAIN) if left == Some(slice) => Err(Disconnect::TimedOut),
            // It has waited.
            Err(Errno::EAGAIN) if blocking.is_ok() && limited.is_ok() => Ok(events & PollFd::OUT),
            Err(_) => Err(Disconnect::Ended),
        }
    }

    #[inline]
    pub(super) fn shutdown(&self, how: Shutdown) {
        // Ignored: it fails only where the other end is gone, which is what is wanted.
        // SAFETY: the stream is ours.
        let _ignored = unsafe { near::shutdown(&Local, self.fd.near(), how) };
    }
}

/// The moment that is `timeout` from now. The clock does not fail; if a policy forbids it, every deadline has passed.
#[inline]
pub(super) fn deadline_after(timeout: Duration) -> Moment {
    Moment::after(&Local, timeout).unwrap_or(Moment::PAST)
}

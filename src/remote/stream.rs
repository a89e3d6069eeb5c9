//! A byte stream to another process: sending and receiving with deadlines, and detection of the end of the process.

use super::disconnect::Disconnect;
use super::peer::{Peer, in_entry};
use crate::Errno;
use crate::deadline;
use crate::fd::OwnedFd;
use crate::near::{self, FileDescriptor, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_PEEK, PollFd, Shutdown, Timespec};
use crate::sys::socket::{Received, recv_fd};
use crate::sysif::Local;
use core::mem::MaybeUninit;
use core::time::Duration;

/// A deadline, or none.
pub(super) type Deadline = Option<Moment>;

/// When a call times out.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) enum Moment {
    At(deadline::Deadline),
    /// So long after the start of the call. The clock is not read before the socket has blocked for a tick, so it is up
    /// to two ticks later.
    Within(Duration),
}

impl Moment {
    /// A moment that has passed.
    pub(super) const PAST: Self = Self::At(deadline::Deadline::PAST);
}

/// The client's end.
pub(super) struct Stream {
    fd: OwnedFd,
    peer: Option<Peer>,
    /// Whether `SO_RCVTIMEO` ends a blocking receive before the timeout of a call that begins now.
    armed: bool,
    /// The deadline of the current call, if its timeout was given and the clock was read.
    current: Option<deadline::Deadline>,
    /// Whether the next deadline is that of a call that has just begun, and the socket is armed for it.
    fresh: bool,
}

/// The shortest timeout for which `SO_RCVTIMEO` is used: it counts in ticks of up to 10 ms.
const TEN_TICKS: Duration = Duration::from_millis(100);

/// `SO_RCVTIMEO`, in microseconds: a tick, as the kernel rounds it up. It expires within two.
const TICK: i64 = 1000;

impl Stream {
    #[inline]
    pub(super) const fn new(fd: OwnedFd, peer: Option<Peer>) -> Self {
        Self { fd, peer, armed: false, current: None, fresh: false }
    }

    /// Returns the server's process, if this process forked it.
    #[inline]
    pub(super) const fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    #[inline]
    pub(super) const fn peer_mut(&mut self) -> Option<&mut Peer> {
        self.peer.as_mut()
    }

    /// Prepares for calls with this timeout: with `SO_RCVTIMEO`, a receive within a tick needs neither a `ppoll` before
    /// it nor the clock.
    ///
    /// `SO_RCVTIMEO` expires up to an eighth too late, so it is set to a tick; `ppoll` waits for the rest.
    #[inline]
    pub(super) fn set_timeout(&mut self, timeout: Option<Duration>) {
        let arm = timeout.is_some_and(|timeout| timeout >= TEN_TICKS) && self.watched().is_none();
        if self.armed == arm {
            return;
        }
        // If it fails, each receive is preceded by a `ppoll`.
        // SAFETY: the stream is ours.
        let set = unsafe { near::set_receive_timeout(&Local, self.fd.near(), 0, if arm { TICK } else { 0 }) };
        self.armed = set.is_ok() && arm;
    }

    /// Returns the deadline of a call that begins now.
    #[inline]
    pub(super) fn begin(&mut self, timeout: Option<Duration>) -> Deadline {
        self.fresh = self.armed;
        self.current = None;
        timeout.map(|timeout| if self.armed { Moment::Within(timeout) } else { deadline_after(timeout) })
    }

    /// Returns the deadline as a moment on the clock.
    #[inline]
    pub(super) fn fix(&mut self, deadline: Deadline) -> Deadline {
        deadline.map(|moment| Moment::At(self.on_clock(moment)))
    }

    /// Returns the moment on the clock, which is read once for a call.
    #[cold]
    #[inline]
    fn on_clock(&mut self, moment: Moment) -> deadline::Deadline {
        match moment {
            Moment::At(deadline) => deadline,
            Moment::Within(timeout) => *self.current.get_or_insert_with(|| from_now(timeout)),
        }
    }

    /// Prepares for a wait with a separate deadline.
    #[inline]
    pub(super) const fn begin_wait(&mut self) {
        self.fresh = false;
    }

    /// Returns the file descriptor to poll besides the stream.
    #[inline]
    fn watched(&self) -> Option<FileDescriptor> {
        self.peer.as_ref().and_then(Peer::watched)
    }

    /// Sends as many bytes as fit, and returns how many; 0 if there is no room. With `alone` it may block instead:
    /// nothing has to be received meanwhile.
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

    /// Sends a few bytes if there is room for them, without blocking.
    #[inline]
    pub(super) fn send_last(&self, bytes: &[u8]) {
        // Ignored: the connection ends.
        // SAFETY: the stream is ours.
        let _ignored = unsafe { near::sendto(&Local, self.fd.near(), bytes, MSG_NOSIGNAL | MSG_DONTWAIT) };
    }

    /// Blocks until data has arrived, and receives at least one byte. `flags` are used where the receive itself blocks.
    #[inline]
    pub(super) fn receive(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        flags: u32,
        deadline: Deadline,
    ) -> Result<usize, Disconnect> {
        if buffer.is_empty() {
            // More has arrived than was requested.
            return Err(Disconnect::OutOfStep);
        }
        // The receive itself may block if it returns in time, and nothing else has to be polled meanwhile.
        // Nothing but the first receive of a call may block for a tick without the clock.
        let fresh = core::mem::replace(&mut self.fresh, false);
        let block = (fresh || deadline.is_none()) && self.watched().is_none();
        let mut flags = if block { flags } else { MSG_DONTWAIT };
        loop {
            // SAFETY: the stream is ours.
            match unsafe { near::recvfrom(&Local, self.fd.near(), buffer, flags) } {
                Ok(0) => return Err(Disconnect::Ended),
                Ok(count) => return Ok(count),
                // A blocking retry would start the tick again.
                Err(Errno::EINTR) => {
                    if let Some(deadline) = deadline {
                        self.on_clock(deadline);
                        flags = MSG_DONTWAIT;
                    }
                }
                Err(Errno::EAGAIN) => {
                    self.wait(PollFd::IN, deadline)?;
                }
                Err(_) => return Err(Disconnect::Ended),
            }
        }
    }

    /// Blocks until data has arrived, and receives it with a file descriptor that is attached to it. Returns the number
    /// of bytes, the file descriptor, and whether one was attached, even if it was lost.
    #[inline]
    pub(super) fn receive_fd(
        &mut self,
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
                    let attached = truncated || fd.is_some();
                    return Ok((bytes.len(), fd, attached));
                }
                Err(Errno::EINTR | Errno::EAGAIN) => {}
                Err(_) => return Err(Disconnect::Ended),
            }
        }
    }

    /// Blocks until the stream is ready, and returns the events; 0 for a spurious wakeup.
    #[cold]
    #[inline]
    pub(super) fn wait(&mut self, events: i16, deadline: Deadline) -> Result<i16, Disconnect> {
        let left = deadline
            .map(|deadline| self.on_clock(deadline).remaining(&Local).unwrap_or(None).unwrap_or(Timespec::ZERO));
        let watched = self.watched();
        let mut entries =
            [PollFd { fd: self.fd.near(), events, revents: 0 }, in_entry(watched.unwrap_or(FileDescriptor(-1)))];
        let ready = near::ppoll(&Local, &mut entries, left, None);
        let [stream, process] = entries;
        match ready {
            Err(Errno::EINTR) => Ok(0),
            Err(_) => self.wait_without_poll(events, left),
            Ok(0) => Err(Disconnect::TimedOut),
            // Data that the process sent before it ended is still received.
            Ok(_) if stream.revents & events & PollFd::IN != 0 => Ok(stream.revents),
            Ok(_) if process.revents != 0 => Err(Disconnect::Ended),
            Ok(_) => Ok(stream.revents),
        }
    }

    /// Waits as [`wait`](Self::wait) does where `ppoll` always fails: with `EINVAL` if `RLIMIT_NOFILE` is 0 or 1, or
    /// because of a seccomp filter. It uses a blocking receive with `MSG_PEEK`, limited by `SO_RCVTIMEO`.
    ///
    /// Returns 0 or `POLLOUT` after at most a slice without data. If `SO_RCVTIMEO` cannot be set either, deadlines are
    /// ignored.
    #[cold]
    #[inline]
    fn wait_without_poll(&self, events: i16, left: Option<Timespec>) -> Result<i16, Disconnect> {
        /// The interval of checks for the deadline, the process, and room in the stream.
        const SLICE: Timespec = Timespec { seconds: 0, nanoseconds: 10_000_000 };
        if left == Some(Timespec::ZERO) {
            return Err(Disconnect::TimedOut);
        }
        let slice = left.unwrap_or(SLICE).min(SLICE);
        // Rounded up: zero is no timeout.
        let microseconds = slice.nanoseconds.wrapping_div(1000).wrapping_add(1);
        // SAFETY: the stream is ours, and each receive and send that must not block has `MSG_DONTWAIT`.
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
            // The slice has passed.
            Err(Errno::EAGAIN) if blocking.is_ok() && limited.is_ok() => Ok(events & PollFd::OUT),
            Err(_) => Err(Disconnect::Ended),
        }
    }

    #[inline]
    pub(super) fn shutdown(&self, how: Shutdown) {
        // Ignored: it fails only if the stream has ended already.
        // SAFETY: the stream is ours.
        let _ignored = unsafe { near::shutdown(&Local, self.fd.near(), how) };
    }
}

/// Returns the moment that is `timeout` from now.
#[inline]
pub(super) fn deadline_after(timeout: Duration) -> Moment {
    Moment::At(from_now(timeout))
}

/// If a seccomp filter forbids the clock, every deadline has passed.
#[inline]
fn from_now(timeout: Duration) -> deadline::Deadline {
    deadline::Deadline::after(&Local, timeout).unwrap_or(deadline::Deadline::PAST)
}

//! The client's end: a stream, and what is known of the server behind it.

use super::inbox::Inbox;
use crate::Errno;
use crate::fd::OwnedFd;
use crate::near::{self, Address, FileDescriptor, MSG_DONTWAIT, MSG_NOSIGNAL, PollFd, SIGKILL, Shutdown, Timespec};
use crate::sysif::{Error, Features, Local};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::time::Duration;

/// A process that serves system calls at the other end of a stream.
///
/// It is a [`SyscallInterface`](crate::sysif::SyscallInterface): a [`Task`](crate::Task) made of it makes and uses
/// descriptors there. One call is one round trip, memory included. Any thread may hold it, one at a time; a thread that has
/// other work meanwhile uses a [`Pipeline`](super::Pipeline).
///
/// # What can go wrong
///
/// * [`Error::Os`]: that process's kernel refused the call. The connection goes on. (If there is no scratch space for a
///   call's memory, it is the refusal of the `mmap` that asked for some, or of the `recvfrom` or `sendto` that would move it.)
/// * [`Error::NotSent`]: the call was certainly not executed.
/// * [`Error::Hangup`]: the answer will never come: the process ended, or the stream did, or its bytes make no sense. The
///   call may have been executed.
///
/// After either of the last two every further call is [`Error::NotSent`].
///
/// A call waits for as long as the other process takes. A call that must not wait for ever is given a limit with
/// [`set_timeout`](Self::set_timeout), or goes through a pipeline.
pub struct Connection {
    pub(super) stream: OwnedFd,
    /// The server's number for its end, in its own table.
    server: FileDescriptor,
    open: Cell<bool>,
    /// Whether what has arrived can still be told apart.
    in_step: Cell<bool>,
    timeout: Cell<Option<Duration>>,
    inbox: RefCell<Inbox>,
    /// How many bytes, of those that have arrived and those to come, are answers to a pipeline.
    pub(super) owed: Cell<usize>,
    /// How many bytes, before all others, are answers that nobody waits for any more.
    pub(super) unwanted: Cell<usize>,
    /// Whether a pipeline exists.
    pub(super) piped: Cell<bool>,
    pub(super) scratch: Cell<Scratch>,
    pub(super) shared: Option<Shared>,
    known: Features,
}

/// Memory of the other process through which arguments travel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch {
    pub(super) address: usize,
    pub(super) len: usize,
    /// Whether this client asked for it, and so gives it back.
    pub(super) mapped: bool,
    /// Whether the server is known to move memory when asked.
    pub(super) proved: bool,
}

/// What a client keeps of a server that shares its descriptor table: the end of such a server does not end the stream,
/// for the table still holds its end.
pub(super) struct Shared {
    /// The server's end.
    pub(super) server: OwnedFd,
    /// Readable once the server's process has ended.
    pub(super) alive: OwnedFd,
}

/// Why nothing more comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// It took longer than the caller wanted to wait.
    Late,
    /// The stream or the process has ended.
    Ended,
    /// The stream's bytes are not the answers to what was asked.
    OutOfStep,
}

/// A moment of `CLOCK_MONOTONIC`, or never.
pub(super) type Deadline = Option<Timespec>;

impl Connection {
    /// A connection over a stream at whose other end a server of the format waits, such as [`serve`](super::serve) or the
    /// original's. `server` is the server's own number for its end, through which memory is moved.
    ///
    /// Scratch space is asked for when the first call with memory is made (4096 bytes, more when a call needs more).
    ///
    /// System calls: none.
    ///
    /// # Safety
    ///
    /// The stream is a connected stream socket, and its other end a server of the format on a machine of this architecture
    /// that answers truthfully: what it answers is believed as the kernel's word is. Nobody else uses this end.
    #[inline]
    pub unsafe fn from_stream(stream: OwnedFd, server: FileDescriptor) -> Self {
        Self::new(stream, server, Scratch { address: 0, len: 0, mapped: false, proved: false }, None)
    }

    #[inline]
    pub(super) const fn new(stream: OwnedFd, server: FileDescriptor, scratch: Scratch, shared: Option<Shared>) -> Self {
        Self {
            stream,
            server,
            open: Cell::new(true),
            in_step: Cell::new(true),
            timeout: Cell::new(None),
            inbox: RefCell::new(Inbox::new()),
            owed: Cell::new(0),
            unwanted: Cell::new(0),
            piped: Cell::new(false),
            scratch: Cell::new(scratch),
            shared,
            known: Features::new(),
        }
    }

    /// The number of the stream in this process: readable in a poll when an answer has arrived, or when the stream has ended.
    /// Answers that were read ahead are not seen there: ask [`Pipeline::try_complete`](super::Pipeline::try_complete) first.
    #[inline]
    pub fn as_raw_fd(&self) -> i32 {
        self.stream.as_raw_fd()
    }

    /// The server's number for its end, in its own table: readable there when a request waits. A process that sleeps in a
    /// poll of its own, and not in the server's loop, adds it to what it polls.
    #[doc(alias = "get_activity_fd")]
    #[inline]
    pub fn activity_fd(&self) -> FileDescriptor {
        self.server
    }

    /// Whether calls can still be made, as far as is known.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.open.get()
    }

    /// Limits how long a call waits for its answer; `None`, as in the beginning, is for ever.
    ///
    /// A call that takes longer is [`Error::Hangup`] and ends the connection: nobody can say what the late answer would mean.
    /// To wait for a limited time and go on, use a [`Pipeline`](super::Pipeline). Pipelines have limits of their own.
    #[inline]
    pub fn set_timeout(&self, timeout: Option<Duration>) {
        self.timeout.set(timeout);
    }

    /// Ends the sending direction: what was submitted is still answered, then the server ends. Further calls are
    /// [`Error::NotSent`].
    ///
    /// System calls: `shutdown`.
    #[doc(alias = "shutdown")]
    #[inline]
    pub fn finish(&self) {
        self.open.set(false);
        self.shut(Shutdown::Write);
    }

    /// Ends the stream: what was submitted and not answered is [`Error::Hangup`], further calls are [`Error::NotSent`].
    ///
    /// System calls: `shutdown`.
    #[doc(alias = "close_interface")]
    #[inline]
    pub fn shutdown(&self) {
        self.open.set(false);
        self.shut(Shutdown::Both);
    }

    #[inline]
    fn shut(&self, how: Shutdown) {
        // Ignored: it fails only where the other end is gone, which is what is wanted.
        // SAFETY: the stream is ours.
        let _ignored = unsafe { near::shutdown(&Local, self.stream.near(), how) };
    }

    #[inline]
    pub(super) fn features(&self) -> &Features {
        &self.known
    }

    #[inline]
    pub(super) fn server(&self) -> FileDescriptor {
        self.server
    }

    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// From now on the server's end is only in the server's own table.
    #[inline]
    pub(super) fn unshared(&mut self) {
        self.shared = None;
    }

    #[inline]
    pub(super) fn inbox(&self) -> Option<core::cell::RefMut<'_, Inbox>> {
        // Never `None`: no code of the caller runs while it is borrowed.
        self.inbox.try_borrow_mut().ok()
    }

    /// When a call that begins now must be answered.
    #[inline]
    pub(super) fn deadline(&self) -> Deadline {
        self.timeout.get().map(deadline_after)
    }

    #[inline]
    pub(super) fn is_in_step(&self) -> bool {
        self.in_step.get()
    }

    #[inline]
    pub(super) fn has_scratch(&self, len: usize) -> bool {
        let scratch = self.scratch.get();
        len == 0 || (len <= scratch.len && scratch.proved)
    }

    /// Nothing more is sent, and nothing more believed if it is out of step.
    #[cold]
    #[inline]
    pub(super) fn break_off(&self, why: Gone) {
        if why == Gone::OutOfStep {
            self.in_step.set(false);
        }
        self.shutdown();
    }

    /// The error of a call of which the kernel took `sent` bytes, when the call's own request ends at byte `end`.
    #[cold]
    #[inline]
    pub(super) fn lost(&self, why: Gone, sent: usize, end: usize) -> Error {
        let executed = sent >= end && !(why == Gone::Ended && self.is_left_unread(sent, end));
        self.break_off(why);
        if executed { Error::Hangup } else { Error::NotSent }
    }

    /// Whether a server that has ended never read all of the request.
    ///
    /// Only where it shared its table can we look: its end of the stream is then still here.
    #[inline]
    fn is_left_unread(&self, sent: usize, end: usize) -> bool {
        let Some(shared) = &self.shared else { return false };
        if near::ppoll(&Local, &mut [in_entry(shared.alive.near())], Some(Timespec::ZERO), None) != Ok(1) {
            return false;
        }
        // SAFETY: it is ours.
        let unread = unsafe { near::bytes_available(&Local, shared.server.near()) };
        unread.is_ok_and(|unread| sent.saturating_sub(unread as usize) < end)
    }
}

impl Drop for Connection {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            self.shutdown();
            let idle = self.owed.get() == 0 && self.unwanted.get() == 0;
            shared.end(idle);
            return;
        }
        let scratch = self.scratch.get();
        if !scratch.mapped || !self.open.get() {
            return;
        }
        // A server that goes on after us would keep the scratch space for ever. The request is left with it, for it may be
        // busy with something that never ends; what it answers is nobody's business any more.
        let request = super::Request { nr: crate::nr::MUNMAP, args: [scratch.address, scratch.len, 0, 0, 0, 0] };
        // SAFETY: the stream is ours.
        let _ignored =
            unsafe { near::sendto(&Local, self.stream.near(), &request.to_bytes(), MSG_NOSIGNAL | MSG_DONTWAIT) };
    }
}

impl Shared {
    /// Ends the server's process, whose stream has ended: only then may the number of its end, which is also ours, be closed
    /// and used for something else.
    #[inline]
    fn end(&self, idle: bool) {
        /// An idle server ends as soon as it runs; this is for one that is stopped or was given more to do by others.
        const GRACE: Timespec = Timespec { seconds: 1, nanoseconds: 0 };
        let ended = |time| near::ppoll(&Local, &mut [in_entry(self.alive.near())], time, None);
        let mut answer = if idle { Err(Errno::EINTR) } else { Ok(0) };
        while answer == Err(Errno::EINTR) {
            answer = ended(Some(GRACE));
        }
        if answer == Ok(1) {
            return;
        }
        // SAFETY: ours, and so is the process.
        let _ignored = unsafe { near::pidfd_send_signal(&Local, self.alive.near(), SIGKILL) };
        while ended(None) == Err(Errno::EINTR) {}
    }
}

impl fmt::Debug for Connection {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.as_raw_fd())
            .field("open", &self.is_open())
            .field("scratch", &Address(self.scratch.get().address))
            .finish_non_exhaustive()
    }
}

#[inline]
pub(super) const fn in_entry(fd: FileDescriptor) -> PollFd {
    PollFd { fd, events: PollFd::IN, revents: 0 }
}

#[inline]
pub(super) fn now() -> Timespec {
    // It does not fail; if a policy forbids it, every deadline has come.
    near::clock_monotonic(&Local).unwrap_or(Timespec::from(Duration::MAX))
}

#[inline]
pub(super) fn deadline_after(time: Duration) -> Timespec {
    now().saturating_add(time.into())
}

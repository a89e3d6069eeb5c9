//! The client's end as an interface.

use super::answers::Answers;
use super::disconnect::Disconnect;
use super::exchange::Exchange;
use super::layout::ARGS;
use super::peer::Peer;
use super::scratch::Scratch;
use super::stream::Stream;
use crate::fd::OwnedFd;
use crate::near::FileDescriptor;
use crate::sys::pollable::PolledFd;
use crate::sys::pollable::sealed::Own;
use crate::sysif::{Arg, Error, Features, SyscallInterface};
use crate::task::Current;
use core::cell::{Cell, RefCell, RefMut};
use core::fmt;
use core::time::Duration;

/// A process that serves system calls at the other end of a stream.
///
/// It is a [`SyscallInterface`]: a [`Task`](crate::Task) made of it makes and uses file descriptors there. One call is
/// one round trip, memory included. Any thread may hold it, one at a time; a thread that has other work meanwhile uses
/// a [`Pipeline`](super::Pipeline).
///
/// Its system calls in this process, for a seccomp filter:
/// [`nr::used_by::CONNECTION`](crate::nr::used_by::CONNECTION), or for a forked server
/// [`nr::used_by::FORK`](crate::nr::used_by::FORK).
///
/// # Errors
///
/// * [`Error::Os`]: the kernel of that process refused the call. The connection goes on. (Without scratch space for a
///   call's memory, it is the refusal of the `mmap` that requested some, or of the `recvfrom` or `sendto` that would
///   move it.)
/// * [`Error::NotSent`]: the call was certainly not executed, and never will be.
/// * [`Error::Hangup`]: the answer will never come: the process or the stream ended, a timeout expired, or the bytes of
///   the stream make no sense. The call may have been executed, and may still be in execution.
///
/// After either of the last two every further call is [`Error::NotSent`].
///
/// A [forked](super::fork()) server counts the requests that it begins to execute in memory that it shares with this
/// process. So even for a call whose request has reached it, `NotSent` is certain, and `Hangup` means that it had
/// begun.
///
/// A child that this process makes in another way, such as libc's `fork`, must neither use nor drop its copy of such a
/// connection: that memory is not mapped there.
///
/// A call blocks for as long as the other process takes. A call that must not block for ever is given a limit with
/// [`set_timeout`](Self::set_timeout), or goes through a pipeline.
pub struct Connection {
    exchange: RefCell<Exchange>,
    /// This process's file descriptor for its end.
    client: FileDescriptor,
    /// The server's file descriptor for its end, in its own table.
    server: FileDescriptor,
    timeout: Cell<Option<Duration>>,
    features: Features,
}

impl Connection {
    /// Makes a connection of a stream at whose other end a server of the format waits, such as [`serve`](super::serve)
    /// or the original's. `server` is the server's own file descriptor for its end, through which memory is moved.
    ///
    /// Scratch space is requested when the first call with memory is made (4096 bytes, more when a call needs more).
    ///
    /// System calls: none.
    ///
    /// # Safety
    ///
    /// The stream is a connected stream socket, and its other end a server of the format on a machine of this
    /// architecture that answers truthfully: what it answers is believed as the kernel's word is. Nothing else uses
    /// this end.
    ///
    /// If the server uses a file descriptor table that tasks of this process share (such as a server in a thread of
    /// this process), no timeout is set, and no call is given up otherwise: a call that was given up is still made, and
    /// by then its file descriptors may belong to other owners.
    #[inline]
    pub unsafe fn from_stream(stream: OwnedFd, server: FileDescriptor) -> Self {
        Self::new(stream, server, Scratch::NONE, None)
    }

    #[inline]
    pub(super) fn new(stream: OwnedFd, server: FileDescriptor, scratch: Scratch, peer: Option<Peer>) -> Self {
        let client = stream.near();
        let answers = Answers::new(Stream::new(stream, peer));
        Self {
            exchange: RefCell::new(Exchange::new(answers, scratch, server)),
            client,
            server,
            timeout: Cell::new(None),
            features: Features::new(),
        }
    }

    /// Returns the file descriptor of the stream in this process: readable in a poll when an answer has arrived, or
    /// when the stream has ended. Answers that were read ahead are not seen there: call
    /// [`Pipeline::try_complete`](super::Pipeline::try_complete) first.
    ///
    /// It is for polling only. Whatever sends or receives on it makes calls in the other process that no owner there
    /// knows of: that is why the connection has no `AsFd`.
    #[inline]
    pub fn as_raw_fd(&self) -> i32 {
        self.client.0
    }

    /// Returns the server's file descriptor for its end, in its own table: readable there when a request waits. A
    /// process that blocks in a poll of its own, and not in the server's loop, adds it to what it polls.
    #[doc(alias = "get_activity_fd")]
    #[inline]
    pub fn activity_fd(&self) -> FileDescriptor {
        self.server
    }

    /// Returns whether calls can still be made, as far as is known.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.exchange.try_borrow().is_ok_and(|exchange| exchange.is_open())
    }

    /// Limits how long a call waits for its answer; `None`, as in the beginning, is for ever.
    ///
    /// When it expires the connection ends, for what the late answer would mean is unknown. The call is
    /// [`Error::NotSent`] if a forked server had not begun to execute it, and [`Error::Hangup`] otherwise. To wait for
    /// a limited time and go on, use a [`Pipeline`](super::Pipeline); pipelines have limits of their own.
    ///
    /// It limits each call, not each method: one that makes several calls (a `wait_timeout` there, the first call with
    /// memory, [`Task::exec`](crate::Task::exec)) may take as many times as long.
    ///
    /// A server that shares this process's file descriptor table and has begun to execute the call is killed, and its
    /// end awaited for at most a second: the call could otherwise find another owner's file descriptors. If it has not
    /// ended by then (it may be in an uninterruptible sleep), no file descriptor of its task is closed any more.
    ///
    /// System calls: `setsockopt` for a timeout of at least 100 ms, and for the first shorter one or `None` after it.
    #[inline]
    pub fn set_timeout(&self, timeout: Option<Duration>) {
        self.timeout.set(timeout);
        if let Some(mut exchange) = self.exchange() {
            exchange.set_timeout(timeout);
        }
    }

    /// Ends the sending direction: what was submitted is still answered, then the server ends. Further calls are
    /// [`Error::NotSent`].
    ///
    /// System calls: `shutdown`.
    #[doc(alias = "shutdown")]
    #[inline]
    pub fn finish(&self) {
        if let Some(mut exchange) = self.exchange() {
            exchange.finish();
        }
    }

    /// Ends the stream: what was submitted and not answered is [`Error::Hangup`], or [`Error::NotSent`] where a forked
    /// server had not begun to execute it; further calls are [`Error::NotSent`].
    ///
    /// System calls: `shutdown`; `pidfd_send_signal` and `ppoll` for a server that shares this process's file
    /// descriptor table and is busy: it is killed.
    #[doc(alias = "close_interface")]
    #[inline]
    pub fn shutdown(&self) {
        if let Some(mut exchange) = self.exchange() {
            exchange.abort(Disconnect::Closed);
        }
    }

    /// Obtains scratch space for calls whose memory is at most `len` bytes, so that no later call has to.
    ///
    /// System calls: there, `mmap` (and `munmap` of smaller scratch space), `sendto`, `recvfrom`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EPERM` where a [`Policy`](super::Policy) does not allow `mmap`, `sendto` or `recvfrom`.
    /// [`Error::NotSent`].
    #[inline]
    pub fn reserve_scratch(&self, len: usize) -> Result<(), Error> {
        let Some(mut exchange) = self.exchange() else { return Err(Error::NotSent) };
        exchange.check()?;
        let deadline = exchange.begin(self.timeout());
        exchange.reserve(len.max(1), deadline)
    }

    #[inline]
    pub(super) fn exchange(&self) -> Option<RefMut<'_, Exchange>> {
        // Never `None`: no code of the caller runs while it is borrowed.
        self.exchange.try_borrow_mut().ok()
    }

    #[inline]
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.timeout.get()
    }

    #[inline]
    pub(super) const fn server(&self) -> FileDescriptor {
        self.server
    }

    /// From now on the server's end is only in the server's own table.
    #[inline]
    pub(super) fn unshared(&mut self) {
        self.exchange.get_mut().unshared();
    }
}

// SAFETY: the other process's kernel answers, and its server was vouched for when the connection was made. Of memory
// that a call writes all bytes are copied before the call returns, and nothing touches it afterwards. The stream orders
// what happened before a request before what the request does, and that before what follows its answer.
unsafe impl SyscallInterface for Connection {
    type Error = Error;

    #[inline]
    unsafe fn syscall<const N: usize>(&self, nr: usize, args: [Arg<'_>; N]) -> Result<usize, Error> {
        const { assert!(N <= ARGS, "a system call has at most six arguments") };
        let mut args = args;
        let Some(mut exchange) = self.exchange() else { return Err(Error::NotSent) };
        let deadline = exchange.begin(self.timeout());
        match words(&args) {
            Some(words) => exchange.call_words(nr, words, deadline),
            None => exchange.call(nr, &mut args, deadline),
        }
    }

    #[inline]
    fn features(&self) -> Option<&Features> {
        Some(&self.features)
    }

    #[inline]
    fn may_still_execute(&self) -> bool {
        self.exchange.try_borrow().is_ok_and(|exchange| exchange.is_stray())
    }
}

/// The arguments of a call without memory; unused ones are 0.
#[inline]
fn words(args: &[Arg<'_>]) -> Option<[usize; ARGS]> {
    let mut words = [0; ARGS];
    for (word, arg) in words.iter_mut().zip(args) {
        let Arg::Word(value) = arg else { return None };
        *word = *value;
    }
    Some(words)
}

impl Drop for Connection {
    #[inline]
    fn drop(&mut self) {
        self.exchange.get_mut().end();
    }
}

impl fmt::Debug for Connection {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.as_raw_fd())
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

/// It can be waited for; the stream itself is lent to nobody.
impl Own<Current> for Connection {
    #[inline]
    fn number(&self) -> PolledFd<'_> {
        PolledFd::current(FileDescriptor(self.as_raw_fd()))
    }
}

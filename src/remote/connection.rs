//! The client's end of a stream, as a system call interface.

use super::disconnect::Disconnect;
use super::exchange::Exchange;
use super::layout::ARGS;
use super::peer::Peer;
use super::responses::Responses;
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
/// It is a [`SyscallInterface`]: a [`Task`](crate::Task) with it creates and uses file descriptors in that process. One
/// call is one round trip, memory included. It is `Send` but not `Sync`. To do other work during a call, use a
/// [`Pipeline`](super::Pipeline).
///
/// Its system calls in this process, for a seccomp filter:
/// [`nr::used_by::CONNECTION`](crate::nr::used_by::CONNECTION), or for a forked server
/// [`nr::used_by::FORK`](crate::nr::used_by::FORK).
///
/// # Errors
///
/// * [`Error::Os`]: the call failed in that process. The connection stays usable. (If there is no scratch space for a
///   call's memory, the error is that of the `mmap` that would allocate some, or of the `recvfrom` or `sendto` that
///   would transfer the memory.)
/// * [`Error::NotSent`]: the call was not executed, and never will be.
/// * [`Error::Hangup`]: the response will never arrive: the process or the stream ended, a timeout expired, or the
///   stream has invalid data. The call may have been executed, and may still be executing.
///
/// After `NotSent` or `Hangup`, each further call fails with [`Error::NotSent`].
///
/// A [forked](super::fork()) server counts the requests that it starts to execute in memory that it shares with this
/// process. So for a forked server `NotSent` is exact even for a request that the server has received, and `Hangup`
/// means that the execution had started.
///
/// A child that this process creates in another way, such as libc's `fork`, must neither use nor drop its copy of such
/// a connection: that memory is not mapped there.
///
/// A call blocks for as long as the other process takes. To limit that, use [`set_timeout`](Self::set_timeout) or a
/// pipeline.
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
    /// Creates a connection from a stream whose peer is a server of the [format](super#format), such as
    /// [`serve`](super::serve()) or the Python library's. `server` is the server's own file descriptor of its end,
    /// through which memory is transferred.
    ///
    /// The first call with memory allocates scratch space (4096 bytes, more when a call needs more).
    ///
    /// System calls: none.
    ///
    /// # Safety
    ///
    /// The stream is a connected stream socket, and its peer a server of the format on this architecture whose
    /// responses are true: they are trusted as the kernel's return values are. Nothing else uses this end.
    ///
    /// If the server uses a file descriptor table that tasks of this process share (such as a server in a thread of
    /// this process), no timeout is set, and no call is abandoned otherwise: an abandoned call is still executed, and
    /// by then its file descriptors may belong to other owners.
    #[inline]
    pub unsafe fn from_stream(stream: OwnedFd, server: FileDescriptor) -> Self {
        Self::new(stream, server, Scratch::NONE, None)
    }

    #[inline]
    pub(super) fn new(stream: OwnedFd, server: FileDescriptor, scratch: Scratch, peer: Option<Peer>) -> Self {
        let client = stream.near();
        let responses = Responses::new(Stream::new(stream, peer));
        Self {
            exchange: RefCell::new(Exchange::new(responses, scratch, server)),
            client,
            server,
            timeout: Cell::new(None),
            features: Features::new(),
        }
    }

    /// Returns the file descriptor of the stream in this process: readable in a poll when a response has arrived, or
    /// when the stream has ended.
    ///
    /// Responses that were read ahead do not make it readable: call
    /// [`Pipeline::try_complete`](super::Pipeline::try_complete) first.
    ///
    /// It is for polling only. The connection has no `AsFd`, because sending on the stream executes calls in the other
    /// process, without regard to the owners there.
    #[inline]
    pub fn as_raw_fd(&self) -> i32 {
        self.client.0
    }

    /// Returns the server's file descriptor of its end, in the server's table. It is readable there when a request has
    /// arrived: a server with its own event loop polls it.
    #[doc(alias = "get_activity_fd")]
    #[inline]
    pub fn activity_fd(&self) -> FileDescriptor {
        self.server
    }

    /// Returns whether the connection is usable: it has neither failed nor been shut down.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.exchange.try_borrow().is_ok_and(|exchange| exchange.is_open())
    }

    /// Sets how long a call waits for its response; `None`, the default, waits without limit.
    ///
    /// When the timeout expires the connection is aborted, because a late response could not be told from a later one.
    /// The call fails with [`Error::NotSent`] if a forked server had not started to execute it, and with
    /// [`Error::Hangup`] otherwise. To wait for a limited time and keep the connection, use a
    /// [`Pipeline`](super::Pipeline), which has its own timeouts.
    ///
    /// The timeout applies to each system call, not to each method: a method that makes several calls (a `wait_timeout`
    /// there, the first call with memory, [`Task::exec`](crate::Task::exec)) may take a multiple of it.
    ///
    /// A server that shares this process's file descriptor table and has started to execute the call is killed, and its
    /// end is waited for, at most a second: otherwise the call could use reused file descriptors. If the server has not
    /// ended by then (it may be in an uninterruptible sleep), no file descriptor of its task is closed any more.
    ///
    /// One case remains. A file descriptor that another task owns may be [lent](crate::fd::OwnedFd::for_task) to the
    /// server, or passed to a call of it (`dup3`, `Epoll`). Its owner can still close it, and it may be reused when the
    /// late call looks it up. That requires a call that was in the kernel when the server was killed (a killed process
    /// begins no further call), and that has not looked the file descriptor up a second later. `read`, `write`,
    /// `preadv2`, `dup3`, `fcntl` and `ioctl` look it up first: before they can sleep they hold the open file
    /// description and no longer depend on the file descriptor. `epoll_ctl` copies its event first, and may sleep if
    /// that is not in memory; `ppoll` looks up again when it wakes, but changes nothing. So the case is a server that
    /// got no processor for that second, or waited for memory, between the first instructions of its call.
    ///
    /// A timeout of at least 100 ms may expire two ticks of the kernel's timer too late (2 to 20 ms, mostly 8): the
    /// clock is read only if the response takes longer than a tick, or if a signal handler runs.
    ///
    /// System calls: `setsockopt` for the first timeout of at least 100 ms, and for the first shorter one or `None`
    /// after it.
    #[inline]
    pub fn set_timeout(&self, timeout: Option<Duration>) {
        self.timeout.set(timeout);
        if let Some(mut exchange) = self.exchange() {
            exchange.set_timeout(timeout);
        }
    }

    /// Shuts down sending: the server still responds to submitted calls, then it ends. Further calls fail with
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

    /// Shuts down the stream: pending calls fail with [`Error::Hangup`], or with [`Error::NotSent`] if a forked server
    /// had not started to execute them. Further calls fail with [`Error::NotSent`].
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

    /// Allocates scratch space for calls with at most `len` bytes of memory, so that later calls need not.
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
        // It is never `None`: no code of the caller runs while it is borrowed.
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

    /// Records that the server's end is only in the server's own table from now on.
    #[inline]
    pub(super) fn unshared(&mut self) {
        self.exchange.get_mut().unshared();
    }
}

// SAFETY: the return values are those of the other process's kernel: each constructor's contract covers the server. Of
// memory that a call writes all bytes are copied before the call returns, and nothing accesses it afterwards. The
// stream orders what happened before a request before what the request does, and that before what follows its response.
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
        self.exchange.try_borrow().is_ok_and(|exchange| exchange.may_still_execute())
    }
}

/// Returns the arguments of a call without memory; unused ones are 0.
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

/// It can be polled; the stream itself is not borrowed out.
impl Own<Current> for Connection {
    #[inline]
    fn number(&self) -> PolledFd<'_> {
        PolledFd::current(FileDescriptor(self.as_raw_fd()))
    }
}

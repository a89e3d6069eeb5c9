//! The server: a loop that executes requests.
//!
//! It does not allocate, use a thread-local or take a lock, so it may run in a forked child of a multi-threaded
//! process.

use super::policy::Policy;
use super::wire::{REQUEST, Request, response_to_bytes};
use crate::arch::syscall6;
use crate::fd::OwnedFd;
use crate::near::{
    self, MSG_NOSIGNAL, MSG_WAITALL, PollFd, SIG_BLOCK, SIG_UNBLOCK, SIGPIPE, SIGURG, SignalAction, SignalSet,
};
use crate::nr;
use crate::sysif::Local;
use crate::{Errno, near::FileDescriptor};
use core::fmt;
use core::mem::MaybeUninit;

/// Why a server ended, other than by the end of the stream between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServeError {
    /// The stream ended inside a request, which was not executed.
    Truncated,
    /// The client closed the stream before it received the response. The call was executed.
    Vanished,
    /// A transfer of memory to this process was incomplete, or the policy did not allow it. The following bytes of the
    /// stream may be the rest of that memory, so they are not executed as requests.
    OutOfStep,
    /// The stream is nonblocking, and `ppoll` fails with this error.
    ///
    /// `EINVAL`: `RLIMIT_NOFILE` is 0. `EPERM`, `ENOSYS`: a seccomp filter.
    Wait(Errno),
    /// An operation on the stream failed: it is not a stream socket, or no longer open.
    Os(Errno),
}

impl fmt::Display for ServeError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the stream ended inside a request"),
            Self::Vanished => f.write_str("the client closed the stream before it received the response"),
            Self::OutOfStep => f.write_str("a transfer of memory was incomplete, or refused by the policy"),
            Self::Wait(errno) => write!(f, "the stream cannot be polled: {errno}"),
            Self::Os(errno) => errno.fmt(f),
        }
    }
}

impl core::error::Error for ServeError {
    #[inline]
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Truncated | Self::Vanished | Self::OutOfStep => None,
            Self::Wait(errno) | Self::Os(errno) => Some(errno),
        }
    }
}

/// Equal if a call failed with this errno.
impl PartialEq<Errno> for ServeError {
    #[inline]
    fn eq(&self, errno: &Errno) -> bool {
        matches!(self, Self::Wait(os) | Self::Os(os) if os == errno)
    }
}

/// Executes the system calls that arrive on `stream`, one after the other, in this process, until the stream ends.
///
/// It reads exactly one request at a time, so a readable stream means that a request has arrived. Waiting for a request
/// and transferring memory are restarted after a signal handler; a requested call that is interrupted fails with
/// `EINTR`.
///
/// A client that closes the stream does not kill it: if `SIGPIPE` has its default action, this function blocks the
/// signal for this thread, except during a requested `execve`, and discards a pending one before it returns. It does
/// not change the signal's action, which is that of the whole process.
///
/// The stream's file descriptor is set to `CLOEXEC` first, so that a client detects the success of a requested
/// `execve`.
///
/// System calls: `fcntl(F_SETFD)`, `rt_sigaction`, `recvfrom`, `sendto`; `ppoll` if the stream is nonblocking;
/// `rt_sigprocmask`, `rt_sigtimedwait` if `SIGPIPE` has its default action; and what is requested.
///
/// For a seccomp filter: [`nr::used_by::SERVE`](crate::nr::used_by::SERVE), and what is requested.
///
/// ```
/// use rsyscall::fd::OwnedFd;
/// use rsyscall::remote::{self, Policy, Request};
/// use std::io::{Read, Write};
/// use std::os::{fd::IntoRawFd, unix::net::UnixStream};
///
/// let (mut client, server) = UnixStream::pair()?;
/// let server = std::thread::spawn(|| {
///     // SAFETY: std has released the file descriptor.
///     let stream = unsafe { OwnedFd::from_raw_fd(server.into_raw_fd()) };
///     // SAFETY: the client is the code below.
///     unsafe { remote::serve(&stream, Policy::Everything) }
/// });
/// client.write_all(&Request { nr: rsyscall::nr::GETPID, args: [0; 6] }.to_bytes())?;
/// let mut response = [0; 8];
/// client.read_exact(&mut response)?;
/// assert_eq!(remote::response_from_bytes(response), std::process::id() as usize);
/// drop(client);
/// assert_eq!(server.join().unwrap(), Ok(()));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Those of [`ServeError`]. If the client shuts down only its sending direction, its requests are executed, their
/// responses sent, and there is no error.
///
/// # Safety
///
/// The client can do whatever this process can, to its memory too: it must only request what is sound. A [`Policy`]
/// catches mistakes; it is no security boundary, which seccomp is. The client must not request `clone` or `fork`: that
/// creates a second server on the same stream, and either of the two may receive a request.
#[inline]
pub unsafe fn serve(stream: &OwnedFd, policy: Policy<'_>) -> Result<(), ServeError> {
    let blocked = BlockedPipeSignal::new();
    // SAFETY: sound by the caller's contract for the client.
    unsafe { serve_claimed(stream, policy, || true, &blocked) }
}

/// Serves as [`serve`] does, with `SIGPIPE` `blocked` or ignored, and executes only requests that it can claim: `claim`
/// is called once for each request that was received, and ends the server if it returns `false`.
///
/// # Safety
///
/// As [`serve`].
#[inline]
pub(super) unsafe fn serve_claimed(
    stream: &OwnedFd,
    policy: Policy<'_>,
    claim: impl Fn() -> bool,
    blocked: &BlockedPipeSignal,
) -> Result<(), ServeError> {
    stream.set_cloexec(true).map_err(ServeError::Os)?;
    let fd = stream.near();
    while let Some(request) = receive_request(fd)? {
        if !claim() {
            return Err(ServeError::Vanished);
        }
        // An executed program must not inherit the blocked signal.
        let program = matches!(request.nr, nr::EXECVE | nr::EXECVEAT);
        if program {
            blocked.unblock();
        }
        let ret = if policy.allows(request.nr) {
            // SAFETY: sound by the caller's contract for the client.
            unsafe { execute(fd, request) }?
        } else {
            Errno::EPERM.into_ret()
        };
        if program {
            blocked.block();
        }
        send_response(fd, ret)?;
        let [_, _, len, ..] = request.args;
        if is_own_receive(fd, &request) && len != 0 && ret != len {
            return Err(ServeError::OutOfStep);
        }
    }
    Ok(())
}

/// Installs a handler for `SIGURG`, so that the signal ([`Child::interrupt`](super::Child::interrupt)) interrupts calls
/// of this process. A forked child has it already; this is for a server that was started otherwise.
///
/// It replaces the action of `SIGURG` for the whole process. The handler runs on the alternate signal stack of a thread
/// that has one.
///
/// System calls: `rt_sigaction`.
///
/// # Errors
///
/// None without a seccomp filter.
#[inline]
pub fn install_interrupt_handler() -> Result<(), Errno> {
    /// It does nothing: its only purpose is to interrupt calls.
    #[inline]
    extern "C" fn nothing(_signal: i32) {}
    // SAFETY: a function that does nothing may run at any moment; it returns by the kernel's own protocol.
    unsafe { near::set_signal_action(&Local, SIGURG, SignalAction::handler(nothing)) }
}

/// `SIGPIPE`, blocked for this thread while this value lives, if it would kill the process.
pub(super) struct BlockedPipeSignal(bool);

impl BlockedPipeSignal {
    const SET: SignalSet = SignalSet::EMPTY.with(SIGPIPE);
    /// For a process that ignores it.
    pub(super) const IGNORED: Self = Self(false);

    #[inline]
    fn new() -> Self {
        if !near::signal_action(&Local, SIGPIPE).is_ok_and(|action| action.is_default()) {
            return Self::IGNORED;
        }
        // If it cannot be blocked it stays unblocked.
        // SAFETY: no code relies on being killed.
        let before = unsafe { near::change_signal_mask(&Local, SIG_BLOCK, Self::SET) };
        Self(before.is_ok_and(|before| !before.contains(SIGPIPE)))
    }

    #[inline]
    fn block(&self) {
        if self.0 {
            // Ignored: the same call has worked before.
            // SAFETY: as in `new`.
            let _ignored = unsafe { near::change_signal_mask(&Local, SIG_BLOCK, Self::SET) };
        }
    }

    /// Discards pending signals, and unblocks the signal.
    #[inline]
    fn unblock(&self) {
        if self.0 {
            // None was pending before it was blocked, or it would have killed the process. At most two are pending now:
            // one for the thread, one for the process.
            while near::take_pending_signal(&Local, Self::SET).is_ok() {}
            // Ignored: the same call has worked before. The rest of the mask may have been changed on request.
            // SAFETY: the signal was unblocked before.
            let _ignored = unsafe { near::change_signal_mask(&Local, SIG_UNBLOCK, Self::SET) };
        }
    }
}

impl Drop for BlockedPipeSignal {
    #[inline]
    fn drop(&mut self) {
        self.unblock();
    }
}

/// Receives a request, or `None` at the end of the stream.
#[inline]
fn receive_request(fd: FileDescriptor) -> Result<Option<Request>, ServeError> {
    let mut bytes = [MaybeUninit::<u8>::uninit(); REQUEST];
    let mut filled = 0_usize;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        // SAFETY: the stream is open for as long as it is served. `WAITALL`: one call also for a request that arrives
        // in parts.
        match unsafe { near::recvfrom(&Local, fd, room, MSG_WAITALL) } {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(ServeError::Truncated),
            Ok(count) => filled = filled.saturating_add(count),
            Err(errno) => recover(fd, errno, PollFd::IN)?,
        }
    }
    // SAFETY: the loop ends only when every byte is written.
    Ok(Some(Request::from_bytes(unsafe { core::mem::transmute::<[MaybeUninit<u8>; REQUEST], [u8; REQUEST]>(bytes) })))
}

#[inline]
fn send_response(fd: FileDescriptor, ret: usize) -> Result<(), ServeError> {
    let bytes = response_to_bytes(ret);
    let mut left = bytes.as_slice();
    while !left.is_empty() {
        // SAFETY: the stream is open for as long as it is served.
        match unsafe { near::sendto(&Local, fd, left, MSG_NOSIGNAL) } {
            Ok(count) => left = left.get(count..).unwrap_or_default(),
            Err(errno) => recover(fd, errno, PollFd::OUT)?,
        }
    }
    Ok(())
}

/// Handles an error of the stream: returns to retry, waits, or fails.
#[inline]
fn recover(fd: FileDescriptor, errno: Errno, events: i16) -> Result<(), ServeError> {
    match errno {
        Errno::EINTR => Ok(()),
        Errno::EAGAIN => wait(fd, events),
        Errno::EPIPE | Errno::ECONNRESET => Err(ServeError::Vanished),
        errno => Err(ServeError::Os(errno)),
    }
}

/// Waits until the stream is ready, or a signal handler has run. The caller retries, and gets any error of the stream.
#[inline]
fn wait(fd: FileDescriptor, events: i16) -> Result<(), ServeError> {
    match near::ppoll(&Local, &mut [PollFd { fd, events, revents: 0 }], None, None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(ServeError::Wait(errno)),
    }
}

/// Executes the call, and returns its raw return value.
///
/// # Safety
///
/// The call is sound to make.
#[inline]
unsafe fn execute(stream: FileDescriptor, request: Request) -> Result<usize, ServeError> {
    let Request { nr, args } = request;
    let [a, b, c, d, e, f] = args;
    // A client transfers memory with these two calls on the stream, which would be out of step if a signal handler
    // interrupted the transfer.
    if is_own_receive(stream, &request) {
        // SAFETY: sound by the caller's contract for the address and the length.
        return unsafe { transfer_all(stream, nr, args, 0) };
    }
    if nr == nr::SENDTO && is_stream(stream, a) {
        // SAFETY: sound by the caller's contract for the address and the length.
        return unsafe { transfer_all(stream, nr, args, MSG_NOSIGNAL as usize) };
    }
    // SAFETY: sound by the caller's contract for the call.
    Ok(unsafe { syscall6(nr, a, b, c, d, e, f) })
}

/// Returns whether the bytes after the request are memory for it.
#[inline]
fn is_own_receive(stream: FileDescriptor, request: &Request) -> bool {
    let [fd, _, _, flags, ..] = request.args;
    request.nr == nr::RECVFROM && flags & MSG_WAITALL as usize != 0 && is_stream(stream, fd)
}

/// Returns whether a word is the stream's file descriptor: the kernel ignores the upper 32 bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "as the kernel does")]
#[inline]
const fn is_stream(stream: FileDescriptor, word: usize) -> bool {
    word as i32 == stream.0
}

/// Transfers all the bytes of a `recvfrom` or `sendto` on the stream, restarting after signal handlers.
///
/// # Safety
///
/// The call is sound to make.
#[inline]
unsafe fn transfer_all(
    stream: FileDescriptor,
    nr: usize,
    args: [usize; 6],
    more_flags: usize,
) -> Result<usize, ServeError> {
    let [fd, address, len, flags, e, f] = args;
    let mut moved = 0_usize;
    loop {
        let (here, left) = (address.wrapping_add(moved), len.saturating_sub(moved));
        // SAFETY: part of what the caller's contract covers.
        let ret = unsafe { syscall6(nr, fd, here, left, flags | more_flags, e, f) };
        match Errno::from_ret(ret) {
            Ok(0) => return Ok(moved),
            Ok(count) => moved = moved.saturating_add(count),
            Err(Errno::EINTR) => {}
            // With `MSG_DONTWAIT` it is returned.
            Err(Errno::EAGAIN) if flags & near::MSG_DONTWAIT as usize == 0 => {
                wait(stream, if nr == nr::RECVFROM { PollFd::IN } else { PollFd::OUT })?;
            }
            // After a partial transfer its length is returned.
            Err(_) if moved != 0 => return Ok(moved),
            Err(_) => return Ok(ret),
        }
        if moved >= len {
            return Ok(moved);
        }
    }
}

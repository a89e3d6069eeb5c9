//! The server: a loop that does what it is told.
//!
//! It allocates nothing, uses no thread-local and takes no lock, so it may run in a child of a process with many
//! threads.

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

/// Why a server ended, when not by the end of the stream between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServeError {
    /// The stream ended inside a request: the request was not executed.
    Truncated,
    /// The client was gone before it received the answer: the call was executed.
    Vanished,
    /// Memory that was on its way to this process did not arrive as a whole, or was refused by the policy: what follows
    /// on the stream may be the rest of it, and is not taken for requests.
    OutOfStep,
    /// The stream is nonblocking, and it cannot be waited for: `ppoll` fails with this error.
    ///
    /// `EINVAL`: `RLIMIT_NOFILE` is 0. `EPERM`, `ENOSYS`: a seccomp filter.
    Wait(Errno),
    /// The stream does not work: it is no stream socket, or no longer open.
    Os(Errno),
}

impl fmt::Display for ServeError {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the stream ended inside a request"),
            Self::Vanished => f.write_str("the client was gone before it was answered"),
            Self::OutOfStep => f.write_str("memory did not arrive as a whole"),
            Self::Wait(errno) => write!(f, "the stream cannot be waited for: {errno}"),
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

/// Equal if the kernel refused a call with this error.
impl PartialEq<Errno> for ServeError {
    #[inline]
    fn eq(&self, errno: &Errno) -> bool {
        matches!(self, Self::Wait(os) | Self::Os(os) if os == errno)
    }
}

/// Makes the system calls that arrive on `stream`, one after the other, in this process, until the stream ends.
///
/// It reads exactly one request at a time: that the stream is readable means that a request waits. A signal handler
/// that runs while it waits for a request or moves bytes of the stream itself changes nothing; a requested call that is
/// interrupted fails with `EINTR`.
///
/// It is not killed by a client that vanished: where `SIGPIPE` has its default action, it is blocked for this thread
/// until this returns, but for a requested `execve`, and one that came meanwhile is discarded. Its action is that of
/// the whole process, and not touched.
///
/// The stream's file descriptor is made `CLOEXEC` first: so a client sees that a requested `execve` succeeded.
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
///     // SAFETY: std gave the file descriptor away.
///     let stream = unsafe { OwnedFd::from_raw_fd(server.into_raw_fd()) };
///     // SAFETY: the client is the test below.
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
/// Each of [`ServeError`]. Of a stream that the client has half-closed, what was requested is executed and answered,
/// and there is no error.
///
/// # Safety
///
/// The client can do whatever this process can, to its memory too: it must only request what is sound. A [`Policy`]
/// contains mistakes; it is no boundary against malice. That boundary is seccomp. A requested `clone` or `fork` makes a
/// second server on the same stream, and it is not determined which of the two gets a request: it must not be
/// requested.
#[inline]
pub unsafe fn serve(stream: &OwnedFd, policy: Policy<'_>) -> Result<(), ServeError> {
    let blocked = BlockedPipeSignal::new();
    // SAFETY: the caller vouches for the client.
    unsafe { serve_claimed(stream, policy, || true, &blocked) }
}

/// Serves as [`serve`] does, where `SIGPIPE` is `blocked` or does no harm, and executes only what it can claim: `claim`
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
        // A program is not to begin with it blocked.
        let program = matches!(request.nr, nr::EXECVE | nr::EXECVEAT);
        if program {
            blocked.unblock();
        }
        let ret = if policy.allows(request.nr) {
            // SAFETY: the caller vouches for the client.
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

/// Lets [`Child::interrupt`](super::Child::interrupt) (`SIGURG`) interrupt calls of this process, as in a forked child:
/// for a server that was started in another way.
///
/// It replaces the action of `SIGURG` for the whole process. The handler runs on the alternate signal stack of a thread
/// that has one.
///
/// System calls: `rt_sigaction`.
///
/// # Errors
///
/// None from a kernel without a seccomp policy.
#[inline]
pub fn install_interrupt_handler() -> Result<(), Errno> {
    /// The handler does nothing: that a call was interrupted is all that is wanted of it.
    #[inline]
    extern "C" fn nothing(_signal: i32) {}
    // SAFETY: a function that does nothing, at any moment; the way back is the kernel's own protocol.
    unsafe { near::set_signal_action(&Local, SIGURG, SignalAction::handler(nothing)) }
}

/// `SIGPIPE`, blocked for this thread for as long as this value lives, if it would end the process.
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
        // Where it may not be blocked it stays as it is: there is no better way.
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

    /// Discards those that came, and unblocks it.
    #[inline]
    fn unblock(&self) {
        if self.0 {
            // None was pending when it was blocked, or it had ended the process: one for the thread, one for the
            // process.
            while near::take_pending_signal(&Local, Self::SET).is_ok() {}
            // Ignored: the same call has worked before. The rest of the mask may have been changed on request.
            // SAFETY: as it was.
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

/// One request, or `None` if the stream ends before it.
#[inline]
fn receive_request(fd: FileDescriptor) -> Result<Option<Request>, ServeError> {
    let mut bytes = [MaybeUninit::<u8>::uninit(); REQUEST];
    let mut filled = 0_usize;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        // SAFETY: the stream is open for as long as it is served. `WAITALL`: one call for a request that comes in
        // pieces.
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

/// What is to be done about an error of the stream: nothing, wait, or end.
#[inline]
fn recover(fd: FileDescriptor, errno: Errno, events: i16) -> Result<(), ServeError> {
    match errno {
        Errno::EINTR => Ok(()),
        Errno::EAGAIN => wait(fd, events),
        Errno::EPIPE | Errno::ECONNRESET => Err(ServeError::Vanished),
        errno => Err(ServeError::Os(errno)),
    }
}

/// Waits until the stream is ready, or a signal handler has run: the caller tries again, and is told what is wrong with
/// it.
#[inline]
fn wait(fd: FileDescriptor, events: i16) -> Result<(), ServeError> {
    match near::ppoll(&Local, &mut [PollFd { fd, events, revents: 0 }], None, None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(ServeError::Wait(errno)),
    }
}

/// Makes the call, and returns the kernel's word.
///
/// # Safety
///
/// It is sound to make.
#[inline]
unsafe fn execute(stream: FileDescriptor, request: Request) -> Result<usize, ServeError> {
    let Request { nr, args } = request;
    let [a, b, c, d, e, f] = args;
    // Bytes of the stream itself: a client moves memory with these two, and the stream would be out of step if a signal
    // handler cut them short.
    if is_own_receive(stream, &request) {
        // SAFETY: the caller vouches for the address and the length.
        return unsafe { all_of(stream, nr, args, 0) };
    }
    if nr == nr::SENDTO && is(stream, a) {
        // SAFETY: the caller vouches for the address and the length.
        return unsafe { all_of(stream, nr, args, MSG_NOSIGNAL as usize) };
    }
    // SAFETY: the caller vouches for the call.
    Ok(unsafe { syscall6(nr, a, b, c, d, e, f) })
}

/// Whether the bytes that follow the request are memory for it.
#[inline]
fn is_own_receive(stream: FileDescriptor, request: &Request) -> bool {
    let [fd, _, _, flags, ..] = request.args;
    request.nr == nr::RECVFROM && flags & MSG_WAITALL as usize != 0 && is(stream, fd)
}

/// Whether a word names the stream: of a file descriptor the kernel looks at the lower 32 bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "as the kernel does")]
#[inline]
const fn is(stream: FileDescriptor, word: usize) -> bool {
    word as i32 == stream.0
}

/// Moves all the bytes of a `recvfrom` or `sendto` on the stream, however many signal handlers run meanwhile.
///
/// # Safety
///
/// The call is sound to make.
#[inline]
unsafe fn all_of(stream: FileDescriptor, nr: usize, args: [usize; 6], more_flags: usize) -> Result<usize, ServeError> {
    let [fd, address, len, flags, e, f] = args;
    let mut moved = 0_usize;
    loop {
        let (here, left) = (address.wrapping_add(moved), len.saturating_sub(moved));
        // SAFETY: a part of what the caller vouches for.
        let ret = unsafe { syscall6(nr, fd, here, left, flags | more_flags, e, f) };
        match Errno::from_ret(ret) {
            Ok(0) => return Ok(moved),
            Ok(count) => moved = moved.saturating_add(count),
            Err(Errno::EINTR) => {}
            // Asked not to wait, it does not.
            Err(Errno::EAGAIN) if flags & near::MSG_DONTWAIT as usize == 0 => {
                wait(stream, if nr == nr::RECVFROM { PollFd::IN } else { PollFd::OUT })?;
            }
            // What was moved before is moved: the client sees a short count.
            Err(_) if moved != 0 => return Ok(moved),
            Err(_) => return Ok(ret),
        }
        if moved >= len {
            return Ok(moved);
        }
    }
}

//! System calls in another process: for a supervisor that sets up a child before `execve`, or a process that uses file
//! descriptors of another one.
//!
//! ```
//! use rsyscall::{EventfdFlags, EventfdTask, remote};
//!
//! let forked = remote::fork([])?;
//! let bell = forked.task.eventfd(2, EventfdFlags::empty())?; // a file descriptor of the child
//! assert_eq!(bell.read()?, 2);
//! # Ok::<(), rsyscall::sysif::Error>(())
//! ```
//!
//! A system call is a message over a stream to a server process, which executes the call and sends the result.
//! [`serve`] is the server's loop, a [`Connection`] the interface to it, and a [`Task`](crate::Task) with a connection
//! can be used as any task. [`fork`] creates a server; [`Connection::from_stream`] connects to one that was started
//! otherwise.
//!
//! # Format
//!
//! A request is seven words of 64 bits in native byte order: the system call number and six arguments, 0 where the call
//! has fewer. A response is one word: the raw return value. Each request has exactly one response, in order. There is
//! no handshake, no version and no identifier: both ends have the same architecture.
//!
//! Memory is transferred by the calls themselves. `recvfrom(server, address, N, MSG_WAITALL)`, followed by N bytes,
//! writes these bytes to the server's memory. `sendto(server, address, N, 0)` sends N bytes of memory before its
//! response. Either returns N, or the stream is out of step and unusable. The server never reads ahead, so the bytes
//! after a request may be its data.
//!
//! The end of the stream between requests is a clean end. `exit` and a successful `execve` have no response: the stream
//! ends.
//!
//! It is the format of the Python library [rsyscall](https://github.com/catern/rsyscall); either end is compatible with
//! it.
//!
//! # The bytes of one call
//!
//! The example is a `write` of 2 to an eventfd in the server, whose file descriptor there is 13, and a `read` of it.
//! The server's end of the stream is its file descriptor 5, and its scratch space is at `m`. On a little-endian
//! machine, with `│` between words and `·` for zero bytes:
//!
//! ```text
//! client                                                            server
//! recvfrom │ 5 · │ m   │ 8 · │ 00 01 · │ · │ ·   56 bytes ──▶   recvfrom(5, m, 8, MSG_WAITALL)
//! 02 ·                                            8 bytes ──▶      takes these
//! write    │ 0d · │ m  │ 8 · │ · │ · │ ·         56 bytes ──▶   write(13, m, 8)
//!                                           ◀──   8 bytes        08 ·   what recvfrom returned
//!                                           ◀──   8 bytes        08 ·   what write returned
//!
//! read     │ 0d · │ m  │ 8 · │ · │ · │ ·         56 bytes ──▶   read(13, m, 8)
//! sendto   │ 5 · │ m   │ 8 · │ · │ · │ ·         56 bytes ──▶   sendto(5, m, 8, 0)
//!                                           ◀──   8 bytes        08 ·   what read returned
//!                                           ◀──   8 bytes        02 ·   the memory
//!                                           ◀──   8 bytes        08 ·   what sendto returned
//! ```
//!
//! The client sends each call by one `sendto`. With a child created by [`fork`], `m` is in a page that both processes
//! share: the client accesses it directly, and only the requests `write` and `read` are sent.

// The files, from the top layer down:
//
//     connection   pipeline   exec   fetch      the interface, and operations beyond one call at a time
//     exchange                                  one call: requests, response, and the error if there is none
//     scratch                                   memory in the server, and whether it can be transferred
//     responses                                 outstanding and received responses
//     stream   peer   page                      bytes and deadlines; the forked process; the memory shared with it
//
// A client blocks for a response in `Stream::receive`, and in `Stream::send` only while the stream is full.

// All of it is `#[inline]`, that is, compiled in the crates that use it: otherwise it would be three quarters of the
// code that every build of the library compiles.

mod child;
mod claims;
mod connection;
mod disconnect;
mod exchange;
mod exec;
mod fetch;
mod fork;
mod inbox;
mod kept;
mod layout;
mod memory;
mod page;
mod peer;
mod pipeline;
mod policy;
mod responses;
mod scratch;
mod serve;
mod stream;
mod task;
mod wire;
/// The atomics of [`claims`], which a model checker replaces.
mod sync {
    #[cfg(not(target_has_atomic = "64"))]
    pub(super) use core::sync::atomic::AtomicU32 as AtomicCount;
    #[cfg(target_has_atomic = "64")]
    pub(super) use core::sync::atomic::AtomicU64 as AtomicCount;
    pub(super) use core::sync::atomic::Ordering;

    /// The value of an [`AtomicCount`].
    #[cfg(target_has_atomic = "64")]
    pub(super) type Count = u64;
    #[cfg(not(target_has_atomic = "64"))]
    pub(super) type Count = u32;
}

pub use crate::sys::wait::ExitStatus;
pub use child::Child;
pub use connection::Connection;
pub use exec::ExecOptions;
pub use fork::{ForkOptions, Forked, fork, fork_sharing_files};
pub use pipeline::{CallSlot, Completion, Operand, Pipeline, SubmitError, Ticket};
pub use policy::Policy;
pub use serve::{ServeError, install_interrupt_handler, serve};
pub use wire::{REQUEST, RESPONSE, Request, response_from_bytes, response_to_bytes};

//! Tasks that are other processes.
//!
//! A system call is a message. Here it travels over a stream to a process that makes it and answers: [`serve`] is that
//! process's loop, a [`Connection`] the interface to it, and a [`Task`](crate::Task) made of that does what any task
//! does. [`fork`] makes such a process; [`Connection::from_stream`] talks to one that somebody else started.
//!
//! # Format
//!
//! A request is seven words of 64 bits in native order: the call's number and six arguments, 0 where the call has
//! fewer. A response is one: the kernel's word. Requests are answered in order, each exactly once. There is no
//! greeting, no version and no identifier: both ends have the same architecture.
//!
//! Memory is moved by the calls themselves: `recvfrom(server, address, N, MSG_WAITALL)`, N bytes behind the request,
//! puts them there; `sendto(server, address, N, 0)` makes N bytes come before its response. Either returns N, or the
//! stream is out of step and of no more use. The server reads no byte ahead, so what follows a request may be its data.
//!
//! The end of the stream between requests is a clean end. `exit` and a successful `execve` are not answered: the stream
//! ends.
//!
//! It is the format of the Python library [rsyscall](https://github.com/catern/rsyscall), and either end can talk to
//! it.
//!
//! # The bytes of one call
//!
//! A `write(13, "\x02", 8)` and a `read(13, …, 8)` of an eventfd there. The server's end of the stream is its file
//! descriptor 5, and it has memory for arguments at `m`. On a little-endian machine, with `│` between words and `·` for
//! zero bytes:
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
//! What is sent is one `sendto` of the client. With a child that [`fork`] has made, `m` is in a page that both
//! processes share: the client writes and reads it itself, and only the requests `write` and `read` are sent.
//!
//! # Layers
//!
//! ```text
//! connection   pipeline   exec   fetch      the interface, and what goes beyond one call at a time
//! exchange                                  one call: requests, answer, and the error if none comes
//! scratch                                   memory there, and whether it can be moved
//! answers                                   what is outstanding, and what has arrived of it
//! stream   peer   page                      bytes and deadlines; the forked process; the memory shared with it
//! ```

// All of it is inlined, that is, compiled in the crates that use it: otherwise it would be three quarters of what the
// library's own build compiles, for everybody.

mod answers;
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
mod scratch;
mod serve;
mod stream;
mod task;
mod wire;
/// What [`claims`] uses, so that a model checker can put its own in their place.
mod sync {
    #[cfg(not(target_has_atomic = "64"))]
    pub(super) use core::sync::atomic::AtomicU32 as AtomicCount;
    #[cfg(target_has_atomic = "64")]
    pub(super) use core::sync::atomic::AtomicU64 as AtomicCount;
    pub(super) use core::sync::atomic::Ordering;

    /// What an [`AtomicCount`] holds.
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

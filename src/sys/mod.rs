//! Typed system interfaces, named as their C headers are.

pub mod epoll;
pub mod eventfd;
mod kind;
pub mod listen_fds;
pub mod pidfd;
pub mod poll;
pub mod pollable;
pub(crate) mod ready;
pub mod signal;
pub mod signalfd;
pub mod socket;
pub mod stdio;
pub mod wait;

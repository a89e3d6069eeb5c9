//! Typed system interfaces, named as their C headers are.
//!
//! Uses [`deadline`](crate::deadline), [`fd`](crate::fd), [`task`](crate::task) and [`near`](crate::near).

pub mod epoll;
pub mod eventfd;
pub mod listen_fds;
pub mod pidfd;
pub mod poll;
pub mod pollable;
mod ready;
pub mod signal;
pub mod signalfd;
pub mod socket;
pub mod stdio;
pub mod wait;

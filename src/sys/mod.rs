//! Typed system interfaces, named as their C headers are.
//!
//! Uses [`fd`](crate::fd), [`task`](crate::task) and [`near`](crate::near).

mod deadline;
pub mod epoll;
pub mod eventfd;
pub mod poll;

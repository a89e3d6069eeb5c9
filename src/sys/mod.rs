//! Typed system interfaces, named as their C headers are.
//!
//! Uses [`fd`](crate::fd), [`task`](crate::task) and [`near`](crate::near).

mod deadline;
pub mod eventfd;
